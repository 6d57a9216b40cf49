"""How a project grows: opening time and memory, and click on refresh to reordered queue, by number of images.

    python tests/benchmarks/refresh_scale.py [--sizes 1000 10000] [--labels 20] [--steps 40] [--device cpu]

Every image is a rendered face of its own file: a few faces are rendered once, and each copy gets a comment
segment, so that no two files are equal. Each measurement runs in a process of its own; memory is that
process's peak resident set. Prints a Markdown table for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from memory import peak_mib

ROOT = Path(__file__).resolve().parents[2]
RENDERED, SIDE = 24, 128


def write_images(folder: Path, count: int) -> None:
    import cv2

    from scaf_gui.samples.render import render_face

    folder.mkdir()
    faces = []
    for seed in range(RENDERED):
        image = cv2.cvtColor(render_face(5000 + seed, SIDE).image, cv2.COLOR_RGB2BGR)
        faces.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    for number in range(count):
        data, comment = faces[number % RENDERED], f"face {number}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"face_{number + 1:05d}.jpg").write_bytes(data[:2] + segment + data[2:])


def measure_opening(folder: Path, project: Path) -> dict[str, float]:
    """From the click to the first image in memory, for a new project and for an existing one."""
    from scaf_gui.session.project import new_project, open_project

    began = perf_counter()
    session = new_project(project, folder, boxes="whole", use_starter=False)
    session.read(session.document.face(session.current).image)
    created = perf_counter() - began
    for batch in session.find_boxes():
        session.take(batch)
    boxes = perf_counter() - began - created
    session.close()
    began = perf_counter()
    session = open_project(project)
    session.read(session.document.face(session.current).image)
    opened = perf_counter() - began
    session.close()
    return {"create_s": created, "boxes_s": boxes, "open_s": opened, "peak_mib": peak_mib()}


def measure_refresh(project: Path, labels: int, steps: int, device: str) -> dict[str, float]:
    """From the click to the reordered queue; then the rest of the pool, and reopening with all predictions."""
    from scaf_gui.core.edits import change_face
    from scaf_gui.core.face import Author, Label, State
    from scaf_gui.learning.presets import PRESETS
    from scaf_gui.samples.render import render_face
    from scaf_gui.session.events import PoolScored, RefreshResult
    from scaf_gui.session.project import open_project

    PRESETS["bench"] = replace(PRESETS["default"], name="bench", full_steps=steps, full_epochs=1, quick_steps=steps)
    session = open_project(project)
    for face_id in session.agenda.upcoming(labels):
        face = session.document.face(face_id)
        seed = 5000 + (int(face.image[5:10]) - 1) % RENDERED
        label = Label.from_points(render_face(seed, SIDE).landmarks_68, Author.now("bench"))
        session.edit(change_face("Label", face, replace(face, label=label, state=State.LABELLED)))
    figures: dict[str, float] = {}
    began = perf_counter()
    for event in session.refresh(session.snapshot(), "full", "bench", device=device):
        at = perf_counter()
        session.take(event)
        if isinstance(event, RefreshResult):
            figures["trained_s"] = at - began
        if isinstance(event, PoolScored):
            figures |= {
                "reordered_s": perf_counter() - began,
                "take_s": perf_counter() - at,
                "scored": len(event.predictions),
            }
    began = perf_counter()
    slowest = 0.0
    for batch in session.prefill(device=device):
        at = perf_counter()
        session.take(batch)
        slowest = max(slowest, perf_counter() - at)
    figures |= {"rest_s": perf_counter() - began, "slowest_take_s": slowest, "peak_mib": peak_mib()}
    session.close()
    began = perf_counter()
    session = open_project(project)
    session.take(next(session.prefill(device=device)))
    figures["reopened_s"] = perf_counter() - began
    session.close()
    return figures


def in_a_process(*words: Any) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--steps", type=int, default=40, help="training steps: the time before the pool is scored")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        kind, *words = args.measure
        if kind == "opening":
            print(json.dumps(measure_opening(Path(words[0]), Path(words[1]))))
        else:
            print(json.dumps(measure_refresh(Path(words[0]), int(words[1]), int(words[2]), words[3])))
        return
    rows: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in args.sizes:
            folder, project = Path(temporary) / f"images_{size}", Path(temporary) / f"p_{size}.scaf"
            write_images(folder, size)
            opening = in_a_process("opening", folder, project)
            refresh = in_a_process("refresh", project, args.labels, args.steps, args.device)
            rows[size] = {**{f"opening: {k}": v for k, v in opening.items()}, **refresh}
            print(f"{size} done", file=sys.stderr)
    print("| figure | " + " | ".join(f"{size:,} images" for size in rows) + " |")
    print("|---" * (len(rows) + 1) + "|")
    for key in next(iter(rows.values())):
        print(f"| {key} | " + " | ".join(f"{row[key]:,.2f}" for row in rows.values()) + " |")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
