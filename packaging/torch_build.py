"""Which build of torch fits this machine: for the CPU, or for the CUDA of the NVIDIA driver that is there."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

VERSION = "2.13.0"
_INDEX = "https://download.pytorch.org/whl/"
#: CUDA builds, newest first: oldest driver (major version), and the GPUs (compute capability, from - to)
_CUDA = (("cu130", 580, 7.5, 99.0), ("cu126", 525, 5.0, 9.0))


class BuildError(Exception):
    """No build of torch fits what was asked for."""


@dataclass(frozen=True)
class Driver:
    """An NVIDIA driver and the compute capabilities of its GPUs, as far as it tells."""

    major: int | None
    capabilities: tuple[float, ...] = ()


@dataclass(frozen=True)
class TorchBuild:
    """A build of torch: what to ask pip for, where else to look, and what to tell the person."""

    kind: str  # "cpu" | "cuda"
    requirement: str
    extra_index: str
    why: str
    gigabytes: float

    def describe(self) -> str:
        where = "CUDA" if self.kind == "cuda" else "CPU"
        return f"torch {VERSION}, {where} build ({self.why}); about {self.gigabytes:.1f} GB to download in all"


def find_driver() -> Driver | None:
    """The NVIDIA driver of this machine, if there is one and it answers."""
    tool = shutil.which("nvidia-smi")
    if tool:
        query = [tool, "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
        try:
            told = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            told = None
        if told is not None and told.returncode == 0 and (driver := parse_driver(told.stdout)):
            return driver
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"Kernel Module\D*(\d+)\.", text)
    return Driver(int(found[1]) if found else None)


def parse_driver(text: str) -> Driver | None:
    """Read ``nvidia-smi``'s lines "580.82.07, 9.0"; ``None`` where there is no GPU in them."""
    rows = re.findall(r"^\s*(\d+)\.[\d.]+\s*,\s*(\S+)", text, re.MULTILINE)
    if not rows:
        return None
    known = (float(capability) for _, capability in rows if re.fullmatch(r"\d+\.\d+", capability))
    return Driver(int(rows[0][0]), tuple(known))


def choose(wanted: str, driver: Driver | None, system: str = sys.platform, machine: str = "") -> TorchBuild:
    """The build for ``wanted`` ("auto", "cpu" or "cuda").

    :raises BuildError: CUDA was asked for on a system that has none, or no build fits at all
    """
    machine = (machine or platform.machine()).lower()
    if system == "darwin":
        return _for_mac(wanted, machine)
    if wanted == "cpu":
        return _for_cpu("asked for", system)
    if driver is None:
        if wanted == "cuda":
            return _for_cuda("cu130", "asked for; no NVIDIA driver answers yet", system)
        return _for_cpu("no NVIDIA driver found", system)
    for tag, oldest, low, high in _CUDA:
        new_enough = driver.major is None or driver.major >= oldest
        if new_enough and all(low <= capability <= high for capability in driver.capabilities):
            named = "NVIDIA driver found" if driver.major is None else f"NVIDIA driver {driver.major} found"
            return _for_cuda(tag, named, system)
    reason = f"NVIDIA driver {driver.major} is too old for torch {VERSION} on this GPU, or the GPU is"
    if wanted == "cuda":
        raise BuildError(f"{reason}: update the driver, or use --device cpu")
    return _for_cpu(reason, system)


def _for_mac(wanted: str, machine: str) -> TorchBuild:
    if machine != "arm64":
        raise BuildError(f"torch {VERSION} is not made for Macs with Intel processors")
    if wanted == "cuda":
        raise BuildError("there is no CUDA on macOS: leave --device out, the program will use the Mac's GPU (MPS)")
    return TorchBuild("cpu", f"torch==={VERSION}", "", "the one for macOS, with MPS", 0.3)


def _for_cpu(why: str, system: str) -> TorchBuild:
    # On Linux the plain version means CUDA, on Windows it means the CPU.
    if system == "linux":
        return TorchBuild("cpu", f"torch=={VERSION}+cpu", _INDEX + "cpu", why, 0.4)
    return TorchBuild("cpu", f"torch==={VERSION}", "", why, 0.4)


def _for_cuda(tag: str, why: str, system: str) -> TorchBuild:
    # "===" takes this very version: "==" would also take "+cpu" where an index offers it.
    if system == "linux" and tag == "cu130":
        return TorchBuild("cuda", f"torch==={VERSION}", "", why, 2.9)
    return TorchBuild("cuda", f"torch=={VERSION}+{tag}", _INDEX + tag, why, 2.9)


if __name__ == "__main__":
    print(choose("auto", find_driver()).describe())
