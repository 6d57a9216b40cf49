"""The project file ``NAME.scaf``: one SQLite database, every edit one durable transaction."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Face
from scaf_gui.core.history import Step
from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import EditError, ProjectError, SchemeError
from scaf_gui.io import backups, database, edit_log, places, rows, undo_log
from scaf_gui.io.moved import Stamp, find_moved


class ProjectStore:
    """An open project file. To be used on the thread that opened it, and closed there.

    ``journal_note`` is "", or one sentence where the file system allows no write-ahead log; ``found`` likewise where
    something was odd about the file, or what lay beside it.
    """

    def __init__(self, path: Path, connection: database.Connection, journal_note: str):
        """Use :meth:`create` or :meth:`open`."""
        self.path = path
        self.journal_note = journal_note
        self._connection: database.Connection | None = connection
        self._identity = database.identity_of(path)
        self.found = connection.found
        self._rescued: Path | None = None
        self._moving: dict[str, str] = {}
        self._soon = False  # edits need not wait for the disk
        self._owes = False  # some are not known to be on it
        self._refused = False  # it did not take the last ones
        self._scheme = _parse(self._project_value("scheme"), path)
        self._image_folder = places.find_folder(path, self._project_value)

    @classmethod
    def create(cls, path: Path, scheme_json_text: str, image_folder: Path) -> ProjectStore:
        """Write a new project file (and its folder) and open it.

        :raises SchemeError: the scheme is not valid; :raises ProjectError: the file exists or cannot be written
        """
        path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links the user chose
        try:
            parse_scheme(json.loads(scheme_json_text))
        except ValueError as error:
            raise SchemeError("is not JSON") from error
        database.create(path, {"scheme": scheme_json_text} | places.folder_values(path, Path(image_folder)))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> ProjectStore:
        """Open a project file for this process alone; an older one is migrated, a copy kept beside it.

        :raises ProjectError: missing, damaged, read-only; or a :class:`NotAProjectError`,
            :class:`NewerProjectError` or :class:`ProjectLockedError`. Nothing is changed then.
        """
        path = Path(os.path.abspath(path))  # noqa: PTH100
        connection, note = database.connect(path)
        try:
            return cls(path, connection, note)
        except BaseException:
            database.abandon(connection)
            raise

    def close(self) -> None:
        """Fold the log into the one file, which can then be copied. Closing twice does nothing.

        :raises ProjectError: the disk is full; the ``-wal`` file beside the project then belongs to it
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            database.close(connection, self.path)

    def __enter__(self) -> ProjectStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def scheme(self) -> Scheme:
        """The landmark scheme that the project was created with."""
        return self._scheme

    @property
    def scheme_json(self) -> str:
        """The scheme's JSON text, as given at creation."""
        return self._project_value("scheme")

    @property
    def image_folder(self) -> Path:
        """Where the images are; it may be gone. Setting it is remembered."""
        return self._image_folder

    @image_folder.setter
    def image_folder(self, folder: Path) -> None:
        with self.moving_to(folder):
            pass

    @contextmanager
    def moving_to(self, folder: Path) -> Iterator[None]:
        """Remember another image folder in one transaction with the next edit, if there is one in the block.

        That edit lets faces follow their images; without it, names in the new folder may be those of other photos.
        """
        self._moving = places.folder_values(self.path, Path(folder))
        try:
            yield
            if self._moving:
                with self._transaction() as connection:
                    places.remember(connection, self._moving)
            self._image_folder = Path(os.path.abspath(folder))  # noqa: PTH100
        finally:
            self._moving = {}

    def faces(self) -> list[Face]:
        """All faces, by id.

        :raises ProjectError: a row is broken (it names the face)
        """
        faces = []
        count = self._scheme.num_landmarks
        for row in self._read(rows.SELECT):
            try:
                face = rows.from_row(row)
                if face.label is not None and face.label.num_landmarks != count:
                    raise ValueError(f"{face.label.num_landmarks} landmarks instead of {count}")
            except (ValueError, TypeError, EditError) as error:
                advice = backups.advice(self.path)
                raise ProjectError(
                    f"is damaged: face {row[0]} cannot be read ({error}); nothing was changed: {advice}",
                    self.path,
                ) from error
            faces.append(face)
        return faces

    def highest_id(self) -> int:
        """The highest id that a face has or ever had, 0 where there was none.

        Faces come after the first ones and go by edits only, and the log names the faces of every edit, those that
        programs before this one wrote too. What a long log says is remembered, with how far it was read.
        """
        known, read = self.get(edit_log.HIGHEST, [0, 0])
        found = self._read(edit_log.HIGHEST_LOGGED, (read, read))
        highest, last = max(known, *found[0][:2]), found[0][2]
        if last - read > edit_log.LONG_LOG:
            with suppress(ProjectError):  # a full disk: read it again next time
                self.set(edit_log.HIGHEST, [highest, last])
        return int(max(highest, self._read("SELECT coalesce(max(id), 0) FROM face")[0][0]))

    def add_faces(self, faces: Iterable[Face]) -> None:
        """Write new faces, all or none.

        :raises EditError: there is a face of such an id already
        """
        try:
            with self._transaction() as connection:
                connection.executemany(rows.INSERT, map(rows.to_row, faces))
        except sqlite3.IntegrityError as error:
            raise EditError("two faces of the same id; nothing was added") from error

    def commit(self, edit: Edit, step: Step = Step.DONE, user: str = "") -> None:
        """Make an edit durable: when this returns, it survives a crash of the program or the machine.

        What is known of an image's content goes with the faces that are found in another one: were it left behind,
        the image would be looked for by the content of another.

        Within :meth:`soon` it survives one of the program, and at the end of the block one of the machine.

        :param step: why it is performed, and by which user of the program: see :meth:`undo_stack`
        :raises ProjectError: it could not be written; nothing of it is in the file
        """
        gone = [(change.face_id,) for change in edit.changes if change.after is None]
        moved = {
            change.before.image: change.after.image
            for change in edit.changes
            if change.before is not None and change.after is not None and change.before.image != change.after.image
        }
        kept = [rows.to_row(change.after) for change in edit.changes if change.after is not None]
        with self._transaction(at_once=not self._soon) as connection:
            connection.executemany("DELETE FROM face WHERE id = ?", gone)
            connection.executemany(rows.REPLACE, kept)
            if moved:
                places.move_stamps(connection, moved)
            if self._moving:
                places.remember(connection, self._moving)
            undo_log.note(connection, step, edit_log.write(connection, edit), edit, user)
        self._moving = {}
        self._owes |= self._soon and not self.journal_note

    def undo_stack(self, user: str, faces: Iterable[Face]) -> list[Edit]:
        """What this user did last and can still take back, oldest first; ``faces`` as they are."""
        return undo_log.stack(self._open_connection, faces, user)

    def join_last(self) -> None:
        """Two edits have become one in the history: see ``History.join_last``."""
        with suppress(ProjectError), self._transaction(at_once=False) as connection:
            undo_log.join_last(connection)

    @contextmanager
    def soon(self) -> Iterator[None]:
        """Edits within the block are written at once, but the disk is waited for at its end.

        For something that shall be on the screen first, and is there within milliseconds.

        :raises ProjectError: at the end: the disk did not take them; they are in the document, and in the file as
            long as the machine runs
        """
        self._soon = True
        try:
            yield
        finally:
            self._soon = False
            if self._owes and self._connection is not None:
                self._flush()

    def _flush(self) -> None:
        try:
            database.flush(self.path, anew=self._refused)
        except OSError as error:
            self._refused = True
            raise ProjectError(
                f"may not have reached the disk ({error.strerror}): your last label is safe only while this machine "
                "runs; see to the disk, then undo the last step and repeat it",
                self.path,
            ) from error
        self._owes = self._refused = False

    def edit_log(self) -> list[tuple[str, str, str, tuple[int, ...]]]:
        """(title, who, when, face ids) of every edit, oldest first."""
        found = self._read("SELECT title, author, written, faces FROM edit_log ORDER BY id")
        return [
            (rows.text_out(title), rows.text_out(who), when, tuple(json.loads(ids))) for title, who, when, ids in found
        ]

    def get(self, key: str, default: Any = None) -> Any:
        """A remembered JSON value."""
        found = self._read("SELECT value FROM meta WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else default

    def below(self, prefix: str) -> dict[str, Any]:
        """All remembered JSON values whose keys begin with ``prefix``, by the rest of the key."""
        found = self._read("SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?", (len(prefix), prefix))
        return {key[len(prefix) :]: json.loads(value) for key, value in found}

    def set(self, key: str, value: Any) -> None:
        """Remember a JSON value. It is on the disk for good by the next label, as waiting for it would cost as much."""
        self.set_all({key: value})

    def set_all(self, values: Mapping[str, Any]) -> None:
        """As :meth:`set`, several at once: all or none."""
        texts = [(key, json.dumps(value)) for key, value in values.items()]
        with self._transaction(at_once=False) as connection:
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", texts)

    def image_stamps(self) -> dict[str, Stamp]:
        """(content hash, size in bytes, time of change) of every image hashed so far."""
        found = self._read("SELECT name, hash, size, mtime FROM image ORDER BY rowid")
        return {rows.text_out(name): (digest, size, mtime) for name, digest, size, mtime in found}

    def set_image_hashes(self, stamps: Mapping[str, Stamp]) -> None:
        """Remember {image: (content hash, size in bytes, time of change)}."""
        values = [(rows.text_in(name), *stamp) for name, stamp in stamps.items()]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?)", values)

    def find_moved(self, images: Sequence[str]) -> dict[str, str]:
        """{old: new} relative path of the project's images that are elsewhere in the image folder now.

        :param images: what :func:`scaf_gui.io.folder.scan_images` finds in the image folder
        """
        found = self._read("SELECT DISTINCT image FROM face ORDER BY id")
        known = dict.fromkeys(rows.text_out(name) for (name,) in found)
        return find_moved(known, self.image_stamps(), self._image_folder, images)

    @property
    def _open_connection(self) -> database.Connection:
        if self._connection is None:
            raise ProjectError("is closed", self.path)
        return self._connection

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._open_connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise database.explained(error, self.path) from error

    @contextmanager
    def _transaction(self, at_once: bool = True) -> Iterator[sqlite3.Connection]:
        """Durable once the block is left; taken back whole where anything in it fails.

        :param at_once: off, a write-ahead log need not have reached the disk: after a power failure the file is as it
            was before
        """
        connection = self._open_connection
        if database.identity_of(self.path) != self._identity:
            # the open file is no longer the one under that name: writing on would lose the labels
            raise ProjectError(self._gone(connection), self.path)
        try:
            waits = at_once or bool(self.journal_note)  # a rollback journal is only safe when it is waited for
            connection.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                raise database.explained(error, self.path) from error
            raise

    def _gone(self, connection: database.Connection) -> str:
        """What became of the file, which is written anew where it would be lost otherwise; in words."""
        if self._rescued is None or not self._rescued.exists():
            self._rescued = database.rescue(connection, self.path)
        if self._rescued is None:
            return "was moved or replaced while open; put it back, or open it anew"
        return (
            f"was deleted or replaced while open; all labels up to now were written anew into {self._rescued.name} "
            "beside it: close the project, and open that"
        )

    def keep_copy(self) -> Path | None:
        """Keep a copy of the project as it is, unless nothing was edited since the last one; see :mod:`backups`."""
        return backups.keep_copy(self._open_connection, self.path)

    def _project_value(self, key: str) -> str:
        found = self._read("SELECT value FROM project WHERE key = ?", (key,))
        if not found:
            raise ProjectError(
                f"is damaged (no {key} in it); nothing was changed: {backups.advice(self.path)}", self.path
            )
        return str(found[0][0])


def _parse(text: str, path: Path) -> Scheme:
    try:
        return parse_scheme(json.loads(text))
    except (ValueError, SchemeError) as error:
        raise ProjectError(f"is damaged (its landmark scheme: {error})", path) from error
