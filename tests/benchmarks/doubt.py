"""How often the landmarks worth a look need a drag, on labelled faces that the starter has not seen.

::

    python tests/benchmarks/doubt.py --data DATA [--set 300w/dev]

DATA holds folders of photos with .pts files of 68 landmarks beside them (or set SCAF_DATA).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from scaf_gui.core.doubt import doubt, doubtful
from scaf_gui.core.face import Prediction
from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.metrics import needs_drag
from scaf_gui.session.project import new_project
from scaf_gui.session.truth import read_truth

#: of so many landmarks, the ones most likely off, the share that needs a drag is told
FIRST = (5, 10, 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("SCAF_DATA"), required="SCAF_DATA" not in os.environ
    )
    parser.add_argument("--set", default="300w/dev")
    options = parser.parse_args()
    folder = Path(options.data) / options.set
    with tempfile.TemporaryDirectory() as scratch:
        session = new_project(Path(scratch) / "doubt.scaf", folder, boxes="whole")
        try:
            report(session, folder)
        finally:
            session.close()


def report(session, folder: Path) -> None:  # type: ignore[no-untyped-def]
    scheme, model = session.scheme, session.model
    names = tuple(dict.fromkeys(face.image for face in session.document))
    predictor = session.predictors.get(model, "cpu", scheme)
    asked, needed, found, first = [], [], [], []
    for name, faces in read_truth(folder, scheme, names).items():
        for face in faces:
            if not np.isfinite(face.points).all():
                continue
            square = crop_square(landmark_box(face.points, scheme.face_box))
            seen = predictor.predict_faces([(session.read(name), square)], True)[0]
            prediction = Prediction(seen.points, seen.magnitude, model.id, dict(seen.scores), 2)
            expected = session.expected.across(prediction)
            order = list(doubtful(doubt(expected, np.zeros(scheme.num_landmarks, bool))))
            off = needs_drag(seen.points, face.points, scheme)
            asked.append(len(order))
            needed.append(int(off.sum()))
            found.append(int(off[order].sum()))
            worst = np.argsort(-expected)
            first.append([off[worst[:count]].mean() for count in FIRST])
    low, high = np.quantile(asked, [0.1, 0.9])
    print(f"{len(asked)} faces, {np.mean(needed):.1f} of {scheme.num_landmarks} landmarks need a drag")
    print(f"worth a look: median {np.median(asked):.0f} (10th to 90th percentile {low:.0f} to {high:.0f}) a face")
    right, share = sum(found) / sum(asked), sum(found) / sum(needed)
    print(f"  {100 * right:.0f} % of those need a drag: {100 * share:.0f} % of all that do")
    print(f"  of the first {', '.join(map(str, FIRST))}: " + _shares(np.mean(first, axis=0)))


def _shares(values: np.ndarray) -> str:
    return ", ".join(f"{100 * value:.0f} %" for value in values)


if __name__ == "__main__":
    main()
