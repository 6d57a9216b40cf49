"""packaging/train_starter.py on a small data folder of rendered faces."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.checkpoint import load_checkpoint, read_meta
from scaf_gui.learning.pretrained import make_autoencoder, save_autoencoder
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    yield importlib.import_module("train_starter")
    sys.modules.pop("train_starter", None)


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces to learn from in each set, two to measure on; the test sets are there and unreadable."""
    root = tmp_path_factory.mktemp("data")
    seed = 900
    for name in ("300w/pool", "ytf68", "300w/dev"):
        (root / name).mkdir(parents=True)
        for _ in range(2):
            face = render_face(seed, 96)
            cv2.imwrite(str(root / name / f"{seed}.png"), face.image[..., ::-1])
            rows = [f"{x + 1:.4f} {y + 1:.4f}" for x, y in face.landmarks_68]
            (root / name / f"{seed}.pts").write_text("\n".join(["version: 1", "n_points: 68", "{", *rows, "}"]))
            seed += 1
    for name in ("300w/test", "300w/test-hard", "multi"):
        (root / name).mkdir()
        (root / name / "x.pts").write_text("whoever reads this fails")
    return root


def test_shares(script: Any) -> None:
    faces = {name: [f"{name}{i}" for i in range(count)] for name, count in (("p", 100), ("y", 80), ("r", 24))}
    shares = {"p": 0.65, "y": 0.2, "r": 0.15}
    found = script.mixed([script.Source(name, faces[name], shares[name]) for name in faces])
    for name, share in shares.items():
        mine = [face for face in found if face[0] == name]
        assert abs(len(mine) / len(found) - share) < 0.01
        assert set(mine) == set(faces[name]), "every face is learnt from"
    counts = [found.count(face) for face in faces["p"]]
    assert max(counts) - min(counts) <= 1
    only = script.mixed([script.Source("p", faces["p"], 1.0), script.Source("y", [], 0.0)])
    assert only == faces["p"]


def run(script: Any, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["train_starter.py", *map(str, arguments)])
    assert script.main() == 0


def test_from_the_auto_encoder_and_on(
    script: Any, data: Path, tmp_path: Path, scheme: Scheme, monkeypatch: pytest.MonkeyPatch, capsys: Any, slim: None
) -> None:
    torch.manual_seed(0)
    base = make_autoencoder(Encoder(128), Generator(4), {}, None)
    save_autoencoder(base, tmp_path / "faces-128.safetensors")
    out = tmp_path / "starter.safetensors"
    common = ("--data", data, "--device", "cpu", "--threads", 1, "--renders", 1, "--cache", tmp_path / "cache",
              "--max-steps", 2, "--base", tmp_path / "faces-128.safetensors", "--out", out)  # fmt: skip
    monkeypatch.setattr(script, "RENDER_SIZE", 96)
    run(script, monkeypatch, *common, "--save-every", 0)
    meta = read_meta(out)
    assert meta["base"] == base.id == meta["parent"] and meta["recipe"]["labels"] == 4
    assert meta["recipe"]["learnt_from"]["ytf68"] == {"faces": 2, "share": 0.2}
    assert meta["figures"]["dev"]["faces"] == 2 and meta["figures"]["dev"]["nme"] > 0
    said = capsys.readouterr().out
    assert said.count("saved ") == 3, "after both steps and at the end"
    assert "| dev, 2 faces | true |" in said
    first = load_checkpoint(out, scheme)
    run(script, monkeypatch, *common, "--start", out, "--ytf-share", 0)
    second = load_checkpoint(out, scheme)
    assert second.meta["parent"] == first.id and second.meta["base"] == base.id
    assert "ytf68" not in second.meta["recipe"]["learnt_from"] and second.meta["recipe"]["labels"] == 2
    assert not torch.equal(first.tensors["Q.bn1.running_mean"], second.tensors["Q.bn1.running_mean"])
