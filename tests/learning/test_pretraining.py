"""Pre-training for real, on a dozen rendered faces: resuming, failing well, stages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from scaf_gui.core.arrays import ByteArray
from scaf_gui.core.geometry import Square
from scaf_gui.errors import CheckpointError, TrainingError, UsageError
from scaf_gui.learning.crops import cut_crop
from scaf_gui.learning.growth import AutoencoderNet
from scaf_gui.learning.muon import takes
from scaf_gui.learning.pretrained import load_autoencoder
from scaf_gui.learning.pretraining import Progress, Result, picture_path, pretrain
from scaf_gui.learning.pretraining_recipes import RECIPES, Recipe, recipe_named
from scaf_gui.learning.pretraining_state import read_kept, state_path
from scaf_gui.learning.pretraining_step import Stepper
from scaf_gui.learning.tensorfile import read_tensors
from scaf_gui.learning.unlabelled import ROOM
from tests.jobs import finish
from tests.learning.conftest import CPU, Faces

pytestmark = pytest.mark.usefixtures("slim")

SIDE = 224
EVERYTHING = replace(
    RECIPES["short"], batch=2, gan=True, gan_from=0.0, structure_from=0.25, max_steps=4, warm_up=2, lr=3e-4,
    guided=0.0, small=0.0,
)  # fmt: skip
GUIDED = replace(RECIPES["short"], batch=2, max_steps=5, guided=0.5, small=0.6)


class Rendered:
    """Two crops of each rendered face."""

    side = SIDE

    def __init__(self, faces: Faces) -> None:
        self._cut = []
        for image in faces.images.values():
            middle, side = (image.shape[1] - 1) / 2, float(image.shape[0])
            for share in (0.8, 0.9):
                self._cut.append(cut_crop(image, Square(middle, middle, share * ROOM * side), SIDE))

    def __len__(self) -> int:
        return len(self._cut)

    def face(self, number: int) -> tuple[ByteArray, tuple[int, int, int, int]]:
        black = self._cut[number].sum(axis=2) == 0
        rows, columns = (np.flatnonzero(~black.all(axis=axis)) for axis in (1, 0))
        return self._cut[number], (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


@pytest.fixture(scope="module")
def rendered(faces: Faces) -> Rendered:
    return Rendered(faces)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Training states are large: nothing of them stays behind."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run(faces: Rendered, recipe: Recipe, out: Path, **more: object) -> tuple[list[Progress], Result]:
    result, seen = finish(pretrain(faces, recipe, out, device=CPU, **more))  # type: ignore[arg-type]
    return seen, result


def test_every_weight_of_the_auto_encoder_learns_by_one_optimiser() -> None:
    for recipe in (EVERYTHING, replace(EVERYTHING, muon=0.0)):
        stepper = Stepper(AutoencoderNet(128), recipe, CPU)
        found = {
            name: {id(one) for group in optimiser.param_groups for one in group["params"]}
            for name, optimiser in stepper.optimisers.items()
        }
        every = {id(one): one for one in stepper.net.parameters()}
        by_muon = found.get("muon", set())
        assert by_muon == {number for number, one in every.items() if recipe.muon and takes(one)}
        assert found["net"] == every.keys() - by_muon
        assert bool(by_muon) == bool(recipe.muon)


def test_a_resumed_run_is_the_same_to_the_last_bit(rendered: Rendered, folder: Path) -> None:
    whole, parts = folder / "whole.safetensors", folder / "parts.safetensors"
    seen, result = run(rendered, EVERYTHING, whole)
    work = pretrain(rendered, EVERYTHING, parts, device=CPU)
    first = [next(work) for _ in range(2)]
    first[-1].save()
    work.close()
    assert read_kept(parts).step == 2 and read_kept(parts).recipe == EVERYTHING
    assert (read_kept(parts).faces, read_kept(parts).precision) == (12, "float32")
    second, resumed = run(rendered, EVERYTHING, parts, resume=True)
    assert [p.losses for p in first + second] == [p.losses for p in seen]
    assert [p.step for p in second] == [3, 4]
    one, other = read_tensors(state_path(whole)), read_tensors(state_path(parts))
    assert set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.autoencoder.id == result.autoencoder.id == load_autoencoder(whole).id
    assert {name.split(".")[0] for name in one} == {"net", "average", "judge", "prior", "adam"}
    assert {name.split(".")[1] for name in one if name.startswith("adam.")} == {"net", "judge", "prior", "muon"}

    # what the losses of each step were
    by_step = [set(p.losses) for p in seen]
    assert "structure" not in by_step[0] and all("structure" in names for names in by_step[1:])
    assert all("gan" in names for names in by_step)
    assert [("image_discriminator" in n, "prior" in n, "latent_discriminator" in n) for n in by_step] == [
        (True, True, True), (False, False, False), (True, True, False), (False, False, False),
    ]  # fmt: skip
    assert "GAN" in seen[0].stage and "structure" not in seen[0].stage
    assert seen[1].seconds_left > 0 and seen[-1].seconds_left == 0 and seen[1].steps == 4

    # what is beside it
    picture = cv2.imread(str(picture_path(whole)))
    assert picture.shape == (128, 8 * 128, 3) and picture[:, :128].std() > 10
    figures = load_autoencoder(whole).meta["figures"]
    assert figures["held_out_faces"] == 1 and 0 < figures["held_out_l1"] < 255


def test_a_guided_run_begins_with_components_and_small_images(rendered: Rendered, folder: Path) -> None:
    whole, parts = folder / "whole.safetensors", folder / "parts.safetensors"
    seen, result = run(rendered, GUIDED, whole)
    assert ["guide" in p.losses for p in seen] == [True, True, True, False, False]
    assert ["guided by components" in p.stage for p in seen] == [True, True, True, False, False]
    assert ["half size" in p.stage for p in seen] == [True, True, True, True, False]
    assert ["prior" in p.losses for p in seen] == [False, False, False, False, True], "every second step"

    work = pretrain(rendered, GUIDED, parts, device=CPU)
    first = [next(work) for _ in range(2)]
    half_way = first[-1].save()
    work.close()
    assert half_way.meta["figures"]["held_out_l1"] > 0, "painted at half the size, measured at the whole"
    second, resumed = run(rendered, GUIDED, parts, resume=True)
    assert [p.losses for p in first + second] == [p.losses for p in seen]
    assert resumed.autoencoder.id == result.autoencoder.id

    on, _ = run(rendered, replace(GUIDED, max_steps=1), folder / "on.safetensors", start=half_way)
    assert "guide" not in on[0].losses and "half size" not in on[0].stage, "given weights need no guide"


def test_a_loss_that_is_no_number_leaves_the_last_good_weights(rendered: Rendered, folder: Path) -> None:
    out = folder / "a.safetensors"
    plain = replace(EVERYTHING, gan=False, prior=False, structure=False, max_steps=1)
    _, good = run(rendered, plain, out)
    before = [path.read_bytes() for path in (out, state_path(out))]
    with pytest.raises(TrainingError, match=r"went astray at step \d.*last good weights are in .*a\.safetensors.*--lr"):
        run(rendered, replace(plain, lr=1e30, warm_up=0, cosine=False, max_steps=4), out, start=good.autoencoder)
    assert [path.read_bytes() for path in (out, state_path(out))] == before
    with pytest.raises(TrainingError, match=r"the loss is \w+\); begin again with a lower --lr"):
        run(rendered, replace(plain, lr=1e30, warm_up=0, cosine=False, max_steps=4), folder / "b.safetensors")


def test_a_full_disk_leaves_the_last_checkpoint(rendered: Rendered, folder: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits stand in for a full disk")
    out = folder / "a.safetensors"
    plain = replace(EVERYTHING, gan=False, prior=False, structure=False, max_steps=3, save_steps=1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    work = pretrain(rendered, plain, out, device=CPU)
    assert next(work).saved == out
    before = {path.name: path.stat() for path in folder.iterdir()}
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
        second = next(work)
        assert second.saved is None and "cannot be saved" in second.note
        assert "no checkpoint" in next(work).note, "it goes on: there may be room again"
        with pytest.raises(CheckpointError, match=r"a\.safetensors: cannot be saved.*before stays"):
            next(work)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.stat() for path in folder.iterdir()} == before, "nothing half written is left"
    assert read_kept(out).step == 1 and load_autoencoder(out).meta["recipe"]["steps"] == 1


def test_it_learns_and_goes_on_from_published_weights(rendered: Rendered, folder: Path) -> None:
    out, on = folder / "a.safetensors", folder / "b.safetensors"
    recipe = replace(EVERYTHING, gan=False, prior=False, structure_from=0.0, max_steps=8, batch=4, lr=1e-3, ema=0.5)
    recipe = replace(recipe, views=replace(recipe.views, erasing=0.0))
    seen, result = run(rendered, recipe, out)
    begin, end = (np.mean([p.losses["reconstruction"] for p in part]) for part in (seen[:2], seen[-2:]))
    assert end < 0.85 * begin
    seen, second = run(rendered, replace(recipe, max_steps=1), on, start=load_autoencoder(out))
    assert seen[0].losses["reconstruction"] < 0.85 * begin, "weights were taken over"
    assert second.autoencoder.meta["parent"] == result.autoencoder.id


def test_states_of_other_kinds_are_refused(rendered: Rendered, folder: Path) -> None:
    out = folder / "a.safetensors"
    with pytest.raises(CheckpointError, match=r"a\.state.*no such run"):
        run(rendered, EVERYTHING, out, resume=True)
    torch.save({"step": 1}, state_path(out))
    with pytest.raises(CheckpointError, match="pickled"):
        run(rendered, EVERYTHING, out, resume=True)


def test_too_few_faces(folder: Path, faces: Faces) -> None:
    few = Rendered(Faces(dict(list(faces.images.items())[:2]), ()))
    with pytest.raises(TrainingError, match="at least 8 faces, not 4"):
        run(few, EVERYTHING, folder / "a.safetensors")


def test_recipes() -> None:
    published = recipe_named("published")
    assert (published.lr, published.beta1, published.batch, published.lr_discriminator) == (2e-5, 0.0, 50, 0.5)
    stages = [published.stage(done) for done in (0.0, 0.4, 0.9)]
    assert stages == [(False, False), (True, False), (True, True)]
    assert replace(published, pixels=False).stage(0.0) == (False, True)
    assert published.rate(0, 0.0) == published.rate(9, 0.9) == 1.0
    short = recipe_named("short")
    assert short.rate(0, 0.0) == pytest.approx(1 / 50) and short.rate(500, 1.0) == pytest.approx(0.0)
    assert short.rate(500, 0.5) == pytest.approx(0.5)
    assert [short.trust(done) for done in (0.0, 0.2, 0.3, 0.4)] == [0.0, 0.0, pytest.approx(0.5), None]
    assert [short.detail(done) for done in (0.0, 0.6, 0.615, 0.7)] == [0.0, 0.0, pytest.approx(0.5), 1.0]
    assert (published.trust(0.0), published.detail(0.0)) == (None, 1.0)
    assert replace(short, gan=True, gan_from=0.0).stage(0.5) == (False, True), "no GAN on small images"
    with pytest.raises(UsageError, match="shares of the run"):
        replace(short, guided=1.5)
    with pytest.raises(UsageError, match="choose one of published, short"):
        recipe_named("fast")
    with pytest.raises(UsageError, match="nothing to learn"):
        replace(published, pixels=False, structure=False)
