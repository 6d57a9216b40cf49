"""A model for a scheme that no shipped model leads to: the starter's landmarks, mapped as the first labels teach it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaf_gui.core.face import Flag, State
from scaf_gui.core.scheme import Scheme
from scaf_gui.errors import CheckpointError, InputError
from scaf_gui.session import models

if TYPE_CHECKING:
    from scaf_gui.learning.bridge import Bridge
    from scaf_gui.learning.checkpoint import Checkpoint
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.predictor import Predictor
    from scaf_gui.learning.start import Start
    from scaf_gui.learning.training import TrainResult
    from scaf_gui.session.events import SnapshotFace, TrainingSnapshot
    from scaf_gui.session.session import Session

#: more faces hardly make the map better
MOST_FACES = 60
#: with so many labels a first model is trained instead of only led to the scheme
ENOUGH_TO_TRAIN = 20


def base_for(snapshot: TrainingSnapshot, preset: str, device: Device, held: Sequence[int]) -> tuple[Start | None, str]:
    """What training begins with where it does not refine the project's model, and its name for people.

    The starter, where one leads to the scheme; else the starter bridged by the faces that are not held out; else
    the auto-encoder of the preset's input size; else random weights.
    """
    from scaf_gui.learning.bases import autoencoder_for
    from scaf_gui.learning.checkpoint import load_checkpoint
    from scaf_gui.learning.presets import preset as named
    from scaf_gui.learning.pretrained import load_autoencoder

    if snapshot.use_starter:
        starter = models.starter(snapshot.scheme)
        if starter is not None:
            return load_checkpoint(Path(starter.path), None), starter.title
        bridge = bridged_model(snapshot, device, held)
        if bridge is not None:
            return bridge, "the starter, led to this scheme by the labels"
        path = autoencoder_for(named(preset))
        if path is not None:
            return load_autoencoder(path), "auto-encoder"
    return None, "random weights"


def bridged_model(snapshot: TrainingSnapshot, device: Device, held: Sequence[int] = ()) -> Checkpoint | None:
    """The starter with a map to the project's scheme, learnt from its labelled faces.

    :param held: ids of faces that it must not learn from
    :returns: ``None`` where a starter leads to the scheme anyhow, none is shipped or wanted, or no image can be read
    """
    path = models.bridge_source()
    if path is None or not can_bridge(snapshot.scheme, snapshot.use_starter, len(snapshot.faces)):
        return None
    from scaf_gui.learning.bridge import bridged
    from scaf_gui.learning.checkpoint import load_checkpoint
    from scaf_gui.learning.predictor import Predictor

    try:
        source = load_checkpoint(path)
    except CheckpointError:
        return None  # a shipped file that was damaged must not stop training
    faces = [face for face in snapshot.faces if face.face_id not in held][-MOST_FACES:]
    found = _fitted(snapshot, faces, Predictor(source, device, source.scheme, scores=()), source.scheme.flip)
    return None if found is None else bridged(source, found, snapshot.scheme, {"device": device.why})


def refitted(snapshot: TrainingSnapshot, device: Device, held: Sequence[int], lost: TrainResult) -> TrainResult | None:
    """A second candidate where the project's model is a map and the model trained from it has lost: the map anew.

    :param held: ids of the faces that candidates are judged by; it does not learn from them
    :param lost: what training gave, whose curve and time the candidate keeps
    """
    if snapshot.model is None or snapshot.model.mode != "bridge":
        return None
    bridge = bridged_model(snapshot, device, held)
    return None if bridge is None else replace(lost, checkpoint=bridge, validation_nme=None, between=None)


def title(labels: int) -> str:
    """Name of a model that is no more than a map."""
    return f"Starter led here by {labels} label{'' if labels == 1 else 's'}"


def suffices(scheme: Scheme, use_starter: bool, labels: int) -> bool:
    """Whether the first model of a project is better made by a map alone: that takes seconds, and one label."""
    return labels < ENOUGH_TO_TRAIN and can_bridge(scheme, use_starter, labels)


def due(session: Session) -> bool:
    """Whether a first label is there, and a quick refresh would make of it the model that the project lacks."""
    if session.model is not None:
        return False
    labels = [face.label for face in session.document.with_state(State.LABELLED)]
    useful = sum(label is not None and bool((label.flags != Flag.MISSING).any()) for label in labels)
    return suffices(session.scheme, bool(session.store.get("use_starter", True)), useful)


def can_bridge(scheme: Scheme, use_starter: bool, labels: int) -> bool:
    """Whether a map is needed, allowed and possible, and there is a label to learn it from."""
    return labels > 0 and use_starter and models.starter(scheme) is None and models.bridge_source() is not None


def _fitted(
    snapshot: TrainingSnapshot, faces: Sequence[SnapshotFace], predictor: Predictor, source_flip: Sequence[int]
) -> Bridge | None:
    from scaf_gui.io.images import read_image
    from scaf_gui.learning.bridge import fit_bridge

    predicted, read = [], []
    for face in faces:
        try:
            image = read_image(snapshot.folder / face.image)
        except InputError:
            continue
        predicted.append(predictor.predict_faces([(image, face.square)])[0].points)
        read.append(face)
    if not read:
        return None
    return fit_bridge(
        np.stack(predicted),
        np.stack([face.points for face in read]),
        np.stack([face.known for face in read]),
        np.array([face.square.side for face in read]),
        source_flip,
        snapshot.scheme.flip,
    )
