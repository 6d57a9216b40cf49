"""Pulling the plug: sessions in processes of their own, killed at random moments, and what is there afterwards.

    python tests/benchmarks/crash.py [--kills 200] [--seed 0] [--folder FOLDER]

A session on rendered faces drags, accepts, flags and skips, draws boxes, adds and deletes faces, undoes, imports
labels over others, goes to another image folder where the photos have exchanged their names, fingerprints images, and
takes in what a refresh yields, while a thread writes the cache; now and then it closes the project and opens it again.
Each edit is told to this process through a pipe before it is written, and when the call has returned, as a release of
the mouse would have. After a time drawn at random, for one session in eight before it may have opened the project, it
is killed as by ``kill -9``; the project is opened, and each face compared with what was told last. An edit that was
being written must be there as a whole, or not at all; each face must still be on the photo that it was on.

Killed is the program, not the machine: what the system had taken over, but not yet written to the disk, is there.

    starting  kills before the project was open
    edits     told as done, and so owed; lost: kills after which the faces were others
    cut       kills in the middle of a gesture; written: its edit is there as a whole
    log       kills that left edits in the log beside the project, to be folded in
    warned    projects that were opened with the remark that a log is not beside them: the session was killed as it
              closed, when all was in the file already; a program cannot tell that from a project moved without its log
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import BinaryIO

import cv2
from person import GESTURES, OTHER_PHOTOS, PHOTOS, PROJECT, TRUTH, Person

from scaf_gui.core.edits import Edit
from scaf_gui.core.face import Face
from scaf_gui.errors import EditError
from scaf_gui.io.formats.pts import pts_text
from scaf_gui.io.images import content_hash
from scaf_gui.io.store import ProjectStore
from scaf_gui.samples.render import render_face
from scaf_gui.session.project import new_project, open_project
from scaf_gui.session.session import Session

FACES = 12
#: longest time that a session works, seconds; most are killed sooner
LONGEST = 1.5
#: share of the sessions that are killed while they start
WHILE_STARTING = 1 / 8

Faces = dict[int, Face]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the project lies meanwhile; default: a temporary one")
    parser.add_argument("--session", type=int, help=argparse.SUPPRESS)  # be the one that is killed
    args = parser.parse_args()
    if args.session is not None:
        work(args.folder, Random(args.session))
        return 0
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        os.environ["SCAF_HOME"] = folder
        return stress(Path(folder), args.kills, args.seed)


# -- the session that is killed ------------------------------------------------------------------


def work(folder: Path, rng: Random) -> None:
    """Edit until the end, which comes from outside."""
    pipe, lock = sys.stdout.buffer, threading.Lock()

    def tell(*what: object) -> None:
        with lock:
            pickle.dump(what, pipe)
            pipe.flush()

    write = ProjectStore.commit

    def commit(store: ProjectStore, edit: Edit, *more: object) -> None:
        tell("begun", {change.face_id: change.after for change in edit.changes})
        write(store, edit, *more)  # type: ignore[arg-type]

    ProjectStore.commit = commit  # type: ignore[method-assign]
    person = Person(folder, rng)
    tell("open")
    person.write_cache()
    gestures, weights = zip(*((getattr(person, name), weight) for name, weight in GESTURES.items()), strict=True)
    while True:
        try:
            rng.choices(gestures, weights)[0]()
        except EditError:  # nothing to undo there, or not the last face: nothing has happened
            continue
        tell("done")


# -- the one that kills --------------------------------------------------------------------------


@dataclass
class Heard:
    """What a session has told: the faces as they are owed, and edits that were being made."""

    faces: Faces
    is_open: bool = False
    edits: int = 0
    begun: list[dict[int, Face | None]] = field(default_factory=list)

    def listen(self, pipe: BinaryIO) -> None:
        """Until the session is gone; half a message is none."""
        try:
            while True:
                what, *given = pickle.load(pipe)
                match what:
                    case "open":
                        self.is_open = True
                    case "begun":
                        self.begun.append(given[0])
                    case "done":
                        self.edits += len(self.begun)
                        self.faces = self.after(len(self.begun))
                        self.begun.clear()
        except (EOFError, pickle.UnpicklingError):
            return

    def after(self, count: int) -> Faces:
        """The faces with some of the edits that have begun."""
        faces = dict(self.faces)
        for edit in self.begun[:count]:
            for face_id, face in edit.items():
                if face is None:
                    del faces[face_id]
                else:
                    faces[face_id] = face
        return faces

    def allowed(self) -> list[Faces]:
        """With the last edit that has begun, and without it; those before it had been written when it began."""
        return [self.after(count) for count in range(max(0, len(self.begun) - 1), len(self.begun) + 1)]


def stress(folder: Path, kills: int, seed: int) -> int:
    """Kill sessions; prints what was lost, and returns 1 if anything was."""
    began = time.perf_counter()
    make_project(folder)
    rng, counted = Random(seed), Counter[str]()
    with opened(folder) as session:
        faces = faces_of(session)
        photos = {face.id: content_hash(session.folder / face.image) for face in session.document}
    for kill in range(kills):
        heard = kill_one(folder, faces, seed * 100_003 + kill, rng)
        log = folder / f"{PROJECT}-wal"
        counted["log"] += log.exists() and log.stat().st_size > 0
        counted["starting"] += not heard.is_open
        counted["edits"] += heard.edits
        counted["cut"] += bool(heard.begun)
        with opened(folder) as session:
            faces = faces_of(session)
            fitting = [state for state in heard.allowed() if state == faces]
            problem = "" if fitting else difference(heard.faces, faces)
            counted["written"] += bool(heard.begun) and fitting == heard.allowed()[-1:]
            for face in session.document:
                photo = content_hash(session.folder / face.image)
                if photos.setdefault(face.id, photo) != photo:
                    problem = problem or f"face {face.id} is on another photo, {face.image}"
            counted["warned"] += bool(session.store.found)
        if problem:
            counted["lost"] += 1
            print(f"kill {kill + 1}: {problem}", flush=True)
        if (kill + 1) % 50 == 0 or kill + 1 == kills:
            print(f"{kill + 1} kills, {counted['edits']} edits, {counted['lost']} lost", flush=True)
    names = ("starting", "edits", "lost", "cut", "written", "log", "warned")
    row = [kills, *(counted[name] for name in names), round(time.perf_counter() - began)]
    print("\n| " + " | ".join(["kills", *names, "seconds"]) + " |\n" + "|---" * len(row) + "|")
    print("| " + " | ".join(f"{value:,}" for value in row) + " |")
    return int(counted["lost"] > 0)


def make_project(folder: Path) -> None:
    """Rendered photos, once more under each other's names, their true landmarks, and a project of them."""
    for name in (PHOTOS, OTHER_PHOTOS, TRUTH):
        (folder / name).mkdir()
    for number in range(FACES):
        face = render_face(900 + number, 96)
        photo = folder / PHOTOS / f"face {number}.jpg"
        cv2.imwrite(str(photo), cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR))
        shutil.copy(photo, folder / OTHER_PHOTOS / f"face {(number + 1) % FACES}.jpg")
        (folder / TRUTH / f"{photo.stem}.pts").write_text(pts_text(face.landmarks_68), encoding="ascii")
    session = new_project(folder / PROJECT, folder / PHOTOS, boxes="whole", use_starter=False)
    for work in (session.find_boxes(), session.hash_images()):
        for event in work:
            session.take(event)
    session.close()


