"""Acts per face: how many drags put a pre-filled face right, with the shape following, with fall-off, and alone.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/acts.py --data DATA [--model FILE] [--labels 50] [--faces 94]

A scripted annotator drags the landmark that is furthest off to its true place, through real mouse events upon a real
canvas, until no landmark needs a drag (off by more than 3 % of the distance between the outer eye corners, across its
curve). Landmarks that it has placed stay. The shipped starter pre-fills ``300w/dev``; for ``scut86`` it is led to the
other scheme by ``--labels`` faces, whose errors, each predicted by a bridge fitted to the others, are the project's own
statistics (``--model``: an 86-point model instead, with --labels naming how many it has learnt from; its held-out
errors are not known, so the shapes of its labels speak). Boxes are the true ones, an oracle. Also printed, at 5 %: a
pre-fill that was moved, turned and scaled as a whole at random, a little and far, and one from boxes that miss the face
by a fifth of their side, there also with the model asked again once a landmark is placed.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from bridge import labelled_faces as scut_faces
from faces import add_data_argument, data_folder, given_model, labelled_faces, read_image, scheme_68
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from scaf_gui.core import edits
from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.calibration import Signal, perfect_magnitude
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.following import fitted
from scaf_gui.core.geometry import Square, crop_square, landmark_box
from scaf_gui.core.metrics import normaliser
from scaf_gui.core.point_edits import move_points
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.core.shape import LEAST_SHAPES, ShapeModel, in_frame, mean_shape, shape_model
from scaf_gui.gui.canvas import Canvas
from scaf_gui.learning.bridge import fit_bridge
from scaf_gui.learning.checkpoint import load_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.paths import resource_folder
from scaf_gui.session.expected import shipped as calibration_of
from scaf_gui.session.shape import shipped as shape_of

MOST_ACTS = 120
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


@dataclass(frozen=True)
class Prefilled:
    """``points``, ``truth`` (L, 2) image pixels; ``spread`` (L,) expected errors in %; ``of``: the face."""

    points: FloatArray
    truth: FloatArray
    spread: FloatArray
    of: Example | None = None


class Needs:
    """Across-curve errors of one face in %, as :func:`scaf_gui.core.metrics.across_errors`, worked out once."""

    def __init__(self, truth: FloatArray, scheme: Scheme):
        self.truth, self.scale = truth, 100.0 / normaliser(truth, scheme)
        self.across = np.zeros_like(truth)
        for landmark in range(len(truth)):
            beside = scheme.slides(landmark)
            if beside is not None:
                along = truth[beside[1]] - truth[beside[0]]
                self.across[landmark] = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-9)

    def errors(self, points: FloatArray) -> FloatArray:
        off = points - self.truth
        plain, across = np.linalg.norm(off, axis=1), np.abs((off * self.across).sum(axis=1))
        return self.scale * np.where(self.across.any(axis=1), across, plain)


class Annotator:
    """Drags landmarks of faces upon one canvas and keeps their labels, as a project does."""

    def __init__(self, scheme: Scheme):
        self.scheme = scheme
        self.canvas = Canvas()
        self.canvas.resize(900, 900)
        self.canvas.show()
        self.canvas.landmarkMoved.connect(self._landmark_moved)
        self.canvas.shapeMoved.connect(self._shape_moved)
        self.canvas.pointsMoved.connect(self._points_moved)
        self.face = Face(0, "face")
        self.prediction: Prediction | None = None
        self.spread: FloatArray | None = None

    def acts(self, given: Prefilled, percent: float, again: LooksAgain | None = None) -> int:
        """Drags until nothing needs one; with ``again``, the second act lets the model look where the landmarks are."""
        canvas, needs = self.canvas, Needs(given.truth, self.scheme)
        side = int(np.ptp(given.truth, axis=0).max() * 2)
        low = given.truth.min(axis=0) - side / 4
        needs = Needs(given.truth - low, self.scheme)
        self.face = Face(self.face.id + 1, "face")
        self.prediction = Prediction(given.points - low, np.ones(len(given.points)), "model")
        self.spread = given.spread
        canvas.show_image(np.zeros((side, side, 3), np.uint8))
        self._show()
        canvas.fit_face()
        canvas.zoom_by(8.0, QPointF(450, 450))  # landmarks close together must be told apart
        for count in range(MOST_ACTS):
            errors = needs.errors(self._points())
            if self.face.label is not None:
                errors[self.face.label.placed] = 0.0
            worst = int(errors.argmax())
            if errors[worst] <= percent:
                return count
            if again is not None and count == 1:
                self._look_again(again, given, low)
            else:
                self._drag(worst, needs.truth[worst])
        return MOST_ACTS

    def _look_again(self, again: LooksAgain, given: Prefilled, low: FloatArray) -> None:
        """As :mod:`scaf_gui.session.again`."""
        label = self.face.label
        assert label is not None
        assert given.of is not None
        found, self.spread = again.look(given.of, label.points + low)
        self.prediction = Prediction(found - low, np.ones(len(found)), "model")
        points = fitted(again.shape, self.prediction.points, label.points, label.placed, self.spread)
        nobody = np.zeros_like(label.placed)
        self._take(move_points(self.face, self.prediction, points, ~label.placed, nobody, "Predict again", "script"))

    def _points(self) -> FloatArray:
        return self.face.label.points if self.face.label is not None else self.prediction.points  # type: ignore[union-attr]

    def _drag(self, landmark: int, target: FloatArray) -> None:
        canvas = self.canvas
        canvas.select(landmark)  # brings it into sight, and it is the one that a press takes
        here = QPointF(*canvas._camera.to_screen(*self._points()[landmark]))
        there = QPointF(*canvas._camera.to_screen(*target))
        self._send(QEvent.Type.MouseButtonPress, here, LEFT, LEFT)
        for share in (0.3, 0.7, 1.0):
            self._send(QEvent.Type.MouseMove, here + (there - here) * share, NONE, LEFT)
        self._send(QEvent.Type.MouseButtonRelease, there, LEFT, NONE)
        moved = self.face.label is not None and bool(self.face.label.placed[landmark])
        if not moved or np.abs(self._points()[landmark] - target).max() > 0.01:
            raise SystemExit(f"landmark {landmark} did not go where it was dragged to")

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
        place = QPointF(self.canvas.viewport().mapToGlobal(at))
        event = QMouseEvent(kind, at, place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.canvas.viewport(), event)

    def _landmark_moved(self, landmark: int, x: float, y: float) -> None:
        self._take(edits.move_landmark(self.face, self.prediction, landmark, x, y, "script"))

    def _shape_moved(self, landmark: int, points: FloatArray) -> None:
        self._take(edits.move_shape(self.face, self.prediction, landmark, points, "script"))

    def _points_moved(self, made: object) -> None:
        self._take(move_points(self.face, self.prediction, made.points, made.moved, made.placed, "Drag", "script"))  # type: ignore[attr-defined]

    def _take(self, edit: edits.Edit | None) -> None:
        assert edit is not None
        assert edit.changes[0].after is not None
        self.face = edit.changes[0].after
        self._show()

    def _show(self) -> None:
        self.canvas.show_face(self.face, self.prediction, self.scheme)


@dataclass(frozen=True)
class LooksAgain:
    """Predicts a face from where its landmarks are; ``shape``: how errors hang together."""

    predictor: Predictor
    shape: ShapeModel | None

    def look(self, face: Example, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Landmarks (L, 2), image pixels, from two looks as in the window, and their expected errors (L,) in %."""
        square = crop_square(landmark_box(points, self.predictor.scheme.face_box))
        (found,) = self.predictor.predict_faces([(read_image(face.image), square)], second_look=True)
        strength, peak = found.magnitude[None], np.array([-found.scores["peak"]])
        return found.points, spreads(self.predictor, strength, peak)[0]


