"""Frozen values that cross the border between the main thread and the workers.

Jobs go in, events come out: every generator of the session yields events (and the trainer's
``Progress``), and :meth:`scaf_gui.session.session.Session.take` takes each of them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scaf_gui.core.arrays import BoolArray, FloatArray
from scaf_gui.core.face import Box, Prediction
from scaf_gui.core.geometry import Square
from scaf_gui.core.queue import Ranking
from scaf_gui.core.scheme import Scheme


@dataclass(frozen=True)
class ModelInfo:
    """A model as the panels show it; reading it needs no torch.

    ``own``: trained in this project (else the shipped starter). ``trained_on``: ids of the faces that
    this model, or any model it was warm-started from in this project, has been trained on.
    ``error``: NME in % when it was judged, on ``judged_on`` faces that it was not trained on.
    """

    id: str
    path: str
    own: bool
    title: str
    created: str = ""
    preset: str = ""
    mode: str = ""
    trained_on: tuple[int, ...] = ()
    error: float | None = None
    judged_on: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> ModelInfo:
        known = {k: v for k, v in value.items() if k in ModelInfo.__dataclass_fields__}
        known["trained_on"] = tuple(known.get("trained_on", ()))
        return ModelInfo(**known)


@dataclass(frozen=True)
class BoxJob:
    """A photo in which faces are to be found; ``face_id``: the face that stands for it."""

    face_id: int
    image: str


@dataclass(frozen=True)
class PrefillJob:
    """A face to predict: its image (relative path) and the square that the network sees.

    ``looks``: 2 to look at it twice; ``again``: it has a prediction from one look, which is good enough meanwhile.
    """

    face_id: int
    image: str
    square: Square
    looks: int = 1
    again: bool = False


@dataclass(frozen=True, eq=False)
class SnapshotFace:
    """A labelled face, frozen for training.

    ``points`` (num_landmarks, 2) float64, image pixels; ``known`` (num_landmarks,) bool: not missing;
    ``placed`` (num_landmarks,) bool: put there by hand, not taken over from a prediction.
    ``predicted`` (num_landmarks, 2) float64, image pixels: what the model in use says of the face, uncorrected;
    ``None`` where that is not known.
    """

    face_id: int
    image: str
    square: Square
    points: FloatArray
    known: BoolArray
    placed: BoolArray
    when: str
    predicted: FloatArray | None = None


@dataclass(frozen=True)
class TrainingSnapshot:
    """Everything a refresh needs, frozen at the click: nothing done later can change it.

    ``instant``: what is shown are predictions corrected by what each label teaches at once. ``labelled``: how to
    predict ``faces``, as far as they have a box; their own squares are the ones to train on.
    """

    scheme: Scheme
    folder: Path
    companions: Path
    faces: tuple[SnapshotFace, ...]
    pool: tuple[PrefillJob, ...]
    model: ModelInfo | None
    seed: int
    acquisition: str = "nnm"
    discard: float = 0.1
    use_starter: bool = True
    instant: bool = False
    look_twice: bool = False
    labelled: tuple[PrefillJob, ...] = ()


@dataclass(frozen=True)
class RefreshStarted:
    """The first thing a refresh yields when it trains: on how many labels, on what, starting from what."""

    labels: int
    held_out: int
    device: str
    base: str


@dataclass(frozen=True)
class BoxesFound:
    """What was found in one photo: ``boxes`` best first, empty where there is no face.

    ``problem``: one line if the photo could not be read (or a label file for it is missing).
    """

    face_id: int
    image: str
    boxes: tuple[Box, ...]
    problem: str = ""


@dataclass(frozen=True)
class BoxBatch:
    """What was found in a few photos, and how many photos are left."""

    found: tuple[BoxesFound, ...]
    remaining: int = 0


@dataclass(frozen=True)
class HashesFound:
    """Content hash, size in bytes and modification time (seconds) by image."""

    hashes: Mapping[str, tuple[str, int, float]]
    remaining: int = 0
    folder: Path | None = None  # that they are in


@dataclass(frozen=True)
class SimilarFound:
    """Groups of near-identical images (relative paths); ``None`` while ``remaining`` images are to be looked at.

    ``of``: tells the images, as they were compared, from others.
    """

    groups: tuple[tuple[str, ...], ...] | None
    remaining: int = 0
    of: str = ""


@dataclass(frozen=True)
class ImagesMoved:
    """Images found again by content: old relative path to new one; ``lost``: those found nowhere.

    ``changed``: those under whose names lies another content now, with its hash, size and modification time.
    """

    moved: Mapping[str, str]
    lost: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, int, float]] = field(default_factory=dict)
    folder: Path | None = None  # that was looked through


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """``pixels`` (height, width, 3) uint8 RGB, or ``None`` with a one-line ``problem``."""

    image: str
    pixels: Any
    problem: str = ""


@dataclass(frozen=True)
class PrefillBatch:
    """A few predictions, ready to be shown. ``failed``: one line by face that could not be predicted.

    ``squares``: which crop each was made from; a face whose box has changed since is asked for again.
    ``note``: what had to be done otherwise than planned, mostly empty (out of memory on the GPU).
    """

    predictions: Mapping[int, Prediction]
    squares: Mapping[int, Square]
    failed: Mapping[int, str] = field(default_factory=dict)
    remaining: int = 0
    model_id: str = ""
    from_cache: bool = False
    note: str = ""


@dataclass(frozen=True)
class PoolScored:
    """A sample of the pool, predicted and scored after training: the queue is reordered by it.

    ``order``: the ranking by an acquisition function that needs more than scores (K-center, spread,
    random); ``None``: by ``Prediction.scores``. ``of``: size of the whole pool.
    """

    predictions: Mapping[int, Prediction]
    squares: Mapping[int, Square]
    model_id: str
    of: int
    failed: Mapping[int, str] = field(default_factory=dict)
    order: Ranking | None = None


@dataclass(frozen=True)
class RefreshResult:
    """How a refresh ended. Yielded as soon as the models are judged, and returned at the end.

    ``kept_new``: the new model takes over. ``old_error``, ``new_error``: NME in % (the scheme's
    normaliser) of what is shown, on ``judged_on`` faces that neither has trained on; ``None`` where there was
    nothing to compare. ``model``: the model in use from now on. ``message``: one sentence for the panel.
    """

    kept_new: bool
    model: ModelInfo | None
    message: str
    old_error: float | None = None
    new_error: float | None = None
    judged_on: int = 0
    labels: int = 0
    seconds: float = 0.0
    device: str = ""


Event = BoxBatch | HashesFound | SimilarFound | ImagesMoved | PrefillBatch | PoolScored | RefreshResult
