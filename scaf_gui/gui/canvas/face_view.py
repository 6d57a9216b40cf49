"""The middle of the canvas: one face upon the image, its layers and the selected landmark."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from scaf_gui.core.arrays import FloatArray
from scaf_gui.core.face import Face, Prediction
from scaf_gui.core.scheme import Scheme
from scaf_gui.gui.canvas import ink
from scaf_gui.gui.canvas.heat import HeatItem
from scaf_gui.gui.canvas.landmark_item import LandmarkItem
from scaf_gui.gui.canvas.shown import Shown, shown
from scaf_gui.gui.canvas.view import ImageView


class FaceView(ImageView):
    """Shows a face's landmarks and knows which of them is selected; nothing can be moved.

    ``landmarkSelected(landmark or None)``: the selection changed, whoever changed it.
    """

    landmarkSelected = Signal(object)  # noqa: N815

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._landmarks = LandmarkItem()
        self.scene().addItem(self._landmarks)
        self.heat = HeatItem()
        self.scene().addItem(self.heat)
        self._face: Face | None = None
        self._shown: Shown | None = None
        self._selected: int | None = None
        self._hovered: int | None = None

    # -- what is shown

    @property
    def face(self) -> Face | None:
        """The face on the canvas: the one that the signals speak of."""
        return self._face

    def show_face(
        self, face: Face | None, prediction: Prediction | None, scheme: Scheme, expected: FloatArray | None = None
    ) -> None:
        """Show a face's label, or its prediction where it has no label.

        :param expected: (num_landmarks,) expected errors of the prediction in %; large ones are ringed
        :raises ValueError: when label or prediction do not fit the scheme
        """
        same = face is not None and self._face is not None and face.id == self._face.id
        had_bounds = self._shown is not None and self._shown.bounds() is not None
        self._shown = shown(face, prediction, scheme, expected) if face is not None else None
        self._face = face
        self._hovered = None
        self._landmarks.set_shown(self._shown)
        if not same or (self._selected or 0) >= scheme.num_landmarks:
            self._choose(None)
        if self._fit == "face" and not (same and had_bounds):
            self.fit_face()
        self._mark()

    def fit_face(self) -> None:
        """Show the face as large as it goes; the whole image while nothing is known of the face."""
        bounds = self._shown.bounds() if self._shown is not None else None
        if bounds is None:
            self.fit_image()
        else:
            known = self._shown.known() if self._shown is not None and self.turn else None
            few = known is None or self._shown is None or len(known) < max(2, len(self._shown.points) / 2)
            self._fit_rectangle(*bounds) if few or known is None else self._fit_points(known)
        self._fit = "face"

    def _refit(self) -> None:
        if self._fit == "face":
            self.fit_face()
        else:
            super()._refit()

    def _camera_changed(self) -> None:
        self._landmarks.set_zoom(self.zoom, self.turn)

    @property
    def skeleton(self) -> bool:
        """Whether the curves that join landmarks are shown."""
        return self._landmarks.layer("skeleton")

    @skeleton.setter
    def skeleton(self, on: bool) -> None:
        self._landmarks.set_layer("skeleton", on)

    @property
    def labels(self) -> bool:
        """Whether the landmarks' names are shown."""
        return self._landmarks.layer("labels")

    @labels.setter
    def labels(self, on: bool) -> None:
        self._landmarks.set_layer("labels", on)

    @property
    def ghost(self) -> bool:
        """Whether the prediction is shown behind the label."""
        return self._landmarks.layer("ghost")

    @ghost.setter
    def ghost(self, on: bool) -> None:
        self._landmarks.set_layer("ghost", on)

    @property
    def confidence(self) -> bool:
        """Whether predicted landmarks are coloured by how far they are expected to be off."""
        return self._landmarks.layer("confidence")

    @confidence.setter
    def confidence(self, on: bool) -> None:
        self._landmarks.set_layer("confidence", on)

    @property
    def has_doubt(self) -> bool:
        """Whether anything is shown of which an error is expected."""
        return self._shown is not None and bool(np.isfinite(self._shown.doubt).any())

    def show_looked(self, landmarks: frozenset[int]) -> None:
        """Let the rings of landmarks be faint that somebody has looked at."""
        self._landmarks.set_looked(landmarks)

    # -- selection

    @property
    def selected(self) -> int | None:
        return self._selected

    def select(self, landmark: int | None) -> None:
        """Select a landmark and bring it into sight; ``None`` selects none."""
        count = 0 if self._shown is None else len(self._shown.points)
        self._choose(landmark if landmark is not None and 0 <= landmark < count else None)
        place = self.position(self._selected)
        if place is not None and not self._sees(*place):
            x, y = self._camera.to_screen(*place)
            width, height = self._extent()
            self._move_by(width / 2 - x, height / 2 - y)

    def select_next(self, step: int = 1) -> None:
        """Select the landmark ``step`` further on, round and round."""
        if self._shown is None:
            return
        count = len(self._shown.points)
        if self._selected is None:
            self.select(0 if step > 0 else count - 1)
        else:
            self.select((self._selected + step) % count)

    def screen_points(self) -> FloatArray:
        """(num_landmarks, 2) where landmarks are drawn, screen pixels; NaN where they have no place."""
        return np.empty((0, 2)) if self._shown is None else ink.mapped(self._shown.points, self.viewportTransform())

    def position(self, landmark: int | None) -> tuple[float, float] | None:
        """Where a landmark is drawn, image pixels; ``None`` where it has no place."""
        if landmark is None or self._shown is None:
            return None
        x, y = self._shown.points[landmark].tolist()
        return (x, y) if np.isfinite(x + y) else None

    def _choose(self, landmark: int | None) -> None:
        changed = landmark != self._selected
        self._selected = landmark
        self._mark()
        if changed:
            self.landmarkSelected.emit(landmark)

    def _mark(self) -> None:
        self._landmarks.mark(selected=self._selected, hovered=self._hovered, dragged=False)

    def _preview(self, landmark: int, x: float, y: float) -> None:
        if self._shown is not None:
            self._shown = self._shown.with_point(landmark, x, y)
            self._landmarks.preview(landmark, x, y)

    def _preview_shape(self, shown: Shown) -> None:
        """Draw the same landmarks elsewhere."""
        self._shown = shown
        self._landmarks.preview_shape(shown)
