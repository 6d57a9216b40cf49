"""Every exception the package raises for trouble that a user can do something about.

::

    ScafError
    ├── InputError            a file or folder that cannot be used (names it, and the line)
    │   ├── ImageError        an image that cannot be read
    │   ├── LabelFileError    a label file that cannot be read or written
    │   │   └── BrokenLabelsError     parts of label files cannot be read
    │   ├── SchemeError       a landmark scheme that is not valid
    │   ├── FolderError       a folder that is missing, empty or without images
    │   └── CheckpointError   a model file that is damaged, foreign or of another scheme
    ├── ProjectError          a project file that cannot be opened
    │   ├── NotAProjectError
    │   ├── NewerProjectError
    │   └── ProjectLockedError
    ├── EditError             an edit that does not fit the document
    ├── TrainingError         training that cannot start or had to stop
    │   └── TooFewLabelsError
    ├── DeviceError           a device that is not there or out of memory
    └── UsageError            a command line that makes no sense

The text of each is one line that says what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class ScafError(Exception):
    """Base of all; its text is fit for the status bar and for standard error."""


class InputError(ScafError):
    """A file or folder that cannot be used.

    :param message: what is wrong and what to do, without the file's name
    :param path: the file or folder
    :param line: 1-based line number where that helps
    """

    def __init__(self, message: str, path: Path | str | None = None, line: int | None = None):
        where = "" if path is None else str(path).replace("\n", "\\n")
        if line is not None:
            where += f", line {line}"
        super().__init__(f"{where}: {message}" if where else message)
        self.reason = message
        self.path = None if path is None else Path(path)
        self.line = line


class ImageError(InputError):
    """An image that cannot be read."""


class LabelFileError(InputError):
    """A label file that cannot be read or written."""


class BrokenLabelsError(LabelFileError):
    """Faces, lines or files of labels that cannot be read: all are told of, so that they can be mended at once.

    :param source: the file or folder they are in
    :param listed: (file or file and line, what is wrong) of the first so many of ``count``
    """

    def __init__(self, source: Path, listed: Sequence[tuple[str, str]], count: int):
        if count == 1:
            where, reason = listed[0]
            folder = source if source.is_dir() else source.parent
            super().__init__(f"{where}: {reason}; nothing was imported", folder)
        else:
            super().__init__(f"{count:,} faces, lines or files cannot be read; nothing was imported", source)
        self.listed = tuple(listed)
        self.count = count


class SchemeError(InputError):
    """A landmark scheme that is not valid."""


class FolderError(InputError):
    """A folder that is missing, empty or without images."""


class CheckpointError(InputError):
    """A model file that is damaged, foreign or of another scheme."""


class ProjectError(InputError):
    """A project file that cannot be opened."""


class NotAProjectError(ProjectError):
    """The file is not a project of this program."""


class NewerProjectError(ProjectError):
    """The project was written by a newer version of this program."""


class ProjectLockedError(ProjectError):
    """Another process has the project open."""


class EditError(ScafError):
    """An edit that does not fit the document it is applied to."""


class TrainingError(ScafError):
    """Training cannot start, or had to stop."""


class TooFewLabelsError(TrainingError):
    """Fewer labelled faces than training needs."""


class DeviceError(ScafError):
    """A device that is not there or has no memory left."""


class UsageError(ScafError):
    """A command line that makes no sense."""
