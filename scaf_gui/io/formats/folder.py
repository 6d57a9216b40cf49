"""An export while it is being made: in a hidden folder beside the wanted one, which takes its place at the end."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from scaf_gui.errors import LabelFileError
from scaf_gui.io.formats import files
from scaf_gui.io.formats.base import ExportReport, FaceState, LabelledFace
from scaf_gui.replace import rename_to, replace_by

#: writes the image of that name in the export's labels to a path
PlaceImage = Callable[[str, Path], None]


class ExportFolder:
    """A context: what was written in it appears at once when it ends well, and not at all when it does not.

    Where ``out`` has content already and may be overwritten, each file replaces its namesake in one step. Label files
    that were there, and may be a person's own, are kept in a folder beside it: each as it was when first replaced.

    :param place: writes an image into the export; ``None``: an export without images
    :param is_photo: says of a path whether it is a photo of the project, which nothing may replace
    :raises LabelFileError: ``out`` cannot be written. A new folder has not appeared then; of an
        existing one, each file is either the old one or the new one, whole
    """

    def __init__(
        self,
        out: Path,
        overwrite: bool = False,
        place: PlaceImage | None = None,
        is_photo: Callable[[Path], bool] = lambda _: False,
    ):
        self.out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow links the user chose
        self.overwrite = overwrite
        self.with_images = place is not None
        self.written = 0
        self.names: list[str] = []
        self.left_out: list[tuple[str, str]] = []
        self.renamed: dict[str, str] = {}
        #: {name in the export: image}, for names.json
        self.mapped: dict[str, str] = {}
        #: names of files in use, without regard to case
        self.taken: set[str] = set()
        #: folders of the export that get a names.json and a states.json of their own
        self.label_folders = {""}
        #: files of an earlier export stay, and so do their entries in names.json
        self.keeps_earlier = False
        self._states: dict[tuple[str, int], FaceState] = {}
        self._labelled: set[str] = set()
        self._notes: list[str] = []
        self._place = place
        self._is_photo = is_photo
        self._kept: Path | None = None
        self._images: dict[str, str] = {}
        self._beside = self.out.with_name(f".export-{uuid.uuid4().hex[:12]}")

    def __enter__(self) -> Self:
        if os.path.lexists(self.out) and not self.out.is_dir():
            raise LabelFileError("is a file; choose a folder to export to", self.out)
        above = next(folder for folder in self.out.parents if os.path.lexists(folder))
        if not above.is_dir():
            raise LabelFileError(f"cannot be written: {above.name} is a file, not a folder", self.out)
        try:
            self._filled = self.out.is_dir() and any(self.out.iterdir())
            if self._filled and not self.overwrite:
                raise LabelFileError("is not empty; choose another folder, or allow overwriting", self.out)
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._beside.mkdir()
        except OSError as error:
            raise self._trouble(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._write_beside()
                self._appear()
        except OSError as trouble:
            raise self._trouble(trouble) from trouble
        finally:
            shutil.rmtree(self._beside, ignore_errors=True)
        if isinstance(error, OSError):
            raise self._trouble(error) from error

    def open(self, name: str) -> BinaryIO:
        """A new file of the export, to be closed by the caller; ``name`` is relative, with forward slashes."""
        path = self._new(name)
        self.names.append(name)
        return path.open("wb")

    def write(self, name: str, content: bytes) -> None:
        """A whole file of the export."""
        with self.open(name) as file:
            file.write(content)

    def note(self, name: str, text: str) -> None:
        """A text for people, which no reader of labels looks at; not among the files of the report."""
        self._new(name).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        self._notes.append(name)

    def path_for(self, name: str) -> Path:
        """Where to write a file of the export that a library opens by its path."""
        path = self._new(name)
        self.names.append(name)
        return path

    def earlier(self, name: str) -> Path | None:
        """A file of the folder that is being written over, if there is one within it."""
        path = self.out / name
        return path if self._filled and path.is_file() and not files.leads_out(path, self.out) else None

    def leave_out(self, image: str, reason: str) -> None:
        self.left_out.append((image, reason))

    def leaves_out(self, face: LabelledFace, reason: str | None) -> bool:
        """Whether a face cannot be written, as the format gives a reason or its image's name leads out; noted then."""
        reason = reason or files.escape_reason(face.image)
        if reason is not None:
            self.leave_out(face.image, reason)
        return reason is not None

    def count(self, face: LabelledFace, marked: bool, number: int | None = None) -> None:
        """A face was written.

        :param marked: the labels themselves say whether it was reviewed
        :param number: what a reader will count it as among the faces of its image, if not its index
        """
        self.written += 1
        if self.overwrite:
            self._labelled.add(face.image)
        if face.state is not FaceState.REVIEWED and not marked:
            self._states[face.image, number or face.face_index] = face.state

    def image(self, image: str, name: str) -> None:
        """Put an image into the export under a name, once."""
        if self._place is not None and name not in self._images:
            self._images[name] = image
            self._place(image, self._new(name))

    def report(self) -> ExportReport:
        return ExportReport(
            self.written,
            tuple(self.out / name for name in self.names),
            tuple(self.left_out),
            dict(self.renamed),
            len(self._images),
            self._kept,
        )

    def _new(self, name: str) -> Path:
        reason = files.escape_reason(name)
        if reason is not None:
            raise LabelFileError(f"'{name[:80]}' {reason}", self.out)
        path = self._beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _write_beside(self) -> None:
        """names.json and states.json, where there is anything to say or something older to correct."""
        for prefix in sorted(self.label_folders):
            folder = self.out / prefix
            names = dict(self.mapped)
            states = dict(self._states)
            if self._filled and self.keeps_earlier:
                written = set(self.names)
                names = {n: i for n, i in files.read_names(folder).items() if n not in written} | names
                earlier = files.read_states(folder)
                states = {face: state for face, state in earlier.items() if face[0] not in self._labelled} | states
            for name, content in (
                (files.NAMES_FILE, names),
                (files.STATES_FILE, [[image, number, str(state)] for (image, number), state in states.items()]),
            ):
                if content or (self._filled and (folder / name).is_file()):
                    self.write(prefix + name, json.dumps(content, indent=1).encode("ascii"))

    def _appear(self) -> None:
        if not self._filled:
            if self.out.is_dir():
                self.out.rmdir()
            rename_to(self._beside, self.out)
            return
        every = [*self.names, *self._images, *self._notes]
        for name in every:
            if files.leads_out((self.out / name).parent, self.out):
                raise LabelFileError(f"'{name}' would be written through a link that leads out of the folder", self.out)
            if self._is_photo(self.out / name):
                raise LabelFileError(f"'{name}' is a photo of the project; export into another folder", self.out)
        for name in every:
            if name not in self._images:
                self._keep(name)
        for name in every:
            target = self.out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_by(self._beside / name, target)

    def _keep(self, name: str) -> None:
        """Copy a file that is about to be replaced by another content, unless an older one is kept already."""
        old, new, kept = self.out / name, self._beside / name, self.out.with_name(f"{self.out.name} replaced")
        if not old.is_file() or filecmp.cmp(old, new, shallow=False):
            return
        if name in self._notes and _first_line(old) == _first_line(new):  # of an earlier export
            return
        self._kept = kept
        if os.path.lexists(kept / name):
            return
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        half = kept / f"{name}.part"
        shutil.copy2(old, half)
        half.rename(kept / name)

    def _trouble(self, error: OSError) -> LabelFileError:
        return LabelFileError(f"cannot be written ({error.strerror or error})", self.out)


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(1000)


class SafeNames:
    """Image names without signs that break lines (and, for some formats, white space), each still one of a kind."""

    def __init__(self, folder: ExportFolder, images: Iterable[str] = (), spaces: bool = True):
        """:param images: all that will be written: no safe name of one may be the real name of another"""
        self._folder = folder
        self._spaces = spaces
        self._known: dict[str, str] = {}
        self._taken = {image.casefold() for image in images}

    def safe(self, image: str) -> str:
        """The name to write; a changed one is put into the export's mapping."""
        name = self._replaced(image)
        if name == image:
            return image
        if image not in self._known:
            path, number = PurePosixPath(name), 1
            while name.casefold() in self._taken:
                number += 1
                name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
            self._taken.add(name.casefold())
            self._folder.renamed[name] = self._folder.mapped[name] = image
            self._known[image] = name
        return self._known[image]

    def _replaced(self, image: str) -> str:
        if image.isprintable() and (self._spaces or " " not in image):
            return image
        return "".join(sign if sign.isprintable() and (self._spaces or not sign.isspace()) else "_" for sign in image)
