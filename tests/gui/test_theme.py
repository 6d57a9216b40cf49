from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from scaf_gui import paths
from scaf_gui.gui import theme


def luminance(name: str) -> float:
    """Relative luminance, WCAG 2.1."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in QColor(name).getRgbF()[:3]  # type: ignore[index]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


TEXTS = ("text", "muted", "accent", "unlabelled", "started", "labelled", "skipped", "error", "warning")
GROUNDS = ("window", "panel", "raised", "hover", "selection")


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("text", TEXTS)
def test_text_has_the_contrast_of_aa_on_every_ground(name: str, text: str) -> None:
    colours = theme.load_palette(name)
    found = {ground: round(contrast(colours[text], colours[ground]), 2) for ground in GROUNDS}
    assert min(found.values()) >= 4.5, found


@pytest.mark.parametrize("name", ["dark", "light"])
def test_buttons_borders_and_messages_have_contrast(name: str) -> None:
    colours = theme.load_palette(name)
    for ground in ("accent", "accent_hover", "accent_pressed"):
        assert contrast(colours["on_accent"], colours[ground]) >= 4.5, ground
    for ground in ("panel", "raised", "window"):
        assert contrast(colours["border"], colours[ground]) >= 3.0, ground
    for ground in ("error_back", "warning_back", "info_back"):
        assert contrast(colours["text"], colours[ground]) >= 7.0, ground


def test_themes_name_the_same_colours_and_an_unknown_one_is_the_default() -> None:
    assert set(theme.available()) == {"dark", "light"}
    assert theme.load_palette("dark").keys() == theme.load_palette("light").keys()
    assert theme.load_palette("no-such") == theme.load_palette("dark")


def test_changing_the_theme_dresses_what_is_open(qapp: QApplication, qtbot: QtBot) -> None:
    label = QLabel("x")
    qtbot.addWidget(label)
    theme.apply(qapp, "dark")
    dark = label.palette().windowText().color()
    with qtbot.waitSignal(theme.news().changed):
        theme.apply(qapp, "light")
    assert not theme.is_dark()
    label.show()
    assert label.palette().windowText().color() != dark
    theme.apply(qapp, "dark")


def test_the_sheet_is_complete_and_names_files_that_exist(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    sheet = theme.style_sheet()
    assert "$" not in sheet
    from pathlib import Path

    files = re.findall(r'url\("([^"]+)"\)', sheet)
    assert files and all(Path(file).is_file() for file in files)


def test_every_icon_draws_something_in_the_asked_colour(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    names = [file.stem for file in (paths.resource_folder() / "icons").glob("*.svg")]
    assert {"folder", "refresh", "check", "skip", "scaf-gui"} <= set(names)
    for name in names:
        image = theme.picture(name, 24, "accent").toImage()
        painted = sum(image.pixelColor(x, y).alpha() > 60 for x in range(24) for y in range(24))
        assert painted > 8, name