def kill_one(folder: Path, faces: Faces, seed: int, rng: Random) -> Heard:
    """A session from its start to its end, and what it told."""
    command = [sys.executable, __file__, "--folder", str(folder), "--session", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    heard, pipe = Heard(faces), process.stdout
    assert pipe is not None
    listening = threading.Thread(target=heard.listen, args=(pipe,))
    listening.start()
    if rng.random() < WHILE_STARTING:
        time.sleep(rng.uniform(0, LONGEST))
    else:
        wait_for(lambda: heard.is_open or process.poll() is not None)
        time.sleep(LONGEST * rng.random() ** 2)
    process.kill()
    listening.join()
    pipe.close()
    if process.wait() not in (-signal.SIGKILL, 1 if os.name == "nt" else None):
        raise SystemExit(f"the session (seed {seed}) ended by itself, with {process.returncode}")
    return heard


def wait_for(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.002)


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    session = open_project(folder / PROJECT)
    yield session
    session.close()


def faces_of(session: Session) -> Faces:
    return {face.id: face for face in session.document}


def difference(owed: Faces, found: Faces) -> str:
    """Which faces are not what they should be."""
    others = [face_id for face_id in sorted(owed | found) if owed.get(face_id) != found.get(face_id)]
    return f"{len(others)} faces are not as they were told: {', '.join(map(str, others))}"


if __name__ == "__main__":
    sys.exit(main())
