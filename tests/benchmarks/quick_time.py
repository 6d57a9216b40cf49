"""How long ``quick`` takes to come within 3 % of the NME that ``full`` reaches, with 50 labels.

    python tests/benchmarks/quick_time.py --data DATA [--set scut86] [--labels 50] [--seeds 0] [--starter FILE]

A real project, as in ``refresh_gain.py``: its labels are learnt by a ``full`` refresh from the best base first, then,
in a second project with the same labels, by a ``quick`` one. Of both, the averaged weights are evaluated on 100 other
faces every few steps; the clock stands still meanwhile. Both start from the shipped starter, or another (``--starter``;
``--no-starter``: from random weights); on ``dev`` it is as good as ``full`` before the first step, which says nothing.
``scut86`` has a scheme to which it does not lead: there the map found from the labels stands at 0 s.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from faces import add_data_argument, data_folder, machine
from refresh_gain import SETS, drive, faces_of, figures_of, predict, split

from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.io.formats.pts import pts_text
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.paths import resource_folder
from scaf_gui.session import models
from scaf_gui.session.annotator import label_from
from scaf_gui.session.project import new_project

WITHIN = 1.03

Look = tuple[float, int, float]  # seconds of wall time, step, NME in %


def error(predictor: Predictor, faces: list[Example], scheme: Scheme) -> float:
    """NME in %."""
    return figures_of(predict(predictor, "", faces), faces, scheme).nme


def refresh(
    given: argparse.Namespace, mode: str, mine: list[Example], faces: list[Example], scheme: Scheme, seed: int
) -> list[Look]:
    """Looks at a refresh as it goes; the last is the model that the project uses in the end, after judging."""
    device, looks, stood = choose_device(given.device), list[Look](), 0.0
    with tempfile.TemporaryDirectory() as home:
        images = Path(home) / "images"
        images.mkdir()
        for face in mine:
            shutil.copy(face.image, images)
            (images / Path(face.image).with_suffix(".pts").name).write_text(pts_text(face.points))
        session = new_project(
            Path(home) / "user.scaf", images, scheme.id, f"landmarks:{images}", seed=seed,
            use_starter=not given.no_starter,
        )  # fmt: skip
        if given.starter is not None:
            assert session.model is not None
            other = replace(session.model, id=models.metadata(given.starter)["id"], path=str(given.starter))
            session.work.use_model(other)
        for event in session.find_boxes():
            session.take(event)
        for _ in label_from(session, images, given.labels):
            pass
        began, step, result = time.monotonic(), 0, None
        if session.model is None and mode == "quick" and not given.no_starter:
            # as in the window, where the way to a new scheme is found with the first labels
            drive(session, session.refresh(session.snapshot(), mode, given.preset, device=given.device))
            assert session.model is not None
            paused = time.monotonic()
            predictor = session.predictors.get(session.model, given.device, session.scheme)
            looks.append((paused - began, 0, error(predictor, faces, scheme)))
            drive(session, session.prefill(device=given.device))
            stood += time.monotonic() - paused
        for event in session.refresh(session.snapshot(), mode, given.preset, device=given.device):
            session.take(event)
            paused = time.monotonic()
            if type(event).__name__ == "Progress":
                step = event.step
                if event.snapshot is not None and step % given.every == 0:
                    nme = error(Predictor(event.snapshot(), device, scheme, scores=()), faces, scheme)
                    looks.append((paused - began - stood, step, nme))
                    stood += time.monotonic() - paused
            elif type(event).__name__ == "RefreshResult":
                result = event
                break
        assert result is not None
        seconds = paused - began - stood
        if session.model is not None:
            predictor = session.predictors.get(session.model, given.device, session.scheme)
            looks.append((seconds, step, error(predictor, faces, scheme)))
        print(f"{mode}: {step} steps, {seconds:.0f} s, NME {looks[-1][2]:.3f}; {result.message}", flush=True)
        print("   " + "; ".join(f"{look[0]:.0f} s {look[2]:.2f}" for look in looks), flush=True)
        session.close()
    return looks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    parser.add_argument("--set", choices=tuple(SETS), default="scut86")
    parser.add_argument("--starter", type=Path, help="another 68-point model to begin with")
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--preset", default="default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=20, help="steps between two looks")
    parser.add_argument("--eval-faces", type=int, default=0, help="evaluate on fewer faces (0: all)")
    parser.add_argument("--no-starter", action="store_true")
    given = parser.parse_args()
    import cv2
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    scheme = load_scheme(resource_folder() / "schemes" / f"{SETS[given.set].scheme}.json")
    print(f"{machine(given.threads)}; {choose_device(given.device).why}", flush=True)
    rows = []
    for seed in given.seeds:
        wanted = SETS[given.set]
        mine, faces = split(faces_of(data_folder(given) / wanted.folder, scheme), wanted, seed)
        faces = faces[: given.eval_faces or None]
        full = refresh(given, "full", mine, faces, scheme, seed)
        quick = refresh(given, "quick", mine, faces, scheme, seed)
        aim = WITHIN * full[-1][2]
        reached = next((look for look in quick if look[2] <= aim), None)
        when = "never" if reached is None else f"{reached[0]:.0f} s (step {reached[1]})"
        cells = (given.set, seed, given.labels, f"{full[-1][2]:.2f}", f"{full[-1][0]:.0f}", f"{quick[-1][2]:.2f}",
                 f"{quick[-1][0]:.0f}", when)  # fmt: skip
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    print("\n| faces | seed | labels | full: NME % | s | quick: NME % | s | quick within 3 % of full after |")
    print("|---" * 8 + "|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
