"""A project in a scheme that the shipped model does not know: from the first label on it pre-fills."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scaf_gui import paths
from scaf_gui.core.edits import change_face
from scaf_gui.core.face import Author, Label, State
from scaf_gui.core.scheme import load_scheme
from scaf_gui.errors import TooFewLabelsError
from scaf_gui.io.formats.pts import read_pts
from scaf_gui.learning.autoencoder import Encoder, Generator
from scaf_gui.learning.checkpoint import load_checkpoint, make_checkpoint, save_checkpoint
from scaf_gui.learning.device import Device
from scaf_gui.learning.networks import Architecture, ScafNet
from scaf_gui.learning.presets import preset
from scaf_gui.learning.pretrained import make_autoencoder, save_autoencoder
from scaf_gui.session import bridging
from scaf_gui.session.session import Session
from tests.jobs import finish

pytestmark = pytest.mark.usefixtures("all_slim")

CORNERS = [36, 39, 42, 45, 30, 48, 54, 8, 27]
CPU = Device("cpu", None, "test")


@pytest.fixture(scope="module")
def shipped_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow 68-point model of random weights: what it predicts is the same for every test."""
    torch.manual_seed(0)
    scheme = load_scheme(paths.resource_folder() / "schemes" / "300w-68.json")
    checkpoint = make_checkpoint(ScafNet(Architecture(68)), scheme, preset("default"), {}, None)
    path = tmp_path_factory.mktemp("made") / "starter.safetensors"
    save_checkpoint(checkpoint, path, half=True)
    return path


@pytest.fixture
def shipped(shipped_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / shipped_model.name).symlink_to(shipped_model)
    monkeypatch.setattr(paths, "model_folder", lambda: folder)
    monkeypatch.setattr("scaf_gui.learning.bases.model_folder", lambda: folder)
    return folder


@pytest.fixture
def nine(tmp_path: Path) -> str:
    """A scheme file of the user's own; nothing leads to it."""
    scheme = {"id": "nine", "landmarks": [f"p{i}" for i in range(9)], "flip_pairs": [[0, 3], [1, 2], [5, 6]],
              "normaliser": [0, 3]}  # fmt: skip
    path = tmp_path / "nine.json"
    path.write_text(json.dumps(scheme))
    return str(path)


def label(session: Session, truth: Path, count: int) -> list[int]:
    faces = session.agenda.upcoming(count)
    for face_id in faces:
        face = session.document.face(face_id)
        points = read_pts(truth / Path(face.image).with_suffix(".pts").name, 68)[CORNERS]
        session.edit(
            change_face(
                "Place", face, replace(face, label=Label.from_points(points, Author.now("ann")), state=State.LABELLED)
            )
        )
    return faces


def drive(session: Session, **options: object) -> object:
    return finish(session.refresh(session.snapshot(), device="cpu", **options), session.take)[0]  # type: ignore[arg-type]


def test_one_label_makes_a_model(make_session: Callable[..., Session], nine: str, shipped: Path, truth: Path) -> None:
    session = make_session(scheme_id=nine, use_starter=True)
    assert session.model is None
    with pytest.raises(TooFewLabelsError):
        drive(session)
    assert not bridging.due(session)
    first = label(session, truth, 1)
    assert bridging.due(session)
    result = drive(session)
    assert not bridging.due(session)
    assert result.kept_new and "led there by 1 label;" in result.message
    model = session.model
    assert model is not None and model.own and model.mode == "bridge" and model.trained_on == tuple(first)
    waiting = set(session.agenda.waiting())
    predicted = [session.document.prediction(face_id) for face_id in session.wanted() if face_id in waiting]
    assert predicted and all(
        p is not None and p.points.shape == (9, 2) and np.isfinite(p.points).all() for p in predicted
    )
    # it is whole without the shipped one, and the next refresh trains and judges as ever
    (shipped / "starter.safetensors").unlink()
    checkpoint = load_checkpoint(Path(model.path), session.scheme)
    assert checkpoint.meta["recipe"]["mode"] == "bridge" and checkpoint.meta["recipe"]["labels"] == 1


