"""The cache: right, or silent and empty; never an error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

from scaf_gui.core.face import Prediction
from scaf_gui.io import cache as cache_module
from scaf_gui.io.cache import KEEP_MODELS, ProjectCache


def prediction(seed: int, model: str = "m/1", **scores: float) -> Prediction:
    rng = np.random.default_rng(seed)
    return Prediction(rng.normal(size=(5, 2)), rng.random(5), model, scores or {"nnm": seed / 8, "entropy": 2.0})


def same(one: Prediction, other: Prediction) -> bool:
    return (
        bool((one.points == other.points).all() and (one.magnitude == other.magnitude).all())
        and one.scores == other.scores
        and one.model_id == other.model_id
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.scaf-data" / "cache.h5"


def test_predictions_come_back_where_the_key_fits(path: Path) -> None:
    given = {face: prediction(face) for face in (3, 1, 7)}
    with ProjectCache(path) as cache:
        assert cache.predictions("m/1") == {}
        cache.put_predictions("m/1", given, {1: "box 1", 3: "box 3", 7: "\udcff"})
    with ProjectCache(path) as cache:
        found = cache.predictions("m/1", {1: "box 1", 3: "another box", 7: "\udcff", 8: "x"})
        assert sorted(found) == [1, 7]
        assert all(same(found[face], given[face]) for face in found)
        assert sorted(cache.predictions("m/1")) == [1, 3, 7]
        assert cache.predictions("m/2") == {}
        assert cache.problem == ""


def test_the_newest_prediction_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_STALE_ROWS", 10)
    keys = dict.fromkeys(range(8), "k")
    with ProjectCache(path) as cache:
        for turn in range(6):
            cache.put_predictions("m", {face: prediction(100 * turn + face, "m") for face in keys}, keys)
        found = cache.predictions("m", keys)
        assert all(same(found[face], prediction(500 + face, "m")) for face in keys)
        (group,) = cache._file["predictions"].values()
        assert len(group["face"]) <= 8 + 10 + 8


def test_scores_may_differ_from_face_to_face(path: Path) -> None:
    with ProjectCache(path) as cache:
        cache.put_predictions(
            "m", {1: prediction(1, "m", nnm=0.5), 2: prediction(2, "m", entropy=1.0)}, {1: "a", 2: "b"}
        )
        found = cache.predictions("m")
        assert found[1].scores == {"nnm": 0.5} and found[2].scores == {"entropy": 1.0}
        cache.put_predictions("m", {3: prediction(3, "m", kcenter=1.0)}, {3: "c"})
        assert sorted(cache.predictions("m")) == [3], "other scores begin a new table"


def test_predictions_without_scores(path: Path) -> None:
    bare = Prediction(np.ones((5, 2)), np.ones(5), "m")
    with ProjectCache(path) as cache:
        cache.put_predictions("m", {1: bare}, {1: "k"})
        cache.put_predictions("m", {2: bare}, {2: "k"})
    with ProjectCache(path) as cache:
        found = cache.predictions("m")
        assert not cache.problem and list(found) == [1, 2] and found[1].scores == {}
        assert (found[2].points == bare.points).all()


def test_features(path: Path) -> None:
    with ProjectCache(path) as cache:
        cache.put_features("m", {4: np.arange(3.0), 5: np.ones(3)}, {4: "a", 5: "b"})
        found = cache.features("m", {4: "a", 5: "changed"})
        assert list(found) == [4] and found[4].tolist() == [0.0, 1.0, 2.0]


def test_predictions_of_old_models_make_room(path: Path) -> None:
    with ProjectCache(path) as cache:
        for number in range(KEEP_MODELS + 3):
            cache.put_predictions(f"m{number}", {1: prediction(1, f"m{number}")}, {1: "k"})
        kept = [number for number in range(KEEP_MODELS + 3) if cache.predictions(f"m{number}")]
    assert kept == [3, 4, 5]


def test_a_file_does_not_grow_with_the_number_of_models(path: Path) -> None:
    faces = {face: prediction(face, "m") for face in range(300)}
    keys = dict.fromkeys(faces, "k")
    sizes = []
    for number in range(12):
        with ProjectCache(path) as cache:
            cache.put_predictions(f"m{number}", faces, keys)
        sizes.append(path.stat().st_size)
    assert sizes[-1] < sizes[KEEP_MODELS + 1] * 1.3


@pytest.mark.parametrize("damage", ["empty", "text", "half", "foreign", "other version"])
def test_a_damaged_file_is_set_aside_and_built_anew(path: Path, damage: str) -> None:
    faces = {face: prediction(face, "m") for face in range(200)}
    keys = dict.fromkeys(faces, "k")
    with ProjectCache(path) as cache:
        cache.put_predictions("m", faces, keys)
    data = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_bytes(b"not hdf5 at all " * 100)
    elif damage == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        with h5py.File(path, "w") as file:
            file.attrs["format"] = 1 if damage == "foreign" else 99
            if damage == "foreign":
                file[f"predictions/{cache_module._name('m')}/face"] = ["not", "faces"]
    with ProjectCache(path) as cache:
        assert cache.predictions("m", keys) == {}
        assert "damaged" in cache.problem
        cache.put_predictions("m", faces, keys)
        assert len(cache.predictions("m", keys)) == 200
    assert path.with_name("cache.h5.damaged").exists()
    with ProjectCache(path) as cache:
        assert len(cache.predictions("m", keys)) == 200
        assert cache.problem == ""


@pytest.mark.parametrize("share", np.linspace(0, 0.98, 25).round(2).tolist())
def test_scrambled_bytes_never_come_out_as_predictions(path: Path, share: float) -> None:
    faces = {face: prediction(face, "m") for face in range(200)}
    keys = dict.fromkeys(faces, "k")
    with ProjectCache(path) as cache:
        cache.put_predictions("m", faces, keys)
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + 300] = b"\x5a" * len(data[at : at + 300])
    path.write_bytes(bytes(data))
    with ProjectCache(path) as cache:
        found = cache.predictions("m", keys)
        assert all(same(found[face], faces[face]) for face in found)
        cache.put_predictions("m", faces, keys)
    with ProjectCache(path) as cache:
        found = cache.predictions("m", keys)
        assert all(same(found[face], faces[face]) for face in found)


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    from scaf_gui.core.face import Prediction
    from scaf_gui.io.cache import ProjectCache

    cache = ProjectCache(Path(sys.argv[1]))
    for turn in range(40):
        face = Prediction(np.full((5, 2), float(turn)), np.ones(5), "m", {"nnm": 0.5})
        cache.put_predictions("m", {turn: face}, {turn: "k"})
    os.kill(os.getpid(), signal.SIGKILL)
    """
)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_writer_leaves_no_wrong_values(path: Path) -> None:
    root = Path(__file__).parents[2]
    with ProjectCache(path) as cache:
        cache.put_predictions("m", {99: prediction(99, "m", nnm=1.0)}, {99: "k"})
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    with ProjectCache(path) as cache:
        for face, found in cache.predictions("m").items():
            assert face == 99 or (found.points == float(face)).all()
        cache.put_predictions("m", {1: prediction(1, "m")}, {1: "k"})
        assert same(cache.predictions("m")[1], prediction(1, "m"))


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with ProjectCache(tmp_path / "file" / "cache.h5") as cache:
        assert "nothing is cached" in cache.problem
        cache.put_predictions("m", {1: prediction(1)}, {1: "k"})
        cache.put_features("m", {1: np.zeros(2)}, {1: "k"})
        assert cache.predictions("m") == {} and cache.features("m") == {}
