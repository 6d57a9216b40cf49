"""Training recipes. One frozen row each; the command line and the window list them from here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scaf_gui.errors import UsageError
from scaf_gui.learning.networks import Architecture


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a crop: ranges are symmetric unless they are pairs."""

    flip: float = 0.5
    degrees: float = 30.0
    shift: float = 0.06  # of the crop's side
    scale: tuple[float, float] = (0.85, 1.15)
    shear: float = 5.0  # degrees
    light: float = 0.0  # strength of brightness, contrast and channel changes
    gray: float = 0.0  # probability
    blur: float = 0.0  # probability of a lower resolution
    erasing: float = 0.0  # probability of a random rectangle of noise


@dataclass(frozen=True)
class Preset:
    """A recipe of training and decoding.

    ``sigma`` and ``window`` are heatmap pixels; ``window`` is the side to which targets are cut (``None``:
    not cut) and ``whole_pixels`` centres them on the nearest pixel. The loss is ``loss_scale`` times the
    mean of ``(p - h)^2 (1 + foreground * h)``.
    ``itls_first``: share of the steps in which the encoder rests and only head and bottlenecks learn
    (3FabRec's schedule). ``train_batch_norm`` false keeps the auto-encoder's BatchNorm in evaluation mode.
    ``muon``: convolutions and matrices learn by :class:`~scaf_gui.learning.muon.Muon`, with steps so many times as
    large as Adam's at the same learning rate; 0: all learn by AdamW, as in runs that start from a trained model.
    ``decoder``: a name in :data:`scaf_gui.learning.decoding.DECODERS`.
    ``quick_steps``, ``full_steps`` and ``full_epochs`` plan a run: a quick one refines the weights it
    starts from, a step per label from ``quick_steps`` to four times as many; a full one takes the larger of
    steps and epochs. Refining a trained model is gentle: learning rates times ``warm_start``, views by
    ``refine_augmentation`` (``None``: as otherwise) and, with ``refine_keeps_statistics``, no change of BatchNorm's
    statistics. Few labels can teach it little and make it forget much (docs/decisions.md, "Refining gently").
    """

    name: str
    title: str
    input_size: int = 128
    itls: int = 3
    skips: bool = True
    itls_first: float = 0.0
    sigma: float = 2.0
    window: int | None = None
    whole_pixels: bool = False
    foreground: float = 20.0
    loss_scale: float = 1.0
    weight_decay: float = 1e-2
    muon: float = 3.2
    lr_head: float = 2e-3
    lr_encoder: float = 7e-4
    warm_start: float = 0.3
    warm_up: float = 0.15  # share of the steps
    cosine: bool = True
    batch: int = 16
    train_batch_norm: bool = True
    refine_keeps_statistics: bool = True
    ema: float = 0.99
    augmentation: Augmentation = Augmentation(light=0.25, gray=0.1, blur=0.1, erasing=0.5)
    refine_augmentation: Augmentation | None = Augmentation(
        degrees=15.0, shift=0.04, scale=(0.92, 1.08), light=0.15, gray=0.05, blur=0.05, erasing=0.2
    )
    decoder: str = "taylor"
    flip_average: bool = False
    quick_steps: int = 40
    full_steps: int = 360
    full_epochs: int = 12

    @property
    def heatmap_size(self) -> int:
        return 8 << self.itls

    @property
    def nnm_window(self) -> int:
        """Side of the NNM window: ``2 sigma + 1`` heatmap pixels, odd."""
        return 2 * round(self.sigma) + 1

    def architecture(self, num_landmarks: int) -> Architecture:
        return Architecture(num_landmarks, self.input_size, self.itls, self.skips)

    def steps(self, mode: str, examples: int, refines: bool) -> int:
        """How many optimiser steps a run should take; without a model to refine, quick is not short."""
        per_epoch = -(-examples // self.batch)
        if mode == "quick" and refines:
            return max(self.quick_steps, min(examples, 4 * self.quick_steps))
        full = max(self.full_steps, self.full_epochs * per_epoch)
        return full if mode == "full" else min(full, 5 * self.quick_steps)


_PUBLISHED = Preset(
    name="published",
    title="SCAF as published",
    input_size=256,
    itls=4,
    sigma=7.0,
    window=35,
    whole_pixels=True,
    foreground=0.0,
    loss_scale=300.0,
    weight_decay=0.0,
    muon=0.0,
    lr_head=1e-3,
    lr_encoder=2e-5,
    warm_start=1.0,
    warm_up=0.0,
    cosine=False,
    batch=40,
    train_batch_norm=False,
    refine_keeps_statistics=False,
    refine_augmentation=None,
    ema=0.0,
    augmentation=Augmentation(degrees=30.0, shift=0.04, scale=(0.94, 1.05), shear=5.0),
    decoder="box-blur",
    quick_steps=100,
    full_steps=2000,
    full_epochs=50,
)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("default", "Fast: 128-pixel input, 64-pixel heatmaps"),
        Preset("thorough", "Thorough: as fast, but three to four times as long", full_steps=1440, full_epochs=36),
        Preset("fine", "Finer: 256-pixel input, 64-pixel heatmaps", input_size=256),
        Preset("adamw", "As fast, all weights learnt by AdamW", muon=0.0),
        _PUBLISHED,
        replace(_PUBLISHED, name="3fabrec", title="3FabRec as published", skips=False, itls_first=0.5),
        replace(_PUBLISHED, name="3fabrec-joint", title="3FabRec, trained jointly", skips=False),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name; raises :class:`UsageError` listing the names there are."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UsageError(f"there is no preset '{name}'; choose one of {', '.join(PRESETS)}") from None
