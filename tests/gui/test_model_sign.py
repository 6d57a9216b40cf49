from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from scaf_gui.core import edits
from scaf_gui.core.face import Author, Label, State
from scaf_gui.gui.finish_line import FinishLineView
from scaf_gui.gui.model_sign import ModelSign
from scaf_gui.gui.status import Status
from scaf_gui.gui.training_panel import TrainingPanel
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session


@pytest.fixture
def session(faces_folder: Path, tmp_path: Path) -> Iterator[Session]:
    made = new_project(tmp_path / "p.scaf", faces_folder, boxes="whole", use_starter=False)
    yield made
    made.close()


def label(session: Session, count: int) -> None:
    given = Label.from_points(np.full((68, 2), 50.0), Author.now("ann"))
    for face in list(session.document)[:count]:
        session.edit(edits.change_face("Label face", face, replace(face, label=given, state=State.LABELLED)))


def test_names_the_model_and_counts_the_labels_that_it_does_not_know(
    session: Session, qtbot: QtBot, dressed: QApplication
) -> None:
    home = QWidget()
    panel, finish, status = TrainingPanel(home), FinishLineView(home), Status(home)
    qtbot.addWidget(home)
    sign = ModelSign(panel, finish, status, home)
    asked: list[int] = []
    session.document.subscribe(lambda changed: sign.count_soon())
    show = panel.show_labels
    panel.show_labels = lambda *counts: (asked.append(counts[0]), show(*counts))  # type: ignore[method-assign]

    def said() -> str:
        return " ".join(part.text() for part in status.findChildren(QLabel))

    sign.open(session)
    assert "No model yet" in said() and "Label 2 faces first: 0 of 2" in panel.reason.text()
    label(session, 4)
    assert asked == [0], "counted once, when all have come"
    qtbot.waitUntil(lambda: "4 labelled faces, 4 new" in panel.reason.text())
    assert asked == [0, 4]
    first = next(iter(session.document)).id
    session.work.use_model(ModelInfo("m", "nowhere", True, "4 labels, quick", trained_on=(first,)))
    sign.show()
    assert "Model: 4 labels, quick" in said() and "4 labelled faces, 3 new" in panel.reason.text()
    sign.open(None)
    assert "quick" not in said() and "Open a folder" in panel.reason.text()
    sign.show()
    sign.count()
    assert "Open a folder" in panel.reason.text()
