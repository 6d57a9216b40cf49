"""Make and open projects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scaf_gui import paths
from scaf_gui.core.face import Face
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import ProjectError, SchemeError
from scaf_gui.session.boxes import check_boxes, check_source
from scaf_gui.session.session import Session
from scaf_gui.settings import Settings

if TYPE_CHECKING:
    from scaf_gui.io.store import ProjectStore

SUFFIX = ".scaf"


def default_project_path(folder: Path, settings: Settings) -> Path:
    """Where the project of an image folder goes: the documents folder (or the setting) / its name + ``.scaf``.

    It need not exist; where it exists, it may be opened.
    """
    chosen = settings["project_folder"]
    parent = Path(chosen).expanduser() if chosen else paths.documents_folder()
    name = folder.expanduser().absolute().name or "faces"
    return parent / f"{name}{SUFFIX}"


def schemes() -> dict[str, Path]:
    """Files of the landmark schemes by id: the shipped ones, and the user's own over them.

    One of the user's that cannot be read stands under its file's name, so that whoever reads it can say what is wrong.
    """
    found = {path.stem: path for path in sorted((paths.resource_folder() / "schemes").glob("*.json"))}
    for path in sorted(paths.user_scheme_folder().glob("*.json")):
        try:
            found[load_scheme(path).id] = path
        except SchemeError:
            found.setdefault(path.stem, path)
    return found


def scheme_text(scheme_id: str) -> str:
    """The JSON of a scheme, by its id or by the path of its file.

    :raises SchemeError: there is none, or it is not valid
    """
    path = schemes().get(scheme_id)
    if path is None:
        path = Path(scheme_id).expanduser()
        if not path.is_file():
            there = ", ".join(schemes())
            raise SchemeError(f"there is no landmark scheme '{scheme_id}'; use one of {there}, or a file of your own")
    load_scheme(path)
    return path.read_text(encoding="utf-8")


def new_project(
    path: Path,
    folder: Path,
    scheme_id: str = "300w-68",
    boxes: str = "detector",
    settings: Settings | None = None,
    seed: int = 0,
    use_starter: bool = True,
    detector: str = "",
) -> Session:
    """Make a project of an image folder, which is only read, never written to.

    :param scheme_id: id of a landmark scheme, or the path of its file
    :param boxes: ``detector``, ``yunet:FILE`` (a model of the user's), ``whole``, ``landmarks:DIR`` (``.pts``
        files), or a file of boxes: ``wflw:FILE``, ``mat:FILE``, ``csv:FILE``
    :param seed: of the first, random order of the queue
    :param use_starter: pre-fill with the shipped model until the project has its own, and train from it
    :param detector: what ``detector`` stands for: ``mtcnn`` or ``yunet:FILE``; "": as the settings say
    :raises FolderError: the folder is missing or has no images
    :raises InputError: the file of the boxes, or the detector's, cannot be used
    :raises ProjectError: there is something at ``path`` already
    """
    from scaf_gui.io.folder import scan_images
    from scaf_gui.io.store import ProjectStore

    path = path.expanduser()
    if not detector:
        detector = str(settings["detector"]) if settings is not None else "mtcnn"
    source = check_source(boxes, detector)
    text = scheme_text(scheme_id)
    if path.exists():
        raise ProjectError("exists already; open it, or choose another name", path)
    images = scan_images(folder)
    notice = check_boxes(source, images)
    store = ProjectStore.create(path, text, folder)
    try:
        store.add_faces([Face(number, image) for number, image in enumerate(images, start=1)])
        store.set("boxes", source)
        store.set("seed", seed)
        store.set("use_starter", use_starter)
        if settings is not None:
            store.set("discard", settings["discard"])
        return _session(store, settings, notice)
    except BaseException:
        store.close()
        path.unlink(missing_ok=True)
        raise


def open_project(path: Path, settings: Settings | None = None) -> Session:
    """Open a project. A vanished image folder leaves all labels readable, and is named in ``notice``.

    :raises NotAProjectError, NewerProjectError, ProjectLockedError: nothing was touched
    """
    from scaf_gui.io.store import ProjectStore

    store = ProjectStore.open(path.expanduser())
    try:
        store.keep_copy()  # there is none yet of what a killed program had written
        notice = ""
        if not store.image_folder.is_dir():
            notice = f"The image folder {store.image_folder} is gone: labels are safe; say where the images are now"
        return _session(store, settings, notice)
    except BaseException:
        store.close()
        raise


def _session(store: ProjectStore, settings: Settings | None, notice: str = "") -> Session:
    if settings is None:
        return Session(store, notice=notice)
    session = Session(store, settings.user, notice)
    session.instant.enabled = settings["instant"]
    session.work.look_twice = settings["second_look"]
    return session
