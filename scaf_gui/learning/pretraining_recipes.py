"""Recipes of the auto-encoder's pre-training. One frozen row each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scaf_gui.errors import UsageError
from scaf_gui.learning.presets import Augmentation
from scaf_gui.learning.unlabelled import PUBLISHED_VIEWS

#: share of a run over which the generator's last layer is blended in
_BLENDING = 0.03


@dataclass(frozen=True)
class Recipe:
    """What a run does. ``gan_from`` and ``structure_from`` are shares of the run at which these losses begin.

    The run ends after ``max_steps`` or ``max_minutes``, whichever is given and comes first, else after ``epochs``.
    ``lr_discriminator`` is the image discriminator's rate over ``lr``. ``muon``: matrices and convolutions of encoder
    and generator learn by :class:`~scaf_gui.learning.muon.Muon`, with steps so many times as large as Adam's; 0: all by
    Adam. ``warm_up`` is in steps; ``grow`` is the number of steps over which the layers that only 256-px networks have
    are blended in.
    ``guided``: share of the run in which the generator paints from principal components that the encoder learns to name
    (:mod:`scaf_gui.learning.components`); ``small``: share in which it paints at half the size, without its last layer
    and without a GAN. A run that starts from given weights needs neither.
    """

    name: str = "published"
    size: int = 256
    batch: int = 50
    pixels: bool = True
    structure: bool = True
    gan: bool = True
    prior: bool = True
    gan_from: float = 1 / 3
    structure_from: float = 2 / 3
    gan_weight: float = 1.0
    prior_weight: float = 1.0
    lr: float = 2e-5
    lr_discriminator: float = 0.5
    beta1: float = 0.0
    beta2: float = 0.999
    weight_decay: float = 0.0
    muon: float = 0.0
    warm_up: int = 0
    cosine: bool = False
    ema: float = 0.0
    grow: int = 1000
    guided: float = 0.0
    small: float = 0.0
    epochs: float = 50.0
    max_steps: int | None = None
    max_minutes: float | None = None
    save_minutes: float = 10.0
    save_steps: int | None = None
    seed: int = 0
    views: Augmentation = field(default=PUBLISHED_VIEWS)

    def __post_init__(self) -> None:
        if not (self.pixels or self.structure):
            raise UsageError("with --no-pixels and --no-structure there is nothing to learn; leave one of them on")
        if self.size not in (128, 256):
            raise UsageError(f"the auto-encoder is for 128 or 256 pixels, not {self.size}")
        if not (0.0 <= self.guided <= 1.0 and 0.0 <= self.small <= 1.0):
            raise UsageError("--guided and --small are shares of the run, from 0 to 1")
        if self.batch < 2:
            raise UsageError("BatchNorm needs a batch of 2 faces at least")

    def rate(self, step: int, done: float) -> float:
        """Factor of the learning rates.

        :param step: steps since the warm-up began
        :param done: share of the run that lies behind
        """
        factor = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        return factor * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))) if self.cosine else factor

    def stage(self, done: float) -> tuple[bool, bool]:
        """Whether the GAN, and whether the structural loss, takes part."""
        structure = self.structure and (done >= self.structure_from or not self.pixels)
        return self.gan and done >= max(self.gan_from, self.small), structure

    def trust(self, done: float) -> float | None:
        """How far the generator paints from the encoder's latent rather than from principal components.

        It rises over the second half of the guided part; ``None``: there are no components any more.
        """
        return None if done >= self.guided else max(0.0, 2.0 * done / self.guided - 1.0)

    def detail(self, done: float) -> float:
        """Share of the generator's last layer: none while images are small, then it is blended in."""
        if self.small <= 0.0:
            return 1.0
        return min(1.0, max(0.0, (done - self.small) / _BLENDING))


#: "short" is for ten thousands of faces and minutes to hours instead of millions and days
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(),
        Recipe(
            name="short", size=128, batch=32, gan=False, structure_from=0.0, lr=1e-3, beta1=0.9, beta2=0.99, muon=3.2,
            warm_up=50, cosine=True, ema=0.995, guided=0.4, small=0.6,
            views=Augmentation(degrees=15.0, shift=0.05, scale=(0.9, 1.1), light=0.2, gray=0.05, erasing=0.2),
        ),
    )
}  # fmt: skip


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; raises :class:`UsageError` listing the names there are."""
    try:
        return RECIPES[name]
    except KeyError:
        raise UsageError(f"there is no recipe '{name}'; choose one of {', '.join(RECIPES)}") from None
