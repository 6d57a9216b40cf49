"""Faces found in folders and shards, with what cannot be used counted."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scaf_gui.errors import InputError
from scaf_gui.io.facepack import FacePack
from scaf_gui.io.shards import open_shards
from scaf_gui.samples.render import render_face
from scaf_gui.session.gather import Share, gather, parse_share
from tests.jobs import finish


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return render_face(1003, 200).image


def packed(sources: Iterable[Path], folder: Path, crop: str = "auto") -> tuple[dict[str, Any], list[Any]]:
    shards = open_shards(list(sources))
    return finish(gather(shards, folder, 128, [crop] * len(shards)))


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1])


def test_faces_centred_alike_are_cut_at_one_place_others_where_they_are(face: np.ndarray, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "alike.tar", "w") as archive:
        for number in range(70):
            shifted = np.roll(face, number % 3, axis=1)
            data = cv2.imencode(".jpg", shifted[..., ::-1])[1].tobytes()
            info = tarfile.TarInfo(f"alike/{number}.jpg")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    wide = np.full((300, 460, 3), 128, np.uint8)
    for number, (x, y) in enumerate([(0, 0), (0, 100), (250, 0), (250, 100)]):
        photo = wide.copy()
        photo[y : y + 200, x : x + 200] = face
        write(tmp_path / "photos" / f"{number}.png", photo)
    notes, _ = packed([tmp_path / "alike.tar", tmp_path / "photos"], tmp_path / "pack")
    alike, photos = (noted["tally"] for noted in notes["sources"].values())
    assert (alike["faces"], photos["faces"], notes["faces"]) == (70, 4, 74)
    assert photos["crop"] == "detector" and parse_share(alike["crop"]).side > 0.5
    # wherever the face was, its crop shows the same
    pack = FacePack(tmp_path / "pack")
    middle = slice(pack.side // 4, -pack.side // 4)
    first, *others = (pack.face(number)[0][middle, middle].astype(int) for number in (0, 70, 71, 72, 73))
    assert all(np.abs(first - other).mean() < 0.35 * np.abs(first - first.mean()).mean() for other in others)
    x0, y0, x1, y1 = pack.face(0)[1]
    outside = pack.face(0)[0].copy()
    outside[max(y0 - 2, 0) : y1 + 2, x0 - 2 : x1 + 2] = 0  # two pixels for those half covered, and JPEG's ringing
    assert x0 > 2 and outside.max() < 40, "beyond the image there is only black"


def test_bad_images_are_counted_and_named(face: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    write(folder / "good.png", face)
    write(folder / "noise.png", np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8))
    write(folder / "tiny.png", face[:30, :30])
    (folder / "broken.jpg").write_bytes((folder / "good.png").read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    notes, _ = packed([folder], tmp_path / "pack", "detector")
    tally = notes["sources"][str(folder)]["tally"]
    assert {name: tally[name] for name in ("images", "faces", "broken", "tiny", "without_face")} == {
        "images": 5, "faces": 1, "broken": 2, "tiny": 1, "without_face": 1,
    }  # fmt: skip
    assert any("broken.jpg" in line for line in tally["problems"])
    (folder / "good.png").unlink()
    with pytest.raises(InputError, match="mixed: no face found"):
        packed([folder], tmp_path / "other", "detector")


def test_an_interrupted_one_goes_on_and_a_finished_one_is_taken_as_it_is(face: np.ndarray, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            write(tmp_path / name / f"{number}.png", face)
    sources = [tmp_path / "a", tmp_path / "b"]
    work = gather(open_shards(sources), tmp_path / "pack", 128, ["0.9", "0.9"])
    assert next(work) == ("a", 3)
    work.close()
    notes, seen = packed(sources, tmp_path / "pack", "0.9")
    assert seen == [("b", 6)] and notes["faces"] == len(FacePack(tmp_path / "pack")) == 6
    before = (tmp_path / "pack" / "faces.bin").stat()
    assert packed(sources, tmp_path / "pack", "0.9")[1] == []
    assert (tmp_path / "pack" / "faces.bin").stat() == before


def test_fixed_shares() -> None:
    assert parse_share("0.9") == Share(0.5, 0.5, 0.9) and parse_share("1.1,0.5,0.6") == Share(0.5, 0.6, 1.1)
    for text in ("", "x", "0", "9", "1,2", "1,0.5,2"):
        with pytest.raises(ValueError):
            parse_share(text)
    square = Share(0.5, 0.6, 0.9).square(np.zeros((100, 200, 3), np.uint8))
    assert (square.cx, square.cy, square.side) == pytest.approx((99.5, 59.5, 90.0))
