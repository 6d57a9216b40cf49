"""What every test rests on: no display, one thread of arithmetic, a home of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Before Qt and numpy are imported: they read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def scaf_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, caches and documents of a test live in a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SCAF_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    """Tests share the machine; torch is not imported for those that do without it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