def predicted(predictor: Predictor, faces: list[Example], cache: Path, name: str) -> tuple[FloatArray, FloatArray]:
    """Landmarks (N, L, 2) and expected errors (N, L) of faces, worked out once."""
    path = cache / f"acts-{name}-{len(faces)}-{predictor.model_id}.npz"
    if not path.exists():
        found = [predictor.predict_faces([(read_image(face.image), face.square)])[0] for face in faces]
        points, strength = np.stack([f.points for f in found]), np.stack([f.magnitude for f in found])
        np.savez(path, points=points, strength=strength, peak=np.array([-f.scores["peak"] for f in found]))
    with np.load(path) as file:
        points, strength, peak = file["points"], file["strength"], file["peak"]
    return points, spreads(predictor, strength, peak)


def spreads(predictor: Predictor, strength: FloatArray, peak: FloatArray) -> FloatArray:
    """(N, L) expected errors in %. :param strength: (N, L) heatmap magnitudes; ``peak`` (N,)"""
    scheme = predictor.scheme
    calibration = calibration_of(scheme.id, scheme.num_landmarks)
    perfect = perfect_magnitude(predictor._sigma, predictor._window)
    return np.stack([calibration.landmarks(Signal(s / perfect, float(p))) for s, p in zip(strength, peak, strict=True)])


