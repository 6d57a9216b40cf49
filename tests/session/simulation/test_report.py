import re
from xml.etree import ElementTree

import numpy as np
import pytest

from scaf_gui.session.simulation.plot import draw
from scaf_gui.session.simulation.report import markdown, sections, wanted_by_rows


def cells(table, start):
    """The cells of the first table row that starts so."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def rows(make_row):
    nnm = [make_row(acquisition="nnm-10", labels=n, seed=s, nme=v) for n, s, v in ((10, 0, 8), (10, 1, 9), (20, 0, 6))]
    return [*nnm, make_row(labels=10, seed=0, nme=7), make_row(labels=100, add=0, seed=0, nme=4, total_3="")]


@pytest.fixture
def wanted(make_row):
    lines = [("nnm-10", 10, 10), ("nnm-10", 20, 10), ("random", 10, 10), ("random", 20, 10), ("random", 100, 0)]
    return [make_row(acquisition=a, labels=n, add=k, seed=s) for a, n, k in lines for s in (0, 1)]


def test_means_deviations_and_what_is_missing(rows, wanted):
    text = markdown(sections("Title", wanted, rows))
    assert cells(text, "nnm-10") == ["nnm-10", "8.50 ± 0.71", "6.00 (1 of 2 seeds)", ""]
    assert cells(text, "random") == ["random", "7.00 (1 of 2 seeds)", "missing", ""]
    assert cells(text, "all labels") == ["all labels", "", "", "4.00 (1 of 2 seeds)"]
    assert "## Title" in text and "### test, 1 faces" in text and "true boxes (an oracle)" in text


def test_a_figure_that_a_cell_does_not_have_is_not_called_missing(rows, wanted):
    text = markdown(sections("Title", wanted, rows))
    details = [line for line in text.splitlines() if line.startswith("| all labels | 100 |")]
    assert len(details) == 1 and " – |" in details[0] and "missing" not in details[0]


def test_the_deviation_is_that_of_a_sample(make_row):
    values = [5.1, 5.7, 6.6]
    rows = [make_row(seed=seed, nme=value) for seed, value in enumerate(values)]
    text = markdown(sections("t", rows, rows))
    assert f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}" in text


def test_rows_of_another_recipe_do_not_count(make_row):
    rows = [make_row(preset_hash="11111111", nme=3.21)]
    text = markdown(sections("t", [make_row()], rows))
    assert "missing" in text and "3.21" not in text


def test_each_test_set_and_kind_of_boxes_is_reported_apart(make_row):
    rows = [make_row(test=t, boxes=b) for t in ("easy", "hard") for b in ("true", "detector")]
    made = sections("t", rows, rows)
    assert [(section.test, "oracle" in section.said) for section in made] == [
        ("easy", True), ("easy", False), ("hard", True), ("hard", False),
    ]  # fmt: skip


def test_lines_are_named_by_what_differs(make_row):
    rows = [
        make_row(preset=p, preset_hash=h, base=b)
        for p, h in (("default", "0"), ("published", "1"))
        for b in ("none", "ab" * 8)
    ]
    (section,) = sections("t", rows, rows)
    assert [line.name for line in section.lines] == [
        "default, random weights", "default, auto-encoder abababab",
        "published, random weights", "published, auto-encoder abababab",
    ]  # fmt: skip
    assert "recipe" not in section.said and "random" in section.said


def test_a_report_without_a_plan_misses_seeds_that_other_cells_have(make_row):
    rows = [make_row(labels=10, seed=0), make_row(labels=10, seed=1), make_row(labels=20, seed=0)]
    assert len(wanted_by_rows(rows)) == 4
    assert "(1 of 2 seeds)" in markdown(sections("t", wanted_by_rows(rows), rows))


def test_plots_show_every_line_that_has_figures(rows, wanted):
    (section,) = sections("t", wanted, rows)
    picture = draw(section, "nme", "NME <%>")
    root = ElementTree.fromstring(picture)
    named = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"nnm-10", "random", "all labels", "test", "NME <%>", "10", "20", "100"} <= set(named)
    tracks = [track.get("points") for track in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(track.split()) for track in tracks] == [2, 1, 1]
    first, second = [tuple(map(float, place.split(","))) for place in tracks[0].split()]
    assert second[0] > first[0] and second[1] > first[1]  # more labels to the right, a smaller error further down
    assert all(0 <= float(n) <= 760 for track in tracks for n in re.split("[ ,]", track))


def test_nothing_to_draw_is_no_plot(make_row):
    (section,) = sections("t", [make_row()], [])
    assert draw(section, "nme", "NME") is None


def test_names_at_the_ends_of_lines_do_not_touch(make_row):
    rows = [make_row(acquisition=f"f{n}", labels=k, nme=5 + n / 1000) for n in range(9) for k in (10, 20)]
    (section,) = sections("t", rows, rows)
    root = ElementTree.fromstring(draw(section, "nme", "NME"))
    heights = sorted(
        float(text.get("y")) for text in root.iter("{http://www.w3.org/2000/svg}text") if (text.text or "")[0] == "f"
    )
    assert len(heights) == 9 and np.diff(heights).min() >= 14.9 and heights[-1] < 420
