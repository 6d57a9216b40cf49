"""Every kind of image and every kind of bad file, built for real."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaf_gui.errors import ImageError
from scaf_gui.io import images
from scaf_gui.io.images import content_hash, glance, image_size, read_image, thumbnail

# 24 x 16 pixels, red above blue, four inks as Adobe writes them
CMYK = (
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhc"
    "ZWdj/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAHCP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsA"
    "AD8AoCfp+oAAAM/jQAAAD//Z"
)
# 8 x 6 pixels, a red frame, then a green one
ANIMATED_GIF = (
    "R0lGODdhCAAGAIEAAP8AAAAAAAAAAAAAACwAAAAACAAGAAAIDgABCBxIsKDBgwgTDgwIACH5BAEAAAEALAAAAAAIAAYAgQD/AAAAAAAAAAAAAAgO"
    "AAEIHEiwoMGDCBMODAgAOw=="
)
ANIMATED_WEBP = (
    "UklGRoQAAABXRUJQVlA4WAoAAAACAAAABwAABQAAQU5JTQYAAAAAAAAAAABBTk1GKAAAAAAAAAAAAAcAAAUAAAAAAAJWUDhMDwAAAC8HQAEABxD9j/4H"
    "IqL/AQBBTk1GKAAAAAAAAAAAAAcAAAUAAAAAAABWUDhMDwAAAC8HQAEAB9D/iP4HIqL/AQA="
)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quadrants() -> np.ndarray:
    """(32, 48, 3) RGB: red, green over blue, white."""
    small = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8)
    return np.kron(small, np.ones((16, 24, 1), np.uint8))


def encoded(suffix: str, image: np.ndarray, *options: int) -> bytes:
    done, data = cv2.imencode(suffix, image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image, options)
    assert done
    return data.tobytes()


def jpeg(image: np.ndarray, *options: int) -> bytes:
    sharp = (cv2.IMWRITE_JPEG_QUALITY, 97, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    return encoded(".jpg", image, *sharp, *options)


def exif(orientation: int, order: str = ">") -> bytes:
    """A TIFF block whose only entry is the orientation, as it stands in an EXIF segment."""
    mark = b"MM\x00*" if order == ">" else b"II*\x00"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0)


def jpeg_with_exif(image: np.ndarray, orientation: int, order: str = ">") -> bytes:
    block = b"Exif\x00\x00" + exif(orientation, order)
    plain = jpeg(image)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def corners(image: np.ndarray) -> list[tuple[int, int, int]]:
    """Colours at the four corners, rounded to what the test images are made of."""
    spots = image[[3, 3, -4, -4], [3, -4, 3, -4]].astype(int)
    return [tuple(int(round(v / 255) * 255) for v in spot) for spot in spots]


#: corner colours (top left, top right, bottom left, bottom right) that EXIF's orientation makes of the quadrants
UPRIGHT = {
    1: [RED, GREEN, BLUE, WHITE],
    2: [GREEN, RED, WHITE, BLUE],
    3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN],
    5: [RED, BLUE, GREEN, WHITE],
    6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED],
    8: [GREEN, WHITE, RED, BLUE],
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg-big-endian", "jpeg-little-endian", "png", "webp"])
def test_exif_orientation_is_applied_everywhere(tmp_path: Path, kind: str, orientation: int) -> None:
    path = tmp_path / "a"
    if kind.startswith("jpeg"):
        path.write_bytes(jpeg_with_exif(quadrants(), orientation, ">" if "big" in kind else "<"))
    elif kind == "png":
        plain = encoded(".png", quadrants())
        path.write_bytes(plain[:33] + png_chunk(b"eXIf", exif(orientation)) + plain[33:])
    else:
        inner = encoded(".webp", quadrants(), cv2.IMWRITE_WEBP_QUALITY, 101)[12:]
        size = (47).to_bytes(3, "little") + (31).to_bytes(3, "little")
        block = exif(orientation)
        chunks = b"VP8X" + struct.pack("<I", 10) + b"\x08\x00\x00\x00" + size + inner
        chunks += b"EXIF" + struct.pack("<I", len(block)) + block + b"\x00" * (len(block) % 2)
        path.write_bytes(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks)
    expected = (48, 32) if orientation < 5 else (32, 48)
    assert image_size(path) == expected
    image = read_image(path)
    assert image.shape == (expected[1], expected[0], 3)
    assert corners(image) == UPRIGHT[orientation]
    small = thumbnail(path, 24)
    assert small.shape[1::-1] == tuple(side // 2 for side in expected)
    assert corners(small) == UPRIGHT[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_file_is_turned_once(tmp_path: Path, orientation: int) -> None:
    """Its orientation stands among its own tags, and OpenCV applies it itself."""
    data = encoded(".tif", quadrants(), cv2.IMWRITE_TIFF_COMPRESSION, 1)
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [data[at + 2 + 12 * k : at + 14 + 12 * k] for k in range(count)]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", count + 1) + b"".join(entries) + struct.pack("<I", 0)
    path = tmp_path / "a.tif"
    path.write_bytes(data[:4] + struct.pack("<I", len(data)) + data[8:] + directory)
    assert corners(read_image(path)) == UPRIGHT[orientation]
    assert image_size(path) == ((48, 32) if orientation < 5 else (32, 48))
    assert corners(thumbnail(path, 24)) == UPRIGHT[orientation]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif", ".ppm"])
def test_colours_come_out_as_rgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(suffix, quadrants(), *((cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ())))
    image = read_image(path)
    assert (image == quadrants()).all()
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert image_size(path) == (48, 32)


def test_gray_images_get_three_equal_channels(tmp_path: Path) -> None:
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    path = tmp_path / "gray.png"
    path.write_bytes(encoded(".png", gray))
    assert (read_image(path) == gray[:, :, None]).all()


def test_16_bit_images_are_scaled_by_their_full_range(tmp_path: Path) -> None:
    deep = np.array([[0, 128, 257, 32768, 65535]], np.uint16)
    for suffix in (".png", ".tif"):
        path = tmp_path / f"deep{suffix}"
        path.write_bytes(encoded(suffix, deep))
        assert read_image(path)[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_floating_point_images_are_scaled_by_the_range_of_their_values(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    path.write_bytes(encoded(".tif", np.array([[-1.0, 0.0, 1.0]], np.float32)))
    assert read_image(path)[0, :, 0].tolist() == [0, 128, 255]


def test_transparency_is_put_on_white(tmp_path: Path) -> None:
    for depth, dtype in ((255, np.uint8), (65535, np.uint16)):
        pixels = np.array([[[0, 0, depth, 0], [0, 0, depth, depth], [0, 0, 0, depth // 5 * 3]]], dtype)
        path = tmp_path / f"{depth}.png"
        path.write_bytes(encoded(".png", pixels))
        assert read_image(path)[0].tolist() == [[255, 255, 255], [255, 0, 0], [102, 102, 102]]


def test_cmyk(tmp_path: Path) -> None:
    path = tmp_path / "cmyk.jpg"
    path.write_bytes(base64.b64decode(CMYK))
    image = read_image(path)
    assert image.shape == (16, 24, 3)
    assert corners(image) == [RED, RED, BLUE, BLUE]


@pytest.mark.parametrize(("suffix", "data"), [(".gif", ANIMATED_GIF), (".webp", ANIMATED_WEBP)])
def test_an_animation_gives_its_first_frame(tmp_path: Path, suffix: str, data: str) -> None:
    path = tmp_path / f"moves{suffix}"
    path.write_bytes(base64.b64decode(data))
    assert image_size(path) == (8, 6)
    if tuple(int(part) for part in cv2.__version__.split(".")[:2]) < (4, 11):
        with pytest.raises(ImageError, match="cannot be decoded"):
            read_image(path)
        return
    image = read_image(path)
    assert image.shape == (6, 8, 3)
    assert np.abs(image.astype(int) - RED).max() < 8


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    path.write_bytes(encoded(".png", np.full((1, 1, 3), 7, np.uint8)))
    assert read_image(path).shape == (1, 1, 3)
    assert thumbnail(path, 64).shape == (1, 1, 3)


def test_very_wide_images_are_read_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wide.jpg"
    path.write_bytes(jpeg(np.zeros((8, 20_000, 3), np.uint8)))
    assert read_image(path).shape == (8, 20_000, 3)
    assert thumbnail(path, 100).shape == (1, 100, 3)
    monkeypatch.setattr(images, "MAX_PIXELS", 100_000)
    with pytest.raises(ImageError, match=r"wide.jpg: is too large: 20000 x 8 pixels, the limit is"):
        read_image(path)


def test_a_picture_larger_than_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    plain = encoded(".png", np.zeros((1, 1, 3), np.uint8))
    path = tmp_path / "bomb.png"
    body = struct.pack(">II", 100_000, 100_000) + plain[24:29]
    path.write_bytes(plain[:8] + png_chunk(b"IHDR", body) + plain[33:])
    with pytest.raises(ImageError, match="100000 x 100000 pixels, the limit is 300 megapixels"):
        read_image(path)


@pytest.mark.parametrize("name", ["ünï.jpg", "a b.jpg", "line\nbreak.jpg", "猫.jpg", "%41&#.jpg", "bytes-\udcff.jpg"])
def test_names_of_any_kind(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    try:
        path.write_bytes(jpeg(quadrants()))
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    assert read_image(path).shape == (32, 48, 3)
    assert thumbnail(path, 24).shape == (16, 24, 3)
    assert image_size(path) == (48, 32)
    path.write_bytes(b"")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert len(str(caught.value).splitlines()) == 1


def test_thumbnails_are_never_enlarged_and_keep_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    photo = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (600, 900, 3), np.uint8), (0, 0), 9)
    path.write_bytes(jpeg(photo))
    for side in (16, 64, 100, 113, 225, 400, 900, 2000):
        small = thumbnail(path, side)
        assert max(small.shape[:2]) == min(side, 900)
        assert small.shape[0] == pytest.approx(small.shape[1] * 2 / 3, abs=1)
        expected = cv2.resize(read_image(path), small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(800, 600), (803, 597)])
def test_a_glance_shows_everything_where_the_whole_image_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], orientation: int
) -> None:
    monkeypatch.setattr(images, "GLANCE_FROM", 1000)
    monkeypatch.setattr(images, "GLANCE_SIDE", 90)
    across, down = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    photo = np.stack([across, down, np.full_like(across, 60.0)], axis=-1).astype(np.uint8)
    path = tmp_path / "ramps.jpg"
    path.write_bytes(jpeg_with_exif(photo, orientation))
    found, whole = glance(path), read_image(path)
    assert found is not None
    small, (width, height) = found
    assert (width, height) == whole.shape[1::-1] and max(small.shape[:2]) in (100, 101)
    # each pixel of the small image is the mean of an equal part of the whole one, from edge to edge
    expected = cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    apart = (small.astype(int) - expected)[1:-1, 1:-1]
    one_pixel = 255 / 101  # by so much a ramp would differ that is one small pixel aside
    assert np.abs(apart).max() <= 0.8 * one_pixel and np.abs(apart.mean(axis=(0, 1))).max() < 0.15 * one_pixel


def test_a_glance_only_where_it_pays(tmp_path: Path) -> None:
    photo = np.zeros((600, 900, 3), np.uint8)
    for name, data in (("small.jpg", jpeg(photo)), ("a.png", encoded(".png", photo)), ("bad.jpg", b"\xff\xd8\xff")):
        (tmp_path / name).write_bytes(data)
        assert glance(tmp_path / name) is None
    assert glance(tmp_path / "missing.jpg") is None
    large = cv2.imencode(".jpg", np.zeros((2000, 3008, 3), np.uint8))[1].tobytes()
    (tmp_path / "large.jpg").write_bytes(large)
    told: list[str] = []
    found = glance(tmp_path / "large.jpg", lambda: told.append("read"))
    assert told == ["read"]
    assert found is not None and found[0].shape == (500, 752, 3) and found[1] == (3008, 2000)
    (tmp_path / "half.jpg").write_bytes(large[: len(large) // 2])
    with pytest.raises(ImageError, match="truncated"):
        glance(tmp_path / "half.jpg")


def test_equal_content_has_equal_hashes(tmp_path: Path) -> None:
    one, two, other = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    one.write_bytes(b"same")
    two.write_bytes(b"same")
    other.write_bytes(b"Same")
    assert content_hash(one) == content_hash(two) != content_hash(other)
    assert len(content_hash(one)) == 32
    with pytest.raises(ImageError, match="does not exist"):
        content_hash(tmp_path / "gone")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for read in (read_image, image_size, lambda path: thumbnail(path, 9)):
        with pytest.raises(ImageError, match=r"gone.jpg: does not exist"):
            read(tmp_path / "gone.jpg")
        with pytest.raises(ImageError, match=r"is a folder|cannot be read"):
            read(tmp_path)
