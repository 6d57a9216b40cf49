"""The file of a pre-trained auto-encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scaf_gui.errors import CheckpointError
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.pretrained import load_autoencoder, make_autoencoder, save_autoencoder
from scaf_gui.learning.tensorfile import write_tensors

pytestmark = pytest.mark.usefixtures("all_slim")


@pytest.mark.parametrize(("size", "depth"), [(128, 4), (256, 5)])
def test_saved_and_loaded_again_it_is_the_same(size: int, depth: int, tmp_path: Path) -> None:
    # Random weights of the full network take seconds to draw; these need only differ.
    made = make_autoencoder(Encoder(size), Generator(depth), {"steps": 3}, "abc")
    save_autoencoder(made, tmp_path / "a.safetensors")
    loaded = load_autoencoder(tmp_path / "a.safetensors")
    assert (loaded.id, dict(loaded.meta)) == (made.id, dict(made.meta))
    assert loaded.input_size == size and loaded.meta["parent"] == "abc"
    assert all(torch.equal(loaded.tensors[name], value) for name, value in made.tensors.items())
    encoder, generator = loaded.networks()
    again = make_autoencoder(encoder, generator, {}, loaded)
    assert again.id == made.id and again.meta["parent"] == made.id
    # about two bytes a weight
    weights = sum(value.numel() for value in made.tensors.values())
    assert (tmp_path / "a.safetensors").stat().st_size < 2.05 * weights


def test_another_weight_is_another_id() -> None:
    torch.manual_seed(0)
    encoder, generator = Encoder(128), Generator(4)
    before = make_autoencoder(encoder, generator, {}, None).id
    with torch.no_grad():
        encoder.fc.bias[0] += 1e-3
    assert make_autoencoder(encoder, generator, {}, None).id != before


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    pickled, foreign, truncated = (tmp_path / name for name in ("p.safetensors", "f.safetensors", "t.safetensors"))
    torch.save({"a": torch.zeros(2)}, pickled)
    with pytest.raises(CheckpointError, match=r"p\.safetensors.*pickled"):
        load_autoencoder(pickled)
    write_tensors(foreign, {"LMH.lin.weight": torch.zeros(1)}, {"format": 1, "scheme": {}})
    with pytest.raises(CheckpointError, match="not an auto-encoder"):
        load_autoencoder(foreign)
    made = make_autoencoder(Encoder(128), Generator(4), {}, None)
    save_autoencoder(made, truncated)
    truncated.write_bytes(truncated.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"t\.safetensors.*truncated"):
        load_autoencoder(truncated)
    wrong = dict(made.tensors)
    del wrong["Q.fc.bias"]
    write_tensors(foreign, wrong, {"id": made.id, **made.meta})
    with pytest.raises(CheckpointError, match=r"Q\.fc\.bias has no such weights"):
        load_autoencoder(foreign)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_autoencoder(tmp_path / "none.safetensors")
