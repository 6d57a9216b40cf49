"""One step of adversarial auto-encoder training (3FabRec): losses, optimisers, and their whole state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from scaf_gui.core.arrays import ByteArray
from scaf_gui.learning import muon
from scaf_gui.learning.autoencoder import LATENT
from scaf_gui.learning.averaging import Average
from scaf_gui.learning.checkpoint import REFERENCE_MEAN
from scaf_gui.learning.components import Components
from scaf_gui.learning.device import Device
from scaf_gui.learning.discriminators import ImageDiscriminator, LatentDiscriminator
from scaf_gui.learning.distributed import ALONE, Group
from scaf_gui.learning.growth import AutoencoderNet
from scaf_gui.learning.networks import normalise
from scaf_gui.learning.pretraining_recipes import Recipe
from scaf_gui.learning.reconstruction import STRUCTURE_SCALE, Structure, blended, pixel_loss
from scaf_gui.learning.settling import measure
from scaf_gui.learning.unlabelled import Batch

#: the image discriminator and the prior's loss take part in every 2nd step, the latent discriminator in every 4th
_IMAGE_EVERY, _PRIOR_EVERY, _LATENT_EVERY = 2, 2, 4


class Stepper:
    """Networks, discriminators, optimisers and averaged weights."""

    def __init__(self, net: AutoencoderNet, recipe: Recipe, device: Device, group: Group = ALONE) -> None:
        self.net, self._recipe, self._device, self._group = net, recipe, device, group
        self.judge, self.prior = ImageDiscriminator(), LatentDiscriminator()
        for part in (net, self.judge, self.prior):
            group.share_statistics(part, device)
            untyped: Any = part  # torch's own annotations leave the memory format out
            untyped.to(device.torch, memory_format=torch.channels_last)
        self.average = Average(net, recipe.ema)
        self._net = group.wrap(net, device, resting=recipe.small > 0.0)
        self._judge = group.wrap(_Both(self.judge.logits, self.judge), device)
        self._prior = group.wrap(_Both(self.prior.logits, self.prior), device)
        matrices = [one for one in net.parameters() if recipe.muon and muon.takes(one)]
        taken = {id(one) for one in matrices}
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "net": self._adam(one for one in net.parameters() if id(one) not in taken),
            "judge": self._adam(self.judge.parameters()),
            "prior": self._adam(self.prior.parameters()),
        }
        if matrices:
            self.optimisers["muon"] = muon.Muon([{"params": matrices}], recipe.lr, recipe.muon, recipe.weight_decay)
        self._rates = dict.fromkeys(self.optimisers, recipe.lr) | {"judge": recipe.lr * recipe.lr_discriminator}
        self._structures = {size: Structure(size).to(device.torch) for size in (recipe.size, recipe.size // 2)}
        self._mean = torch.tensor(REFERENCE_MEAN, device=device.torch)
        self._components: Components | None = None
        self._detail = 1.0

    def begin_with(self, components: Components) -> None:
        """What the guided part of the run learns from."""
        self._components = Components(**{name: x.to(self._device.torch) for name, x in components.state().items()})

    def step(self, batch: Batch, step: int, done: float, grown: float = 1.0) -> dict[str, Tensor]:
        """Losses by name, detached; "total" is what encoder and generator were pulled by.

        :param step: steps before this one, counted from the start of the whole run
        :param done: share of the run that lies behind
        :param grown: share of the 256-px layers (see :class:`AutoencoderNet`)
        """
        recipe = self._recipe
        with_gan, with_structure = recipe.stage(done)
        self._set_rates(step, done)
        clean, shown, real = self._tensors(batch)
        trust = recipe.trust(done) if self._components is not None else None
        codes = self._components.codes(batch.clean) if self._components is not None and trust is not None else None
        self._detail = recipe.detail(done) if grown >= 1.0 else 1.0
        self._ready(train_judges=False)
        with self._device.autocast():
            latent, painted = self._net(shown, grown, self._detail, codes, 1.0 if trust is None else trust)
        latent, painted = latent.float(), painted.float()
        if painted.shape != clean.shape:
            clean, real = (nn.functional.avg_pool2d(image, 2) for image in (clean, real))
        losses = self._painting(painted, clean, real, with_structure)
        total = losses["reconstruction"]
        if codes is not None and self._components is not None:
            losses["guide"] = self._components.apart(latent, codes)
            total = total + losses["guide"]
        seen = blended(painted, clean, real)
        if with_gan:
            with self._device.autocast():
                losses["gan"] = _surprise(self.judge.logits(seen), True)
            total = total + recipe.gan_weight * losses["gan"]
        with_prior = recipe.prior and codes is None  # components are as the prior wants them
        if with_prior and step % _PRIOR_EVERY == 0:
            losses["prior"] = _surprise(self.prior.logits(latent, self._kept(step, 0)), True)
            total = total + recipe.prior_weight * losses["prior"]
        self._descend("net", total)
        self._ready(train_judges=True)
        if with_gan and step % _IMAGE_EVERY == 0:
            with self._device.autocast():
                true, false = self._judge((clean,), (seen.detach(),))
            losses["image_discriminator"] = _surprise(true, True) + _surprise(false, False)
            self._descend("judge", losses["image_discriminator"])
        if with_prior and step % _LATENT_EVERY == 0:
            normal = self._group.mine(torch.randn(recipe.batch, LATENT, generator=_random(recipe.seed, step, 1)))
            normal = normal.to(self._device.torch)
            pairs = (normal, self._kept(step, 2)), (latent.detach(), self._kept(step, 3))
            true, false = self._prior(*pairs)
            losses["latent_discriminator"] = _surprise(true, True) + _surprise(false, False)
            self._descend("prior", losses["latent_discriminator"])
        self.average.update(self.net, step)
        return self._group.mean({"total": total.detach(), **{name: value.detach() for name, value in losses.items()}})

    def settled(self, images: Iterable[ByteArray]) -> AutoencoderNet:
        """A copy of the averaged network whose BatchNorm statistics are measured on images (B, size, size, 3) uint8.

        Averaged statistics are those of weights that were still on their way.
        """
        network = AutoencoderNet(self._recipe.size)  # with plain BatchNorm, also where processes share theirs
        network.load_state_dict(self.average.network.state_dict())
        untyped: Any = network
        untyped.to(self._device.torch, memory_format=torch.channels_last)
        given = (normalise(torch.from_numpy(part).to(self._device.torch), self._mean) for part in images)
        for _ in measure(_Painting(network, self._detail), given, self._device):
            pass
        return network

    @torch.no_grad()
    def paint(self, network: AutoencoderNet, shown: Tensor) -> Tensor:
        """What a settled network makes of images (B, size, size, 3) uint8: the same, on the CPU."""
        with self._device.autocast():
            given = normalise(shown.to(self._device.torch), self._mean)
            painted = network(given, 1.0, self._detail)[1]
        if painted.shape != given.shape:
            painted = nn.functional.interpolate(painted.float(), scale_factor=2.0, mode="bilinear")
        values: Tensor = (painted.float() + self._mean[:, None, None]) * 255.0
        return values.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()

    def likeness(self, a: Tensor, b: Tensor) -> float:
        """Mean contrast-structure term of SSIM of images (B, size, size, 3) uint8."""
        first, second = (x.to(self._device.torch).permute(0, 3, 1, 2).float() for x in (a, b))
        return float(self._structures[self._recipe.size](first, second))

    def state(self) -> dict[str, Tensor]:
        """All that the next steps depend on, as named tensors on the CPU."""
        found = {}
        for prefix, part in self._parts().items():
            for name, value in part.state_dict().items():
                found[f"{prefix}.{name}"] = value
        for which, optimiser in self.optimisers.items():
            for number, values in optimiser.state_dict()["state"].items():
                for name, value in values.items():
                    found[f"adam.{which}.{number}.{name}"] = torch.as_tensor(value)
        if self._components is not None:
            found |= {f"components.{name}": value for name, value in self._components.state().items()}
        return {name: value.detach().cpu().contiguous() for name, value in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """:raises RuntimeError, KeyError, ValueError: the state is of another network"""
        for prefix, part in self._parts().items():
            start = f"{prefix}."
            part.load_state_dict({n.removeprefix(start): v for n, v in state.items() if n.startswith(start)})
        for which, optimiser in self.optimisers.items():
            slots: dict[int, dict[str, Tensor]] = {}
            weights = optimiser.param_groups[0]["params"]
            for name, value in state.items():
                if name.startswith(f"adam.{which}."):
                    number, slot = name.removeprefix(f"adam.{which}.").split(".")
                    # The fused optimiser pairs memory with memory: moments must lie as their weights do.
                    like = weights[int(number)]
                    laid = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
                    slots.setdefault(int(number), {})[slot] = laid.detach()
            optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
        named = {n.removeprefix("components."): v for n, v in state.items() if n.startswith("components.")}
        if named:
            self.begin_with(Components(**named))

    def _parts(self) -> dict[str, nn.Module]:
        return {"net": self.net, "average": self.average.network, "judge": self.judge, "prior": self.prior}

    def _adam(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        recipe = self._recipe
        return torch.optim.AdamW(  # without weight decay this is Adam
            weights, lr=recipe.lr, betas=(recipe.beta1, recipe.beta2), weight_decay=recipe.weight_decay,
            fused=self._device.kind != "mps",
        )  # fmt: skip

    def _set_rates(self, step: int, done: float) -> None:
        for name, optimiser in self.optimisers.items():
            optimiser.param_groups[0]["lr"] = self._rates[name] * self._recipe.rate(step, done)

    def _ready(self, *, train_judges: bool) -> None:
        for part in (self.net, self.judge, self.prior):
            part.train()
        self.judge.requires_grad_(train_judges)
        self.prior.requires_grad_(train_judges)

    def _descend(self, which: str, loss: Tensor) -> None:
        names = ("net", "muon") if which == "net" else (which,)
        pulled = [self.optimisers[name] for name in names if name in self.optimisers]
        for optimiser in pulled:
            optimiser.zero_grad()
        torch.autograd.backward(loss)
        for optimiser in pulled:
            optimiser.step()

    def _painting(self, painted: Tensor, clean: Tensor, real: Tensor, with_structure: bool) -> dict[str, Tensor]:
        mean = self._mean[:, None, None]
        painted, target = (painted + mean) * 255.0, (clean + mean) * 255.0
        losses = {}
        if self._recipe.pixels:
            losses["pixels"] = pixel_loss(painted, target, real)
        if with_structure:
            like = self._structures[painted.shape[-1]](blended(painted, target, real), target)
            losses["structure"] = STRUCTURE_SCALE * (1.0 - like)
        return {"reconstruction": torch.stack(list(losses.values())).mean(), **losses}

    def _tensors(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        device = self._device.torch
        clean, shown, real = (torch.from_numpy(a).to(device) for a in (batch.clean, batch.shown, batch.real))
        return normalise(clean, self._mean), normalise(shown, self._mean), (real[:, None] > 0).float()

    def _kept(self, step: int, call: int) -> Tensor:
        masks = self.prior.dropout(self._recipe.batch, _random(self._recipe.seed, step, 4 + call))
        return self._group.mine(masks, dim=1).to(self._device.torch)


class _Painting(nn.Module):
    """An auto-encoder at the level of detail that it has reached."""

    def __init__(self, network: AutoencoderNet, detail: float) -> None:
        super().__init__()
        self.network, self._detail = network, detail

    def forward(self, image: Tensor) -> Tensor:
        painted: Tensor = self.network(image, 1.0, self._detail)[1]
        return painted


class _Both(nn.Module):
    """A discriminator applied to true and false things in one pass through the wrapper that shares gradients."""

    def __init__(self, logits: Callable[..., Tensor], part: nn.Module) -> None:
        super().__init__()
        self.part = part
        self._logits = logits

    def forward(self, true: tuple[Tensor, ...], false: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        return self._logits(*true), self._logits(*false)


def _surprise(logits: Tensor, true: bool) -> Tensor:
    """Binary cross entropy of log odds against one answer for all."""
    return nn.functional.softplus(-logits.float() if true else logits.float()).mean()


def _random(seed: int, step: int, call: int) -> torch.Generator:
    """Randomness that is a function of the step: nothing of it needs to be kept for a run to resume."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 16 + call)
