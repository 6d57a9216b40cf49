from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.core.scheme import Scheme, parse_scheme
from scaf_gui.errors import CheckpointError, DeviceError
from scaf_gui.learning.checkpoint import Checkpoint, make_checkpoint
from scaf_gui.learning.crops import cut_crop, elsewhere
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import ScafNet, normalise
from scaf_gui.learning.predictor import FacePrediction, Predictor
from scaf_gui.learning.presets import preset
from scaf_gui.learning.start import start_network
from scaf_gui.learning.targets import gaussian_targets, to_heatmap

pytestmark = pytest.mark.usefixtures("all_slim")


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


def test_options_take_the_place_of_what_the_checkpoint_says(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any
) -> None:
    crop = cut_crop(faces.read("1.png"), faces.examples[1].square, 128)
    plain = Predictor(checkpoint, cpu, scheme).predict([crop])
    averaging = Checkpoint(checkpoint.id, {**checkpoint.meta, "flip_average": True}, checkpoint.tensors)
    assert np.allclose(
        Predictor(averaging, cpu, scheme, flip_average=False).predict([crop]).points_crop, plain.points_crop
    )
    both = [
        Predictor(checkpoint, cpu, scheme, flip_average=True).predict([crop]),
        Predictor(averaging, cpu, scheme).predict([crop]),
    ]
    assert np.allclose(both[0].points_crop, both[1].points_crop) and both[0].features.shape == (1, 99)
    assert np.allclose(both[0].features, plain.features, atol=1e-5)
    wide = Predictor(checkpoint, cpu, scheme, window=9).predict([crop])
    assert not np.allclose(wide.magnitude, plain.magnitude) and np.allclose(wide.points_crop, plain.points_crop)
    pixels = Predictor(checkpoint, cpu, scheme, decoder="argmax").predict([crop]).points_crop
    at = (pixels + 0.5) / 2 - 0.5
    assert np.allclose(at, at.round()) and not np.allclose(pixels, plain.points_crop)


def test_the_second_look_of_a_level_centred_face_is_its_mirror_image(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut like the first one, the second look is flip averaging of landmarks."""
    monkeypatch.setattr("scaf_gui.learning.predictor.elsewhere", lambda points, scheme, first: None)
    monkeypatch.setattr("scaf_gui.learning.predictor.level_view", lambda points, scheme, first: (first, 0.0))
    example = faces.examples[1]
    given = (faces.read(example.image), example.square)
    plain, again = (
        Predictor(checkpoint, cpu, scheme, second_look=on).predict_faces([given])[0] for on in (False, True)
    )
    crop = cut_crop(*given, 128)
    mirrored = Predictor(checkpoint, cpu, scheme).predict([crop[:, ::-1]]).points_crop[0][list(scheme.flip)]
    mirrored[:, 0] = 127 - mirrored[:, 0]
    back = transform(inverse(crop_transform(example.square, 128)), mirrored)
    assert np.allclose(again.points, (plain.points + back) / 2, atol=1e-3)
    assert np.array_equal(again.magnitude, plain.magnitude) and again.scores == plain.scores


def test_the_second_look_is_where_the_first_says(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turned, moved view and back: an ideal network finds the same landmarks there."""
    example = faces.examples[1]
    square = Square(example.square.cx + 9, example.square.cy - 5, example.square.side * 1.2)
    monkeypatch.setattr("scaf_gui.learning.predictor.level_view", lambda points, scheme, first: (square, 20.0))
    predictor = Predictor(checkpoint, cpu, scheme, second_look=True)
    seen = transform(crop_transform(square, 128, 20.0), example.points)
    seen[:, 0] = 127 - seen[:, 0]
    maps = gaussian_targets(to_heatmap(torch.from_numpy(seen[list(scheme.flip)])[None], 128, 64), 64, 2.0, None, False)
    monkeypatch.setattr(predictor, "heatmaps", lambda crops: (maps.float(), torch.zeros(1, 99)))
    found = predictor._seen_again([(faces.read(example.image), example.square)], [example.points])[0]
    assert np.abs(found - example.points).max() < 0.05 * example.square.side / 64


def test_a_face_that_its_box_misses_is_looked_for_where_its_prediction_lies(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that sees half of the way to the face, each time: three steps, then the second look from there."""
    example = faces.examples[1]
    true = example.square
    missed = Square(true.cx + 0.6 * true.side, true.cy, true.side)
    looked: list[Square] = []

    def seen(self: Predictor, given: Any) -> list[FacePrediction]:
        looked.extend(square for _, square in given)
        return [
            FacePrediction(
                example.points + np.array([(square.cx - true.cx) / 2, 0.0]), np.full(68, square.cx), {}, np.zeros(99)
            )
            for _, square in given
        ]

    monkeypatch.setattr(Predictor, "_seen", seen)
    monkeypatch.setattr(Predictor, "_seen_again", lambda self, given, points: points)
    predictor = Predictor(checkpoint, cpu, scheme, second_look=True)
    image = faces.read(example.image)
    right, found = predictor.predict_faces([(image, true), (image, missed)])
    off = [(square.cx - true.cx) / true.side for square in looked]
    assert off == pytest.approx([0.0, 0.6, 0.3, 0.15, 0.075]), "the face in its box is looked at once"
    assert predictor.settled(image, missed) == looked[4]
    assert found.magnitude[0] == looked[4].cx, "what is said of the prediction is said of the last look"
    assert np.array_equal(right.points, example.points)
    assert predictor.predict_faces([(image, missed)], second_look=False)[0].magnitude[0] == missed.cx


def test_where_landmarks_lie_elsewhere(scheme: Scheme, faces: Any) -> None:
    example = faces.examples[1]
    true, side = example.square, example.square.side
    assert elsewhere(example.points, scheme, true) is None
    assert elsewhere(example.points, scheme, Square(true.cx + 0.05 * side, true.cy, side)) is None
    for astray in (
        Square(true.cx + 0.2 * side, true.cy, side), Square(true.cx, true.cy - 0.2 * side, side),
        Square(true.cx, true.cy, 1.2 * side), Square(true.cx, true.cy, side / 1.2),
    ):  # fmt: skip
        found = elsewhere(example.points, scheme, astray)
        assert found is not None
        assert (found.cx, found.cy, found.side) == pytest.approx((true.cx, true.cy, side))
    assert elsewhere(example.points, scheme, Square(true.cx + 9 * side, true.cy, side)) is None, "no face any more"
    assert elsewhere(example.points, scheme, Square(true.cx, true.cy, 9 * side)) is None
    mouth = parse_scheme({"id": "mouth", "landmarks": [f"m{place}" for place in range(20)]})
    assert not mouth.spans_the_face and scheme.spans_the_face
    assert elsewhere(example.points[48:], mouth, true) is None, "a mouth does not say where the face is"


def test_folded_weights_predict_as_the_network_does(
    checkpoint: Checkpoint, cpu: Device, scheme: Scheme, faces: Any
) -> None:
    crop = cut_crop(faces.read("1.png"), faces.examples[1].square, 128)
    mean = torch.tensor(checkpoint.meta["normalisation"]["mean"])
    with torch.inference_mode():
        wanted = checkpoint.network()(normalise(torch.from_numpy(crop)[None], mean))
    found = Predictor(checkpoint, cpu, scheme).heatmaps([crop])[0]
    assert found.is_contiguous() and float((found - wanted).abs().max()) < 1e-4 * float(wanted.abs().max())


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
