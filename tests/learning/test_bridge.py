"""From one scheme's landmarks to another's, learnt from a few faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError, TooFewLabelsError
from scaf_gui.learning.bridge import Bridge, bridged, fit_bridge
from scaf_gui.learning.checkpoint import Checkpoint, load_checkpoint, make_checkpoint, save_checkpoint
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import Architecture, ScafNet
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.start import start_network
from scaf_gui.samples.render import render_face

from .conftest import Faces

pytestmark = pytest.mark.usefixtures("all_slim")

#: landmarks of a scheme of nine points as sums of the 68: two of them between landmarks
NINE = ([36], [45], [30], [48], [54], [8], [19, 24], [37, 41], [44, 46])


def truth(points: np.ndarray) -> np.ndarray:
    return np.stack([points[:, mix].mean(axis=1) for mix in NINE], axis=1)


@pytest.fixture(scope="module")
def faces_68() -> np.ndarray:
    return np.stack([render_face(seed, 64).landmarks_68 for seed in range(40, 60)])


def fit(points: np.ndarray, labels: np.ndarray, scheme: Scheme, **changes: np.ndarray) -> Bridge:
    known = changes.get("known", np.ones(labels.shape[:2], bool))
    return fit_bridge(points, labels, known, np.ptp(points[:, :, 0], axis=1), scheme.flip, range(labels.shape[1]))


def off(bridge: Bridge, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N, L) distances in % of the faces' width."""
    distances = np.linalg.norm(np.einsum("kl,flc->fkc", bridge.weights, points) - labels, axis=2)
    return 100 * distances / np.ptp(points[:, :, 0], axis=1)[:, None]


@pytest.mark.parametrize(("count", "limit"), [(1, 3.0), (3, 2.0), (10, 1.0)])
def test_few_faces_suffice(faces_68: np.ndarray, scheme: Scheme, count: int, limit: float) -> None:
    labels = truth(faces_68)
    found = fit(faces_68[:count], labels[:count], scheme)
    assert off(found, faces_68[10:], labels[10:]).mean() < limit
    assert (found.error is None) == (count < 3) and found.faces == count


def test_moved_turned_and_scaled_faces_are_predicted_alike(faces_68: np.ndarray, scheme: Scheme) -> None:
    found = fit(faces_68[:4], truth(faces_68)[:4], scheme)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, atol=1e-12)
    turn = 2.5 * np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    face = faces_68[15]
    there = found.weights @ (face @ turn.T + [900.0, -40.0])
    np.testing.assert_allclose(there, (found.weights @ face) @ turn.T + [900.0, -40.0], atol=1e-8)
    moved = fit(faces_68[:4] + 500.0, truth(faces_68)[:4] + 500.0, scheme)
    np.testing.assert_allclose(moved.weights, found.weights, atol=1e-9)


def test_a_face_on_which_the_model_went_astray_counts_little(faces_68: np.ndarray, scheme: Scheme) -> None:
    labels, predicted = truth(faces_68), faces_68.copy()
    predicted[2] = predicted[2, ::-1] * 1.3 + 20.0
    found = fit(predicted[:6], labels[:6], scheme)
    good = fit(faces_68[:6], labels[:6], scheme)
    assert off(found, faces_68[10:], labels[10:]).mean() < off(good, faces_68[10:], labels[10:]).mean() + 1.0


def test_mirrored_faces_are_learnt_from(faces_68: np.ndarray, scheme: Scheme) -> None:
    labels, flip = faces_68[:1, [36, 45]], (1, 0)
    found = fit_bridge(faces_68[:1], labels, np.ones((1, 2), bool), np.array([60.0]), scheme.flip, flip)
    np.testing.assert_allclose(found.weights[1], found.weights[0][list(scheme.flip)], atol=1e-9)
    # without flip pairs of its own a scheme's left and right must not be mixed up
    apart = fit_bridge(faces_68[:1], labels, np.ones((1, 2), bool), np.array([60.0]), scheme.flip, (0, 1))
    np.testing.assert_allclose(apart.weights @ faces_68[0], labels[0], atol=2.0)


def test_missing_landmarks(faces_68: np.ndarray, scheme: Scheme) -> None:
    labels = truth(faces_68)
    known = np.ones((5, 9), bool)
    known[0, 3] = known[:, 5] = False
    hidden = np.where(known[..., None], labels[:5], np.nan)
    found = fit(faces_68[:5], hidden, scheme, known=known)
    assert np.isfinite(found.weights).all()
    np.testing.assert_allclose(found.weights[5], 1 / 68)
    assert off(found, faces_68[10:], labels[10:])[:, 3].mean() < 2.5
    with pytest.raises(TooFewLabelsError, match="at least one face"):
        fit(faces_68[:0], labels[:0], scheme)


@pytest.fixture(scope="module")
def source(scheme: Scheme) -> Checkpoint:
    torch.manual_seed(0)
    return make_checkpoint(ScafNet(Architecture(68)), scheme, preset("default"), {}, None)


def test_a_bridged_model_predicts_trains_and_is_self_contained(
    source: Checkpoint, scheme: Scheme, named_scheme: Callable[[str], Scheme], faces: Faces, tmp_path: Path
) -> None:
    scut = named_scheme("scut-86")
    weights = np.random.default_rng(0).dirichlet(np.ones(68) * 0.05, 86)
    found = bridged(source, Bridge(weights, 0.1, None, 1), scut, {})
    path = tmp_path / "own.safetensors"
    save_checkpoint(found, path)
    again = load_checkpoint(path, scut)
    assert again.id == found.id != source.id
    assert (again.meta["parent"], again.meta["recipe"]["mode"]) == (source.id, "bridge")
    cpu = Device("cpu", None, "test")
    face = [(faces.read(faces.examples[0].image), faces.examples[0].square)]
    own = Predictor(source, cpu, scheme).predict_faces(face)[0]
    mapped = Predictor(again, cpu, scut).predict_faces(face)[0]
    np.testing.assert_allclose(mapped.points, weights @ own.points, atol=1e-3)
    np.testing.assert_allclose(mapped.magnitude, weights @ own.magnitude, rtol=1e-4, atol=1e-6)
    network, refines = start_network(preset("default"), scut, again, 0)
    assert not refines, "a mixed heatmap layer has to be learnt at full rates"
    expected = torch.einsum("kl,clyx->ckyx", torch.from_numpy(weights).float(), source.tensors["LMH.lin.weight"])
    assert torch.allclose(network.LMH.lin.weight, expected, atol=1e-6)
    assert torch.equal(network.LMH.get_submodule("t2").weight, source.tensors["LMH.t2.weight"])
    with pytest.raises(CheckpointError, match="does not lead to"):
        load_checkpoint(path, replace(scut, id="another", aliases={}))
    fewer = replace(scut, names=scut.names[:60], flip=tuple(range(60)), groups=(), edges=(), corners=frozenset(),
                    normaliser=None)  # fmt: skip
    with pytest.raises(CheckpointError, match="does not lead to"):
        load_checkpoint(path, fewer)
    for point_map in ({"scheme": "scut-86"}, {"scheme": "scut-86", "weights": [[1.0], [1.0, 2.0]]}, {"weights": [[1]]}):
        save_checkpoint(replace(found, meta={**found.meta, "point_map": point_map}), path)
        with pytest.raises(CheckpointError, match="damaged metadata"):
            load_checkpoint(path, scut)
