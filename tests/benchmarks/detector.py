"""How many labelled faces the detector finds, and how long it takes.

    python tests/benchmarks/detector.py --data DATA [--threads 1] [--min-face 24]

Reads ``300w/test``, ``300w/test-hard`` and ``multi`` under DATA (or SCAF_DATA). A face counts as found where a box
contains the root of its nose (landmark 27) and overlaps the tight box of its landmarks by an intersection over
union of 0.4 or more. Photos may hold faces without labels: boxes beyond the labelled faces are not mistakes as such.
Reading the file is not timed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scaf_gui.core.face import Box
from scaf_gui.core.geometry import tight_box
from scaf_gui.core.scheme import load_scheme
from scaf_gui.io.detector import MtcnnDetector
from scaf_gui.io.folder import scan_images
from scaf_gui.io.formats import formats
from scaf_gui.io.images import read_image
from scaf_gui.paths import resource_folder

FOLDERS = ("300w/test", "300w/test-hard", "multi")
NOSE_ROOT = 27
LEAST_OVERLAP = 0.4


def finds(box: Box, points: np.ndarray) -> bool:
    """Whether a box is of the face with these landmarks (68, 2)."""
    (nose_x, nose_y), (x, y, width, height) = points[NOSE_ROOT], tight_box(points)
    if not (box.x <= nose_x <= box.x + box.width and box.y <= nose_y <= box.y + box.height):
        return False
    across = max(0.0, min(box.x + box.width, x + width) - max(box.x, x))
    down = max(0.0, min(box.y + box.height, y + height) - max(box.y, y))
    both = across * down
    return both / (box.width * box.height + width * height - both) >= LEAST_OVERLAP


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCAF_DATA"), help="folder of the data sets")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--min-face", type=float, default=24.0)
    given = parser.parse_args()
    if given.data is None:
        raise SystemExit("--data or the environment variable SCAF_DATA is needed")
    cv2.setNumThreads(given.threads)
    detector = MtcnnDetector(min_face=given.min_face)
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    for name in FOLDERS:
        folder = Path(given.data) / name
        images = scan_images(folder)
        labels = defaultdict(list)
        for face in formats()["300w"].read(folder, scheme, images).faces:
            labels[face.image].append(face.points)
        found = labelled = boxes = 0
        seconds, megapixels = [], []
        for image_name in images:
            image = read_image(folder / image_name)
            start = perf_counter()
            detected = detector.detect(image)
            seconds.append(perf_counter() - start)
            megapixels.append(image.shape[0] * image.shape[1] / 1e6)
            boxes += len(detected)
            labelled += len(labels[image_name])
            found += sum(any(finds(box, points) for box in detected) for points in labels[image_name])
        print(
            f"{name}: {found} of {labelled} labelled faces found ({100 * found / labelled:.1f} %), {boxes} boxes; "
            f"{len(images)} photos of {np.mean(megapixels):.2f} megapixels, {1000 * np.median(seconds):.0f} ms a photo "
            f"(median; 90 %: {1000 * np.percentile(seconds, 90):.0f} ms, maximum {1000 * max(seconds):.0f} ms)"
        )
    print(
        f"OpenCV {cv2.__version__}, {given.threads} thread(s), {os.cpu_count()} cores, smallest face {given.min_face:g}"
    )


if __name__ == "__main__":
    main()
