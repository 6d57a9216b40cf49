"""Which model a project begins with and keeps, without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from scaf_gui import paths
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.session import models
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.session import Session


def named(name: str) -> Scheme:
    return load_scheme(paths.resource_folder() / "schemes" / f"{name}.json")


def write(path: Path, scheme: str, model_id: str) -> Path:
    """The header of a checkpoint, which is all that is read of it here."""
    held = json.loads((paths.resource_folder() / "schemes" / f"{scheme}.json").read_text(encoding="utf-8"))
    meta = {"id": model_id, "scheme": held, "created": "2026-01-01", "preset": "default"}
    header = json.dumps({"__metadata__": {"scaf_gui": json.dumps(meta)}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(paths, "model_folder", lambda: folder)
    return folder


def test_the_starter_is_of_the_scheme_or_leads_to_it(shipped: Path) -> None:
    assert models.starter(named("300w-68")) is None and models.bridge_source() is None
    wide = write(shipped / "a.safetensors", "wflw-98", "wide")
    found = models.starter(named("300w-68"))
    assert found is not None and (found.id, found.path, found.own) == ("wide", str(wide), False)
    own = write(shipped / "b.safetensors", "300w-68", "own")
    for scheme, model_id in (("300w-68", "own"), ("wflw-98", "wide")):
        found = models.starter(named(scheme))
        assert found is not None and found.id == model_id, "one of the very scheme comes first"
    assert models.starter(named("scut-86")) is None, "nothing leads there"
    assert models.bridge_source() == wide, "the one with most landmarks"
    wide.unlink()
    assert models.bridge_source() == own


def test_the_same_id_must_mean_the_same_landmarks(shipped: Path) -> None:
    write(shipped / "a.safetensors", "300w-68", "a")
    same = named("300w-68")
    assert models.starter(same) is not None
    other = replace(named("scut-86"), id=same.id)
    assert models.starter(other) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\xff" * 40, (2).to_bytes(8, "little") + b"{}", (4).to_bytes(8, "little") + b"[1]\n"],
)
def test_what_is_no_landmark_model_is_passed_over(shipped: Path, content: bytes) -> None:
    (shipped / "a damaged one.safetensors").write_bytes(content)
    write(shipped / "b.safetensors", "300w-68", "b")
    found = models.starter(named("300w-68"))
    assert found is not None and found.id == "b" and models.bridge_source() == shipped / "b.safetensors"


def test_the_shipped_auto_encoder_is_no_starter() -> None:
    autoencoders = [p for p in paths.model_folder().glob("*.safetensors") if "scheme" not in models.metadata(p)]
    found = models.starter(named("300w-68"))
    assert autoencoders and found is not None and Path(found.path) not in autoencoders


def test_a_model_is_remembered_by_its_place_in_the_project(make_session: Callable[..., Session]) -> None:
    session = make_session()
    path = models.model_path(session.companions, "m1")
    models.remember(session.store, ModelInfo("m1", str(path), True, "two labels", trained_on=(1, 2)))
    model, note = models.current_model(session.store, session.companions, session.scheme)
    assert model is None and "m1.safetensors is not beside the project any more" in note
    path.parent.mkdir(parents=True)
    path.touch()
    model, note = models.current_model(session.store, session.companions, session.scheme)
    assert model is not None and not note
    assert asdict(model) == asdict(models.history(session.store, session.companions)[-1])
    assert (model.id, model.path, model.trained_on) == ("m1", str(path), (1, 2))
    elsewhere = session.companions.parent / "moved"
    assert models.history(session.store, elsewhere)[0].path == str(elsewhere / "models" / "m1.safetensors")


def test_the_newest_models_are_kept_and_the_one_in_use(tmp_path: Path) -> None:
    folder = models.models_folder(tmp_path)
    folder.mkdir()
    for number in range(models.KEPT + 3):
        path = models.model_path(tmp_path, f"m{number}")
        path.touch()
        os.utime(path, (number, number))
    models.prune(tmp_path, keep="m0")
    kept = {path.stem for path in folder.iterdir()}
    assert kept == {"m0"} | {f"m{number}" for number in range(3, models.KEPT + 3)}


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys; from scaf_gui import paths; from scaf_gui.core.scheme import load_scheme;"
        "from scaf_gui.session.models import starter;"
        "assert starter(load_scheme(paths.resource_folder() / 'schemes' / '300w-68.json')) is not None;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
