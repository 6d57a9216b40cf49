"""The window in a process of its own: on dense screens, killed, and with torch's objects out of the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scaf_gui.gui.run import log_path
from scaf_gui.session.project import open_project
from scaf_gui.settings import Settings

_SCALED = """
import os, sys
from pathlib import Path
from PySide6.QtCore import Qt
from scaf_gui.gui.demo import Hand
from scaf_gui.gui.run import make_application
from scaf_gui.gui.window import MainWindow
from scaf_gui.gui.worker import Worker
from scaf_gui.gui.project_view import ProjectView
from scaf_gui.session.project import new_project
from scaf_gui.settings import Settings
from scaf_gui.core.face import Prediction
import numpy as np

ProjectView._begin_work = ProjectView._work_on = lambda self: None
application = make_application()
window = MainWindow(Settings())
window.show()
folder, path = Path(sys.argv[1]), Path(sys.argv[2])
window.show_session(new_project(path, folder, boxes="whole", settings=window.settings, use_starter=False))
hand, canvas, session = Hand(window), window.workspace.canvas, window.session
assert hand.wait(lambda: canvas._image.size is not None, 20)
points = np.random.default_rng(0).uniform(30, 160, (68, 2))
session.document.set_predictions({face.id: Prediction(points, np.ones(68), "model") for face in session.document})
canvas.shaping.enabled = False
hand.drag(30, 100.0, 120.0)
label = session.document.face(session.current).label
print(window.devicePixelRatio(), session.current, *label.points[30], flush=True)
if "kill" in sys.argv:
    import signal
    os.kill(os.getpid(), signal.SIGKILL)
window.close()
"""


def run_scaled(folder: Path, path: Path, scale: str, *more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"QT_SCALE_FACTOR": scale, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _SCALED, str(folder), str(path), *more]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_drags_are_exact_on_a_dense_screen(faces_folder: Path, tmp_path: Path, scale: str) -> None:
    done = run_scaled(faces_folder, tmp_path / "p.scaf", scale)
    assert done.returncode == 0, done.stderr
    ratio, _, x, y = done.stdout.split()
    assert float(ratio) == float(scale)
    np.testing.assert_allclose((float(x), float(y)), (100.0, 120.0), atol=0.5)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_right_after_a_drag_the_drag_is_there(faces_folder: Path, tmp_path: Path) -> None:
    done = run_scaled(faces_folder, tmp_path / "p.scaf", "1", "kill")
    assert done.returncode == -signal.SIGKILL
    _, face_id, x, y = done.stdout.split()
    session = open_project(tmp_path / "p.scaf", settings=Settings())
    label = session.document.face(int(face_id)).label
    assert label is not None and label.placed[30]
    np.testing.assert_array_equal(label.points[30], (float(x), float(y)))
    assert session.current == int(face_id)
    session.close()


_FAILING = """
import os, signal, sys, threading, time
from pathlib import Path
from PySide6.QtCore import QTimer
from scaf_gui.gui import worker
from scaf_gui.gui.run import run_gui
from scaf_gui.settings import Settings

worker.PATIENCE_MS = 100  # a step takes longer
begun, sessions, ended = threading.Event(), [], []

def step():
    begun.set()
    time.sleep(1.0)
    ended.append(True)
    yield

def fail():
    raise RuntimeError("nobody expected this")

def ready(window):
    window.project._begin_work = lambda: None
    window.status.clear = window.opener.stop = fail
    def end():
        sessions.append(window.session)
        window.project.background.prefill.start(step)
        begun.wait(20)
        os.kill(os.getpid(), signal.SIGTERM)
    window.project.navigator.painted.connect(lambda: QTimer.singleShot(0, end))

Settings()["project_folder"] = str(Path(sys.argv[1]).parent)
print(run_gui(Path(sys.argv[1]), ready=ready), sessions[0]._closed, ended, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM")
def test_whatever_goes_wrong_as_the_window_closes_the_file_is_closed_and_threads_are_waited_for(
    faces_folder: Path, tmp_path: Path
) -> None:
    """Qt aborts a program that ends while a thread of its own runs."""
    shutil.copytree(faces_folder, tmp_path / "faces")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _FAILING, str(tmp_path / "faces")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "0 True [True]\n"), done.stderr
    assert "QThread" not in done.stderr
    assert "nobody expected this" in log_path().read_text(encoding="utf-8")


_LOADED = """
import gc
from scaf_gui.gui.background import _device
loading = _device("cpu")
next(loading)
try:
    next(loading)
except StopIteration as end:
    assert "CPU" in end.value, end.value
kept = gc.get_freeze_count()
for _ in range(2):  # of a second window
    again = _device("cpu")
    list(again)
print(kept, gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_what_torch_brought_is_not_searched_for_garbage_while_somebody_works() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    kept, later, searched = (int(word) for word in done.stdout.split())
    assert kept > 50_000 and searched < kept / 10
    assert later <= kept  # once for all: what belongs to a project must stay collectable
