"""What every test rests on: no display, one thread of arithmetic, a home of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before Qt and numpy are imported: they read these once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


#: files of few tests that take long. They begin first: at the end one process would be left with them, and others idle
LONG = (
    "tests/cli/test_pretrain.py",
    "tests/gui/test_window_session.py",
    "tests/gui/test_run.py",
    "tests/learning/test_training.py",
    "tests/learning/test_pretraining.py",
    "tests/session/test_refresh.py",
    "tests/gui/test_insight.py",
    "tests/gui/test_own_process.py",
    "tests/cli/test_errors.py",
    "tests/cli/test_simulate.py",
    "tests/gui/test_commands.py",
    "tests/packaging/test_environment.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    place = {config.rootpath / name: number for number, name in enumerate(LONG)}
    if gone := [str(path) for path in place if not path.is_file()]:
        raise pytest.UsageError(f"tests/conftest.py names files that are not there: {', '.join(gone)}")
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_configure(config: pytest.Config) -> None:
    # The offscreen platform says this of every top-level window that has a minimum size;
    # no other message is let through.
    config.addinivalue_line("qt_log_ignore", "This plugin does not support propagateSizeHints")
    # A shell starts background jobs with interrupts ignored, and children inherit that; tests interrupt children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def slim(monkeypatch: pytest.MonkeyPatch) -> None:
    """All networks of the test are narrow (:mod:`tests.narrow`): it trains in a fraction of the time."""
    from tests.narrow import narrow

    narrow(monkeypatch.setattr)


@pytest.fixture(scope="module")
def all_slim() -> Iterator[None]:
    """As :func:`slim`, for a whole module, what its fixtures make included."""
    from tests.narrow import narrow

    with pytest.MonkeyPatch.context() as patch:
        narrow(patch.setattr)
        yield
