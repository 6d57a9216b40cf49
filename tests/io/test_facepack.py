"""Packs of cut faces on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaf_gui.errors import InputError
from scaf_gui.io.facepack import FacePack, PackWriter, is_finished

ABOUT = {"side": 32, "sources": ["a"]}


def face(value: int) -> np.ndarray:
    image = np.zeros((32, 32, 3), np.uint8)
    image[..., 0], image[..., 2] = value, 255 - value
    return image


def written(folder: Path, values: list[int], finished: bool = True) -> None:
    writer = PackWriter(folder, ABOUT)
    for value in values:
        writer.add(face(value), (0, 0, 32, value))
    writer.save(finished)
    writer.close()


def test_what_is_added_is_read(tmp_path: Path) -> None:
    written(tmp_path / "p", [10, 200])
    pack = FacePack(tmp_path / "p")
    image, real = pack.face(1)
    assert len(pack) == 2 and pack.side == 32 and real == (0, 0, 32, 200)
    assert np.abs(image.astype(int) - face(200)).max() <= 4
    assert is_finished(tmp_path / "p", ABOUT) and not is_finished(tmp_path / "p", {**ABOUT, "side": 64})


def test_what_was_not_noted_is_cut_off(tmp_path: Path) -> None:
    written(tmp_path / "p", [10, 20], finished=False)
    broken = PackWriter(tmp_path / "p", ABOUT)
    broken.add(face(30), (0, 0, 32, 30))
    broken.close()  # without being noted, as when the process ends
    written(tmp_path / "p", [40])
    pack = FacePack(tmp_path / "p")
    assert [pack.face(number)[1][3] for number in range(len(pack))] == [10, 20, 40]
    assert np.abs(pack.face(2)[0].astype(int) - face(40)).max() <= 4


def test_other_sources_begin_anew_and_leave_readers_alone(tmp_path: Path) -> None:
    written(tmp_path / "p", [10, 20])
    reader = FacePack(tmp_path / "p")
    writer = PackWriter(tmp_path / "p", {**ABOUT, "sources": ["b"]})
    writer.add(face(99), (0, 0, 32, 9))
    writer.save(True)
    writer.close()
    assert len(FacePack(tmp_path / "p")) == 1
    assert reader.face(1)[1][3] == 20


def test_no_pack_and_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no faces"):
        FacePack(tmp_path / "none")
    written(tmp_path / "p", [10, 20])
    (tmp_path / "p" / "faces.bin").write_bytes(b"short")
    with pytest.raises(InputError, match="is damaged; delete"):
        FacePack(tmp_path / "p")
