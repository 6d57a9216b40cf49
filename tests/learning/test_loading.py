"""While torch's libraries are loaded, other threads go on; the import finds them loaded."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from scaf_gui.learning.loading import load_libraries

SCRIPT = """
    import sys, threading, time
    from scaf_gui.learning.loading import load_libraries
    assert "torch" not in sys.modules
    print(load_libraries())
    maps = open("/proc/self/maps").read()
    print("libtorch_cpu.so" in maps)
    import torch
    print(float(torch.ones(3).sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_libraries_are_loaded_and_torch_works_with_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["True", "True", "3.0"], done.stderr


def test_nothing_is_done_once_torch_is_there() -> None:
    import torch

    assert torch.__version__ and not load_libraries()
