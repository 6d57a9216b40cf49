"""Shape statistics of an open project: those shipped, and what its own labels say, kept off the hot path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from scaf_gui import paths
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.document import Changed, Document
from scaf_gui.core.face import Face, Flag, Prediction, State
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.core.shape import LEAST_SHAPES, ShapeModel, in_frame, mean_shape, shape_model
from scaf_gui.errors import SchemeError
from scaf_gui.session.expected import Expected
from scaf_gui.session.workload import Workload

#: the labels made last count: a hundred of 98 landmarks take some 20 ms
MOST_FACES = 100


class Shapes:
    """Main thread only. ``refresh`` brings what is known up to date with the labels.

    ``on_stale`` is called when labels have changed, or what is predicted of labelled faces.
    """

    def __init__(self, document: Document, work: Workload, expected: Expected):
        self._document, self._work, self._expected = document, work, expected
        self._shipped = shipped(document.scheme)
        self._model: ShapeModel | None = None
        self._used: frozenset[int] = frozenset()
        self.is_stale = True
        self.on_stale: Callable[[], object] | None = None
        document.subscribe(self._document_changed)

    @property
    def model(self) -> ShapeModel | None:
        """How errors hang together; ``None`` while nothing is known of this scheme. May be a few labels behind."""
        if self._model is None and self.is_stale:
            self.refresh()
        return self._model

    def spread(self, prediction: Prediction | None) -> FloatArray | None:
        """(num_landmarks,) expected errors of a prediction in %, ``None`` where they are not known."""
        return self._expected.landmarks(prediction)

    def refresh(self) -> None:
        """Learn from the labels as they are. Does nothing when they have not changed."""
        if not self.is_stale:
            return
        self.is_stale = False
        faces = self._document.with_state(State.LABELLED)
        faces.sort(key=lambda face: face.label.author.when if face.label is not None else "")
        faces = faces[-MOST_FACES:]
        self._used = frozenset(face.id for face in faces)
        shapes = [points for face in faces if np.isfinite(points := _label_points(face)).all()]
        reference, known = self._shipped if self._shipped is not None else (None, None)
        if reference is None and len(shapes) >= LEAST_SHAPES:
            reference = mean_shape(np.stack(shapes))
        if reference is None:
            self._model = None
            return
        framed = [in_frame(points, points - points.mean(axis=0), reference) for points in shapes]
        errors = [error for face in faces if (error := self._error(face, reference)) is not None]
        self._model = shape_model(
            reference,
            self._document.scheme.flip,
            known,
            np.stack(usable) if (usable := [shape for shape in framed if shape is not None]) else None,
            np.stack(errors) if errors else None,
        )

    def _error(self, face: Face, reference: FloatArray) -> FloatArray | None:
        """(L, 2) what the model got wrong, over what was expected; ``None`` where it has learnt from the face."""
        prediction, model = self._document.shown(face.id), self._work.model
        if prediction is None or model is None or prediction.model_id != model.id or face.id in model.trained_on:
            return None
        error = in_frame(prediction.points, _label_points(face) - prediction.points, reference)
        spread = self.spread(prediction)
        if error is None or not np.nan_to_num(error).any():
            return None
        return error if spread is None else error / np.sqrt(spread)[:, None]

    def _document_changed(self, changed: Changed) -> None:
        for face_id in changed.face_ids:
            labelled = face_id in self._document and self._document.face(face_id).state is State.LABELLED
            if labelled or face_id in self._used:
                self.is_stale = True
                if self.on_stale is not None:
                    self.on_stale()
                return


def shipped(scheme: Scheme) -> tuple[FloatArray, FloatArray] | None:
    """Reference shape (L, 2) and covariance (2 L, 2 L) that come with the program.

    Of a scheme without its own, those of one that leads to it; ``None`` where there is none.
    """
    folder = paths.resource_folder() / "shapes"
    own = folder / f"{scheme.id}.npz"
    if own.is_file():
        reference, covariance = _read(own)
        if len(reference) == scheme.num_landmarks:
            return reference, covariance
    for path in sorted(folder.glob("*.npz")):
        try:
            source = load_scheme(paths.resource_folder() / "schemes" / f"{path.stem}.json")
            matrix = scheme.matrix_from(source)
        except SchemeError:
            continue
        reference, covariance = _read(path)
        if matrix is None or matrix.shape[1] != len(reference):
            continue
        led = mean_shape((matrix @ reference)[None])
        both = np.kron(matrix, np.eye(2))
        if led is not None:
            return led, both @ covariance @ both.T
    return None


def _read(path: Path) -> tuple[FloatArray, FloatArray]:
    with np.load(path, allow_pickle=False) as file:
        reference, upper = file["reference"].astype(np.float64), file["covariance"].astype(np.float64)
    covariance = np.zeros((2 * len(reference), 2 * len(reference)))
    covariance[np.triu_indices(len(covariance))] = upper
    return reference, covariance + np.triu(covariance, 1).T


def _label_points(face: Face) -> FloatArray:
    assert face.label is not None
    return np.where((face.label.flags == Flag.MISSING)[:, None], np.nan, face.label.points)
