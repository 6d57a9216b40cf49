"""What the model sees of one face, on demand: heatmaps, and the face as its auto-encoder paints it.

Neither is part of the document, nor of the cache: both are worked out for the face that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.geometry import Square, crop_square
from scaf_gui.core.scheme import Scheme
from scaf_gui.session.events import ModelInfo
from scaf_gui.session.prefill import PredictorDoor

if TYPE_CHECKING:
    from scaf_gui.learning.painting import Painter

#: why there is no painted picture
UNTRAINED = "This model's generator was not trained on faces, so it cannot paint one."
#: whose picture it is, where it is not the model's own
SHIPPED = "Painted by the auto-encoder that is shipped; this model was not trained from it."


@dataclass(frozen=True)
class SightJob:
    """A face to look at: what its heatmaps depend on, and nothing else. Equal jobs give equal sights."""

    face_id: int
    image: str
    square: Square
    twice: bool
    model: ModelInfo


@dataclass(frozen=True, eq=False)
class Sight:
    """What the model sees of a face.

    ``maps`` (num_landmarks, S, S) float32, 1: a perfect peak; ``to_image`` (2, 3) float64, from heatmap pixels to
    image pixels; ``crop`` (side, side, 3) uint8 RGB: what the network was shown, ``job.square`` of the
    image; ``painted``, as large: what the auto-encoder makes of it, ``None`` where it cannot, or has not yet;
    ``remark``: a sentence where it cannot, or where it is not the model's own.
    """

    job: SightJob
    maps: npt.NDArray[np.float32]
    to_image: FloatArray
    crop: ByteArray
    painted: ByteArray | None = None
    remark: str = ""


def sight_job(face: Face | None, prediction: Prediction | None, model: ModelInfo | None) -> SightJob | None:
    """How to look at a face; ``None`` without a box or without a model.

    As often as for the prediction that is shown, so that its landmarks lie upon the heatmaps' peaks.
    """
    if face is None or face.box is None or model is None:
        return None
    twice = prediction is not None and prediction.model_id == model.id and prediction.looks == 2
    return SightJob(face.id, face.image, crop_square(face.box), twice, model)


@dataclass
class PainterDoor:
    """The auto-encoder last used, so that the next face does not load it anew."""

    _lock: Lock = field(default_factory=Lock)
    _of: str = ""
    _painter: Painter | None = None

    def get(self, model: ModelInfo, scheme: Scheme) -> Painter | None:
        """The auto-encoder that a model was trained from, else one that is shipped; ``None`` without any."""
        from scaf_gui.learning.checkpoint import load_checkpoint
        from scaf_gui.learning.painting import painter_of

        with self._lock:
            if self._of != model.id:
                path = Path(model.path)
                self._painter = painter_of(load_checkpoint(path, scheme), path)
                self._of = model.id
            return self._painter


def look(
    job: SightJob,
    scheme: Scheme,
    read: Callable[[str], ByteArray],
    predictors: PredictorDoor,
    painters: PainterDoor | None,
    device: str = "auto",
) -> Generator[Sight, None, None]:
    """Look at a face: yields its heatmaps, then the same with the painted face.

    :param painters: ``None``: no picture is wanted
    :raises ImageError, FolderError, CheckpointError, DeviceError: it cannot be read, or there is no such model
    """
    from scaf_gui.learning.maps import face_maps

    predictor = predictors.get(job.model, device, scheme)
    found = face_maps(predictor, read(job.image), job.square, job.twice)
    sight = Sight(job, found.maps, found.to_image, found.crop)
    yield sight
    if painters is None:
        return
    painter = painters.get(job.model, scheme)
    if painter is None:
        yield replace(sight, remark=UNTRAINED)
    else:
        yield replace(sight, painted=painter.paint(found.crop), remark="" if painter.own else SHIPPED)
