from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from scaf_gui.gui import demo
from scaf_gui.gui.run import Crashes, log, log_path, run_gui, start_log
from scaf_gui.gui.window import MainWindow
from scaf_gui.settings import Settings


def test_the_window_opens_on_a_folder_and_goes_when_it_is_closed(
    qtbot: QtBot, faces_folder: Path, tmp_path: Path, qapp: QApplication
) -> None:
    Settings()["project_folder"] = str(tmp_path)
    seen: list[str] = []
    opened: list[MainWindow] = []

    def painted() -> None:
        seen.append(opened[0].windowTitle())
        QTimer.singleShot(0, opened[0].close)

    def ready(window: MainWindow) -> None:
        assert not window.isVisible()
        window.project.navigator.painted.connect(painted, Qt.ConnectionType.SingleShotConnection)
        opened.append(window)

    switch = sys.getswitchinterval()
    try:
        assert run_gui(faces_folder, ready=ready) == 0
    finally:
        sys.setswitchinterval(switch)
    assert seen and seen[0].startswith("faces") and (tmp_path / "faces.scaf").exists()
    for top in QApplication.topLevelWidgets():
        if isinstance(top, MainWindow):
            top.deleteLater()
    qapp.processEvents()


def test_what_nobody_expected_is_logged_and_said(qtbot: QtBot) -> None:
    handlers = list(log.handlers)
    start_log()
    crashes = Crashes()
    crashes.install()
    try:
        with qtbot.waitSignal(crashes.happened) as said:
            sys.excepthook(ZeroDivisionError, ZeroDivisionError("by nothing"), None)
    finally:
        crashes.remove()
        for handler in log.handlers[:]:
            if handler not in handlers:
                log.removeHandler(handler)
                handler.close()
    assert "by nothing" in said.args[0] and "labels are saved" in said.args[0]
    assert "ZeroDivisionError" in log_path().read_text(encoding="utf-8")
    assert sys.excepthook is sys.__excepthook__


def test_torch_is_not_loaded_before_the_window_stands() -> None:
    code = (
        "import sys; from scaf_gui.gui.run import make_application; from scaf_gui.gui.window import MainWindow;"
        "application = make_application(); window = MainWindow(); window.show(); application.processEvents();"
        "print('torch' in sys.modules, 'h5py' in sys.modules); window.close()"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_the_demo_leaves_pictures_and_labels_twice_in_a_row(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "SAMPLE_FACES", 4)
    monkeypatch.setattr(demo, "FACES", 3)
    monkeypatch.setattr(demo, "DRAGS", 2)
    monkeypatch.setattr(demo, "TRAINING_SECONDS", 0.5)
    out = tmp_path / "out"
    switch = sys.getswitchinterval()
    try:
        for _ in range(2):
            assert demo.run_demo(out) == 0
    finally:
        sys.setswitchinterval(switch)
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert [name[0] for name in pictures] == ["1", "2", "3", "4", "5"]
    assert all((out / name).stat().st_size > 20_000 for name in pictures)
    assert len(list((out / "labels").glob("*.pts"))) == 3
    text = capsys.readouterr().out
    assert "Pre-filled   4 of 4 faces" in text and "the current face stayed" in text and "Exported     3 faces" in text
