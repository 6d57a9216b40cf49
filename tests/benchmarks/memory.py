"""Peak memory of the running process."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mib() -> float:
    """MiB that this program had in memory at most.

    On Linux read from /proc: what ``getrusage`` says also counts the process that started this one, until the
    moment it became this program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10
