"""What importing the package may drag in, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import pkgutil, sys
import scaf_gui.learning
if {deep}:
    for module in pkgutil.iter_modules(scaf_gui.learning.__path__):
        __import__("scaf_gui.learning." + module.name)
print(*sorted(sys.modules))
"""


def loaded(deep: bool) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(deep=deep)], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("deep", [False, True])
def test_no_qt_no_folders_no_files(deep: bool) -> None:
    modules = loaded(deep)
    foreign = [m for m in modules if m.split(".")[0] in {"PySide6", "pyqtgraph", "appdirs", "h5py", "torchvision"}]
    siblings = [m for m in modules if m.startswith(("scaf_gui.io", "scaf_gui.samples", "scaf_gui.session"))]
    assert not foreign and not siblings
    assert ("torch" in modules) == deep, "the package itself does not load torch, its modules do"
