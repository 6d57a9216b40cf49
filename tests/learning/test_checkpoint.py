from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError
from scaf_gui.learning.checkpoint import (
    Checkpoint,
    load_checkpoint,
    make_checkpoint,
    save_checkpoint,
    scheme_json,
)
from scaf_gui.learning.networks import Architecture, ScafNet
from scaf_gui.learning.presets import preset
from scaf_gui.learning.start import start_network

pytestmark = pytest.mark.usefixtures("all_slim")

Named = Callable[[str], Scheme]


@pytest.fixture(scope="module")
def checkpoint(scheme: Scheme) -> Checkpoint:
    torch.manual_seed(0)
    return make_checkpoint(ScafNet(Architecture(68)), scheme, preset("default"), {"labels": 7}, None)


@pytest.fixture
def saved(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    path = tmp_path / "a model.safetensors"
    save_checkpoint(checkpoint, path)
    return path


def test_comes_back_as_it_was(checkpoint: Checkpoint, saved: Path, scheme: Scheme) -> None:
    again = load_checkpoint(saved, scheme)
    assert again.id == checkpoint.id
    assert dict(again.meta) == dict(checkpoint.meta)
    assert all(torch.equal(again.tensors[name], value) for name, value in checkpoint.tensors.items())
    assert again.scheme.names == scheme.names and again.scheme.flip == scheme.flip
    assert [p.name for p in saved.parent.iterdir()] == [saved.name], "nothing is left beside it"


def test_halves_are_half_the_size_and_nearly_the_same(checkpoint: Checkpoint, saved: Path) -> None:
    half = saved.with_name("half.safetensors")
    save_checkpoint(checkpoint, half, half=True)
    assert half.stat().st_size < 0.51 * saved.stat().st_size
    again = load_checkpoint(half)
    for name, value in checkpoint.tensors.items():
        assert again.tensors[name].dtype == value.dtype
        assert torch.allclose(again.tensors[name].float(), value.float(), rtol=1e-3, atol=1e-6)


def test_the_network_from_a_checkpoint_does_not_share_its_weights(checkpoint: Checkpoint) -> None:
    network = checkpoint.network()
    before = checkpoint.tensors["LMH.lin.weight"].clone()
    with torch.no_grad():
        network.LMH.lin.weight.add_(1.0)
    assert torch.equal(checkpoint.tensors["LMH.lin.weight"], before)
    assert not network.training and not any(p.requires_grad for p in network.P.parameters())


def test_frozen(checkpoint: Checkpoint) -> None:
    with pytest.raises(TypeError):
        checkpoint.meta["id"] = "x"  # type: ignore[index]
    told = checkpoint.with_figures({"nme": 4.2})
    assert told.meta["figures"] == {"nme": 4.2} and checkpoint.meta["figures"] == {} and told.id == checkpoint.id


def test_a_98_point_project_may_use_a_68_point_model(saved: Path, named_scheme: Named) -> None:
    assert load_checkpoint(saved, named_scheme("wflw-98")).scheme.id == "300w-68"


def test_another_scheme_is_refused_by_name(saved: Path, named_scheme: Named) -> None:
    with pytest.raises(CheckpointError, match=r"a model\.safetensors.*'300w-68' \(68 landmarks\).*'scut-86' \(86\)"):
        load_checkpoint(saved, named_scheme("scut-86"))


def test_the_same_scheme_name_with_other_landmarks_is_refused(tmp_path: Path, scheme: Scheme) -> None:
    from dataclasses import replace

    fewer = replace(scheme, names=scheme.names[:60], flip=tuple(range(60)), groups=(), edges=(), corners=frozenset(),
                    normaliser=None, aliases={})  # fmt: skip
    path = tmp_path / "sixty.safetensors"
    save_checkpoint(make_checkpoint(ScafNet(Architecture(60)), fewer, preset("default"), {}, None), path)
    assert load_checkpoint(path).scheme.num_landmarks == 60
    with pytest.raises(CheckpointError, match="60 landmarks"):
        load_checkpoint(path, scheme)


@pytest.mark.parametrize("keep", [0, 5, 1000, 0.5, 0.999])
def test_truncated(saved: Path, keep: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(CheckpointError, match="truncated or not a safetensors file") as caught:
        load_checkpoint(saved)
    assert caught.value.path == saved and "\n" not in str(caught.value)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was loaded')",)


@pytest.mark.parametrize("how", ["torch", "torch-old", "pickle"])
def test_a_pickle_in_disguise_is_never_opened(tmp_path: Path, how: str) -> None:
    path = tmp_path / "model.safetensors"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save({"x": Bomb()}, path, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(CheckpointError, match=r"pickled PyTorch file.*only safetensors"):
        load_checkpoint(path)


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(path)
    path.write_text("hello")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_checkpoint(path)
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="not a model of this program"):
        load_checkpoint(path)


def rewritten(
    path: Path, checkpoint: Checkpoint, change: Callable[[dict[str, object]], object], **tensors: object
) -> None:
    meta = json.loads(json.dumps({"id": checkpoint.id, **checkpoint.meta}))
    change(meta)
    save_file({**checkpoint.tensors, **tensors}, path, metadata={"scaf_gui": json.dumps(meta)})


def test_damaged_metadata_newer_format_and_wrong_weights(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    rewritten(path, checkpoint, lambda meta: meta.pop("scheme"))
    with pytest.raises(CheckpointError, match="damaged metadata"):
        load_checkpoint(path)
    rewritten(path, checkpoint, lambda meta: meta.update(format=99))
    with pytest.raises(CheckpointError, match="newer version"):
        load_checkpoint(path)
    rewritten(path, checkpoint, lambda meta: None, **{"LMH.lin.weight": torch.zeros(64, 70, 4, 4)})
    with pytest.raises(CheckpointError, match=r"LMH\.lin\.weight has \(64, 70, 4, 4\)"):
        load_checkpoint(path)


def test_wrong_landmark_count(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"

    def drop(meta: dict[str, object]) -> None:
        scheme = scheme_json(checkpoint.scheme)
        scheme.update(
            landmarks=scheme["landmarks"][:5], groups=[], corners=[], edges=[], flip_pairs=[], normaliser=None
        )
        meta["scheme"] = scheme

    rewritten(path, checkpoint, drop)
    with pytest.raises(CheckpointError, match="another number of landmarks"):
        load_checkpoint(path)


def test_a_failed_save_keeps_the_old_file(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(CheckpointError, match="cannot be saved"):
        save_checkpoint(checkpoint, path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "inside"]


def test_start_takes_over_what_fits(checkpoint: Checkpoint, scheme: Scheme, named_scheme: Named) -> None:
    default = preset("default")
    same, refines = start_network(default, scheme, checkpoint, 1)
    assert refines and all(torch.equal(v, checkpoint.tensors[n]) for n, v in same.state_dict().items())
    wflw, refines = start_network(default, named_scheme("wflw-98"), checkpoint, 1)
    assert refines
    head, old = wflw.LMH.lin.weight, checkpoint.tensors["LMH.lin.weight"]
    matrix = named_scheme("wflw-98").matrix_from(scheme)
    assert matrix is not None
    half_way = next(i for i, row in enumerate(matrix) if (row > 0).sum() == 2)
    expected = sum(float(matrix[half_way, j]) * old[:, j] for j in range(68))
    assert torch.allclose(head[:, half_way], expected, atol=1e-6)
    scut, refines = start_network(default, named_scheme("scut-86"), checkpoint, 1)
    assert not refines and scut.LMH.lin.weight.shape[1] == 86
    assert torch.equal(scut.Q.conv1.weight, checkpoint.tensors["Q.conv1.weight"])
    finer, refines = start_network(preset("published"), scheme, checkpoint, 1)
    assert not refines and torch.equal(finer.LMH.get_submodule("t3").weight, checkpoint.tensors["LMH.t3.weight"])


def test_random_weights_follow_the_seed_and_leave_torchs_own_alone(scheme: Scheme) -> None:
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (start_network(preset("default"), scheme, None, seed)[0] for seed in (3, 3, 4))
    assert torch.equal(torch.rand(1), before)
    assert torch.equal(first.Q.conv1.weight, second.Q.conv1.weight)
    assert not torch.equal(first.Q.conv1.weight, other.Q.conv1.weight)
