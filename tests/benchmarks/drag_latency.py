"""From mouse event to painted frame while one landmark of a face is dragged over a large photo.

::

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/drag_latency.py [--megapixels 24] [--landmarks 98] [--labels]
        [--aids] [--turn DEGREES] [--cpu] [--training]
    python tests/benchmarks/drag_latency.py --table [--cpu]

A synthetic photo, so that it runs everywhere. Each step sends one mouse move to the viewport, lets the event
loop paint, and stops the clock when the viewport's paint event is over. With ``--cpu`` it is the clock of the
thread, which other work on the machine does not move. With ``--training`` a model is trained meanwhile on a thread of
the same process, as the window does it, and mouse events come every 8 ms. ``--table`` runs all of it: without and
with names, idle and while training, offscreen and on an X server (the display's, or Xvfb where it is installed).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Box, Face, Prediction
from scaf_gui.core.geometry import crop_square, crop_transform, inverse
from scaf_gui.core.scheme import Group, Scheme
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.look import Look


class PaintClock(QObject):
    """Notes when the last paint of a widget was over."""

    painted = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Paint:
            self.painted += 1
        return False


def photo(megapixels: float) -> ByteArray:
    """A 3:2 photo of noise upon a gradient."""
    height = int(np.sqrt(megapixels * 1e6 / 1.5))
    width = int(height * 1.5)
    noise = np.random.default_rng(0).integers(0, 64, (height, width, 3), dtype=np.uint8)
    return noise + np.linspace(0, 190, width).astype(np.uint8)[:, None]


def ring_scheme(count: int) -> Scheme:
    """Landmarks on closed curves of 14."""
    groups = tuple(Group(f"ring_{i}", tuple(range(i, min(i + 14, count))), closed=True) for i in range(0, count, 14))
    edges = tuple(edge for group in groups for edge in group.segments())
    names = tuple(f"landmark_{i:03d}" for i in range(count))
    return Scheme("rings", "Rings", names, groups, frozenset(), edges, tuple(range(count)), None, {})


def ring_points(count: int, middle: tuple[float, float], radius: float) -> FloatArray:
    angle, ring = 2 * np.pi * (np.arange(count) % 14) / 14, np.arange(count) // 14
    reach = radius * (ring + 1) / (ring.max() + 1)
    return np.column_stack([middle[0] + reach * np.cos(angle), middle[1] + reach * np.sin(angle)])


def percentiles(milliseconds: list[float]) -> str:
    values = np.array(milliseconds)
    p95, p99 = np.percentile(values, [95, 99])
    return f"median {np.median(values):6.2f}  p95 {p95:6.2f}  p99 {p99:6.2f}  max {values.max():6.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--landmarks", type=int, default=98)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--labels", action="store_true", help="show all names, which paints everything at each step")
    parser.add_argument("--aids", action="store_true", help="with all image aids on")
    parser.add_argument("--turn", type=float, default=0.0, help="with the image turned by so many degrees")
    parser.add_argument("--cpu", action="store_true", help="time of the processor instead of the clock's")
    parser.add_argument("--training", action="store_true", help="while a model is trained")
    parser.add_argument("--table", action="store_true", help="all cases, in processes of their own")
    options = parser.parse_args()
    if options.table:
        return table(["--cpu"] if options.cpu else [], options.steps)
    if options.cpu:
        time.perf_counter = time.thread_time  # type: ignore[assignment]
    if options.training:
        with training():
            measure(options)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    application = QApplication([])
    canvas = Canvas()
    canvas.resize(1280, 720)
    canvas.show()
    image = photo(options.megapixels)
    height, width = image.shape[:2]
    scheme = ring_scheme(options.landmarks)
    points = ring_points(options.landmarks, (width / 2, height / 2), height / 4)
    box = Box(width / 2 - height / 4, height / 4, height / 2, height / 2)
    prediction = Prediction(points, np.ones(options.landmarks), "model")
    clock = PaintClock()
    canvas.viewport().installEventFilter(clock)
    application.processEvents()

    start = time.perf_counter()
    canvas.show_image(image)
    application.processEvents()
    print(f"{width} x {height}, {options.landmarks} landmarks, viewport 1280 x 720")
    print(f"show image to first paint      {1e3 * (time.perf_counter() - start):6.2f} ms")
    canvas.show_face(Face(1, "photo", box), prediction, scheme, np.linspace(0.5, 9.0, options.landmarks))
    canvas.labels = options.labels
    canvas.turn_to(np.radians(options.turn))
    if options.aids:
        canvas.set_look(Look(0.2, 0.3, 1.5, 0.7, gray=True))
        application.processEvents()
        while canvas._lights.is_busy:
            application.processEvents()
    for title, fit in (("fit image", canvas.fit_image), ("fit face", canvas.fit_face), ("5 px a pixel", None)):
        if fit is not None:
            fit()
        else:
            canvas.zoom_by(5 / canvas.zoom, QPointF(640, 360))
            canvas.select(options.landmarks // 2)  # brings it into sight
        for name, tool in TOOLS.items():
            use(canvas, tool)
            application.processEvents()
            print(f"drag, {title:14s} {name:16s} {percentiles(drag(canvas, clock, options.steps))}", flush=True)
        use(canvas, "plain")
    canvas.fit_face()
    print(f"zoom by wheel and back         {percentiles(views(canvas, clock, options.steps // 5, zoom=True))}")
    print(f"pull the image                 {percentiles(views(canvas, clock, options.steps // 5, zoom=False))}")


#: seconds from a painted frame to the next mouse event: a mouse tells of its moves 125 times a second
MOUSE = 0.008
#: what is in use while a landmark is dragged
TOOLS = {
    "plain": "plain",
    "with the loupe": "loupe",
    "along the curve": "along",
    "all moved": "group",
    "shape follows": "shape",
    "upon heatmaps": "heat",
}


def use(canvas: Canvas, tool: str) -> None:
    canvas.use_loupe(tool != "plain")
    canvas.along = tool == "along"
    canvas.shaping.source = (lambda: (None, None)) if tool in ("shape", "heat") else None
    canvas.confidence = canvas.ghost = tool == "heat"
    box = canvas.face.box if canvas.face is not None else None
    if tool == "heat" and box is not None:
        canvas.heat.show_map(np.ones((64, 64), np.float32), inverse(crop_transform(crop_square(box), 64, 10.0)))
    else:
        canvas.heat.show_map(None)
    everything = frozenset(range(len(canvas._shown.points)))  # type: ignore[union-attr]
    canvas.select_group(everything if tool == "group" else frozenset())


def drag(canvas: Canvas, clock: PaintClock, steps: int) -> list[float]:
    """Milliseconds of each step of a drag along a spiral, which is then taken back."""
    landmark = len(canvas._shown.points) // 2  # type: ignore[union-attr]
    viewport, view = canvas.viewport(), canvas._camera
    x, y = view.to_screen(*canvas.position(landmark))  # type: ignore[misc]
    middle = QPoint(round(x), round(y))
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    times = []
    for step in range(1, steps + 1):
        reach = 4 + 60 * step / steps
        spot = middle + QPoint(round(reach * np.cos(step / 4)), round(reach * np.sin(step / 4)))
        time.sleep(MOUSE)
        before = clock.painted
        start = time.perf_counter()
        QTest.mouseMove(viewport, spot)
        while clock.painted == before:
            QApplication.processEvents()
        QApplication.processEvents()
        times.append(1e3 * (time.perf_counter() - start))
    canvas.cancel_gesture()
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    return times


def views(canvas: Canvas, clock: PaintClock, steps: int, zoom: bool) -> list[float]:
    """Milliseconds of each change of the view, painted in full."""
    times = []
    for step in range(steps):
        before = clock.painted
        start = time.perf_counter()
        if zoom:
            canvas.zoom_by(1.2 if step // 10 % 2 else 1 / 1.2, QPointF(700, 300))
        else:
            canvas._move_by(7 if step // 20 % 2 else -7, 3)
        while clock.painted == before:
            QApplication.processEvents()
        times.append(1e3 * (time.perf_counter() - start))
    return times


@contextmanager
def training() -> Iterator[None]:
    """Meanwhile a thread trains, over and over, on rendered faces, by the window's own means."""
    from dataclasses import replace

    from scaf_gui.core.edits import Change, Edit
    from scaf_gui.core.face import Author, Label, State
    from scaf_gui.gui.background import politely
    from scaf_gui.gui.run import SWITCH_SECONDS
    from scaf_gui.samples.folder import write_sample_folder, write_truth_folder
    from scaf_gui.session.project import new_project
    from scaf_gui.session.truth import read_truth
    from scaf_gui.settings import Settings

    sys.setswitchinterval(SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as home:
        os.environ["SCAF_HOME"] = home
        faces, truth = Path(home) / "faces", Path(home) / "truth"
        write_sample_folder(faces, 16, size=256)
        write_truth_folder(truth, 16, size=256)
        session = new_project(Path(home) / "p.scaf", faces, boxes="whole", settings=Settings())
        found = read_truth(truth, session.scheme, tuple(face.image for face in session.document))
        changes = []
        for face in session.document:
            label = Label.from_points(found[face.image][0].points, Author.now("benchmark"))
            box = Box(30.0, 30.0, 196.0, 196.0)
            changes.append(Change(face, replace(face, box=box, label=label, state=State.LABELLED)))
        session.edit(Edit("Label", tuple(changes[:12])))
        snapshot, going, end = session.snapshot(), threading.Event(), threading.Event()

        def work() -> None:
            while not end.is_set():
                steps = politely(session.refresh(snapshot, device="cpu", judge=False), training=True)
                for event in steps:
                    if hasattr(event, "step"):
                        going.set()
                    if end.is_set():
                        steps.close()
                        return

        thread = threading.Thread(target=work)
        thread.start()
        if not going.wait(120):
            raise SystemExit("training does not begin")
        try:
            yield
        finally:
            end.set()
            thread.join()
            session.close()


def table(options: list[str], steps: int) -> None:
    """Each case in a process of its own, so that none is slowed by what another one left."""
    server, platforms = None, ["offscreen"]
    environment = dict(os.environ)
    if not environment.get("DISPLAY") and shutil.which("Xvfb"):
        read, write = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as numbers:
            environment["DISPLAY"] = f":{numbers.readline().strip()}"
    if environment.get("DISPLAY"):
        platforms.append("xcb")
    try:
        for platform in platforms:
            for busy in ([], ["--training"]):
                for names in ([], ["--labels"]):
                    heading = f"{platform}, {'training' if busy else 'idle'}, names {'on' if names else 'off'}"
                    command = [sys.executable, __file__, "--steps", str(steps), *options, *busy, *names]
                    done = subprocess.run(
                        command,
                        env=environment | {"QT_QPA_PLATFORM": platform},
                        stdout=subprocess.PIPE,
                        text=True,
                        check=True,
                    )
                    for line in done.stdout.splitlines():
                        if line.startswith("drag"):
                            print(f"{heading:32s} {line.removeprefix('drag, ')}", flush=True)
    finally:
        if server is not None:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
