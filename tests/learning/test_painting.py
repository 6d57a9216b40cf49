"""The auto-encoder of a model is told by its generator's weights, and paints what it was trained to paint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scaf_gui.core.scheme import Scheme
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint, save_checkpoint
from scaf_gui.learning.networks import normalise
from scaf_gui.learning.painting import Painter, painter_of
from scaf_gui.learning.presets import preset
from scaf_gui.learning.pretrained import Autoencoder, make_autoencoder, save_autoencoder
from scaf_gui.learning.start import start_network

pytestmark = pytest.mark.usefixtures("slim")


def autoencoder(seed: int) -> Autoencoder:
    torch.manual_seed(seed)
    return make_autoencoder(Encoder(128), Generator(4), {"faces": 5}, None)


def trained_from(base: Autoencoder | None, scheme: Scheme) -> Checkpoint:
    """As training leaves it: the generator's filters untouched, its statistics and the encoder moved."""
    network, _ = start_network(preset("default"), scheme, base, 0)
    with torch.no_grad():
        for weight in network.Q.parameters():
            weight.add_(0.01)
        network.P.bn1.running_mean.add_(0.5)
    return make_checkpoint(network, scheme, preset("default"), {}, base)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For models; the shipped ones are elsewhere, and none."""
    monkeypatch.setattr("scaf_gui.learning.painting.model_folder", lambda: tmp_path / "shipped")
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.mark.parametrize("where", ["own", "shipped"])
def test_it_is_found_by_the_generator_s_weights(scheme: Scheme, folder: Path, where: str) -> None:
    base = autoencoder(3)
    beside = folder.parent / where
    beside.mkdir(exist_ok=True)
    save_autoencoder(autoencoder(4), beside / "another.safetensors")
    save_autoencoder(base, beside / "face-128.safetensors")
    (beside / "broken.safetensors").write_bytes(b"nothing")
    checkpoint = trained_from(base, scheme)
    save_checkpoint(checkpoint, folder / "m.safetensors")
    painter = painter_of(checkpoint, folder / "m.safetensors")
    assert painter is not None and painter.own
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    painted = painter.paint(crop)
    assert painted.shape == (128, 128, 3) and painted.dtype == np.uint8
    np.testing.assert_array_equal(painted, Painter(base).paint(crop))
    with torch.inference_mode():
        encoder, generator = base.networks()
        mean = torch.tensor(base.meta["normalisation"]["mean"])
        wanted = generator(encoder(normalise(torch.from_numpy(crop)[None], mean))[0])[0] + mean[:, None, None]
    np.testing.assert_allclose(painted / 255, wanted.clamp(0, 1).permute(1, 2, 0).numpy(), atol=0.003)


def test_a_shipped_one_paints_for_a_model_that_was_trained_from_none(scheme: Scheme, folder: Path) -> None:
    (folder.parent / "shipped").mkdir()
    base = autoencoder(3)
    save_autoencoder(base, folder.parent / "shipped" / "face-128.safetensors")
    checkpoint = trained_from(None, scheme)
    painter = painter_of(checkpoint, folder / "m.safetensors")
    assert painter is not None and not painter.own
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    np.testing.assert_array_equal(painter.paint(crop), Painter(base).paint(crop))


def test_a_generator_that_was_never_trained_to_paint_has_none(scheme: Scheme, folder: Path) -> None:
    save_autoencoder(autoencoder(3), folder / "face-128.safetensors")
    checkpoint = trained_from(None, scheme)
    assert painter_of(checkpoint, folder / "m.safetensors") is None
    assert painter_of(checkpoint, folder.parent / "gone" / "m.safetensors") is None