def thrown(given: Prefilled, scheme: Scheme, random: np.random.Generator, far: bool = False) -> Prefilled:
    """The same pre-fill moved (15 % of the normaliser), turned (8 degrees) and scaled (8 %) as a whole.

    :param far: 50 %, 15 degrees and 15 %
    """
    moved, degrees, scaled = (0.5, 15.0, 0.15) if far else (0.15, 8.0, 0.08)
    centre = given.points.mean(axis=0)
    angle, scale = random.normal(0, np.deg2rad(degrees)), 1 + random.normal(0, scaled)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = random.normal(0, moved, 2) * normaliser(given.truth, scheme)
    return Prefilled((given.points - centre) @ turn.T + centre + shift, given.truth, given.spread)


def missed(square: Square, random: np.random.Generator) -> Square:
    """A crop that misses the face by a fifth of its side, and is a fifth too large or too small."""
    dx, dy = random.normal(0, 0.2, 2) * square.side
    return Square(square.cx + dx, square.cy + dy, square.side * float(np.exp(random.normal(0, 0.2))))


def of_project(scheme: Scheme, points: FloatArray, truth: FloatArray, known_errors: bool) -> ShapeModel | None:
    """What a project knows after labelling these faces (N, L, 2); as :class:`scaf_gui.session.shape.Shapes`."""
    shipped = shape_of(scheme)
    if shipped is None and len(truth) < LEAST_SHAPES:
        return None
    reference, covariance = shipped if shipped is not None else (mean_shape(truth), None)
    assert reference is not None
    framed = np.stack([in_frame(t, t - t.mean(axis=0), reference) for t in truth]) if len(truth) else None
    errors = [in_frame(p, t - p, reference) for p, t in zip(points, truth, strict=True)] if known_errors else []
    return shape_model(reference, scheme.flip, covariance, framed, np.stack(errors) if errors else None)


