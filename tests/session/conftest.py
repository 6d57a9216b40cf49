"""Rendered faces with exact landmarks, and projects made of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from scaf_gui.samples.render import render_face
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session

FACES = 14


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``images/`` and ``truth/`` (68 points) of the same faces; rendered once."""
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "images").mkdir()
    (folder / "truth").mkdir()
    for number in range(1, FACES + 1):
        face = render_face(700 + number, 128)
        cv2.imwrite(str(folder / "images" / f"face_{number}.jpg"), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
        rows = [f"{x + 1:.6f} {y + 1:.6f}" for x, y in face.landmarks_68]
        text = "\n".join(["version: 1", "n_points:  68", "{", *rows, "}"])
        (folder / "truth" / f"face_{number}.pts").write_text(text, encoding="ascii")
    return folder


@pytest.fixture
def images(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the images that a test may change."""
    return Path(shutil.copytree(rendered / "images", tmp_path / "images"))


@pytest.fixture
def truth(rendered: Path) -> Path:
    return rendered / "truth"


@pytest.fixture
def make_session(tmp_path: Path, images: Path, truth: Path) -> Iterator[Callable[..., Session]]:
    """Makes projects with landmark boxes found; closes them in the end."""
    made: list[Session] = []

    def make(name: str = "p", **options: Any) -> Session:
        options = {"boxes": f"landmarks:{truth}", "use_starter": False} | options
        session = new_project(tmp_path / f"{name}.scaf", images, **options)
        made.append(session)
        take_all(session, session.find_boxes())
        return session

    yield make
    for session in made:
        session.close()


def take_all(session: Session, work: Any) -> Any:
    """Run a generator to its end as a worker would; returns what it returned."""
    while True:
        try:
            session.take(next(work))
        except StopIteration as end:
            return end.value
