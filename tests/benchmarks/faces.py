"""Labelled real faces for the benchmarks: 300-W folders, with true boxes or a detector's."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging"))

from labelled_faces import example as example
from labelled_faces import labelled_faces as labelled_faces
from labelled_faces import read_image as read_image

from scaf_gui.core.face import Box, BoxSource
from scaf_gui.core.geometry import crop_square, tight_box
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.checkpoint import Checkpoint, load_checkpoint
from scaf_gui.learning.examples import Example
from scaf_gui.paths import resource_folder
from scaf_gui.session.models import starter

ROOT = Path(__file__).resolve().parents[2]


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("SCAF_DATA"), help="folder of the data sets (or SCAF_DATA)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "scaf-benchmarks", help="for detected boxes"
    )


def data_folder(given: argparse.Namespace) -> Path:
    if given.data is None:
        raise SystemExit("--data or the environment variable SCAF_DATA is needed")
    return Path(given.data)


def scheme_68() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


def starter_for(scheme: Scheme) -> Path:
    """The file of the starter that is shipped for the scheme."""
    found = starter(scheme)
    if found is None:
        raise SystemExit("there is no starter in models/; name a model")
    return Path(found.path)


def given_model(path: Path | None, scheme: Scheme) -> Checkpoint:
    """The model that was named, else the starter that is shipped for the scheme."""
    return load_checkpoint(path or starter_for(scheme), scheme)


def detected_boxes(faces: list[Example], cache: Path) -> list[Box | None]:
    """Per face the detected box that overlaps its true box best, or ``None`` where none does (overlap 0.3)."""
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / "detected.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    detector = None
    for face in faces:
        if face.image in known:
            continue
        if detector is None:
            from scaf_gui.io.detector import MtcnnDetector

            detector = MtcnnDetector()
        known[face.image] = [asdict(box) for box in detector.detect(read_image(face.image))]
    if detector is not None:
        kept.write_text(json.dumps(known))
    return [best_box(known[face.image], face.points) for face in faces]


def with_detector_boxes(faces: list[Example], cache: Path) -> list[Example]:
    """The faces that the detector finds, with its boxes; the others are missing."""
    boxes = detected_boxes(faces, cache)
    return [replace(face, square=crop_square(box)) for face, box in zip(faces, boxes, strict=True) if box is not None]


def best_box(found: list[dict[str, Any]], points: np.ndarray) -> Box | None:
    """The box (as a dictionary) that overlaps the true one best, from 0.3 on."""
    best, overlap = None, 0.3
    tx, ty, tw, th = tight_box(points)
    for values in found:
        box = Box(values["x"], values["y"], values["width"], values["height"], BoxSource(values["source"]))
        wide = max(0.0, min(tx + tw, box.x + box.width) - max(tx, box.x))
        high = max(0.0, min(ty + th, box.y + box.height) - max(ty, box.y))
        shared = wide * high / (tw * th + box.width * box.height - wide * high)
        if shared > overlap:
            best, overlap = box, shared
    return best


def machine(threads: int) -> str:
    """One sentence on what a figure was measured with."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, {threads} threads, {platform.system()}, torch {torch.__version__}"
