from dataclasses import replace

import pytest

from scaf_gui.errors import UsageError
from scaf_gui.learning.presets import PRESETS
from scaf_gui.session.simulation.cells import (
    Acquire,
    Design,
    Plan,
    preset_hash,
    published_add,
    resolve_preset,
    rounds,
)

DEFAULT = PRESETS["default"]


def counts(design, labels, pool=1000):
    return [cell.labels for cell in rounds(design, 0, labels, pool)]


def test_rounds_add_k_and_end_at_the_budget():
    assert counts(Design(DEFAULT, add=10), 50) == [10, 20, 30, 40, 50]
    assert counts(Design(DEFAULT, add=30), 158) == [10, 40, 70, 100, 130, 158]
    assert counts(Design(DEFAULT, add=10), 10) == [10]
    assert counts(Design(DEFAULT, add=0), 50) == [50]


@pytest.mark.parametrize("budget", [50, 100, 158, 200, 315, 375, 10, 11, 1000])
def test_the_papers_k_takes_about_five_rounds(budget):
    assert len(counts(Design(DEFAULT, add=published_add(budget)), budget, 2000)) <= 6


def test_with_all_labels_nothing_is_chosen():
    (cell,) = rounds(Design(DEFAULT, acquire=Acquire("nnm", 0.1), sample=400), 3, 120, 100)
    assert (cell.labels, cell.seed, str(cell.design.acquire), cell.design.sample) == (100, 3, "random", 0)


def test_plans_do_every_cell_with_the_first_seed_before_the_next():
    plan = Plan("t", ((Design(DEFAULT, add=0), 10), (Design(DEFAULT, add=10), 20), (Design(DEFAULT), None)), (0, 1))
    cells = plan.cells(40)
    assert [(cell.seed, cell.labels) for cell in cells] == [(s, n) for s in (0, 1) for n in (10, 10, 20, 40)]


@pytest.mark.parametrize("labels", [9, 41])
def test_impossible_numbers_of_labels_are_refused(labels):
    with pytest.raises(UsageError, match=f"{labels} labels"):
        Plan("t", ((Design(DEFAULT), labels),), (0,)).cells(40)


def test_acquisition_functions_are_parsed_with_the_share_set_aside():
    assert Acquire.parse("nnm-10") == Acquire("nnm", 0.1) and str(Acquire.parse("nnm-10")) == "nnm-10"
    assert Acquire.parse("kcenter") == Acquire("kcenter")
    for text in ("foo", "kcenter-10", "nnm-100", "nnm-x", "random-5"):
        with pytest.raises(UsageError, match="nnm-10"):
            Acquire.parse(text)


def test_a_function_that_looks_at_the_model_needs_rounds():
    with pytest.raises(UsageError, match="needs rounds"):
        Design(DEFAULT, acquire=Acquire("nnm"), add=0)


def test_skips_and_schedule_are_independent():
    seen = {
        (p.skips, p.itls_first > 0)
        for skips in ("on", "off")
        for schedule in ("joint", "itls-first")
        if (p := resolve_preset("published", skips, schedule))
    }
    assert len(seen) == 4
    off = resolve_preset("published", "off", "itls-first")
    assert preset_hash(off) == preset_hash(PRESETS["3fabrec"])
    assert resolve_preset("default", steps=7).steps("full", 100_000, False) == 7


def test_the_hash_tells_recipes_apart_but_not_their_names():
    assert preset_hash(DEFAULT) == preset_hash(replace(DEFAULT, name="x", title="y", warm_start=0.5, quick_steps=9))
    assert preset_hash(DEFAULT) != preset_hash(replace(DEFAULT, augmentation=replace(DEFAULT.augmentation, gray=0.3)))
