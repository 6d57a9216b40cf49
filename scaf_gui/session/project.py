"""Make and open projects."""

from __future__ import annotations

from pathlib import Path

from scaf_gui.session.session import Session
from scaf_gui.settings import Settings


def default_project_path(folder: Path, settings: Settings) -> Path:
    """Where the project of an image folder goes: the documents folder (or the setting) / its name + ``.scaf``.

    It need not exist; where it exists, it may be opened.
    """
    raise NotImplementedError


def new_project(
    path: Path,
    folder: Path,
    scheme_id: str = "300w-68",
    boxes: str = "detector",
    settings: Settings | None = None,
    seed: int = 0,
) -> Session:
    """Make a project of an image folder, which is only read, never written to.

    :param boxes: ``detector``, ``whole`` or ``landmarks:DIR`` (``.pts`` files)
    :raises FolderError: the folder is missing or has no images
    :raises ProjectError: there is something at ``path`` already
    """
    raise NotImplementedError


def open_project(path: Path, settings: Settings | None = None) -> Session:
    """Open a project. A moved image folder is looked for; a vanished one leaves all labels readable.

    :raises NotAProjectError, NewerProjectError, ProjectLockedError: nothing was touched
    """
    raise NotImplementedError
