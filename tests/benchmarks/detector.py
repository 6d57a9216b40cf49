"""How many labelled faces the detector finds, and how long it takes.

    python tests/benchmarks/detector.py --data DATA [--sets 300w/test ...] [--threads 1] [--min-face 24]
                                        [--yunet FILE] [--sheet multi.png]

Reads ``300w/test``, ``300w/test-hard`` and ``multi`` under DATA (or SCAF_DATA). A face counts as found where a box
contains the root of its nose (landmark 27) and overlaps the tight box of its landmarks by an intersection over
union of 0.4 or more. Photos may hold faces without labels: boxes beyond the labelled faces are not mistakes as such.
Reading the file is not timed.

The boxes on ``multi`` that match no label were looked at, one by one, on a contact sheet (``--sheet``, which shows
people's photos and stays out of the repository), and judged: ``docs/figures/multi_unlabelled_boxes.csv`` holds the
verdicts, and boxes are looked up in there by image and overlap. What is not in the list is counted as not judged.
"""

from __future__ import annotations

import argparse
import csv
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
from scaf_gui.io.detector import Detector, MtcnnDetector
from scaf_gui.io.folder import scan_images
from scaf_gui.io.formats import formats
from scaf_gui.io.images import read_image
from scaf_gui.paths import resource_folder

FOLDERS = ("300w/test", "300w/test-hard", "multi")
NOSE_ROOT = 27
LEAST_OVERLAP = 0.4
JUDGED = Path(__file__).resolve().parents[2] / "docs" / "figures" / "multi_unlabelled_boxes.csv"
#: the sheet: a cell's side and how many stand in a row
CELL, COLUMNS = 160, 8


def finds(box: Box, points: np.ndarray) -> bool:
    """Whether a box is of the face with these landmarks (68, 2)."""
    (nose_x, nose_y), (x, y, width, height) = points[NOSE_ROOT], tight_box(points)
    if not (box.x <= nose_x <= box.x + box.width and box.y <= nose_y <= box.y + box.height):
        return False
    across = max(0.0, min(box.x + box.width, x + width) - max(box.x, x))
    down = max(0.0, min(box.y + box.height, y + height) - max(box.y, y))
    both = across * down
    return both / (box.width * box.height + width * height - both) >= LEAST_OVERLAP


def overlap(box: Box, other: tuple[float, float, float, float]) -> float:
    """Intersection over union."""
    x, y, width, height = other
    across = max(0.0, min(box.x + box.width, x + width) - max(box.x, x))
    down = max(0.0, min(box.y + box.height, y + height) - max(box.y, y))
    return across * down / (box.width * box.height + width * height - across * down)


def verdicts(unlabelled: list[tuple[str, Box]]) -> list[str]:
    """ "face", "no face" or "not judged" for each box, from the list that is kept."""
    known: dict[str, list[tuple[tuple[float, float, float, float], str]]] = defaultdict(list)
    if JUDGED.exists():
        with JUDGED.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                place = (float(row["x"]), float(row["y"]), float(row["width"]), float(row["height"]))
                known[row["image"]].append((place, row["verdict"]))
    said = []
    for image, box in unlabelled:
        best = max(known[image], key=lambda row: overlap(box, row[0]), default=None)
        said.append(best[1] if best is not None and overlap(box, best[0]) >= 0.5 else "not judged")
    return said


def draw_sheet(path: Path, folder: Path, unlabelled: list[tuple[str, Box]]) -> None:
    """The boxes with their surroundings (twice their side), numbered in the order of the printed rows."""
    rows = -(-len(unlabelled) // COLUMNS)
    sheet = np.full((max(1, rows) * CELL, COLUMNS * CELL, 3), 40, np.uint8)
    for number, (image_name, box) in enumerate(unlabelled):
        image = read_image(folder / image_name)
        side = 2 * max(box.width, box.height)
        scale = (CELL - 4) / side
        x0, y0 = box.centre[0] - side / 2, box.centre[1] - side / 2
        cell = cv2.warpAffine(image, np.array([[scale, 0, -scale * x0], [0, scale, -scale * y0]]), (CELL - 4, CELL - 4))
        corners = [
            (round(scale * (x - x0)), round(scale * (y - y0)))
            for x, y in ((box.x, box.y), (box.x + box.width, box.y + box.height))
        ]
        cv2.rectangle(cell, *corners, (255, 220, 0), 1)
        cv2.putText(cell, str(number + 1), (3, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 255, 0), 1, cv2.LINE_AA)
        top, left = number // COLUMNS * CELL + 2, number % COLUMNS * CELL + 2
        sheet[top : top + CELL - 4, left : left + CELL - 4] = cell
    if not cv2.imwrite(str(path), sheet[:, :, ::-1]):
        raise SystemExit(f"{path}: cannot be written")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCAF_DATA"), help="folder of the data sets")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--min-face", type=float, default=24.0)
    parser.add_argument("--sets", nargs="+", default=list(FOLDERS))
    parser.add_argument("--yunet", type=Path, help="measure this YuNet model instead of MTCNN")
    parser.add_argument("--sheet", type=Path, help="draw the boxes of multi that match no label, and print them")
    given = parser.parse_args()
    if given.data is None:
        raise SystemExit("--data or the environment variable SCAF_DATA is needed")
    cv2.setNumThreads(given.threads)
    detector: Detector = MtcnnDetector(min_face=given.min_face)
    if given.yunet is not None:
        from scaf_gui.io.yunet import YunetDetector

        detector = YunetDetector(given.yunet)
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    for name in given.sets:
        folder = Path(given.data) / name
        images = scan_images(folder)
        labels = defaultdict(list)
        for face in formats()["300w"].read(folder, scheme, images).faces:
            labels[face.image].append(face.points)
        found = labelled = boxes = 0
        seconds, megapixels = [], []
        unlabelled: list[tuple[str, Box]] = []
        for image_name in images:
            image = read_image(folder / image_name)
            start = perf_counter()
            detected = detector.detect(image)
            seconds.append(perf_counter() - start)
            megapixels.append(image.shape[0] * image.shape[1] / 1e6)
            boxes += len(detected)
            unlabelled += [(image_name, b) for b in detected if not any(finds(b, p) for p in labels[image_name])]
            labelled += len(labels[image_name])
            found += sum(any(finds(box, points) for box in detected) for points in labels[image_name])
        print(
            f"{name}: {found} of {labelled} labelled faces found ({100 * found / labelled:.1f} %), {boxes} boxes; "
            f"{len(images)} photos of {np.mean(megapixels):.2f} megapixels, {1000 * np.median(seconds):.0f} ms a photo "
            f"(median; 90 %: {1000 * np.percentile(seconds, 90):.0f} ms, maximum {1000 * max(seconds):.0f} ms)"
        )
        if name == "multi":
            said = verdicts(unlabelled)
            print(
                f"  {len(unlabelled)} boxes match no label: {said.count('face')} are faces, {said.count('no face')} "
                f"are none, {said.count('not judged')} have not been judged"
            )
            if given.sheet is not None:
                draw_sheet(given.sheet, folder, unlabelled)
                print("number,image,x,y,width,height,confidence,verdict")
                for number, ((image_name, b), verdict) in enumerate(zip(unlabelled, said, strict=True), start=1):
                    place = f"{b.x:.1f},{b.y:.1f},{b.width:.1f},{b.height:.1f},{b.confidence:.3f}"
                    print(f"{number},{image_name},{place},{verdict}")
    print(
        f"OpenCV {cv2.__version__}, {given.threads} thread(s), {os.cpu_count()} cores, smallest face {given.min_face:g}"
    )


if __name__ == "__main__":
    main()
