from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from scaf_gui.core.geometry import Square
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError, DeviceError
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import ScafNet
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.start import start_network


@pytest.fixture(scope="module")
def checkpoint(scheme: Scheme) -> Checkpoint:
    network: ScafNet = start_network(preset("default"), scheme, None, 0)[0].eval()
    torch.nn.init.normal_(network.LMH.lin.weight, std=0.05, generator=torch.Generator().manual_seed(0))
    return make_checkpoint(network, scheme, preset("default"), {}, None)


def test_shapes_and_types(checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any) -> None:
    predictor = Predictor(checkpoint, cpu, scheme)
    crops = [cut_crop(faces.read(e.image), e.square, predictor.crop_size) for e in faces.examples[:3]]
    batch = predictor.predict(crops)
    assert batch.points_crop.shape == (3, 68, 2) and batch.points_crop.dtype == np.float64
    assert batch.magnitude.shape == (3, 68)
    assert set(batch.scores) == {"nnm", "entropy", "peak"} and batch.scores["nnm"].shape == (3,)
    assert batch.features.shape == (3, 99)
    assert np.allclose(batch.scores["nnm"], -batch.magnitude.sum(axis=1), rtol=1e-4)
    assert predictor.model_id == checkpoint.id and predictor.crop_size == 128


def test_one_by_one_is_the_same_as_together(checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any) -> None:
    predictor = Predictor(checkpoint, cpu, scheme)
    given = [(faces.read(e.image), e.square) for e in faces.examples[:3]]
    together = predictor.predict_faces(given)
    for one, face in zip(given, together, strict=True):
        alone = predictor.predict_faces([one])[0]
        assert np.abs(alone.points - face.points).max() < 1e-3
        assert np.isclose(alone.scores["nnm"], face.scores["nnm"], rtol=1e-4)
    assert predictor.predict_faces([]) == []


def test_twice_the_image_gives_the_mapped_points(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any
) -> None:
    predictor = Predictor(checkpoint, cpu, scheme)
    example = faces.examples[0]
    image = faces.read(example.image)
    large = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    square = Square((example.square.cx + 0.5) * 2 - 0.5, (example.square.cy + 0.5) * 2 - 0.5, example.square.side * 2)
    small, big = predictor.predict_faces([(image, example.square), (large, square)])
    # The crops differ by rounding only, so an untrained network's peaks jump rarely.
    distance = np.abs((small.points + 0.5) * 2 - 0.5 - big.points).max(axis=1)
    assert np.median(distance) < 0.5 and (distance < 2).mean() > 0.8


def test_a_68_point_model_fills_98_points(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, named_scheme: Callable[[str], Scheme], faces: Any
) -> None:
    wflw = named_scheme("wflw-98")
    given = [(faces.read(faces.examples[0].image), faces.examples[0].square)]
    own, mapped = (Predictor(checkpoint, cpu, s).predict_faces(given)[0] for s in (scheme, wflw))
    matrix = wflw.matrix_from(scheme)
    assert matrix is not None and mapped.points.shape == (98, 2) and mapped.magnitude.shape == (98,)
    assert np.allclose(mapped.points, matrix @ own.points)


def test_a_scheme_out_of_reach_is_refused(
    checkpoint: Checkpoint, cpu: Device, named_scheme: Callable[[str], Scheme]
) -> None:
    with pytest.raises(CheckpointError, match=r"'300w-68', which does not lead to 'scut-86'"):
        Predictor(checkpoint, cpu, named_scheme("scut-86"))


def test_flip_averaging_makes_mirrored_crops_give_mirrored_landmarks(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any
) -> None:
    averaging = Checkpoint(checkpoint.id, {**checkpoint.meta, "flip_average": True}, checkpoint.tensors)
    predictor = Predictor(averaging, cpu, scheme)
    crop = cut_crop(faces.read("1.png"), faces.examples[1].square, 128)
    plain, mirrored = predictor.heatmaps([crop, np.ascontiguousarray(crop[:, ::-1])])[0]
    assert torch.allclose(mirrored[list(scheme.flip)].flip(2), plain, atol=1e-4)


def test_bfloat16_lands_close_to_float32(checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any) -> None:
    half = Device("cpu", torch.bfloat16, "test")
    crop = cut_crop(faces.read("1.png"), faces.examples[1].square, 128)
    exact, rounded = (Predictor(checkpoint, d, scheme).heatmaps([crop])[0] for d in (cpu, half))
    assert rounded.dtype == torch.float32
    assert float((exact - rounded).abs().max()) < 0.1 * float(exact.abs().max())


def short_of_memory(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the network take so many faces at a time and no more."""
    real = ScafNet.heatmaps_and_features

    def forward(self: ScafNet, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if len(image) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, image)

    monkeypatch.setattr(ScafNet, "heatmaps_and_features", forward)


def test_out_of_memory_predicts_in_smaller_parts_and_says_so(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [(faces.read(e.image), e.square) for e in faces.examples[:3]]
    whole = Predictor(checkpoint, cpu, scheme)
    expected = whole.predict_faces(given)
    assert whole.note == ""
    short_of_memory(monkeypatch, room=1)
    predictor = Predictor(checkpoint, cpu, scheme)
    found = predictor.predict_faces(given)
    assert "predicting 1 at a time" in predictor.note
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one.points - other.points).max() < 1e-3


def test_out_of_memory_for_one_face_on_the_cpu_is_an_error(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, room=0)
    example = faces.examples[0]
    with pytest.raises(DeviceError, match="not enough memory"):
        Predictor(checkpoint, cpu, scheme).predict_faces([(faces.read(example.image), example.square)])


def test_a_full_gpu_falls_back_to_the_cpu(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ScafNet.to

    def full(self: ScafNet, *args: Any, **kwargs: Any) -> ScafNet:
        if args and isinstance(args[0], torch.device) and args[0].type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(ScafNet, "to", full)
    predictor = Predictor(checkpoint, Device("cuda", torch.bfloat16, "a GPU"), scheme)
    assert predictor.device.kind == "cpu" and "predicting on the CPU" in predictor.note
    example = faces.examples[0]
    assert len(predictor.predict_faces([(faces.read(example.image), example.square)])) == 1
