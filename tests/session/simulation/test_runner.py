"""The protocol with real trainings of a few steps; what was trained is told by the folder of trainings."""

from dataclasses import replace

import numpy as np
import pytest

from scaf_gui.core.metrics import needs_drag
from scaf_gui.errors import UsageError
from scaf_gui.session.simulation.cells import Acquire, Design, Plan, resolve_preset
from scaf_gui.session.simulation.faces import read_faces
from scaf_gui.session.simulation.results import Results
from scaf_gui.session.simulation.runner import Failed, Finished, Runner, Setting
from scaf_gui.session.steps import result_of

pytestmark = pytest.mark.usefixtures("slim")


@pytest.fixture
def setting(labelled, scheme, tmp_path):
    pool, test = (result_of(read_faces(folder.name, folder, scheme, "true", tmp_path)) for folder in labelled)
    return Setting(scheme, "true", pool, (test,), {})


@pytest.fixture
def runner(setting, tmp_path):
    from scaf_gui.learning.device import choose_device

    def make(**options):
        results = Results(tmp_path / "r.csv")
        return Runner(setting, results, tmp_path / "work", choose_device("cpu"), ["nnm", "entropy"], **options), results

    return make


def design(function, tiny, **rest):
    return Design(resolve_preset(tiny), acquire=Acquire.parse(function), **({"add": 2, "first": 3} | rest))


def trainings(tmp_path):
    return {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob("work/trainings/*/record.json")}


def test_the_protocol(runner, setting, tiny, tmp_path):
    plan = Plan("t", ((design("nnm-25", tiny), 5), (design("random", tiny), 5)), (0,))
    first, chosen, by_chance = plan.cells(11)[0], plan.cells(11)[1], plan.cells(11)[3]
    do, results = runner()
    assert sum(isinstance(event, Finished) for event in do.run(plan.cells(11))) == 4

    # the round of random labels is trained once for both, and its model alone is kept
    assert len(results.rows) == 4 and len(trainings(tmp_path)) == 3
    assert len(list(tmp_path.glob("work/trainings/*/model.safetensors"))) == 1

    # NNM with 25 % set aside: of the eight faces that wait, the two faintest are passed over
    start = result_of(do.labelled(first))
    assert len(set(start)) == 3 and start == result_of(do.labelled(by_chance))[:3]
    said = result_of(do._trainings.said(do._job(first, start), setting.pool.faces))
    nnm = {place: said[face.id].scores["nnm"] for place, face in enumerate(setting.pool.faces) if place not in start}
    for place, face in enumerate(setting.pool.faces):
        assert said[face.id].scores["nnm"] == pytest.approx(-said[face.id].magnitude.sum(), rel=1e-4), place
    assert result_of(do.labelled(chosen)) == start + tuple(sorted(nnm, key=nnm.__getitem__, reverse=True)[2:4])

    # drags: all landmarks of the first three, then what the first model's pre-fill leaves to do
    row = next(row for row in results.rows if row["acquisition"] == "nnm-25" and row["labels"] == "5")
    new = [setting.pool.faces[place] for place in result_of(do.labelled(chosen))[3:]]
    met = sum(needs_drag(said[face.id].points, face.points, setting.scheme, 3.0).sum() for face in new)
    assert float(row["total_3"]) == 3 * 68 + met and float(row["met_3"]) == pytest.approx(met / 2)
    begin = next(row for row in results.rows if row["acquisition"] == "nnm-25" and row["labels"] == "3")
    assert (begin["met_3"], begin["total_3"], begin["steps"]) == ("68", "204", "3")
    assert begin["total_3_updated"] == "204" and row["total_3_updated"] == row["total_3"]  # two faces teach nothing yet

    # nothing is done twice, and another function finds the first round trained
    before = trainings(tmp_path)
    do, results = runner()
    assert list(do.run(plan.cells(11))) == [] and trainings(tmp_path) == before
    more = Plan("t", ((design("kcenter", tiny, sample=4), 5),), (0,)).cells(11)
    result_of(do.run(more))
    after = trainings(tmp_path)
    assert len(after) == 4 and before.items() <= after.items() and len(results.rows) == 6
    assert set(result_of(do.labelled(more[1]))[3:]) <= set(do._waiting_places(more[0], start))

    # predictions whose file is damaged are made again, by the model that was kept
    faces = setting.tests[0].faces
    kept = tmp_path / "work" / "trainings" / do._job(first, start).key / "predictions.npz"
    kept.write_bytes(kept.read_bytes()[:100])
    again = result_of(runner()[0]._trainings.said(do._job(first, start), faces))
    known = result_of(do._trainings.said(do._job(first, start), faces))
    for face in faces:
        np.testing.assert_allclose(again[face.id].points, known[face.id].points, atol=1e-9)
    assert trainings(tmp_path) == after


def test_a_stopped_run_goes_on_and_what_another_process_is_at_is_left_to_it(runner, tiny, tmp_path):
    cells = Plan("t", ((design("random", tiny, add=0), 3), (design("random", tiny, add=0), 4)), (0,)).cells(11)
    do, results = runner()
    work = do.run(cells)
    next(work)  # in the first training
    other, theirs = runner()
    for event in other.run(cells):
        if not isinstance(event, Finished) and event.what.startswith("Another process"):
            break
    assert [row["labels"] for row in theirs.rows] == ["4"] and results.rows == ()
    work.close()
    done = trainings(tmp_path)
    assert len(done) == 1
    finished = [event.cell.labels for event in runner()[0].run(cells) if isinstance(event, Finished)]
    theirs.refresh()
    assert finished == [3] and done.items() <= trainings(tmp_path).items()
    assert [row["labels"] for row in theirs.rows] == ["4", "3"]
    assert theirs.rows[0]["total_3"] == ""  # without rounds there is no pre-fill whose drags could be counted


def test_a_training_that_goes_astray_does_not_keep_the_others_from_being_done(runner, tiny):
    wild = design("random", tiny)
    wild = replace(wild, preset=replace(wild.preset, lr_head=1e30, lr_encoder=1e30, full_steps=4))
    cells = Plan("t", ((wild, 5), (design("random", tiny, add=0), 3)), (0,)).cells(11)
    do, results = runner()
    events = list(do.run(cells))
    failed = [event for event in events if isinstance(event, Failed)]
    assert [(event.cell.design.preset.lr_head, event.cell.labels) for event in failed] == [(1e30, 3), (1e30, 5)]
    assert all("went astray at step" in event.why for event in failed)
    assert [row["labels"] for row in results.rows] == ["3"]
    assert [bool(do.lacking(cell)) for cell in cells] == [True, True, False]


def test_an_auto_encoder_that_is_not_at_hand(runner, tiny):
    do, _ = runner()
    with pytest.raises(UsageError, match="abc is not at hand"):
        result_of(do.run(Plan("t", ((design("random", tiny, base="abc"), 3),), (0,)).cells(11)))
