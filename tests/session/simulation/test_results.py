import csv
import threading

import pytest

from scaf_gui.errors import InputError, LabelFileError
from scaf_gui.session.simulation.results import COLUMNS, Results


def test_rows_are_kept_and_the_later_of_two_counts(tmp_path, make_row):
    results = Results(tmp_path / "new" / "r.csv")
    assert results.rows == ()
    results.add([make_row(seed=0, nme=5.25), make_row(seed=1)])
    results.add([make_row(seed=0, nme=1 / 3)])
    again = Results(results.path)
    assert [row["nme"] for row in again.rows] == ["0.3333333333333333", "1"] and again.rows == results.rows
    assert make_row(seed=1, nme=99) in again and make_row(seed=2) not in again


def test_floats_are_written_short(tmp_path, make_row):
    results = Results(tmp_path / "r.csv")
    results.add([{**make_row(), "nme": 1 / 3}])
    assert results.rows[0]["nme"] == "0.333333"


def test_half_a_line_of_a_killed_process_is_dropped_and_written_over(tmp_path, make_row):
    path = tmp_path / "r.csv"
    Results(path).add([make_row(seed=0)])
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:40])
    results = Results(path)
    assert [row["seed"] for row in results.rows] == ["0"]
    results.add([make_row(seed=1)])
    with path.open(newline="") as stream:
        assert [row["seed"] for row in csv.DictReader(stream)] == ["0", "1"]


def test_half_a_header_is_written_over(tmp_path, make_row):
    path = tmp_path / "r.csv"
    path.write_text("pool,pool_fa")
    results = Results(path)
    results.add([make_row()])
    assert len(Results(path).rows) == 1


def test_several_writers_lose_nothing(tmp_path, make_row):
    path = tmp_path / "r.csv"

    def write(test):
        results = Results(path)
        for seed in range(20):
            results.add([make_row(seed=seed, test=test)])

    writers = [threading.Thread(target=write, args=(f"test {number}",)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Results(path).rows) == 60 and len(path.read_text().splitlines()) == 61


@pytest.mark.parametrize("text", ["a,b\n1,2\n", ",".join(COLUMNS) + "\n1,2\n"])
def test_another_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(LabelFileError, match=r"r\.csv"):
        Results(path)
    assert path.read_text() == text


def test_a_folder_that_cannot_be_written_is_named(tmp_path, make_row):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be"):
        Results(tmp_path / "file" / "r.csv").add([make_row()])
