"""One writer at a time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scaf_gui.errors import InputError
from scaf_gui.io.locks import locked
from tests.disks import small_disk

HOLDER = """
import sys, time
from pathlib import Path
from scaf_gui.io.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_dead_one_forgotten(tmp_path: Path) -> None:
    target = tmp_path / "a.safetensors"
    other = subprocess.Popen([sys.executable, "-c", HOLDER, str(target)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with (
            pytest.raises(
                InputError, match=rf"a\.safetensors: is being written by another run \(process {other.pid}\)"
            ),
            locked(target),
        ):
            pytest.fail("two at once")
    finally:
        other.kill()
        other.communicate()
    with locked(target):
        pass
    with locked(target), locked(target, wanted=False):
        pass


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"), locked(tmp_path / "file" / "a.safetensors"):
        pass


def test_a_full_disk_has_room_for_a_lock(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64_000) as disk:
        (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free))
        path = disk / "a.safetensors"
        with locked(path), pytest.raises(InputError, match="another run"), locked(path):
            pytest.fail("two at once")
