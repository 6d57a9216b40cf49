"""How far accepted labels lean towards the model: one sentence, and the figures behind it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from scaf_gui.core.lean import Difference, Lean, verdict
from scaf_gui.gui import theme
from scaf_gui.session.blind import SHARE

_HEAD = ("Distance from the prediction", "shown", "blind", "blind less shown")


class LeanWindow(QDialog):
    """Shows one :class:`Lean`; ``blind`` is the switch for faces without pre-fill.

    :param share: of the faces that come so, 0 to 1
    """

    def __init__(self, found: Lean, share: float, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Lean towards the model")
        # numbers stay together with what they are of
        said = verdict(found).replace(" %", "\u00a0%").replace(" to ", "\u00a0to\u00a0").replace(" of ", "\u00a0of ")
        self.verdict = QLabel(f"{said}.", self)
        theme.set_role(self.verdict, "title")
        self.verdict.setWordWrap(True)
        self.verdict.setMinimumWidth(540)
        self.about = QLabel(" ".join(_sentences(found)), self)
        self.about.setWordWrap(True)
        theme.set_role(self.about, "muted")
        often = "one face in twenty" if share in (0.0, SHARE) else f"{share:.0%} of the faces".replace("%", "\u00a0%")
        self.blind = QCheckBox(f"Let {often} come without a pre-fill", self)
        self.blind.setToolTip("Drawn at random. You place its landmarks by clicks; its prediction is kept back")
        self.blind.setChecked(share > 0)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        buttons.setFocus()
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 18, 22, 14)
        box.setSpacing(12)
        box.addWidget(self.verdict)
        box.addWidget(self.about)
        if found.shown or found.blind:
            box.addLayout(self._table(found))
        box.addWidget(self.blind)
        box.addWidget(buttons)

    def _table(self, found: Lean) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(3)
        for column, text in enumerate(_HEAD):
            self._cell(grid, 0, column, text, "muted")
        line = QFrame(self)
        theme.set_role(line, "line")
        grid.addWidget(line, 1, 0, 1, len(_HEAD))
        rows = {"all landmarks": found.whole, **found.groups}
        for place, (name, row) in enumerate(rows.items(), start=2):
            role = "heading" if place == 2 else ""
            self._cell(grid, place, 0, name.replace("_", " "), role)
            for column, text in enumerate(_numbers(row), start=1):
                self._cell(grid, place, column, text, role)
        grid.setColumnStretch(0, 1)
        return grid

    def _cell(self, grid: QGridLayout, row: int, column: int, text: str, role: str) -> None:
        label = QLabel(text, self)
        if role:
            theme.set_role(label, role)
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        grid.addWidget(label, row, column, side | Qt.AlignmentFlag.AlignVCenter)


def _sentences(found: Lean) -> list[str]:
    faces = f"{found.shown:,} accepted after a pre-fill, {found.blind:,} placed without seeing one."
    lines = [faces]
    if found.untouched is not None:
        lines.append(f"{100 * found.untouched:.0f} % of the pre-filled landmarks were left exactly as they came.")
    if found.within is not None:
        lines.append(f"{100 * found.within:.0f} % of those placed blind came to lie within 3 % of the prediction.")
    if found.shown and found.blind:
        lines.append("Part of a difference is no harm: who places a landmark anew spreads, who leaves it does not.")
    if found.shown or found.blind:
        lines.append("In % of the distance between the outer corners of the eyes, or of what the scheme takes instead.")
    else:
        lines.append("Faces placed blind show where you put landmarks when no pre-fill draws your eye.")
    return lines


def _numbers(row: Difference) -> tuple[str, str, str]:
    shown, blind, less = ("–" if v is None else f"{v:.1f} %" for v in (row.shown, row.blind, row.difference))
    if row.low is not None and row.high is not None:
        less = f"{less}  ({row.low:.1f} to {row.high:.1f})"
    return shown, blind, less.replace("-", "−")
