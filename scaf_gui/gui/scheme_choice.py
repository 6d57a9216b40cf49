"""Which landmarks a new project has: a scheme that is known, or a file of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import ScafError
from scaf_gui.gui.file_choice import FileChoice

_FILE = ""


class SchemeChoice(FileChoice):
    """A list of schemes, and below it the file for one of the user's own."""

    def __init__(self, schemes: Sequence[Scheme], parent: QWidget | None = None):
        super().__init__(
            [
                *((scheme.title, scheme.id) for scheme in schemes),
                ("Landmarks of your own, from a scheme file (JSON)", _FILE),
            ],
            _FILE,
            ("Landmarks", "Landmark scheme file", "Landmark scheme"),
            "my-landmarks.json (see docs/schemes.md)",
            "Landmark schemes (*.json);;All files (*)",
            parent,
        )

    @property
    def value(self) -> str:
        """The id of a scheme, or the path of its file."""
        return str(self.kind.currentData()) or str(Path(self.file.text().strip()).expanduser())

    def trouble(self) -> str:
        """Why the choice cannot be used; "" where nothing is. A scheme file is small: it is read."""
        if not self.is_own:
            return ""
        name = self.file.text().strip()
        if not name:
            return "Choose the file of the landmark scheme."
        if not Path(name).expanduser().is_file():
            return f"{name} is not a file. Choose the file of the landmark scheme."
        try:
            load_scheme(Path(name).expanduser())
        except ScafError as error:
            return str(error)
        return ""