def table(
    title: str,
    scheme: Scheme,
    faces: list[Prefilled],
    model: ShapeModel | None,
    percent: float = 3.0,
    predictor: Predictor | None = None,
    only: str = "",
) -> None:
    """:param predictor: of faces that are to be predicted again after the first drag, too"""
    if only not in title:
        return
    annotator = Annotator(scheme)
    canvas = annotator.canvas
    canvas.shaping.source = lambda: (model, annotator.spread)
    ways: list[tuple[str, bool, bool, float, LooksAgain | None]] = [
        ("alone", False, False, 1.0, None),
        ("fall-off along curves", False, True, 1.0, None),
        ("shape follows", True, False, 1.0, None),
        ("shape follows, 60 %", True, False, 0.6, None),
    ]
    if predictor is not None:
        ways.append(("shape follows, second act: predict again", True, False, 1.0, LooksAgain(predictor, model)))
    for name, shape, along, strength, again in ways:
        canvas.shaping.enabled, canvas.shaping.strength, canvas.along = shape, strength, along
        acts = []
        for face in faces:
            acts.append(annotator.acts(face, percent, again))
        found = np.array(acts)
        low, high = np.percentile(found, [10, 90])
        print(
            f"| {title} | {percent:g} % | {name} | {np.median(found):.1f} | {found.mean():.1f} "
            f"| {low:.0f} to {high:.0f} | {100 * (found <= 2).mean():.0f} % |",
            flush=True,
        )
    canvas.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--faces", type=int, default=94)
    parser.add_argument("--labels", type=int, default=50, help="labelled faces of scut86")
    parser.add_argument("--starter", type=Path, help="another 68-point model than the shipped one")
    parser.add_argument("--model", type=Path, help="an 86-point model instead of the bridged starter")
    parser.add_argument("--only", default="", help="tables whose title has this")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    given.cache.mkdir(parents=True, exist_ok=True)
    data, source = data_folder(given), scheme_68()
    starter = Predictor(given_model(given.starter, source), choose_device("cpu"), source)
    _application = QApplication([])
    print(f"Starter {starter.model_id}; acts per face until nothing is off by more than the limit\n")
    show = partial(table, only=given.only)
    print("| pre-fill | limit | drags | median | mean | 10th to 90th percentile | in 2 or fewer |\n" + "|---" * 7 + "|")

    dev = labelled_faces(data / "300w" / "dev", source)
    points, spread = predicted(starter, dev, given.cache, "dev")
    faces = [Prefilled(p, f.points, s, f) for p, f, s in zip(points, dev, spread, strict=True)][: given.faces]
    known = of_project(source, points[:0], points[:0], False)
    show("300w/dev, starter", source, faces, known)
    show("300w/dev, starter", source, faces, known, 5.0, starter)
    random = np.random.default_rng(0)
    show("300w/dev, starter, thrown off", source, [thrown(face, source, random) for face in faces], known, 5.0)
    show("300w/dev, starter, thrown far", source, [thrown(face, source, random, True) for face in faces], known, 5.0)
    beside = [replace(face, square=missed(face.square, random)) for face in dev]
    points, spread = predicted(starter, beside, given.cache, "dev-missed")
    faces = [Prefilled(p, f.points, s, f) for p, f, s in zip(points, dev, spread, strict=True)][: given.faces]
    show("300w/dev, starter, boxes that miss", source, faces, known, 5.0, starter)

    scheme = load_scheme(resource_folder() / "schemes" / "scut-86.json")
    everything = scut_faces(data / "scut86", scheme)
    held_out = everything[-200:][: given.faces]
    labelled = [everything[i] for i in np.random.default_rng(0).permutation(len(everything) - 200)[: given.labels]]
    truth = np.stack([face.points for face in labelled])
    if given.model is not None:
        predictor = Predictor(load_checkpoint(given.model, scheme), choose_device("cpu"), scheme)
        points, spread = predicted(predictor, held_out, given.cache, "scut86")
        name, model = f"scut86, model of {given.labels}", of_project(scheme, truth, truth, False)
    else:
        there, wide = predicted(starter, held_out, given.cache, "scut86-68")
        before, _ = predicted(starter, labelled, given.cache, "scut86-68-labelled")

        def led(these: np.ndarray) -> FloatArray:
            sizes = np.array([labelled[i].square.side for i in these])
            some = np.ones((len(these), scheme.num_landmarks), bool)
            return fit_bridge(before[these], truth[these], some, sizes, source.flip, scheme.flip).weights

        fold, crossed = np.arange(len(truth)) % 5, np.zeros_like(truth)
        for part in range(5):
            weights = led(np.flatnonzero(fold != part))
            crossed[fold == part] = np.einsum("kl,flc->fkc", weights, before[fold == part])
        weights = led(np.arange(len(truth)))
        points = np.einsum("kl,flc->fkc", weights, there)
        spread = wide @ (np.abs(weights) / np.abs(weights).sum(axis=1, keepdims=True)).T
        name, model = f"scut86, starter bridged by {given.labels}", of_project(scheme, crossed, truth, True)
    faces = [Prefilled(p, f.points, s) for p, f, s in zip(points, held_out, spread, strict=True)]
    show(name, scheme, faces, model)
    show(name + ", nothing known of the shape", scheme, faces, None)


if __name__ == "__main__":
    main()