def test_the_next_refresh_trains_from_it(
    make_session: Callable[..., Session], nine: str, shipped: Path, truth: Path, tiny: str
) -> None:
    session = make_session(scheme_id=nine, use_starter=True)
    label(session, truth, 2)
    drive(session, preset=tiny)
    first = session.model
    label(session, truth, 3)
    result = drive(session, preset=tiny)
    assert result.judged_on and result.old_error is not None and result.new_error is not None
    assert session.model == first or result.kept_new


def test_where_training_loses_the_map_is_fitted_anew(
    make_session: Callable[..., Session],
    nine: str,
    shipped: Path,
    truth: Path,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scaf_gui.session import contest

    session = make_session(scheme_id=nine, use_starter=True)
    label(session, truth, 1)
    drive(session, preset=tiny)
    first = session.model
    assert first is not None and first.mode == "bridge"
    added = label(session, truth, 9)
    hold, seen = contest.hold, []

    def training_loses(faces, read, old, trained, *rest):  # type: ignore[no-untyped-def]
        outcome = hold(faces, read, old, trained, *rest)
        seen.append(trained.checkpoint.meta["recipe"]["mode"])
        if seen[-1] == "bridge":
            assert trained.checkpoint.meta["recipe"]["labels"] == 10 - len(faces)
            return replace(outcome, found=replace(outcome.found, gain=1.0, doubt=0.1))
        return replace(outcome, found=replace(outcome.found, gain=-1.0))

    monkeypatch.setattr(contest, "hold", training_loses)
    result = drive(session, preset=tiny)
    assert seen == ["quick", "bridge"] and result.kept_new
    model = session.model
    assert model is not None and model != first and model.mode == "bridge"
    assert model.title == f"Starter led here by {len(model.trained_on)} labels"
    assert set(first.trained_on) < set(model.trained_on) < {*first.trained_on, *added}
    assert load_checkpoint(Path(model.path), session.scheme).id == model.id


def test_without_a_starter_or_against_the_users_will_nothing_is_bridged(
    make_session: Callable[..., Session], nine: str, shipped: Path, truth: Path
) -> None:
    unwanted = make_session("unwanted", scheme_id=nine, use_starter=False)
    label(unwanted, truth, 1)
    with pytest.raises(TooFewLabelsError, match="only one"):
        drive(unwanted)
    known = make_session("known", use_starter=True)
    assert not bridging.can_bridge(known.scheme, True, 5) and not bridging.due(known)
    (shipped / "starter.safetensors").unlink()
    lonely = make_session("lonely", scheme_id=nine, use_starter=True)
    label(lonely, truth, 1)
    with pytest.raises(TooFewLabelsError, match="only one"):
        drive(lonely)


def test_what_training_begins_with(make_session: Callable[..., Session], nine: str, shipped: Path, truth: Path) -> None:
    session = make_session(scheme_id=nine, use_starter=True)
    held = label(session, truth, 2)[:1]
    base, title = bridging.base_for(session.snapshot(), "default", CPU, held)
    assert base is not None and base.meta["recipe"]["labels"] == 1, "the face that judges teaches nothing"
    assert "led to this scheme" in title
    known = make_session("known", use_starter=True)
    assert bridging.base_for(known.snapshot(), "default", CPU, ())[1] == "Starter"
    (shipped / "starter.safetensors").unlink()
    assert bridging.base_for(session.snapshot(), "default", CPU, ()) == (None, "random weights")
    autoencoder = make_autoencoder(Encoder(128), Generator(4), {}, None)
    save_autoencoder(autoencoder, shipped / "faces.safetensors")
    base, title = bridging.base_for(session.snapshot(), "default", CPU, ())
    assert base is not None and (base.id, title) == (autoencoder.id, "auto-encoder")
    assert bridging.base_for(session.snapshot(), "fine", CPU, ()) == (None, "random weights")
    unwanted = make_session("unwanted", scheme_id=nine, use_starter=False)
    assert bridging.base_for(unwanted.snapshot(), "default", CPU, ()) == (None, "random weights")
