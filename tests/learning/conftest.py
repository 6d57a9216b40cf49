"""A few rendered faces as labelled examples, and the shipped schemes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from scaf_gui.core.geometry import crop_square, landmark_box
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.device import Device
from scaf_gui.learning.examples import Example
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

torch.set_num_threads(1)

CPU = Device("cpu", None, "test")


@dataclass(frozen=True)
class Faces:
    """Rendered images by name, and an example of each in the 68-point scheme."""

    images: dict[str, np.ndarray]
    examples: tuple[Example, ...]

    def read(self, name: str) -> np.ndarray:
        return self.images[name]


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    return load_scheme(resource_folder() / "schemes" / "300w-68.json")


@pytest.fixture(scope="session")
def named_scheme() -> Callable[[str], Scheme]:
    return lambda name: load_scheme(resource_folder() / "schemes" / f"{name}.json")


@pytest.fixture(scope="session")
def faces(scheme: Scheme) -> Faces:
    images, examples = {}, []
    for seed in range(6):
        face = render_face(seed, 160)
        images[f"{seed}.png"] = face.image
        square = crop_square(landmark_box(face.landmarks_68, scheme.face_box))
        examples.append(Example(f"{seed}.png", square, face.landmarks_68, np.ones(68, bool)))
    return Faces(images, tuple(examples))


@pytest.fixture
def cpu() -> Device:
    return CPU
