"""One item draws everything, and only what changes is painted again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF
from PySide6.QtGui import QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication

from scaf_gui.core.face import Box, Face, Flag, State
from scaf_gui.gui.canvas import Canvas
from scaf_gui.gui.canvas.landmark_item import LandmarkItem
from scaf_gui.gui.canvas.selection import upright
from tests.gui.canvas.stage import (
    FACE,
    POINTS,
    SCHEME,
    Mouse,
    face_with,
    make_label,
    make_prediction,
    make_scheme,
    on_screen,
    pixels,
)


class Painted(QObject):
    """The regions that a widget was asked to paint."""

    def __init__(self) -> None:
        super().__init__()
        self.region = QRegion()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QPaintEvent):
            self.region |= event.region()
        return False

    def area(self) -> int:
        return sum(rectangle.width() * rectangle.height() for rectangle in self.region)


def test_one_item_for_all_landmarks(canvas: Canvas) -> None:
    assert len([item for item in canvas.scene().items() if isinstance(item, LandmarkItem)]) == 1
    assert len(canvas.scene().items()) == 7  # with photo, heatmap, other faces, box, rubber rectangle and trails


@pytest.mark.parametrize("count", [1, 2, 500])
def test_schemes_of_any_size(make_canvas: Callable[[], Canvas], count: int) -> None:
    canvas = make_canvas()
    canvas.show_image(np.zeros((150, 200, 3), dtype=np.uint8))
    scheme = make_scheme(count)
    points = np.random.default_rng(1).uniform(10, 140, (count, 2))
    canvas.labels = canvas.ghost = True
    empty = pixels(canvas)
    canvas.show_face(Face(1, "a", Box(1, 1, 90, 90), make_label(points)), make_prediction(points + 2), scheme)
    canvas.fit_face()
    canvas.fit_image()
    canvas.select(count - 1)
    assert (pixels(canvas) != empty).any()
    assert len(canvas.scene().items()) == 7


@pytest.mark.parametrize("labels", [False, True])
def test_a_drag_leaves_no_traces(canvas: Canvas, mouse: Mouse, labels: bool) -> None:
    canvas.labels, canvas.ghost = labels, True
    canvas.fit_face()
    start = mouse.at(*POINTS[1])
    mouse.press(start)
    for step in range(1, 25):
        mouse.move(start + QPoint(round(step * 9 * np.cos(step)), round(step * 6 * np.sin(step))))
    mouse.release(start + QPoint(round(24 * 9 * np.cos(24)), round(24 * 6 * np.sin(24))))
    canvas.select(None)
    mouse.move(QPoint(3, 3))
    seen = on_screen(canvas).astype(int)
    # clipped to a part of the window, Qt rounds the edges of lines differently by a few of 255 steps
    assert np.abs(seen - pixels(canvas)).max() <= 6


def test_only_the_surroundings_are_painted_again(make_canvas: Callable[[], Canvas]) -> None:
    canvas = make_canvas()
    canvas.show_image(np.zeros((400, 600, 3), dtype=np.uint8))
    angle = np.linspace(0, 2 * np.pi, 98)
    points = np.column_stack([300 + 150 * np.cos(angle), 200 + 150 * np.sin(angle)])
    canvas.show_face(face_with(points), None, make_scheme(98))
    canvas.use_loupe(False)  # it would be painted again, too
    mouse, painted = Mouse(canvas), Painted()
    start = mouse.at(*points[10])
    mouse.press(start)
    mouse.move(start + QPoint(4, 0))
    canvas.viewport().installEventFilter(painted)
    mouse.move(start + QPoint(8, 3))
    QApplication.processEvents()
    assert 0 < painted.area() < 0.1 * 640 * 480
    mouse.release(start + QPoint(8, 3))


def test_with_names_only_what_moves_is_painted_again(make_canvas: Callable[[], Canvas]) -> None:
    canvas = make_canvas()
    canvas.show_image(np.zeros((400, 600, 3), dtype=np.uint8))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    points = np.column_stack([300 + 150 * np.cos(angle), 200 + 150 * np.sin(angle)])
    canvas.show_face(face_with(points), None, make_scheme(24))
    canvas.labels = True
    canvas.use_loupe(False)
    for turn in (0.0, 0.4):
        canvas.turn_to(turn)
        mouse, painted = Mouse(canvas), Painted()
        start = mouse.at(*points[10])
        mouse.press(start)
        for step in range(5, 40, 5):  # over a neighbour's name, which makes room
            mouse.move(start + QPoint(step, step))
        canvas.viewport().installEventFilter(painted)
        mouse.move(start + QPoint(39, 40))
        QApplication.processEvents()
        assert 0 < painted.area() < 0.2 * 640 * 480
        assert np.abs(on_screen(canvas).astype(int) - pixels(canvas)).max() <= 6
        canvas.cancel_gesture()
        mouse.release(start)


def test_names_go_with_landmarks_that_are_held(make_canvas: Callable[[], Canvas]) -> None:
    canvas = make_canvas()
    canvas.show_image(np.zeros((400, 600, 3), dtype=np.uint8))
    points = np.array([[200.0, 200.0], [300.0, 200.0], [400.0, 200.0], [300.0, 300.0]])
    canvas.show_face(face_with(points), None, make_scheme(4))
    canvas.labels = True
    canvas.use_loupe(False)
    for turn in (0.0, 0.4):
        canvas.turn_to(turn)
        pixels(canvas)
        item, mouse = canvas._landmarks, Mouse(canvas)
        before = dict(item._named())
        assert len(before) == 4
        mouse.press(mouse.at(*points[1]))
        mouse.move(mouse.at(350.0, 220.0))
        mouse.move(mouse.at(395.0, 203.0))  # next to another one, which makes no room now
        held = dict(item._named())
        assert {i: held[i] for i in (0, 2, 3)} == {i: before[i] for i in (0, 2, 3)}
        moved = upright(np.array([95.0, 3.0]), turn) * canvas.zoom
        assert held[1] == pytest.approx((before[1][0] + moved[0], before[1][1] + moved[1], *before[1][2:]), abs=2.0)
        canvas.cancel_gesture()
        mouse.release(mouse.at(395.0, 203.0))
        pixels(canvas)
        assert item._named() == before  # back where there is room


def test_several_selected_landmarks_are_not_named(canvas: Canvas) -> None:
    canvas.select(1)
    named = pixels(canvas)
    canvas.select_group(frozenset({1, 2, 3}))
    canvas.select_group(frozenset({1}))
    assert (pixels(canvas) == named).mean() > 0.99
    assert not canvas._landmarks._grouped


def test_kinds_of_landmarks_look_different(canvas: Canvas) -> None:
    canvas.skeleton = False
    canvas.fit_face()
    x, y = (round(v) for v in canvas._camera.to_screen(*POINTS[2]))
    patch = (slice(y - 12, y + 12), slice(x - 12, x + 12))
    label = make_label(POINTS)
    looks = {}
    for name, face, prediction in (
        ("placed", FACE, None),
        ("taken over", replace(FACE, label=make_label(POINTS, placed=False)), None),
        ("occluded", replace(FACE, label=label.with_flag(2, Flag.OCCLUDED)), None),
        ("missing", replace(FACE, label=label.with_flag(2, Flag.MISSING)), None),
        ("unsure", Face(7, "a"), replace(make_prediction(POINTS), magnitude=np.array([1, 1, 0.1, 1, 1]))),
    ):
        canvas.show_face(face, prediction, SCHEME)
        looks[name] = pixels(canvas)[patch]
    canvas.show_face(FACE, None, SCHEME)
    canvas.select(2)
    looks["selected"] = pixels(canvas)[patch]
    canvas.show_face(Face(7, "a"), make_prediction(POINTS), SCHEME)
    canvas.select(None)
    assert np.array_equal(pixels(canvas)[patch], looks.pop("taken over"))
    names = list(looks)
    for i, first in enumerate(names):
        for second in names[:i]:
            assert (looks[first] != looks[second]).any(axis=-1).sum() > 20, (first, second)


@pytest.mark.parametrize("layer", ["skeleton", "labels", "ghost"])
def test_layers_can_be_hidden(canvas: Canvas, layer: str) -> None:
    canvas.show_face(FACE, make_prediction(POINTS + 6), SCHEME)
    setattr(canvas, layer, False)
    without = pixels(canvas)
    setattr(canvas, layer, True)
    assert getattr(canvas, layer) is True
    assert (pixels(canvas) != without).any()
    setattr(canvas, layer, False)
    assert np.array_equal(pixels(canvas), without)


def test_a_tiny_face_is_not_hidden_by_its_dots(canvas: Canvas) -> None:
    canvas.show_face(face_with(POINTS / 20), None, SCHEME)
    canvas.zoom_by(0.5 / canvas.zoom, QPointF(320, 240))
    canvas.skeleton = True
    lines = pixels(canvas)
    canvas.show_face(None, None, SCHEME)
    changed = (pixels(canvas) != lines).any(axis=-1).sum()
    assert 0 < changed < 120


def test_landmarks_far_out_and_without_a_place(canvas: Canvas) -> None:
    points = POINTS.copy()
    points[0] = np.nan
    points[1] = (-5e5, 5e5)
    canvas.show_face(replace(FACE, label=make_label(points), state=State.LABELLED), None, SCHEME)
    canvas.labels = canvas.ghost = True
    canvas.select(0)
    pixels(canvas)
    assert canvas.selected == 0 and canvas.position(0) is None
    canvas.fit_face()
    pixels(canvas)
