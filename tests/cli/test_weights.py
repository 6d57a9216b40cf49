"""``scaf-gui import-weights``: the real command on a file of the reference's names and shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from scaf_gui.learning.checkpoint import load_checkpoint
from scaf_gui.learning.pretrained import load_autoencoder
from tests.learning.test_reference import published, shapes


def test_published_weights_become_an_auto_encoder_and_a_landmark_network(
    tmp_path: Path, scaf: Callable[..., Any]
) -> None:
    counters = {name: torch.tensor(7) for name, shape in shapes() if not shape}
    file = published(tmp_path / "saae.mdl", {n: torch.full(s, 0.5) for n, s in shapes() if s} | counters)
    faces, landmarks = tmp_path / "faces.safetensors", tmp_path / "landmarks.safetensors"
    words = ("import-weights", file, "--out", faces, "--landmarks", landmarks)

    code, error = scaf(*words, "--scheme", "wflw-98", fails=True)
    assert code == 2 and "saae.mdl: predicts 68 landmarks, but the scheme 'wflw-98' has 98" in error
    assert not faces.exists(), "all is checked before anything is written"

    told = scaf(*words)
    assert (told["input_size"], told["landmarks"]) == (256, 68)
    assert load_autoencoder(faces).id == told["autoencoder"]
    network = load_checkpoint(landmarks)
    assert network.id == told["network"] and network.meta["parent"] == told["autoencoder"]
    assert network.scheme.id == "300w-68"

    code, error = scaf("import-weights", file, "--out", faces, fails=True)
    assert code == 2 and "faces.safetensors is there already" in error and "--overwrite" in error
    assert scaf("import-weights", file, "--out", faces, "--overwrite")["network"] is None

    file.write_bytes(file.read_bytes()[:100_000])
    code, error = scaf("import-weights", file, "--out", tmp_path / "other.safetensors", fails=True)
    assert code == 2 and "saae.mdl: is truncated" in error and not (tmp_path / "other.safetensors").exists()
