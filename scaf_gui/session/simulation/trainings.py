"""Trainings that are done once: kept in a work folder under a hash of all that decides them.

A training's folder holds ``record.json`` (how it went), ``predictions.npz`` (what its model said of which face)
and, while it is needed, ``model.safetensors``. Whoever asks for the same training, in this run or a later one, of
this design or another, gets what is there: the models of 10 random labels serve every acquisition function.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scaf_gui import __version__
from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.scheme import Scheme
from scaf_gui.io.files import locked, replace_file
from scaf_gui.session.simulation.faces import TrueFace

if TYPE_CHECKING:
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.learning.presets import Preset
    from scaf_gui.learning.pretrained import Autoencoder

BATCH = 16
_MODEL, _RECORD, _PREDICTIONS = "model.safetensors", "record.json", "predictions.npz"


@dataclass(frozen=True)
class Working:
    """Where long work is, for people."""

    what: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True)
class Record:
    """How a training went."""

    steps: int
    seconds: float
    model: str
    device: str
    threads: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class Said:
    """What a model says of a face: points (num_landmarks, 2) image pixels, magnitude (num_landmarks,),
    features (99,), scores by acquisition function."""

    points: FloatArray
    magnitude: FloatArray
    features: FloatArray
    scores: dict[str, float]


@dataclass(frozen=True, eq=False)
class Job:
    """A training: the labelled faces in order, and all settings."""

    preset: Preset
    base: Autoencoder | None
    max_seconds: float
    seed: int
    faces: tuple[TrueFace, ...]
    scheme: Scheme

    @property
    def key(self) -> str:
        values = [
            __version__, self.scheme.id, asdict(self.preset), self.base.id if self.base else "", self.max_seconds,
            self.seed, [face.id for face in self.faces],
        ]  # fmt: skip
        return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=10).hexdigest()


class Trainings:
    """The work folder.

    :param scores: acquisition functions of heatmaps to keep with every prediction
    """

    def __init__(self, folder: Path, device: Device, scores: Sequence[str]) -> None:
        self.folder = folder
        self._device, self._scores = device, tuple(scores)
        self._model: tuple[str, Checkpoint] | None = None
        self._predictor: tuple[str, Predictor] | None = None

    @contextmanager
    def claimed(self, job: Job) -> Iterator[bool]:
        """Whether this process may work on a training; another's ends with that process, whatever happens."""
        with locked(self.folder / "locks" / job.key) as held:
            yield held

    def record(self, job: Job) -> Record | None:
        """How the training went, ``None`` before it is done."""
        try:
            return Record(**json.loads((self._at(job) / _RECORD).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def train(self, job: Job) -> Generator[Working, None, Record]:
        """Train, unless it is done."""
        done = self.record(job)
        return done if done is not None else (yield from self._train(job))

    def said(self, job: Job, faces: Sequence[TrueFace]) -> Generator[Working, None, dict[str, Said]]:
        """Predictions by face id. Those that are not kept are made, with a model trained anew where it is gone."""
        kept = self._kept(job)
        if any(face.id not in kept for face in faces):
            with locked(self.folder / "locks" / f"{job.key}-said", wait=None):
                kept = self._kept(job)
                lacking = [face for face in faces if face.id not in kept]
                predictor = yield from self._predictor_of(job)
                for start in range(0, len(lacking), BATCH):
                    kept |= _predict(predictor, lacking[start : start + BATCH])
                    yield Working("Predicting", min(start + BATCH, len(lacking)), len(lacking))
                self._keep(job, kept)
        return {face.id: kept[face.id] for face in faces}

    def forget_model(self, job: Job) -> None:
        """Remove a model's file; what it said stays."""
        (self._at(job) / _MODEL).unlink(missing_ok=True)

    def _at(self, job: Job) -> Path:
        return self.folder / "trainings" / job.key

    def _train(self, job: Job) -> Generator[Working, None, Record]:
        import torch

        from scaf_gui.io.images import read_image
        from scaf_gui.learning.checkpoint import save_checkpoint
        from scaf_gui.learning.examples import Example
        from scaf_gui.learning.training import train

        examples = [Example(str(face.image), face.square, np.nan_to_num(face.points), face.known) for face in job.faces]
        work = train(
            examples,
            lambda name: read_image(Path(name)),
            job.scheme,
            job.preset,
            start=job.base,
            device=self._device,
            seed=job.seed,
            max_seconds=job.max_seconds or None,
        )
        try:
            while True:
                at = next(work)
                note = f"loss {at.loss:.4g}, {at.seconds_left:.0f} s left"
                yield Working(f"Training on {len(job.faces)} labels", at.step, at.steps, note)
        except StopIteration as end:
            result = end.value
        finally:
            work.close()
        self._model = (job.key, result.checkpoint)
        save_checkpoint(result.checkpoint, self._at(job) / _MODEL)
        record = Record(
            len(result.curve), round(result.seconds, 2), result.checkpoint.id, self._device.kind,
            torch.get_num_threads(), result.note,
        )  # fmt: skip
        replace_file(self._at(job) / _RECORD, json.dumps(asdict(record)).encode())
        return record

    def _predictor_of(self, job: Job) -> Generator[Working, None, Predictor]:
        from scaf_gui.learning.checkpoint import load_checkpoint
        from scaf_gui.learning.predictor import Predictor

        if self._predictor is None or self._predictor[0] != job.key:
            file = self._at(job) / _MODEL
            if (self._model is None or self._model[0] != job.key) and file.is_file():
                self._model = (job.key, load_checkpoint(file, job.scheme))
            if self._model is None or self._model[0] != job.key:
                yield from self._train(job)
            assert self._model is not None
            self._predictor = (job.key, Predictor(self._model[1], self._device, job.scheme, self._scores))
        return self._predictor[1]

    def _kept(self, job: Job) -> dict[str, Said]:
        """Predictions on file; none where it is damaged or lacks a score that is wanted now."""
        try:
            with np.load(io.BytesIO((self._at(job) / _PREDICTIONS).read_bytes())) as file:
                held = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return {}
        if not all(f"score_{name}" in held for name in self._scores):
            return {}
        return {
            str(face): Said(
                held["points"][at],
                held["magnitude"][at],
                held["features"][at],
                {name: float(held[f"score_{name}"][at]) for name in self._scores},
            )
            for at, face in enumerate(held["faces"])
        }

    def _keep(self, job: Job, said: dict[str, Said]) -> None:
        arrays: dict[str, Any] = {
            "faces": np.array(list(said)),
            "points": np.stack([one.points for one in said.values()]),
            "magnitude": np.stack([one.magnitude for one in said.values()]),
            "features": np.stack([one.features for one in said.values()]),
        }
        for name in self._scores:
            arrays[f"score_{name}"] = np.array([one.scores[name] for one in said.values()])
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        replace_file(self._at(job) / _PREDICTIONS, stream.getvalue())


def _predict(predictor: Predictor, faces: Sequence[TrueFace]) -> dict[str, Said]:
    from scaf_gui.io.images import read_image

    images: dict[Path, ByteArray] = {face.image: read_image(face.image) for face in faces}
    found = predictor.predict_faces([(images[face.image], face.square) for face in faces])
    return {
        face.id: Said(one.points, one.magnitude, one.features, one.scores)
        for face, one in zip(faces, found, strict=True)
    }
