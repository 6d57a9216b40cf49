"""What every file of a model holds: weights, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import torch
from torch import Tensor

from scaf_gui.errors import CheckpointError


@dataclass(frozen=True, eq=False)
class Weights:
    """A model at rest: its id, ``meta`` (JSON) and ``tensors`` on the CPU, by the names of its networks' weights."""

    id: str
    meta: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def with_figures(self, figures: Mapping[str, Any]) -> Self:
        """The same weights with more figures noted."""
        return replace(self, meta={**self.meta, "figures": {**self.meta.get("figures", {}), **figures}})


def check_shapes(tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.Size], path: Path) -> None:
    """:raises CheckpointError: a file's weights have other names or shapes than its network wants (names the first)"""
    found = {name: value.shape for name, value in tensors.items()}
    for name in sorted(set(wanted) | set(found)):
        if wanted.get(name) != found.get(name):
            has = tuple(found[name]) if name in found else "no such weights"
            raise CheckpointError(f"does not fit its network: {name} has {has}", path)
