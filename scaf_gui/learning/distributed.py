"""Training shared between processes by torch's own engine: ``torchrun``, DistributedDataParallel, gloo or NCCL.

Each process takes its part of one global batch. Losses and gradients are means over all parts, and BatchNorm
sees the statistics of the whole batch, so that N processes do what one would do with the same global batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from scaf_gui.errors import TrainingError, UsageError
from scaf_gui.learning.device import Device

#: torchrun starts all processes at once; where it has ended since, nobody answers
_START = timedelta(minutes=5)
#: the first process may cut millions of faces while the others wait
_PATIENCE = timedelta(days=2)
#: what gloo and NCCL say of a process that is gone
_BROKEN = ("closed by peer", "reset by peer", "broken pipe", "remote process exited")


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm over the batch of all processes, on any device; torch's SyncBatchNorm is for GPUs only."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(x)
        values = x.float()
        share = 1.0 / dist.get_world_size()
        mean = share * _summed(values.mean(dim=(0, 2, 3)))
        apart = values - mean[:, None, None]
        variance = share * _summed((apart * apart).mean(dim=(0, 2, 3)))
        with torch.no_grad():
            count = values.numel() / values.shape[1] / share
            momentum = 0.1 if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean.detach(), momentum)
            self.running_var.lerp_(variance.detach() * count / (count - 1.0), momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        normal = apart * torch.rsqrt(variance + self.eps)[:, None, None]
        return (normal * self.weight[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def _summed(values: Tensor) -> Tensor:
    """Sum over the processes, through which gradients flow back."""
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    """All-reduce whose backward is an all-reduce."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> Tensor:
        total = grads[0].clone()
        dist.all_reduce(total)
        return total


@dataclass(frozen=True)
class Group:
    """This process's place among those that train together; ``local`` counts those of its own machine."""

    rank: int = 0
    processes: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share_statistics(self, module: nn.Module, device: Device) -> None:
        """Let every BatchNorm of a module see the whole batch."""
        if self.processes == 1:
            return
        for name, part in list(module.named_modules()):
            if type(part) is nn.BatchNorm2d:
                parent, _, own = name.rpartition(".")
                shared = nn.SyncBatchNorm if device.kind == "cuda" else GlobalBatchNorm2d
                new = shared(part.num_features, part.eps, part.momentum)
                new.load_state_dict(part.state_dict())
                setattr(module.get_submodule(parent), own, new)

    def wrap(self, module: nn.Module, device: Device, resting: bool = False) -> nn.Module:
        """A module whose gradients are means over all processes.

        :param resting: whether some weights may take no part in a step
        """
        if self.processes == 1:
            return module
        places = [self.local] if device.kind == "cuda" else None
        # Statistics are shared already; sending them again between two passes would spoil the first one's gradients.
        known = signature(DistributedDataParallel).parameters
        sending = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"  # torch < 2.13
        options: dict[str, Any] = {"device_ids": places, sending: False, "find_unused_parameters": resting}
        return DistributedDataParallel(module, **options)

    def mine(self, values: Tensor, dim: int = 0) -> Tensor:
        """This process's part of something drawn for the whole batch."""
        share = values.shape[dim] // self.processes
        return values.narrow(dim, self.rank * share, share)

    def mean(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mean over the processes."""
        if self.processes == 1:
            return losses
        together = torch.stack(list(losses.values()))
        dist.all_reduce(together)
        return dict(zip(losses, together / self.processes, strict=True))

    def agreed(self, value: float, device: Device) -> float:
        """The first process's value, in all of them."""
        if self.processes == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=device.torch)
        dist.broadcast(told, 0)
        return float(told)

    def alike(self, device: Device) -> Device:
        """The device with the first process's precision, bfloat16 or float32: each may have measured another."""
        halves = self.agreed(float(device.dtype is torch.bfloat16), device)
        return replace(device, dtype=torch.bfloat16 if halves else None)

    def either(self, wish: bool, device: Device) -> bool:
        """Whether any of the processes wishes it; the same answer in all of them."""
        if self.processes == 1:
            return wish
        wishes = torch.tensor([wish], dtype=torch.float64, device=device.torch)
        dist.all_reduce(wishes)
        return bool(wishes > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.processes > 1:
            dist.barrier()


ALONE = Group()


@contextmanager
def joined(device: Device) -> Iterator[Group]:
    """The processes that ``torchrun`` has started, or this one alone.

    :raises UsageError: more processes on a machine than it has GPUs
    :raises TrainingError: in a process whose connection to another one broke, or never came about
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device.kind == "cuda":
        if local >= torch.cuda.device_count():
            raise UsageError(f"there are {torch.cuda.device_count()} GPUs; lower --nproc-per-node, or use --device cpu")
        torch.cuda.set_device(local)
    elif device.kind == "mps":
        raise UsageError("processes cannot share an Apple GPU; use --device cpu, or one process")
    try:
        store, rank, processes = next(rendezvous("env://", timeout=_START))
        dist.init_process_group(
            "nccl" if device.kind == "cuda" else "gloo",
            store=store,
            rank=rank,
            world_size=processes,
            timeout=_PATIENCE,
        )
    except dist.DistError as error:
        raise TrainingError("the processes of this run did not find each other; start torchrun again") from error
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), local)
    except RuntimeError as error:
        if not any(words in str(error).lower() for words in _BROKEN):
            raise
        raise TrainingError("another process of this run has ended; what it says tells why") from error
    finally:
        dist.destroy_process_group()
