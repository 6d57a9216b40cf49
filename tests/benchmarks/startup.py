"""From starting the process to the first image painted, and to the first pre-fill.

    python tests/benchmarks/startup.py [--data FOLDER] [--runs 5] [--count 94]

Each run is a new process: the interpreter, Qt, the window, the project and torch's import are all in it. The first
line of each pair makes a new project, the second opens the one that is there. With ``--data`` (or ``SCAF_DATA``)
pointing at the face data, ``300w/dev`` below it is opened, else the rendered sample; ``--count`` repeats its images
under other names up to so many (10000: a large folder), as links where the file system can.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SCAF_DATA"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, default=0, help="number of images; default: as many as there are")
    parser.add_argument("--show", action="store_true", help="use the display instead of the offscreen platform")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child)
        return
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        folder = images(args.data, args.count, home)
        environment = {**os.environ, "SCAF_HOME": str(home / "home")}
        if not args.show:
            environment["QT_QPA_PLATFORM"] = "offscreen"
        settings = home / "home" / "config" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"project_folder": str(home / "projects")}), encoding="utf-8")
        print(f"{len(list(folder.iterdir()))} images, {len(os.sched_getaffinity(0))} processors", flush=True)
        for number in range(args.runs):
            if number == 0:
                shutil.rmtree(home / "projects", ignore_errors=True)
            began = time.time()
            run = subprocess.run(
                [sys.executable, __file__, "--child", str(folder)], env=environment, capture_output=True, text=True
            )
            if run.returncode:
                sys.exit(run.stderr)
            times = {name: at - began for name, at in json.loads(run.stdout.splitlines()[-1]).items()}
            kind = "new project" if number == 0 else "opened again"
            print(f"{kind:<13}" + "  ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items()), flush=True)


def images(data: str | None, count: int, home: Path) -> Path:
    """The folder to open, repeated to ``count`` images."""
    if data:
        source = Path(data) / "300w" / "dev"
    else:
        from scaf_gui.gui.opener import SAMPLE_FACES, sample_folder
        from scaf_gui.samples.folder import write_sample_folder

        source = sample_folder()
        write_sample_folder(source, SAMPLE_FACES)
    pictures = sorted(path for path in source.iterdir() if path.suffix in (".jpg", ".png"))
    folder = home / "images"
    folder.mkdir()
    for number in range(count or len(pictures)):
        picture = pictures[number % len(pictures)]
        link = folder / f"{number:05d}_{picture.name}"
        try:
            link.symlink_to(picture)
        except OSError:
            shutil.copy(picture, link)
    return folder


def child(folder: Path) -> None:
    """The program itself, with an eye on the canvas; tells the times of day, then quits."""
    from PySide6.QtCore import QEvent, QObject, QTimer

    from scaf_gui.gui.run import run_gui
    from scaf_gui.gui.window import MainWindow

    times: dict[str, float] = {}

    class Eye(QObject):
        def __init__(self, window: MainWindow):
            super().__init__(window)
            self.window, self.image = window, False
            window.workspace.canvas.viewport().installEventFilter(self)
            window.project.navigator.painted.connect(self.put)
            window.project.navigator.shown.connect(self.shown)
            QTimer.singleShot(120_000, window.close)

        def put(self) -> None:
            self.image = True

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Paint and self.image:
                # once this event has been handled the image is on the screen
                QTimer.singleShot(0, lambda: times.setdefault("first image", time.time()))
            return False

        def shown(self, _face: object, prediction: object) -> None:
            if prediction is not None and "first pre-fill" not in times:
                times["first pre-fill"] = time.time()
                QTimer.singleShot(200, self.window.close)

    eyes: list[Eye] = []
    run_gui(folder, ready=lambda window: eyes.append(Eye(window)))
    print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
