"""From the key press to the painted frame of the next face, on photos of 24 megapixels; beside labelme if it is there.

::

    python tests/benchmarks/next_face.py [--data FOLDER] [--photos 24] [--megapixels 24] [--labelme PYTHON]
        [--kinds untouched ...] [--keys Return ...]

Photos are made of small ones (``300w/dev`` below ``--data`` or ``SCAF_DATA``; else rendered faces), enlarged and given
the noise of a sensor, so that their files are as large as those of a camera. Before each step every file is dropped
from the system's cache (Linux), so that it is read from the disk. Times are taken in the real window, from before the
key event is sent to after the canvas has drawn its last layer; the first frame that shows the photo, and the first at
full resolution. None of the photos has been in the window before:

- *untouched*: nothing in this program has read the photo, as when somebody leafs faster than photos can be read
- *looked ahead*: the window has come to rest before, and has made its small copies of what may come next; of the photo
  itself no pixel is in memory (that of the very next ones is: see *prefetched*)
- *prefetched*: after the window has come to rest, on the photo that comes next
- *labelme*: the same files, one after the other in the same run, through its own "open next image", in a process of
  its own; ``PYTHON`` is an interpreter that has it. Its canvas is timed in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 1280, 720
KINDS = ("untouched", "looked ahead", "prefetched")
KEYS = {"PgDown": "Key_PageDown", "Return": "Key_Return"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SCAF_DATA"), help="face data; default: rendered faces")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--keys", nargs="+", choices=tuple(KEYS), default=list(KEYS))
    parser.add_argument("--labelme", metavar="PYTHON", help="an interpreter that has labelme; default: without it")
    parser.add_argument("--show", action="store_true", help="use the display instead of the offscreen platform")
    parser.add_argument("--as-labelme", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.show:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if options.as_labelme:
        return serve_labelme(Path(options.as_labelme))
    with tempfile.TemporaryDirectory() as home:
        os.environ["SCAF_HOME"] = home
        folder = Path(home) / "photos"
        make_photos(folder, options.photos, options.megapixels, options.data)
        measure(folder, Path(home), options)


def make_photos(folder: Path, count: int, megapixels: float, data: str | None) -> None:
    """JPEG files of the wanted size, quality 92, as a camera would write them."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import cv2
    import numpy as np

    folder.mkdir()
    if data:
        small = sorted((Path(data) / "300w" / "dev").glob("*.jpg"))[:count]
    else:
        from scaf_gui.samples.folder import write_sample_folder

        write_sample_folder(folder.with_name("small"), count, size=384)
        small = sorted(p for p in folder.with_name("small").iterdir() if p.suffix in (".jpg", ".png"))
    height = round((megapixels * 1e6 / 1.5) ** 0.5 / 8) * 8
    random = np.random.default_rng(0)
    for number, path in enumerate(small):
        image = cv2.imread(str(path))
        scale = height / image.shape[0]
        image = cv2.resize(image, (round(image.shape[1] * scale), height), interpolation=cv2.INTER_CUBIC)
        width = round(1.5 * height)
        left = max(0, (image.shape[1] - width) // 2)
        image = image[:, left : left + width]
        beside = width - image.shape[1]
        image = cv2.copyMakeBorder(image, 0, 0, beside // 2, beside - beside // 2, cv2.BORDER_REFLECT)
        noise = random.normal(0.0, 4.0, (height, width, 1)).astype(np.float32)
        done, written = cv2.imencode(".jpg", np.clip(image + noise, 0, 255).astype(np.uint8), [1, 92])
        assert done
        (folder / f"photo_{number:03d}.jpg").write_bytes(written.tobytes())
    sizes = [path.stat().st_size / 1e6 for path in folder.iterdir()]
    print(f"{len(sizes)} photos of {width} x {height}, {np.median(sizes):.1f} MB each", flush=True)


def drop_from_cache(path: Path) -> None:
    """Let the next reader fetch the file from the disk."""
    if hasattr(os, "posix_fadvise"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


# -- this program ------------------------------------------------------------------------------------


class Frames:
    """When the canvas had drawn its last layer, and what was on it."""

    def __init__(self) -> None:
        from scaf_gui.gui.canvas.tool_canvas import ToolCanvas

        #: told of each frame: when it was drawn, and the levels of its image
        self.told: Callable[[float, Any], object] = lambda at, shown: None
        draw = ToolCanvas.drawForeground

        def timed(canvas: Any, painter: Any, rect: Any) -> None:
            draw(canvas, painter, rect)
            self.told(time.perf_counter(), canvas._image._pyramid)

        ToolCanvas.drawForeground = timed  # type: ignore[method-assign]


def measure(folder: Path, home: Path, options: argparse.Namespace) -> None:
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtTest import QTest

    frames = Frames()
    from scaf_gui.gui import theme
    from scaf_gui.gui.demo import Hand
    from scaf_gui.gui.run import SWITCH_SECONDS, make_application
    from scaf_gui.gui.window import MainWindow
    from scaf_gui.session.project import new_project
    from scaf_gui.settings import Settings

    sys.setswitchinterval(SWITCH_SECONDS)
    application = make_application()
    theme.apply(application, "dark")
    window = MainWindow(Settings())
    window.resize(*SIZE)
    window.show()
    window.show_session(new_project(home / "next.scaf", folder, settings=window.settings))
    session, background = window.session, window.project.background
    assert session is not None and background is not None
    navigator, canvas, hand = window.project.navigator, window.workspace.canvas, Hand(window)
    hand.wait(lambda: session.document.prediction(session.current or 0) is not None, 300)
    hand.wait(lambda: not background.is_busy(), 600)
    labelme = Labelme(options.labelme, folder) if options.labelme else None

    def press(key: Qt.Key) -> tuple[float, float, float]:
        """Milliseconds until the first frame with the next photo, of processor time until then, and until the first
        at full resolution."""
        was, loop = session.current, QEventLoop()
        canvas.setFocus()
        found: dict[str, float] = {}

        def told(at: float, shown: Any) -> None:
            if shown is not None and "first" not in found:
                found["first"], found["used"] = 1e3 * (at - start), 1e3 * (time.process_time() - worked)
            if shown is not None and getattr(shown, "is_whole", True):
                found.setdefault("whole", 1e3 * (at - start))
                loop.quit()

        QTimer.singleShot(20_000, loop, loop.quit)
        start, worked = time.perf_counter(), time.process_time()
        frames.told = told
        QTest.keyClick(canvas, key)
        assert session.current != was, "this was the last face"
        if "whole" not in found:
            loop.exec()
        frames.told = lambda at, shown: None
        if "whole" not in found:
            raise SystemExit("no frame within 20 seconds")
        return found["first"], found["used"], found["whole"]

    pictures = navigator._pictures

    def rest() -> None:
        hand.wait(lambda: False, 1.2 * navigator.double_press)  # a key pressed sooner is not meant
        hand.wait(lambda: not (background.is_busy() or pictures._asked or pictures._looking or pictures._ahead), 120)
        hand.wait(lambda: False, 0.05)

    keys = {name: getattr(Qt.Key, key) for name, key in KEYS.items() if name in options.keys}
    times: dict[str, list[float]] = {}
    paths = [folder / session.document.face(i).image for i in window.workspace.queue.model.face_order()]
    # the kinds in turn, so that what else the machine does meanwhile is the same for all
    plan = [(kind, key) for kind in options.kinds for key in keys]
    for step in range(len(paths) - 1):
        kind, key = plan[step % len(plan)]
        rest()
        coming = paths[step + 1]
        if kind == "untouched":
            pictures.forget()
        elif kind == "looked ahead":
            pictures._kept.clear()
            if coming not in pictures.copies:
                raise SystemExit(f"{coming.name}: the window has not looked ahead")
        for path in paths:
            drop_from_cache(path)
        first, used, whole = press(keys[key])
        if folder / session.document.face(session.current or 0).image != coming:
            raise SystemExit("another photo came than was expected")
        times.setdefault(f"{kind}, {key}, first frame", []).append(first)
        times.setdefault(f"{kind}, {key}, processor time of that", []).append(used)
        times.setdefault(f"{kind}, {key}, full resolution", []).append(whole)
        if labelme is not None:
            path = folder / session.document.face(session.current or 0).image
            drop_from_cache(path)
            times.setdefault("labelme", []).append(labelme.open(path))
    report(times)
    if labelme is not None:
        labelme.close()
    window.close()


def report(times: dict[str, list[float]]) -> None:
    import numpy as np

    peer = np.median(times["labelme"]) if "labelme" in times else None
    print(f"{'':46s} {'n':>3s} {'median':>8s} {'p95':>8s} {'max':>8s}  ms")
    for name, values in sorted(times.items()):
        compared = peer is not None and name != "labelme" and "processor" not in name
        ratio = f"   labelme takes {peer / np.median(values):.1f} times as long" if compared else ""
        middle, high, most = np.median(values), np.percentile(values, 95), max(values)
        print(f"{name:46s} {len(values):3d} {middle:8.1f} {high:8.1f} {most:8.1f}{ratio}")


# -- labelme -----------------------------------------------------------------------------------------


class Labelme:
    """Its window, in a process of its own that waits for a path and answers with milliseconds."""

    def __init__(self, python: str, folder: Path):
        command = [python, __file__, "--as-labelme", str(folder)]
        home = folder.with_name("labelme-home")
        home.mkdir()
        environment = os.environ | {"HOME": str(home)}
        for name in ("PYTHONPATH", "QT_PLUGIN_PATH"):
            environment.pop(name, None)
        pipe, silent = subprocess.PIPE, subprocess.DEVNULL
        self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=silent, text=True, env=environment)
        print(f"beside labelme {self._answer()['version']}", flush=True)

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        raise SystemExit("labelme has ended: is it installed for the interpreter given?")

    def open(self, path: Path) -> float:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{path}\n")
        self._child.stdin.flush()
        return float(self._answer()["milliseconds"])

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(20)


def serve_labelme(folder: Path) -> None:
    """Runs under labelme's interpreter: opens each path read from standard input through labelme's own methods."""
    import labelme
    from labelme.app import MainWindow
    from PyQt5 import QtCore, QtWidgets

    application = QtWidgets.QApplication(["labelme"])
    application.setStyle("Fusion")
    window = MainWindow(config_overrides={"auto_save": False}, file_or_dir=str(folder))
    window.resize(*SIZE)
    window.show()
    files = [window._docks.file_list.item(i).text() for i in range(window._docks.file_list.count())]
    canvas = window._canvas_widgets.canvas
    painted: list[tuple[float, int]] = []  # when, and which pixels
    paint = type(canvas).paintEvent

    def timed(self: Any, event: Any) -> None:
        paint(self, event)
        painted.append((time.perf_counter(), self.pixmap.cacheKey()))

    type(canvas).paintEvent = timed
    wait(application, lambda: bool(painted), 5.0)
    print(json.dumps({"version": labelme.__version__, "files": len(files)}), flush=True)
    for line in sys.stdin:
        row = files.index(line.strip()) - 1
        # stand on the file before it, without opening that
        window._docks.file_list.blockSignals(True)
        window._docks.file_list.setCurrentRow(row)
        window._docks.file_list.blockSignals(False)
        wait(application, lambda: False, 0.1)
        painted.clear()
        before = canvas.pixmap.cacheKey()
        start = time.perf_counter()
        window._open_next_image()
        wait(application, lambda before=before: any(key != before for _, key in painted), 10.0)
        assert window._image_path is not None and Path(window._image_path) == Path(line.strip())
        end = next(at for at, key in painted if key != before)
        print(json.dumps({"milliseconds": 1e3 * (end - start)}), flush=True)
    QtCore.QCoreApplication.quit()


def wait(application: Any, until: Callable[[], bool], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not until() and time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.0005)


if __name__ == "__main__":
    main()
