"""Which device computes, in which precision, and why."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch

from scaf_gui.errors import DeviceError

KINDS = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True)
class Device:
    """``dtype`` is what autocast computes in, ``None`` for plain float32; ``why`` is for people."""

    kind: str
    dtype: torch.dtype | None
    why: str

    @property
    def torch(self) -> torch.device:
        return torch.device(self.kind)

    @property
    def precision(self) -> str:
        """Name of what it computes in, such as "float32"."""
        return str(self.dtype or torch.float32).removeprefix("torch.")

    def autocast(self) -> AbstractContextManager[object]:
        """A context in which torch computes in ``dtype``."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.kind, self.dtype)

    @property
    def scales_loss(self) -> bool:
        """float16 needs its loss scaled, or small gradients vanish."""
        return self.dtype is torch.float16


def choose_device(wanted: str = "auto") -> Device:
    """CUDA, then Apple's MPS, then the CPU; ``wanted`` names one of :data:`KINDS`.

    :raises DeviceError: for a device that is asked for by name and is not there
    """
    if wanted not in KINDS:
        raise DeviceError(f"there is no device '{wanted}'; choose one of {', '.join(KINDS)}")
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return _cuda()
    if wanted == "cuda":
        raise DeviceError(f"no CUDA device: {_why_no_cuda()}; choose 'auto' or 'cpu'")
    if wanted in ("auto", "mps") and torch.backends.mps.is_available():
        return Device("mps", None, "Apple GPU (MPS), float32: no CUDA device")
    if wanted == "mps":
        raise DeviceError("no Apple GPU (MPS) here; choose 'auto' or 'cpu'")
    return _cpu("asked for" if wanted == "cpu" else _why_no_cuda())


def cpu_device(reason: str) -> Device:
    """The CPU to fall back to, with the reason in ``why``."""
    return _cpu(reason)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch's means that the device, or the machine, has no memory left."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text


def _cuda() -> Device:
    name = torch.cuda.get_device_name(0)
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return Device("cuda", torch.bfloat16, f"{name}, mixed precision with bfloat16")
    return Device("cuda", torch.float16, f"{name}, mixed precision with float16: it has no bfloat16")


def _why_no_cuda() -> str:
    if torch.version.cuda is None:
        return "no CUDA device (this torch is built without CUDA)"
    return "no CUDA device"


def _cpu(reason: str) -> Device:
    if _has("_is_amx_tile_supported"):
        return Device("cpu", torch.bfloat16, f"CPU, bfloat16: {reason}, processor has AMX")
    if not _has("_is_avx512_bf16_supported"):
        return Device("cpu", None, f"CPU, float32: {reason}, processor has no bfloat16")
    if _bfloat16_pays():
        return Device("cpu", torch.bfloat16, f"CPU, bfloat16: {reason}, processor has AVX512-BF16")
    return Device("cpu", None, f"CPU, float32: {reason}, and bfloat16 (AVX512-BF16) measured slower here")


def _has(probe: str) -> bool:
    """torch keeps these probes private; a build without them counts as a processor without."""
    return bool(getattr(torch.cpu, probe, lambda: False)())


@cache
def _bfloat16_pays() -> bool:
    """Whether a typical convolution, there and back, is clearly faster in bfloat16.

    AVX512-BF16 without AMX doubles the speed on some processors and lowers it on others. Takes about 0.1 s, once.
    """
    layer = torch.nn.Conv2d(64, 64, 3, 1, 1, bias=False)
    maps = torch.zeros(4, 64, 32, 32).contiguous(memory_format=torch.channels_last).requires_grad_()
    seconds = {True: float("inf"), False: float("inf")}
    with torch.enable_grad():
        for _ in range(4):
            for half in (False, True):
                began = time.perf_counter()
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    out = layer(maps)
                torch.autograd.backward(out, torch.ones_like(out))
                seconds[half] = min(seconds[half], time.perf_counter() - began)
    return seconds[True] < 0.85 * seconds[False]
