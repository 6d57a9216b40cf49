"""From a path to an open session: folders, projects and the sample; asks where a new project goes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from scaf_gui import paths
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.errors import ScafError
from scaf_gui.gui.messages import describe
from scaf_gui.gui.new_project_dialog import NewProjectDialog
from scaf_gui.gui.worker import Worker
from scaf_gui.session.project import SUFFIX, default_project_path, new_project, open_project, schemes
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

#: rendered faces of the sample
SAMPLE_FACES = 24
#: recent projects that are remembered
RECENT = 12


class Opener(QObject):
    """Opens what a person names. One project is open at a time: ``about_to_open`` closes the other."""

    opened = Signal(object)  # Session
    about_to_open = Signal()
    failed = Signal(str)
    busy = Signal(str)  # what is being prepared; "" when it is done

    def __init__(self, window: QWidget, settings: Settings):
        super().__init__(window)
        self._window, self._settings = window, settings
        self._sample = Worker(self)
        self._sample.yielded.connect(lambda count: self.busy.emit(f"Drawing the sample faces {count}/{SAMPLE_FACES}"))
        self._sample.returned.connect(self._sample_ready)
        self._sample.failed.connect(lambda error: self._fail(error))
        self._sample.finished.connect(lambda: self.busy.emit(""))

    # -- ways in ---------------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """A folder, a project file, or an image (its folder is meant)."""
        path = path.expanduser().absolute()
        if path.is_dir():
            self.open_folder(path, ask=not self._settings["project_folder"])
        elif path.suffix.lower() == SUFFIX:
            self.open_project(path)
        elif path.exists() and _is_image(path):
            self.open_folder(path.parent, ask=not self._settings["project_folder"])
        elif path.exists():
            self.failed.emit(f"{path}: is neither a folder of images nor a project (.scaf)")
        else:
            self.failed.emit(f"{path}: is not there; check the name")

    def ask_folder(self) -> None:
        """Let the person choose a folder of images."""
        name = QFileDialog.getExistingDirectory(self._window, "Folder of images", self._last_place())
        if name:
            self.open_folder(Path(name))

    def ask_project(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Open project", self._last_place(), "SCAF project (*.scaf)")
        if name:
            self.open_project(Path(name))

    def open_folder(self, folder: Path, ask: bool = True) -> None:
        """Go on with the folder's project, or make one.

        :param ask: show where the project will go first; else take the defaults
        """
        from scaf_gui.io.folder import scan_images

        path = default_project_path(folder, self._settings)
        if any(self._is_project_of(there, folder) for there in _numbered(path)):
            return
        try:
            images = len(scan_images(folder))
        except ScafError as error:
            self._fail(error)
            return
        path = _free(path)
        if not ask:
            self._create(path, folder, "300w-68", "detector", "mtcnn")
            return
        dialog = NewProjectDialog(
            folder, images, path, _scheme_choices(), self._window, str(self._settings["detector"])
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._create_chosen(dialog, folder))
        dialog.open()

    def open_project(self, path: Path) -> None:
        """Open a project file."""
        path = path.expanduser().absolute()
        self.about_to_open.emit()
        try:
            self._done(open_project(path, self._settings))
        except (ScafError, OSError) as error:
            self._fail(error)

    def open_sample(self) -> None:
        """Draw the sample faces where they are not drawn yet, then open them; asks nothing."""
        if not self._sample.is_running:
            self.busy.emit("Drawing the sample faces…")
            self._sample.start(_draw_sample)

    def stop(self) -> None:
        """Stop drawing; called before the window goes."""
        self._sample.blockSignals(True)
        self._sample.cancel()
        self._sample.wait()

    # -- steps -----------------------------------------------------------------------------------

    def _sample_ready(self, folder: Path) -> None:
        path = default_project_path(folder, self._settings).with_name("Sample faces.scaf")
        if path.exists():
            self.open_project(path)
        else:
            self._create(path, folder, "300w-68", "detector")

    def _is_project_of(self, path: Path, folder: Path) -> bool:
        """Open the default project where it belongs to this very folder (or cannot be read: then say so)."""
        self.about_to_open.emit()
        try:
            session = open_project(path, self._settings)
        except (ScafError, OSError) as error:
            self._fail(error)
            return True
        if not _is_same(session.folder, folder):
            session.close()
            return False
        self._done(session)
        return True

    def _create_chosen(self, dialog: NewProjectDialog, folder: Path) -> None:
        choice = dialog.choice()
        if not self._settings["project_folder"]:
            self._settings["project_folder"] = str(choice.path.parent)
        self._create(choice.path, folder, choice.scheme_id, choice.boxes, choice.detector)

    def _create(self, path: Path, folder: Path, scheme_id: str, boxes: str, detector: str = "") -> None:
        self.about_to_open.emit()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._done(new_project(path, folder, scheme_id, boxes, self._settings, detector=detector))
        except (ScafError, OSError) as error:
            self._fail(error)

    def _done(self, session: Session) -> None:
        recent = [str(session.path), *(p for p in self._settings["recent"] if p != str(session.path))]
        try:
            self._settings["recent"] = recent[:RECENT]
        except OSError as error:
            self.failed.emit(f"Settings cannot be saved: {describe(error)}")
        self.opened.emit(session)

    def _fail(self, error: BaseException) -> None:
        self.failed.emit(describe(error))

    def _last_place(self) -> str:
        recent = [Path(path) for path in self._settings["recent"]]
        return str(next((path.parent for path in recent if path.parent.is_dir()), Path.home()))


def _numbered(path: Path) -> Iterator[Path]:
    """What is there under a name, and under the name with numbers, as :func:`_free` gives them."""
    there, number = path, 2
    while there.exists():
        yield there
        there = path.with_name(f"{path.stem} {number}{path.suffix}")
        number += 1


def _free(path: Path) -> Path:
    """The path, or one with a number where there is something already."""
    taken = sum(1 for _ in _numbered(path))
    return path if not taken else path.with_name(f"{path.stem} {taken + 1}{path.suffix}")


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same folder; on some systems A is a, and é may be written in two ways."""
    try:
        return one.samefile(other)
    except OSError:  # one is gone
        return one.resolve() == other.resolve()


def _is_image(path: Path) -> bool:
    from scaf_gui.io.images import IMAGE_SUFFIXES

    return path.suffix.lower() in IMAGE_SUFFIXES


def _scheme_choices() -> list[Scheme]:
    """All schemes that can be read, 300-W's first."""
    found = []
    for scheme_id, path in schemes().items():
        try:
            found.append((scheme_id != "300w-68", load_scheme(path)))
        except ScafError:
            continue  # a broken scheme of the user's own must not keep all others away
    return [scheme for _, scheme in sorted(found, key=lambda pair: (pair[0], pair[1].title))]


def sample_folder() -> Path:
    """Where the rendered sample lies once it has been drawn."""
    return paths.cache_folder() / "sample"


def _draw_sample() -> Generator[int, None, Path]:
    from scaf_gui.samples.folder import write_sample_folder

    folder = sample_folder()
    for count in range(1, SAMPLE_FACES + 1):
        write_sample_folder(folder, count)
        yield count
    return folder
