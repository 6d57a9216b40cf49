"""Reading label files with care: numbers, paths, images by name."""

from __future__ import annotations

from scaf_gui.io.formats.files import ImageFinder, escape_reason, number


def test_numbers() -> None:
    assert [number(text) for text in ("1", "-2.5", "+.5", "3.", "1e2")] == [1.0, -2.5, 0.5, 3.0, 100.0]
    for text in ("", "nan", "inf", "1_0", "0x1", "1,5", "١", "1e9", "--1", "1e999"):
        assert number(text) is None


def test_paths_that_lead_out() -> None:
    assert all(escape_reason(name) is None for name in ("a.jpg", "a/b.jpg", "..a/b..jpg", "a b/…/c"))
    for name in ("", ".", "..", "../a", "a/../b", "/a", "\\a", "C:/a", "c:\\a", "a\\..\\b", "a\x00b"):
        assert escape_reason(name) is not None, name


def test_the_finder_takes_no_guess_between_two() -> None:
    finder = ImageFinder(["a/x.jpg", "b/x.jpg", "b/x.png", "c/y.jpg"])
    assert finder.by_path("a/x.jpg") == ("a/x.jpg", "")
    assert finder.by_path("other/y.jpg") == ("c/y.jpg", "")
    assert finder.by_path("x.jpg") == (None, "2 images have that name")
    assert finder.by_stem("a/x") == ("a/x.jpg", "")
    assert finder.by_stem("b/x") == (None, "2 images have that name")
    assert finder.by_stem("z") == (None, "there is no image of that name")


def test_letters_that_a_mac_writes_in_two_parts_are_found() -> None:
    composed, apart = "Andr\u00e9/p\u00e9.jpg", "Andre\u0301/pe\u0301.jpg"
    for there, asked in ((composed, apart), (apart, composed)):
        finder = ImageFinder([there, "other/p.jpg"])
        for name in (asked, asked.replace("/", "\\"), f"deeper/{asked}", asked.partition("/")[2]):
            assert finder.by_path(name) == (there, "")
        assert finder.by_stem(asked.removesuffix(".jpg")) == (there, "")
        assert finder.by_path(asked.replace("p", "q")) == (None, "there is no image of that name")
    both = ImageFinder([composed, apart])  # where a file system tells them apart, so do we
    assert both.by_path(composed) == (composed, "") and both.by_path(apart) == (apart, "")
    mixed = apart.replace("/pe\u0301", "/p\u00e9")
    assert both.by_path(mixed)[0] in (composed, None)
