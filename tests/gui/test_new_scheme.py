"""A scheme that the shipped model does not know: the first accepted face makes the window pre-fill the next ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, Label, State
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.gui.window import MainWindow
from scaf_gui.paths import resource_folder
from scaf_gui.session.project import new_project
from scaf_gui.session.truth import read_truth
from scaf_gui.settings import Settings

pytestmark = pytest.mark.usefixtures("dressed", "no_leaks")
WAIT = 180_000  # seconds on a quiet machine
NINE = [36, 39, 42, 45, 30, 48, 54, 8, 27]


@pytest.fixture
def window(qtbot: QtBot, dressed: QApplication) -> Iterator[MainWindow]:
    made = MainWindow(Settings())
    made.show()
    yield made
    made.close()
    made.deleteLater()


def test_the_first_label_is_enough(
    window: MainWindow, qtbot: QtBot, faces_folder: Path, truth_folder: Path, tmp_path: Path
) -> None:
    scheme = tmp_path / "nine.json"
    pairs = [[0, 3], [1, 2], [5, 6]]
    scheme.write_text(json.dumps({"id": "nine", "landmarks": [f"p{i}" for i in range(9)], "flip_pairs": pairs,
                                  "normaliser": [0, 3]}))  # fmt: skip
    window.show_session(
        new_project(tmp_path / "p.scaf", faces_folder, scheme_id=str(scheme), boxes="whole", settings=window.settings)
    )
    session, background = window.session, window.project.background
    assert session is not None and background is not None and session.model is None
    qtbot.waitUntil(lambda: not background.is_busy() and session.document.face(session.queue.order[0]).box is not None,
                    timeout=WAIT)  # fmt: skip
    assert session.model is None, "nothing to learn from yet"
    face = session.document.face(session.queue.order[0])
    names = tuple(face.image for face in session.document)
    points = read_truth(truth_folder, scheme_68(), names)[face.image][0].points[NINE]
    label = Label.from_points(points, Author.now("ann"))
    session.edit(change_face("Place", face, replace(face, label=label, state=State.LABELLED)))
    waiting = session.agenda.waiting()
    assert waiting and face.id not in waiting
    qtbot.waitUntil(lambda: all(session.document.prediction(face_id) for face_id in waiting), timeout=WAIT)
    assert session.model is not None and session.model.mode == "bridge"
    qtbot.waitUntil(lambda: not background.is_busy(), timeout=WAIT)


def scheme_68() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")
