"""The published weights, against the equations of their layers written out with torch's functions alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from scaf_gui.core.geometry import Square
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.io.images import read_image
from scaf_gui.learning.checkpoint import load_checkpoint, save_checkpoint
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import normalise
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.pretrained import load_autoencoder, save_autoencoder
from scaf_gui.learning.reference import read_reference, reference_autoencoder, reference_landmarks

State = dict[str, Tensor]


def shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the reference's encoder, generator and head for 256-pixel images."""

    def norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.{part}", (width,)
        yield f"{name}.num_batches_tracked", ()

    yield "Q.conv1.weight", (64, 3, 7, 7)
    yield from norm("Q.bn1", 64)
    for layer, before, width, stride in (
        (0, 64, 64, 1),
        (1, 64, 64, 2),
        (2, 64, 128, 2),
        (3, 128, 256, 2),
        (4, 256, 512, 2),
    ):
        for block in (0, 1):
            at, inputs = f"Q.layer{layer}.{block}", before if block == 0 else width
            yield f"{at}.conv1.weight", (width, inputs, 3, 3)
            yield from norm(f"{at}.bn1", width)
            yield f"{at}.conv2.weight", (width, width, 3, 3)
            yield from norm(f"{at}.bn2", width)
            if block == 0 and stride == 2:
                yield f"{at}.downsample.0.weight", (width, inputs, 1, 1)
                yield from norm(f"{at}.downsample.1", width)
    yield "Q.fc.weight", (99, 512)
    yield "Q.fc.bias", (99,)
    yield "P.fc.weight", (512, 99)
    yield "P.fc.bias", (512,)
    yield "P.conv1.weight", (512, 512, 4, 4)
    yield from norm("P.bn1", 512)
    before = 512
    for layer, width in enumerate((256, 128, 64, 64, 64), 1):
        at = f"P.layer{layer}.0"
        yield f"{at}.conv1.weight", (before, width, 4, 4)
        yield from norm(f"{at}.bn1", width)
        yield f"{at}.conv2.weight", (width, width, 3, 3)
        yield from norm(f"{at}.bn2", width)
        yield f"{at}.upsample.0.weight", (before, width, 4, 4)
        yield from norm(f"{at}.upsample.1", width)
        before = width
    yield "P.lin.weight", (64, 3, 4, 4)
    for number, width in enumerate((256, 128, 64, 64, 64), 1):  # t5 is in the files and used by nothing
        yield f"LMH.t{number}.weight", (width, width, 3, 3)
    yield "LMH.lin.weight", (64, 68, 4, 4)
    yield "D_z.lin1.weight", (1000, 99)


