"""Files that are cut off, that only look like images, and random damage: always an ImageError, never a guess."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaf_gui.errors import ImageError
from scaf_gui.io.headers import is_whole
from scaf_gui.io.images import image_size, read_image, thumbnail

PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
PLAIN_TIFF = (cv2.IMWRITE_TIFF_COMPRESSION, 1)
KINDS = [(".jpg", ()), (".jpg", PROGRESSIVE), (".jpg", RESTARTS), (".png", ()), (".webp", ()), (".bmp", ())]
KINDS += [(".tif", ()), (".tif", PLAIN_TIFF), (".ppm", ())]


def photo(height: int = 90, width: int = 120) -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8), (0, 0), 1)


def encoded(suffix: str, options: tuple[int, ...]) -> bytes:
    return cv2.imencode(suffix, photo(), options)[1].tobytes()


@pytest.mark.parametrize(("suffix", "options"), KINDS)
def test_a_truncated_file_is_never_half_an_image(tmp_path: Path, suffix: str, options: tuple[int, ...]) -> None:
    data = encoded(suffix, options)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data)
    assert read_image(path).shape == (90, 120, 3)
    for length in {*range(1, 40), *np.linspace(40, len(data) - 1, 25).astype(int).tolist(), len(data) - 2}:
        path.write_bytes(data[:length])
        for read in (read_image, lambda p: thumbnail(p, 20)):
            with pytest.raises(ImageError, match=f"cut{suffix}"):
                read(path)


def test_a_truncated_jpeg_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    data = encoded(".jpg", ())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=r"half.jpg: is truncated: the end of the image is missing; copy it again"):
        read_image(path)


def test_bytes_behind_the_end_do_not_count(tmp_path: Path) -> None:
    """Cameras and phones put previews and notes there."""
    path = tmp_path / "a.jpg"
    whole = encoded(".jpg", ())
    path.write_bytes(whole + whole[: len(whole) // 2] + b"\xff\xda notes")
    assert read_image(path).shape == (90, 120, 3)


def test_an_end_marker_inside_a_preview_is_not_the_end() -> None:
    whole = encoded(".jpg", ())
    preview = b"Exif\x00\x00" + whole[:400] + b"\xff\xd9"
    data = whole[:2] + b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview + whole[2:]
    assert is_whole("jpeg", data)
    assert not is_whole("jpeg", data[:-2])


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", b"", "is empty"),
        ("text.jpg", b"this is not an image at all", "is a text file"),
        ("page.png", b"<!DOCTYPE html><html>404", "is a text file"),
        ("phone.jpg", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 99, "HEIC"),
        ("video.jpg", b"\x00\x00\x00\x18ftypisom" + b"\x00" * 99, "video"),
        ("paper.jpg", b"%PDF-1.7\n" + b"\x00" * 99, "PDF"),
        ("noise.png", bytes(range(200, 256)) * 9, "not an image of a kind"),
        ("short.jpg", b"\xff\xd8", "too short"),
        ("start.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 50, "damaged"),
        ("only-header.png", b"\x89PNG\r\n\x1a\n", "truncated"),
        ("zero.gif", b"GIF89a" + b"\x00" * 20, "0 x 0 pixels"),
        ("big.tif", b"II+\x00\x08\x00\x00\x00" + b"\x00" * 40, "BigTIFF"),
        ("header.ppm", b"P6 # no size\n" + b"\x00" * 40, "no picture size"),
    ],
)
def test_files_that_only_look_like_images(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for read in (read_image, image_size, lambda p: thumbnail(p, 20)):
        with pytest.raises(ImageError, match=reason) as caught:
            read(path)
        assert name in str(caught.value)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded(".png", ()))
    assert read_image(path).shape == (90, 120, 3)


_ENCODED = {suffix: encoded(suffix, ()) for suffix in (".jpg", ".png", ".webp", ".bmp", ".tif", ".ppm")}


@settings(max_examples=150)
@given(
    suffix=st.sampled_from(sorted(_ENCODED)),
    hits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    near_start=st.booleans(),
)
def test_damage_gives_an_image_or_an_image_error(
    tmp_path: Path, suffix: str, hits: list[tuple[float, int]], near_start: bool
) -> None:
    data = bytearray(_ENCODED[suffix])
    reach = min(300, len(data)) if near_start else len(data)
    for place, value in hits:
        data[min(int(place * reach), reach - 1)] = value
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(bytes(data))
    for read in (read_image, lambda p: thumbnail(p, 20)):
        try:
            image = read(path)
        except ImageError as error:
            assert "damaged" in str(error)
        else:
            assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


def test_opencv_says_nothing_on_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for suffix, options in KINDS:
        path = tmp_path / f"a{suffix}"
        data = encoded(suffix, options)
        for length in (len(data) // 3, len(data) - 3):
            path.write_bytes(data[:length])
            with pytest.raises(ImageError):
                read_image(path)
    assert capfd.readouterr().err == ""
