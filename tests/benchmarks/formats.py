"""Rate and peak memory of writing and reading many faces in each label format.

python tests/benchmarks/formats.py [--faces 100000] [--scheme 300w-68] [--format F ...]

Each measurement is a process of its own, so that the peak is that of one format. The faces are made on the fly and
thrown away when read; the peak of a tenth of the faces is given beside, to show what grows with their number.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from memory import peak_mib

ROOT = Path(__file__).resolve().parent.parent.parent


class Faces:
    """As many faces as wanted, two of them in every tenth image, the same each time they are gone through."""

    def __init__(self, count: int, landmarks: int):
        self.count, self.landmarks = count, landmarks

    def __iter__(self) -> Iterator[object]:
        import numpy as np

        from scaf_gui.core.face import Box, BoxSource
        from scaf_gui.io.formats import LabelledFace

        rng = np.random.default_rng(0)
        shape = rng.uniform(0, 200, (self.landmarks, 2))
        flags = np.zeros(self.landmarks, np.uint8)
        for number in range(self.count):
            image, place = divmod(number, 11)
            name = f"{image % 500:03}/{image * 10 + min(place, 9):07}.jpg"
            points = shape + rng.uniform(0, 800, 2)
            box = Box(float(points[0, 0]), float(points[0, 1]), 200.0, 200.0, BoxSource.FILE)
            yield LabelledFace(
                name, points, flags, box, (False,) * 6, place - 8 if place > 9 else 1, image_size=(1024, 768)
            )


def child(job: str, format_id: str, count: int, scheme_id: str, folder: Path) -> None:
    """Write or read, and print seconds, faces and MB."""
    sys.path.insert(0, str(ROOT))
    from scaf_gui import paths
    from scaf_gui.core.scheme import load_scheme
    from scaf_gui.io.formats import LabelledFace, formats

    scheme = load_scheme(paths.resource_folder() / "schemes" / f"{scheme_id}.json")
    faces, format_ = Faces(count, scheme.num_landmarks), formats()[format_id]
    images = tuple(dict.fromkeys(face.image for face in faces)) if job == "read" else ()
    start, busy = time.perf_counter(), time.process_time()
    if job == "write":
        done = format_.write(folder / "out", faces, scheme).written
    else:
        done = sum(isinstance(found, LabelledFace) for found in format_.scan(folder / "out", scheme, images))
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    print(json.dumps({"seconds": seconds, "busy": busy, "faces": done, "peak": peak_mib()}))


def measure(job: str, format_id: str, count: int, scheme_id: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", job, format_id, str(count), scheme_id, str(folder)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=None).stdout
    figures: dict[str, float] = json.loads(told)
    assert figures["faces"] == count, f"{format_id}: {figures['faces']} of {count} faces"
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--scheme", default="300w-68")
    parser.add_argument("--format", nargs="*", default=[])
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        job, format_id, count, scheme_id, folder = args.child
        child(job, format_id, int(count), scheme_id, Path(folder))
        return
    sys.path.insert(0, str(ROOT))
    from scaf_gui.io.formats import formats

    print(f"{args.faces:,} faces, {args.scheme}; faces a second, in brackets a second of the processor;")
    print("MB: peak of the process, in brackets with a tenth of the faces")
    print("| format | write, faces/s | write, MB | read, faces/s | read, MB | files, MB |")
    print("|---|---|---|---|---|---|")
    for format_id, format_ in formats().items():
        scheme_id = format_.schemes[0] if format_.schemes else args.scheme
        if args.format and format_id not in args.format:
            continue
        cells = [format_.title]
        with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as tenth:
            for job in ("write", "read"):
                small = measure(job, format_id, args.faces // 10, scheme_id, Path(tenth))
                large = measure(job, format_id, args.faces, scheme_id, Path(whole))
                cells.append(f"{args.faces / large['seconds']:,.0f} ({args.faces / large['busy']:,.0f})")
                cells.append(f"{large['peak']:.0f} ({small['peak']:.0f})")
            size = sum(path.stat().st_size for path in Path(whole).rglob("*") if path.is_file())
        print(f"| {' | '.join([*cells, f'{size / 1e6:,.0f}'])} |", flush=True)


if __name__ == "__main__":
    main()
