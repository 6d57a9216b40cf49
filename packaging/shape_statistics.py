"""Works out the shipped shape statistics: how the errors of a model hang together (see resources/shapes/README.md).

    python packaging/shape_statistics.py --data DATA --model MODEL --out resources/shapes/300w-68.npz

MODEL has learnt from the first ``--trained`` faces of 300w/pool in the order of seed 0 and from no other of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from labelled_faces import labelled_faces, read_image

from scaf_gui.core.calibration import Signal, perfect_magnitude
from scaf_gui.core.scheme import load_scheme
from scaf_gui.core.shape import covariance_of, in_frame, mean_shape
from scaf_gui.learning.checkpoint import load_checkpoint
from scaf_gui.learning.device import choose_device
from scaf_gui.learning.predictor import Predictor
from scaf_gui.paths import resource_folder
from scaf_gui.session.expected import shipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with 300w/pool")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--trained", type=int, default=50, help="faces that the model has learnt from")
    parser.add_argument("--faces", type=int, default=450, help="faces whose errors are counted")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    model = load_checkpoint(given.model, scheme)
    predictor = Predictor(model, choose_device(given.device), scheme)
    pool = labelled_faces(given.data / "300w" / "pool", scheme)
    order = np.random.default_rng(0).permutation(len(pool))[given.trained :][: given.faces]
    calibration = shipped(scheme.id, scheme.num_landmarks)
    perfect = perfect_magnitude(float(model.meta["sigma"]), int(model.meta["nnm_window"]))
    predicted, errors, expected = [], [], []
    for face in (pool[place] for place in order):
        found = predictor.predict_faces([(read_image(face.image), face.square)])[0]
        predicted.append(found.points)
        errors.append(face.points - found.points)
        expected.append(calibration.landmarks(Signal(found.magnitude / perfect, -found.scores["peak"])))
    reference = mean_shape(np.stack(predicted))
    assert reference is not None
    framed = [in_frame(points, error, reference) for points, error in zip(predicted, errors, strict=True)]
    scaled = np.stack([f for f in framed if f is not None]) / np.sqrt(np.stack(expected))[..., None]
    covariance = covariance_of(scaled, scheme.flip)
    upper = (covariance / np.diag(covariance).mean())[np.triu_indices(len(covariance))]
    np.savez_compressed(given.out, reference=reference.astype(np.float32), covariance=upper.astype(np.float16))
    print(f"{given.out}: errors of {model.id} on {len(order)} faces")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
