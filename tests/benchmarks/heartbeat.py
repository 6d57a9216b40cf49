"""How alive the window stays while it trains: delay of a 5 ms heartbeat over a whole refresh on the CPU.

    python tests/benchmarks/heartbeat.py [--data FOLDER] [--labels 20] [--seconds 60] [--cores 2]

Opens the real window on a folder of images (default: the rendered sample), accepts some faces, then
refreshes the model and measures by how much each beat of a timer comes late. With ``--data`` (or
``SCAF_DATA``) pointing at the face data, ``300w/dev`` below it is used.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SCAF_DATA"), help="face data; default: the rendered sample")
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=None, help="limit of the training; default: none")
    parser.add_argument("--cores", type=int, default=2, help="processors the process may use (Linux)")
    parser.add_argument("--show", action="store_true", help="use the display instead of the offscreen platform")
    args = parser.parse_args()
    if not args.show:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: args.cores]))
    with tempfile.TemporaryDirectory() as home:
        if not args.data:
            # the sample is drawn once and kept
            from scaf_gui.gui.opener import SAMPLE_FACES, sample_folder
            from scaf_gui.samples.folder import write_sample_folder

            folder = sample_folder()
            write_sample_folder(folder, SAMPLE_FACES)
        else:
            folder = Path(args.data) / "300w" / "dev"
        os.environ["SCAF_HOME"] = home
        measure(folder, args.labels, args.seconds, Path(home))


def measure(folder: Path, labels: int, seconds: float | None, home: Path) -> None:
    import numpy as np
    from PySide6.QtCore import Qt, QTimer

    from scaf_gui.core.edits import Edit, accept
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
    window.show()
    window.show_session(new_project(home / "heartbeat.scaf", folder, settings=window.settings))
    session, background = window.session, window.project.background
    assert session is not None and background is not None
    hand = Hand(window)
    hand.wait(lambda: session.document.prediction(session.current or 0) is not None, 300)
    hand.wait(lambda: not background.is_busy(), 600)
    changes = []
    for face in list(session.document):
        edit = accept(face, session.document.prediction(face.id), "benchmark")
        if edit is not None and len(changes) < labels:
            changes.extend(edit.changes)
    session.edit(Edit("Accept many", tuple(changes)))
    window.project.navigator.next_waiting()
    hand.wait(lambda: not background.is_busy(), 300)

    beats: list[float] = []
    moments: list[float] = []
    last = [0.0]
    period = 0.005

    def beat() -> None:
        now = time.perf_counter()
        if last[0]:
            beats.append((now - last[0] - period) * 1000)
            moments.append(now)
        last[0] = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(int(period * 1000))
    timer.timeout.connect(beat)

    def run(name: str, until: Callable[[], bool], limit: float) -> None:
        beats.clear()
        moments.clear()
        last[0] = 0.0
        timer.start()
        began = time.perf_counter()
        hand.wait(until, limit)
        timer.stop()
        if not beats:
            return print(f"{name:<22} nothing to do", flush=True)
        late = np.maximum(np.array(beats), 0.0)
        worst = sorted(((delay, at) for delay, at in zip(beats, moments, strict=True)), reverse=True)[:4]
        print(
            f"{name:<22} {time.perf_counter() - began:6.1f} s  {len(late):6d} beats  delay ms: "
            f"median {np.median(late):5.1f}  p99 {np.percentile(late, 99):6.1f}  max {late.max():6.1f}",
            flush=True,
        )
        print("    latest: " + ", ".join(f"{delay:.0f} ms at {at - began:.1f} s" for delay, at in worst), flush=True)

    run("idle", lambda: False, 3.0)
    ended: list[object] = []
    background.refresh_ended.connect(lambda outcome, kind: ended.append(outcome))
    background.refresh_options = {} if seconds is None else {"max_seconds": seconds}
    window.project.refresh_model()
    run("refresh (whole)", lambda: bool(ended), 1800)
    run("rest of the pool", lambda: not background.is_busy(), 600)
    print(f"{len(changes)} labels, {len(session.document)} faces; {getattr(ended[0], 'message', ended[0])}")
    print(f"device: {window.status.device.toolTip()}; processors: {len(os.sched_getaffinity(0))}")
    window.close()


if __name__ == "__main__":
    main()
