"""A shipped model leaves to its auto-encoder what is the auto-encoder's, and says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.bases import autoencoder_files, autoencoder_for, difference, find_base
from scaf_gui.learning.checkpoint import Checkpoint, load_checkpoint, make_checkpoint, read_meta, save_checkpoint
from scaf_gui.learning.presets import preset
from scaf_gui.learning.pretrained import Autoencoder, make_autoencoder, save_autoencoder
from scaf_gui.learning.start import start_network

pytestmark = pytest.mark.usefixtures("all_slim")

MISSING = r"starter\.safetensors: needs the auto-encoder [0-9a-f]{16}, which is not in .*; put its file beside"


@pytest.fixture(scope="module")
def base() -> Autoencoder:
    torch.manual_seed(3)
    return make_autoencoder(Encoder(128), Generator(4), {"faces": 5}, None)


@pytest.fixture(scope="module")
def starter(base: Autoencoder, scheme: Scheme) -> Checkpoint:
    """As training leaves it: the generator's filters untouched, its statistics and all the rest moved."""
    network, refines = start_network(preset("default"), scheme, base, 0)
    assert not refines, "an auto-encoder knows no landmarks"
    with torch.no_grad():
        for part in (network.Q, network.LMH):
            for weight in part.parameters():
                weight.add_(0.01)
        network.P.bn1.running_mean.add_(0.5)
    return make_checkpoint(network, scheme, preset("default"), {"labels": 3}, base)


@pytest.fixture
def files(base: Autoencoder, starter: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both files, and no shipped models anywhere."""
    monkeypatch.setattr("scaf_gui.learning.bases.model_folder", lambda: tmp_path / "shipped")
    save_autoencoder(base, tmp_path / "face-128.safetensors")
    save_checkpoint(starter, tmp_path / "starter.safetensors", half=True, base=base)
    return tmp_path


def test_training_starts_from_encoder_and_generator(base: Autoencoder, scheme: Scheme) -> None:
    network, _ = start_network(preset("default"), scheme, base, 0)
    weights = network.state_dict()
    shared = [name for name in weights if name.startswith(("Q.", "P."))]
    assert shared and all(torch.equal(weights[name], base.tensors[name]) for name in shared)
    finer, _ = start_network(preset("fine"), scheme, base, 0)
    assert torch.equal(finer.Q.layer4[1].conv2.weight, base.tensors["Q.layer4.1.conv2.weight"])
    other = replace(base, meta={**base.meta, "normalisation": {"mean": [0.5, 0.5, 0.5]}})
    with pytest.raises(CheckpointError, match=r"minus \(0.5, 0.5, 0.5\)"):
        start_network(preset("default"), scheme, other, 0)


def test_only_what_differs_is_stored(files: Path, base: Autoencoder, starter: Checkpoint, scheme: Scheme) -> None:
    path = files / "starter.safetensors"
    with safe_open(path, framework="pt") as opened:
        stored = set(opened.keys())
    filters = {name for name in starter.tensors if name.startswith("P.") and starter.tensors[name].ndim > 1}
    assert filters and not stored & filters
    assert "P.bn1.running_mean" in stored and "Q.conv1.weight" in stored and "LMH.lin.weight" in stored
    whole = files / "whole.safetensors"
    save_checkpoint(starter, whole, half=True)
    assert path.stat().st_size < 0.6 * whole.stat().st_size
    again, self_contained = load_checkpoint(path, scheme), load_checkpoint(whole, scheme)
    assert again.id == starter.id == read_meta(path)["id"] and again.meta["base"] == starter.meta["parent"] == base.id
    assert again.tensors.keys() == self_contained.tensors.keys()
    assert all(torch.equal(again.tensors[name], value) for name, value in self_contained.tensors.items())
    assert (read_meta(path)["format"], read_meta(whole)["format"]) == (2, 1)


def test_saved_again_it_holds_everything(files: Path) -> None:
    """A project's model must outlive an update of the shipped ones."""
    own = files / "project" / "own.safetensors"
    save_checkpoint(load_checkpoint(files / "starter.safetensors"), own)
    (files / "face-128.safetensors").unlink()
    assert "base" not in load_checkpoint(own).meta


def test_a_base_that_shares_nothing_is_not_named(starter: Checkpoint, tmp_path: Path) -> None:
    torch.manual_seed(4)
    stranger = make_autoencoder(Encoder(128), Generator(4), {}, None)
    stranger = replace(stranger, tensors={name: value + 0.25 for name, value in stranger.tensors.items()})
    assert difference(starter.tensors, stranger).keys() == starter.tensors.keys()
    save_checkpoint(starter, tmp_path / "m.safetensors", base=stranger)
    assert "base" not in read_meta(tmp_path / "m.safetensors")


def test_the_base_is_found_beside_or_among_the_shipped_models(files: Path, base: Autoencoder) -> None:
    shipped = files / "shipped"
    shipped.mkdir()
    (files / "face-128.safetensors").rename(shipped / "another name.safetensors")
    assert find_base(base.id, files / "starter.safetensors").id == base.id
    assert load_checkpoint(files / "starter.safetensors").meta["base"] == base.id


def test_without_its_base(files: Path, scheme: Scheme) -> None:
    (files / "face-128.safetensors").write_text("damaged")
    path = files / "starter.safetensors"
    with pytest.raises(CheckpointError, match=MISSING) as caught:
        load_checkpoint(path)
    assert caught.value.path == path and "\n" not in str(caught.value)
    assert read_meta(path)["scheme"]["id"] == "300w-68"


def test_a_base_with_other_weights(files: Path) -> None:
    path = files / "face-128.safetensors"
    tensors = load_file(path)
    with safe_open(path, framework="pt") as opened:
        header = opened.metadata()
    tensors["P.conv1.weight"] += 1.0
    save_file(tensors, path, metadata=header)
    with pytest.raises(CheckpointError, match=r"face-128\.safetensors holds other weights than that id"):
        load_checkpoint(files / "starter.safetensors")


def test_landmark_models_and_auto_encoders_are_told_apart(files: Path, base: Autoencoder) -> None:
    assert autoencoder_for(preset("default"), files) == files / "face-128.safetensors"
    assert autoencoder_for(preset("fine"), files) is None and autoencoder_for(preset("default"), files / "x") is None
    newer = replace(base, meta={**base.meta, "created": "2999-01-01T00:00:00+00:00"})
    save_autoencoder(newer, files / "a newer one.safetensors")
    assert autoencoder_for(preset("default"), files) == files / "a newer one.safetensors"
    with pytest.raises(CheckpointError, match="is an auto-encoder, which knows no landmarks"):
        read_meta(files / "face-128.safetensors")


def test_a_damaged_header_is_passed_over(files: Path) -> None:
    save_file({"x": torch.zeros(1)}, files / "odd.safetensors", metadata={"scaf_gui": json.dumps({"kind": "odd"})})
    assert [path.name for path in autoencoder_files(files)] == ["face-128.safetensors"]
