"""Rendered faces with exact landmarks, and projects made of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.session.annotator import label_from
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session
from scaf_gui.session.steps import result_of
from tests.jobs import finish
from tests.narrow import narrow
from tests.rendered import render_folder, shared_folder

FACES = 14


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces; rendered once."""
    return render_folder(shared_folder(tmp_path_factory) / "session", FACES, 700, 128, "face_{}.jpg")


@pytest.fixture
def images(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the images that a test may change."""
    return Path(shutil.copytree(rendered / "images", tmp_path / "images"))


@pytest.fixture
def truth(rendered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rendered / "truth", tmp_path / "truth"))


def _take_all(session: Session, work: Any) -> Any:
    return finish(work, session.take)[0]


@pytest.fixture
def take_all() -> Callable[[Session, Any], Any]:
    """Run a generator to its end, as a worker would; returns what it returned."""
    return _take_all


@pytest.fixture
def make_session(tmp_path: Path, images: Path, truth: Path) -> Iterator[Callable[..., Session]]:
    """Makes projects whose boxes are found; closes them in the end."""
    made: list[Session] = []

    def make(name: str = "p", folder: Path = images, **options: Any) -> Session:
        session = new_project(tmp_path / f"{name}.scaf", folder, **{"boxes": "whole", "use_starter": False} | options)
        made.append(session)
        _take_all(session, session.find_boxes())
        return session

    yield make
    for session in made:
        session.close()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a preset that trains the real network for a few small steps."""
    from scaf_gui.learning.presets import PRESETS

    monkeypatch.setitem(PRESETS, "tiny", _tiny(PRESETS["default"]))
    return "tiny"


def _tiny(preset: Any) -> Any:
    return replace(preset, name="tiny", batch=2, quick_steps=2, full_steps=3, full_epochs=1, ema=0.0)


def _label(session: Session, truth: Path, count: int) -> tuple[int, ...]:
    return tuple(result_of(label_from(session, truth, count)).face_ids)


@pytest.fixture
def label(rendered: Path) -> Callable[[Session, int], tuple[int, ...]]:
    """Labels the next faces of the queue with their true landmarks; returns their ids."""
    return lambda session, count: _label(session, rendered / "truth", count)


@pytest.fixture(scope="session")
def trained_project(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project of 14 faces, two of them labelled, and a narrow model trained on those."""
    from scaf_gui.learning.presets import PRESETS

    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(rendered / "images", folder / "images")
    session = new_project(folder / "p.scaf", folder / "images", boxes="whole", use_starter=False)
    PRESETS["tiny"] = _tiny(PRESETS["default"])
    session.work.look_twice = False
    try:
        _take_all(session, session.find_boxes())
        _label(session, rendered / "truth", 2)
        with pytest.MonkeyPatch.context() as patch:
            narrow(patch.setattr)
            _take_all(session, session.refresh(session.snapshot(), preset="tiny", device="cpu"))
    finally:
        del PRESETS["tiny"]
        session.close()
    return folder


@pytest.fixture
def trained(trained_project: Path, tmp_path: Path, slim: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """The trained project, copied and open. What its model predicts leads nowhere, so it is not followed."""
    for module in ("crops", "predictor"):
        monkeypatch.setattr(f"scaf_gui.learning.{module}.elsewhere", lambda *_: None)
    shutil.copytree(trained_project, tmp_path / "copy")
    session = open_project(tmp_path / "copy" / "p.scaf")
    yield session
    session.close()
