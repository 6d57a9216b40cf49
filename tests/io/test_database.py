"""Files that are no project, locked, damaged, newer or read-only: a clear error, and nothing is touched."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from scaf_gui.core.face import Face
from scaf_gui.errors import NewerProjectError, NotAProjectError, ProjectError, ProjectLockedError
from scaf_gui.io import schema
from scaf_gui.io.store import ProjectStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, scheme_file: Path, faces: list[Face]) -> Path:
    path = tmp_path / "a.scaf"
    many = [Face(k, f"image-{k:06}.jpg") for k in range(100, 2000)]
    with ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), tmp_path) as store:
        store.add_faces(faces + many)
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"just some notes of mine\n" * 20, "is not a project"),
        (b"SQLite", "is damaged"),
        (b"SQLite format 3\x00" + b"\x00" * 30, "is damaged"),
        (b"SQLite format 3\x00" + b"\x07" * 300, "is a database of another program"),
    ],
)
def test_files_that_are_no_project(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.scaf"
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=f"a.scaf: {reason}"):
        ProjectStore.open(path)
    assert files_of(tmp_path) == {"a.scaf": content}


def test_the_kind_of_error_tells_a_foreign_file(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE face (id INTEGER)")
    connection.commit()
    connection.close()
    before = files_of(tmp_path)
    with pytest.raises(NotAProjectError, match="database of another program"):
        ProjectStore.open(foreign)
    assert files_of(tmp_path) == before
    with pytest.raises(NotAProjectError, match="is a folder"):
        ProjectStore.open(tmp_path)
    with pytest.raises(ProjectError, match="does not exist") as caught:
        ProjectStore.open(tmp_path / "missing.scaf")
    assert not isinstance(caught.value, NotAProjectError)
    assert files_of(tmp_path) == before


def test_a_newer_project_says_which_version(project: Path) -> None:
    connection = sqlite3.connect(project)
    connection.execute("PRAGMA user_version = 77")
    connection.close()
    before = files_of(project.parent)
    with pytest.raises(NewerProjectError, match=f"its schema is 77, this one knows {schema.VERSION}"):
        ProjectStore.open(project)
    assert files_of(project.parent) == before


HOLDER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from scaf_gui.io.store import ProjectStore

    with ProjectStore.open(Path(sys.argv[1])) as store:
        print("open", flush=True)
        sys.stdin.readline()
    """
)


def test_a_project_open_elsewhere_is_locked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaf_gui.io.database._BUSY_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ProjectLockedError, match=r"a.scaf: is open in another window or program"):
            ProjectStore.open(project)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait(timeout=30) == 0
    with ProjectStore.open(project) as store:
        with pytest.raises(ProjectLockedError):
            ProjectStore.open(project)
        assert len(store.faces()) == 1906


TRIES = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from scaf_gui.errors import ProjectLockedError
    from scaf_gui.io.store import ProjectStore

    try:
        ProjectStore.open(Path(sys.argv[1])).close()
    except ProjectLockedError:
        print("locked")
    """
)


def test_a_second_try_in_the_same_process_does_not_open_the_lock(project: Path) -> None:
    """Closing any descriptor of a file gives the process's locks on it away."""
    with ProjectStore.open(project) as store:
        for _ in range(2):
            with pytest.raises(ProjectLockedError):
                ProjectStore.open(project)
        done = subprocess.run(
            [sys.executable, "-c", TRIES, str(project)], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert (done.stdout, done.stderr) == ("locked\n", "")
        store.set("key", 1)
    ProjectStore.open(project).close()


def test_a_project_that_was_dropped_without_closing_can_be_opened(project: Path) -> None:
    store = ProjectStore.open(project)
    store.set("key", 1)
    store._connection.close()  # type: ignore[union-attr]
    del store
    with ProjectStore.open(project) as again:
        assert again.get("key") == 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_project_is_called_damaged_and_left_alone(project: Path, share: float) -> None:
    data = project.read_bytes()
    project.write_bytes(data[: int(len(data) * share)])
    before = files_of(project.parent)
    with pytest.raises(ProjectError, match=r"a.scaf: is damaged .*nothing was changed: go back to a copy"):
        ProjectStore.open(project)
    assert files_of(project.parent) == before


def test_scrambled_pages_are_called_damaged_and_left_alone(project: Path) -> None:
    data = bytearray(project.read_bytes())
    data[8192:20480] = b"\x5a" * 12288
    project.write_bytes(bytes(data))
    with pytest.raises(ProjectError, match="is damaged"):
        ProjectStore.open(project)
    assert files_of(project.parent) == {"a.scaf": bytes(data)}


def test_a_project_without_its_scheme_is_called_damaged(project: Path) -> None:
    for statement in ("UPDATE project SET value = '{' WHERE key = 'scheme'", "DELETE FROM project"):
        connection = sqlite3.connect(project)
        connection.execute(statement)
        connection.commit()
        connection.close()
        with pytest.raises(ProjectError, match="is damaged"):
            ProjectStore.open(project)


READER = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    from scaf_gui.io.store import ProjectStore
    from scaf_gui.errors import ProjectError

    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    path = Path(sys.argv[1])
    for attempt in (lambda: ProjectStore.open(path), lambda: ProjectStore.create(path.with_name("b.scaf"), "{}", path)):
        try:
            attempt()
        except Exception as error:
            print(type(error).__name__, error)
    """
)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o755), (0o666, 0o555)])
def test_a_read_only_project_or_folder(scheme_file: Path, file_mode: int, folder_mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "a.scaf"
        ProjectStore.create(path, scheme_file.read_text(encoding="utf-8"), folder).close()
        before = path.read_bytes()
        path.chmod(file_mode)
        folder.chmod(folder_mode)
        done = subprocess.run(
            [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, cwd=ROOT, check=False
        )
        folder.chmod(0o755)
        assert done.stderr == ""
        first, second = done.stdout.splitlines()
        assert first.startswith("ProjectError") and "read-only" in first
        assert second.startswith("SchemeError"), second
        assert files_of(folder) == {"a.scaf": before}
