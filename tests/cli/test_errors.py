"""Each of them: exit code 2, one clear line on standard error that names what is wrong, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scaf_gui.app import main


@pytest.fixture
def project(here, scaf) -> Path:
    scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    return here / "p.scaf"


def one_line(result: tuple[int, str], *parts: str) -> None:
    code, err = result
    assert code == 2
    assert err.startswith("scaf-gui: ") and err.count("\n") == 1
    for part in parts:
        assert part in err


def test_what_is_missing(here, scaf):
    one_line(scaf("create", "q.scaf", "--images", "nowhere", fails=True), "nowhere")
    (here / "empty").mkdir()
    one_line(scaf("create", "q.scaf", "--images", "empty", fails=True), "empty", "no images")
    one_line(scaf("queue", "nothing.scaf", fails=True), "nothing.scaf")
    one_line(scaf("create", "q.scaf", "--images", "images", "--scheme", "300w", fails=True), "'300w'", "300w-68")
    assert not Path("q.scaf").exists()


def test_command_lines_that_make_no_sense(here, scaf):
    one_line(scaf("create", fails=True), "--images", "create --help")
    one_line(scaf("trian", "p.scaf", fails=True), "'trian'", "train")
    one_line(scaf("queue", "p.scaf", "--acquisition", "best", fails=True), "best", "nnm", "kcenter")
    one_line(scaf("queue", "p.scaf", "--discard", "1", fails=True), "--discard")
    one_line(scaf("train", "p.scaf", "--preset", "magic", fails=True), "magic", "published")
    one_line(scaf("train", "p.scaf", "--device", "tpu", fails=True), "tpu", "cuda")
    one_line(scaf("label-from", "p.scaf", "truth", "--count", "0", fails=True), "--count")


def test_project_files_that_cannot_be_opened(project, scaf):
    (project.parent / "text.scaf").write_text("only text, and no project at all")
    one_line(scaf("info", "text.scaf", fails=True), "text.scaf")
    one_line(scaf("create", project, "--images", "images", fails=True), "p.scaf", "exists already")
    code = (
        "import sys, time; from pathlib import Path; from scaf_gui.session.project import open_project\n"
        "s = open_project(Path('p.scaf')); print('open', flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True)
    try:
        assert other.stdout.readline() == "open\n"
        one_line(scaf("queue", "p.scaf", fails=True), "p.scaf")
        # so there are never two trainings of one project at once
        one_line(scaf("train", "p.scaf", fails=True), "p.scaf", "is open in another window or program")
    finally:
        other.kill()
        other.communicate()
    assert scaf("info", "p.scaf")["faces"] == 22


def test_training_without_labels_or_model(project, scaf):
    one_line(scaf("train", "p.scaf", fails=True), "at least 2 labelled faces", "none")
    scaf("label-from", "p.scaf", "truth", "--count", 1)
    one_line(scaf("train", "p.scaf", fails=True), "only one")
    one_line(scaf("predict", "p.scaf", fails=True), "no model yet")
    one_line(scaf("queue", "p.scaf", "--acquisition", "nnm", fails=True), "nnm", "predict")
    one_line(scaf("evaluate", "p.scaf", "--truth", "truth", fails=True), "no model yet")
    assert scaf("info", "p.scaf")["states"]["labelled"] == 1


def test_a_vanished_folder_keeps_the_labels(project, scaf):
    scaf("label-from", "p.scaf", "truth", "--count", 3)
    shutil.rmtree("images")
    one_line(scaf("train", "p.scaf", "--device", "cpu", fails=True), "images", "gone")
    info = scaf("info", "p.scaf")
    assert "gone" in info["notice"] and info["states"]["labelled"] == 3
    assert scaf("export", "p.scaf", "--format", "300w", "--out", "out")["written"] == 3


def test_labels_of_another_scheme_or_place(project, scaf):
    Path("bad").mkdir()
    Path("bad/face 1.pts").write_text("version: 1\nn_points:  5\n{\n" + "1 2\n" * 5 + "}")
    one_line(scaf("import", "p.scaf", "--format", "300w", "--from", "bad", fails=True), "face 1.pts", "5", "68")
    one_line(scaf("import", "p.scaf", "--format", "300w", "--from", "nowhere", fails=True), "nowhere")
    one_line(scaf("import", "p.scaf", "--format", "xml", "--from", "bad", fails=True), "xml", "300w", "wflw")
    one_line(scaf("label-from", "p.scaf", "nowhere", "--count", 1, fails=True), "nowhere")
    one_line(scaf("export", "p.scaf", "--format", "wflw", "--out", "out", fails=True), "wflw-98")
    assert not Path("out").exists() and scaf("info", "p.scaf")["states"]["labelled"] == 0


def test_unreadable_images_are_named_and_the_others_go_on(here, scaf):
    Path("images/zero.jpg").write_bytes(b"")
    Path("images/only text.png").write_text("not an image at all")
    made = scaf("create", "p.scaf", "--images", "images", "--boxes", "whole", "--no-starter")
    assert made["faces"] == 24 and sorted(made["without_face"]) == ["only text.png", "zero.jpg"]


def test_an_unexpected_error_is_one_line_and_a_log(project, scaf, scaf_home, monkeypatch, capsys):
    from scaf_gui.session import project as module

    def broken(*args: object) -> None:
        raise RuntimeError("something\nquite else")

    monkeypatch.setattr(module, "open_project", broken)
    one_line(scaf("info", "p.scaf", fails=True), "unexpected error", "error.log")
    assert "quite else" in (scaf_home / "cache" / "error.log").read_text(encoding="utf-8")
    code, err = scaf("info", "p.scaf", "--debug", fails=True)
    assert code == 2 and "Traceback" in err


def test_ctrl_c_loses_nothing(project, scaf, monkeypatch, capsys):
    from scaf_gui.session import annotator

    real = annotator.label_from

    def interrupted(*args: object):
        yield from [next(real(*args))]
        raise KeyboardInterrupt

    monkeypatch.setattr(annotator, "label_from", interrupted)
    assert main(["label-from", "p.scaf", "truth", "--count", "5"]) == 130
    out, err = capsys.readouterr()
    assert out == "" and err == "scaf-gui: stopped; what was done so far is saved\n"
    assert scaf("info", "p.scaf")["states"]["labelled"] == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_real_interrupt_of_a_real_process(project, scaf):
    scaf("label-from", "p.scaf", "truth", "--count", 3)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-m", "scaf_gui", "train", "p.scaf", "--mode", "full", "--device", "cpu"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and err.count("\n") == 1
    assert scaf("info", "p.scaf")["states"]["labelled"] == 3


def test_version_and_help(capsys):
    for words, expected in ((["--version"], "scaf-gui "), (["queue", "--help"], "--acquisition")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0 and expected in capsys.readouterr().out


def test_the_window_is_opened_on_what_is_named(here, monkeypatch):
    import types

    asked = []
    window = types.ModuleType("scaf_gui.gui.run")
    window.run_gui = lambda path=None, sample=False: asked.append(path) or 0
    monkeypatch.setitem(sys.modules, "scaf_gui.gui.run", window)
    for words in ([], ["images"], ["p.scaf"], ["gui", "images"]):
        assert main(words) == 0
    assert [None if path is None else str(path) for path in asked] == [None, "images", "p.scaf", "images"]