@pytest.fixture(scope="module")
def state() -> State:
    """Random weights; matrices take values that float16 has, so that the file's rounding changes nothing."""
    generator = torch.Generator().manual_seed(11)
    made: State = {}
    for name, shape in shapes():
        if name.endswith("num_batches_tracked"):
            made[name] = torch.tensor(7)
        elif len(shape) > 1:
            fan = int(np.prod(shape)) / (shape[1] if name[0] == "Q" else shape[0]) if len(shape) == 4 else shape[1]
            made[name] = (torch.randn(shape, generator=generator) * (2.0 / fan) ** 0.5).half().float()
        elif name.endswith("running_var"):
            made[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            made[name] = torch.randn(shape, generator=generator) * 0.1 + float(name.endswith(".weight"))
    return made


def published(path: Path, state: State, **other: object) -> Path:
    torch.save({"arch": "resnet18", "z_dim": 99, "input_size": 256, "state_dict": state, **other}, path)
    return path


@pytest.fixture
def file(state: State, tmp_path: Path) -> Path:
    return published(tmp_path / "saae.mdl", state)


def norm(state: State, name: str, x: Tensor) -> Tensor:
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    scaled = (x - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    return scaled * state[f"{name}.weight"][:, None, None] + state[f"{name}.bias"][:, None, None]


def encode(state: State, image: Tensor) -> Tensor:
    x = F.relu(norm(state, "Q.bn1", F.conv2d(image, state["Q.conv1.weight"], stride=2, padding=3)))
    x = F.max_pool2d(x, 3, 2, 1)
    for layer in range(5):
        for block in (0, 1):
            at = f"Q.layer{layer}.{block}"
            stride = 2 if block == 0 and layer > 0 else 1
            y = F.conv2d(x, state[f"{at}.conv1.weight"], stride=stride, padding=1)
            y = F.conv2d(F.relu(norm(state, f"{at}.bn1", y)), state[f"{at}.conv2.weight"], padding=1)
            if stride == 2:
                x = norm(state, f"{at}.downsample.1", F.conv2d(x, state[f"{at}.downsample.0.weight"], stride=2))
            x = F.relu(norm(state, f"{at}.bn2", y) + x)
    return F.linear(x.mean((2, 3)), state["Q.fc.weight"], state["Q.fc.bias"])


def seed(state: State, latent: Tensor) -> Tensor:
    x = F.linear(latent, state["P.fc.weight"], state["P.fc.bias"])[:, :, None, None]
    return F.relu(norm(state, "P.bn1", F.conv_transpose2d(x, state["P.conv1.weight"])))


def inverse_block(state: State, number: int, x: Tensor) -> Tensor:
    at = f"P.layer{number}.0"
    y = F.relu(norm(state, f"{at}.bn1", F.conv_transpose2d(x, state[f"{at}.conv1.weight"], stride=2, padding=1)))
    y = norm(state, f"{at}.bn2", F.conv2d(y, state[f"{at}.conv2.weight"], padding=1))
    up = F.conv_transpose2d(x, state[f"{at}.upsample.0.weight"], stride=2, padding=1)
    return F.relu(y + norm(state, f"{at}.upsample.1", up))


def paint(state: State, latent: Tensor) -> Tensor:
    x = seed(state, latent)
    for number in range(1, 6):
        x = inverse_block(state, number, x)
    return torch.tanh(F.conv_transpose2d(x, state["P.lin.weight"], stride=2, padding=1))


def heatmaps(state: State, latent: Tensor) -> Tensor:
    x = seed(state, latent)
    for number in range(1, 5):
        x = F.conv2d(inverse_block(state, number, x), state[f"LMH.t{number}.weight"], padding=1)
    return F.conv_transpose2d(x, state["LMH.lin.weight"], stride=2, padding=1)


@pytest.fixture
def picture(tmp_path: Path) -> tuple[Path, Tensor]:
    """An image file of 256 x 256 pixels, and what the reference makes of it."""
    pixels = np.random.default_rng(5).integers(0, 256, (256, 256, 3), np.uint8)
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(pixels, (0, 0), 6) * 2)
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    return path, image - torch.tensor([0.518, 0.418, 0.361])[:, None, None]


def close(found: Tensor, wanted: Tensor) -> bool:
    assert found.shape == wanted.shape and float(wanted.std()) > 1e-3, "nothing to compare"
    return bool((found - wanted).abs().max() < 1e-4 * wanted.abs().max())


def test_parameter_counts(state: State) -> None:
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    for letter, count in (("Q", 11_379_491), ("P", 10_868_096)):
        trained = [v for n, v in state.items() if n.startswith(f"{letter}.") and not n.endswith(buffers)]
        assert sum(value.numel() for value in trained) == count


def test_from_image_file_to_reconstruction_and_heatmaps(
    state: State, file: Path, picture: tuple[Path, Tensor], tmp_path: Path, scheme: Scheme
) -> None:
    path, image = picture
    weights = read_reference(file)
    assert (weights.input_size, weights.landmarks) == (256, 68)
    save_autoencoder(reference_autoencoder(weights), tmp_path / "faces.safetensors")
    loaded = load_autoencoder(tmp_path / "faces.safetensors")
    encoder, generator = loaded.networks()
    crop = cut_crop(read_image(path), Square(127.5, 127.5, 256.0), 256)
    mean = torch.tensor(loaded.meta["normalisation"]["mean"])
    with torch.no_grad():
        latent, _ = encoder(normalise(torch.from_numpy(crop)[None], mean))
        wanted = encode(state, image)
        assert close(latent, wanted)
        assert close(generator(latent), paint(state, wanted))

        save_checkpoint(reference_landmarks(weights, scheme, loaded), tmp_path / "lm.safetensors", half=True)
        checkpoint = load_checkpoint(tmp_path / "lm.safetensors", scheme)
        assert checkpoint.meta["parent"] == loaded.id
        predictor = Predictor(checkpoint, Device("cpu", None, "test"), scheme)
        found, features = predictor.heatmaps([crop])
        assert close(features, wanted) and close(found, heatmaps(state, wanted))


def test_wrappers_prefixes_and_old_files(state: State, tmp_path: Path, file: Path) -> None:
    plain = reference_autoencoder(read_reference(file))
    for wrap in (lambda name: f"module.{name}", lambda name: name.replace(".", ".module.", 1)):
        wrapped = {wrap(name): value for name, value in state.items() if not name.endswith("num_batches_tracked")}
        path = published(tmp_path / "wrapped.mdl", wrapped)
        again = reference_autoencoder(read_reference(path))
        assert all(torch.equal(again.tensors[n], v) for n, v in plain.tensors.items() if "num_batches" not in n)


def without(name: str) -> Callable[[State], State]:
    return lambda state: {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("P.layer5.0.conv2.weight"), r"lacks the weights P\.layer5\.0\.conv2\.weight$"),
        (lambda s: {k: v for k, v in s.items() if "Q.layer4" not in k}, r"lacks the weights Q\.layer4\S* .* more$"),
        (lambda s: s | {"Q.fc.weight": torch.zeros(50, 512)}, r"Q\.fc\.weight has shape \(50, 512\), not \(99, 512\)"),
        (lambda s: s | {"P.fc.bias": torch.full((512,), torch.nan)}, r"P\.fc\.bias holds values that are no numbers"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    state: State, tmp_path: Path, change: Callable[[State], State], says: str
) -> None:
    weights = read_reference(published(tmp_path / "saae.mdl", change(state)))
    with pytest.raises(CheckpointError, match=says) as caught:
        reference_autoencoder(weights)
    assert "saae.mdl" in str(caught.value) and "\n" not in str(caught.value)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was run')",)


def test_files_that_are_none(state: State, tmp_path: Path) -> None:
    path = tmp_path / "saae.mdl"
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_reference(path)
    for old in (False, True):
        torch.save({"state_dict": Bomb()}, path, _use_new_zipfile_serialization=not old)
        with pytest.raises(CheckpointError, match=r"was refused.*could run code.*exec"):
            read_reference(path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        read_reference(path)
    whole = published(tmp_path / "whole.mdl", {"Q.fc.bias": state["Q.fc.bias"], "P.fc.bias": state["P.fc.bias"]})
    for data in (b"", b"hello", whole.read_bytes()[:-300]):
        path.write_bytes(data)
        with pytest.raises(CheckpointError) as caught:
            read_reference(path)
        assert "\n" not in str(caught.value)
    small = {"Q.fc.bias": state["Q.fc.bias"], "P.fc.bias": state["P.fc.bias"]}
    for other, says in (
        ({"input_size": 512}, "images of 512 pixels"),
        ({"z_dim": 50}, "latent of 50"),
        ({"state_dict": {"E.x": torch.zeros(1)}}, r"'Q\.\*' and 'P\.\*' are needed, it has E"),
        ({"state_dict": 3}, "no dictionary"),
    ):
        with pytest.raises(CheckpointError, match=says):
            read_reference(published(path, small, **other))


def test_a_head_must_be_of_the_scheme(
    state: State, file: Path, tmp_path: Path, named_scheme: Callable[[str], Scheme]
) -> None:
    weights = read_reference(file)
    parent = reference_autoencoder(weights)
    with pytest.raises(CheckpointError, match=r"predicts 68 landmarks, but the scheme 'wflw-98' has 98"):
        reference_landmarks(weights, named_scheme("wflw-98"), parent)
    headless = published(tmp_path / "a.mdl", {n: v for n, v in state.items() if not n.startswith("LMH")})
    with pytest.raises(CheckpointError, match=r"no landmark head"):
        reference_landmarks(read_reference(headless), named_scheme("300w-68"), parent)
