from __future__ import annotations

from dataclasses import replace

import pytest

from scaf_gui.errors import UsageError
from scaf_gui.learning.decoding import DECODERS
from scaf_gui.learning.presets import PRESETS, preset


def test_published_is_the_paper() -> None:
    p = preset("published")
    assert (p.input_size, p.heatmap_size, p.sigma, p.window, p.whole_pixels) == (256, 128, 7.0, 35, True)
    assert (p.lr_head, p.lr_encoder, p.batch, p.loss_scale, p.foreground) == (1e-3, 2e-5, 40, 300.0, 0.0)
    assert (p.skips, p.itls_first, p.train_batch_norm, p.weight_decay, p.cosine) == (True, 0.0, False, 0.0, False)
    assert (p.decoder, p.nnm_window) == ("box-blur", 15)
    a = p.augmentation
    assert (a.degrees, a.shift, a.scale, a.shear, a.light, a.erasing) == (30.0, 0.04, (0.94, 1.05), 5.0, 0.0, 0.0)


def test_3fabrec_differs_by_two_options() -> None:
    fabrec, joint, scaf = preset("3fabrec"), preset("3fabrec-joint"), preset("published")
    assert not fabrec.skips and 0 < fabrec.itls_first < 1
    assert not joint.skips and joint.itls_first == 0.0
    assert (fabrec.sigma, fabrec.lr_head, fabrec.input_size) == (scaf.sigma, scaf.lr_head, scaf.input_size)


def test_adamw_differs_by_the_optimiser() -> None:
    usual, adamw = preset("default"), preset("adamw")
    assert usual.muon > 0.0 and replace(adamw, name=usual.name, title=usual.title, muon=usual.muon) == usual
    assert preset("published").muon == 0.0


def test_nnm_window_follows_sigma() -> None:
    assert preset("default").nnm_window == 5


def test_every_row_is_consistent() -> None:
    for name, row in PRESETS.items():
        assert row.name == name and row.title and row.decoder in DECODERS
        assert row.architecture(68).heatmap_size == row.heatmap_size


def test_plans_grow_with_the_labels_and_quick_is_shorter() -> None:
    p = preset("default")
    assert p.steps("quick", 10, True) <= p.steps("quick", 2000, True) < p.steps("full", 2000, True)
    assert p.steps("quick", 50, True) < p.steps("full", 50, True)
    assert p.steps("quick", 10, False) > p.steps("quick", 10, True), "random weights need more than a refinement"


def test_thorough_is_the_default_for_longer() -> None:
    long, usual = preset("thorough"), preset("default")
    assert replace(long, name=usual.name, title=usual.title, full_steps=360, full_epochs=12) == usual
    for labels in (10, 50, 1000):
        times = long.steps("full", labels, True) / usual.steps("full", labels, True)
        assert 2.9 < times < 4.1, "as its title says"
    assert long.steps("quick", 50, True) == usual.steps("quick", 50, True)


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"default.*published.*3fabrec"):
        preset("nope")
