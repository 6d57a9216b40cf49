"""Total drags to annotate a folder, with and without refreshes, with and without learning from each face at once.

    python tests/benchmarks/annotate.py --data DATA [--set scut86] [--faces 300] [--seeds 0]
        [--refresh-at 10 50 100 200]

A real project (``Session``) of so many faces drawn at random, which is annotated from its first face to its last in the
order of its queue by true landmarks. A face takes as many drags as landmarks of what is shown then need one (3 %); one
for each landmark where nothing is shown. ``scut86`` has a scheme to which no shipped model leads: its first refresh
finds the way there, and happens in every row. Rows:

- ``refresh on``: refreshed at the numbers of labels given, each judged and adopted or not as in the window;
  ``off``: at the first of them alone
- ``at once on``: every accepted face corrects what is shown of the next ones; ``off``: only a refresh changes it

A finished row is not run again; ``--table`` prints what there is.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from faces import ROOT, add_data_argument, data_folder, machine
from refresh_gain import SETS, drive, faces_of

from scaf_gui.core.scheme import load_scheme
from scaf_gui.io.formats.pts import pts_text
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.paths import resource_folder
from scaf_gui.session.annotator import label_from
from scaf_gui.session.events import RefreshResult
from scaf_gui.session.project import new_project
from scaf_gui.session.session import Session

COLUMNS = ("set", "faces", "seed", "refresh", "at_once", "drags", "per_face", "taken_over", "refreshes", "by_part",
           "refresh_seconds")  # fmt: skip


def one_run(given: argparse.Namespace, name: str, seed: int, refresh: bool, at_once: bool) -> dict[str, object]:
    wanted = SETS[name]
    scheme = load_scheme(resource_folder() / "schemes" / f"{wanted.scheme}.json")
    faces = faces_of(data_folder(given) / wanted.folder, scheme)
    order = np.random.default_rng(seed).permutation(len(faces) - wanted.held_out)[: given.faces]
    with tempfile.TemporaryDirectory() as home:
        images = Path(home) / "images"
        images.mkdir()
        for place in order:
            face: Example = faces[place]
            shutil.copy(face.image, images)
            (images / Path(face.image).with_suffix(".pts").name).write_text(pts_text(face.points))
        session = new_project(Path(home) / "user.scaf", images, wanted.scheme, f"landmarks:{images}", seed=seed)
        try:
            session.instant.enabled = at_once
            found = annotate(given, session, images, given.refresh_at if refresh else given.refresh_at[:1])
        finally:
            session.close()
    return {"set": name, "faces": len(order), "seed": seed, "refresh": refresh, "at_once": at_once, **found}


def annotate(given: argparse.Namespace, session: Session, images: Path, refresh_at: list[int]) -> dict[str, object]:
    """Label every face of the project; a refresh after each of the numbers of labels."""
    drive(session, session.find_boxes())
    faces, landmarks = len(session.document), session.scheme.num_landmarks
    done, total, taken, lasted, parts = 0, 0.0, 0, 0.0, []
    for labels in [*(count for count in refresh_at if count < faces), faces]:
        drive(session, session.prefill(device=given.device))
        work = label_from(session, images, labels - done)
        while True:
            try:
                next(work)
            except StopIteration as end:
                annotated = end.value
                break
        there = len(annotated.face_ids)
        assert there == labels - done, f"{there} faces could be labelled, not {labels - done}"
        drags = annotated.before.drags_3 * annotated.before.faces if annotated.before.faces else 0.0
        drags += landmarks * (there - annotated.before.faces)
        done, total = labels, total + drags
        parts.append(f"{labels}: {drags / there:.1f}")
        print(f"   faces up to {labels}: {drags / there:.2f} drags each", flush=True)
        if labels < faces:
            began = time.monotonic()
            result = drive(session, session.refresh(session.snapshot(), "quick", device=given.device))
            assert isinstance(result, RefreshResult)
            lasted, taken = lasted + time.monotonic() - began, taken + int(result.kept_new)
            print(f"   refresh: {result.message}", flush=True)
    return {"drags": total, "per_face": total / faces, "taken_over": taken, "refreshes": len(parts) - 1,
            "by_part": "; ".join(parts), "refresh_seconds": lasted}  # fmt: skip


def read_rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def append(path: Path, row: dict[str, object]) -> None:
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        short = {k: f"{v:.4g}" if isinstance(v, float) else "on" if v is True else "off" if v is False else v
                 for k, v in row.items()}  # fmt: skip
        writer.writerow(short)


def table(rows: list[dict[str, str]]) -> str:
    titles = ("faces", "refresh", "at once", "seeds", "drags in all", "per face", "refreshes that took over",
              "drags per face, up to so many labels")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for key in sorted({(r["set"], r["faces"], r["refresh"], r["at_once"]) for r in rows}):
        same = [r for r in rows if (r["set"], r["faces"], r["refresh"], r["at_once"]) == key]
        each = np.array([float(r["per_face"]) for r in same])
        spread = f" ± {each.std(ddof=1):.2f}" if len(each) > 1 else ""
        taken, of = (sum(int(r[column]) for r in same) for column in ("taken_over", "refreshes"))
        parts = same[0]["by_part"] if len(same) == 1 else mean_parts(same)
        lines.append(f"| {key[1]} of `{key[0]}` | {key[2]} | {key[3]} | {len(same)} | {each.mean() * int(key[1]):.0f} "
                     f"| {each.mean():.2f}{spread} | {taken} of {of} | {parts} |")  # fmt: skip
    return "\n".join(lines)


def mean_parts(rows: list[dict[str, str]]) -> str:
    each = [dict(part.split(": ") for part in row["by_part"].split("; ")) for row in rows]
    return "; ".join(f"{labels}: {np.mean([float(one[labels]) for one in each]):.1f}" for labels in each[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--set", choices=tuple(SETS), default="scut86")
    parser.add_argument("--faces", type=int, default=300)
    parser.add_argument("--refresh-at", type=int, nargs="+", default=[10, 50, 100, 200], metavar="LABELS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "annotate.csv")
    parser.add_argument("--table", action="store_true", help="only print the table of what there is")
    given = parser.parse_args()
    if not given.table:
        import cv2
        import torch

        torch.set_num_threads(given.threads)
        cv2.setNumThreads(1)
        print(f"{machine(given.threads)}; {choose_device(given.device).why}", flush=True)
        for seed in given.seeds:
            for refresh, at_once in ((False, False), (False, True), (True, False), (True, True)):
                words = (given.set, str(seed), "on" if refresh else "off", "on" if at_once else "off")
                if any((r["set"], r["seed"], r["refresh"], r["at_once"]) == words for r in read_rows(given.out)):
                    continue
                print(f"{given.set}, seed {seed}: refresh {words[2]}, at once {words[3]}", flush=True)
                append(given.out, one_run(given, given.set, seed, refresh, at_once))
    print(f"\n{table(read_rows(given.out))}")


if __name__ == "__main__":
    main()
