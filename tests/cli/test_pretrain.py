"""``scaf-gui pretrain``: the real command on rendered faces."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.cli import pretrain
from scaf_gui.cli.output import Progress
from scaf_gui.cli.pretrain_report import show
from scaf_gui.learning import distributed
from scaf_gui.learning.distributed import Group
from scaf_gui.learning.pretrained import load_autoencoder
from scaf_gui.learning.pretraining import Progress as Step

pytestmark = pytest.mark.usefixtures("slim")

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    "--recipe", "short", "--crop", "1", "--batch", "4", "--threads", "1", "--device", "cpu", "--precision", "float32",
    "--gan", "--gan-from", "0", "--warm-up", "1", "--no-cosine", "--lr", "3e-4", "--max-steps", "2",
)  # fmt: skip


@pytest.fixture
def folder(rendered: Path) -> Iterator[Path]:
    """Training states are large: nothing of them stays behind."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(rendered / "images", Path(name) / "faces")
        yield Path(name)


def test_two_processes_have_the_losses_of_one(folder: Path, scaf: Callable[..., Any]) -> None:
    (folder / "faces" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing of use")
    alone = scaf("pretrain", folder / "faces", "--out", folder / "one.safetensors", *SMALL)
    assert (alone["faces"], alone["steps"], alone["size"]) == (22, 2, 128)
    tally = alone["sources"][str(folder / "faces")]
    assert (tally["images"], tally["broken"]) == (23, 1) and "broken.jpg" in tally["problems"][0]
    made = load_autoencoder(Path(alone["file"]))
    assert made.id == alone["autoencoder"] and made.meta["recipe"]["sources"] == ["faces"]
    assert all(Path(alone[name]).is_file() for name in ("state", "picture", "curve"))

    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += [
        "-m",
        "tests.narrow",
        "pretrain",
        str(folder / "faces"),
        "--out",
        str(folder / "two.safetensors"),
        *SMALL,
        "--json",
    ]
    words += ["--faces", str(folder / "one.faces")]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(words, env=env, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    shared = json.loads(ended.stdout)  # one object: only one process speaks
    ours, theirs = alone["figures"], shared["figures"]
    assert set(ours) == set(theirs) and "loss_image_discriminator" not in ours
    assert theirs == pytest.approx(ours, rel=2e-3, abs=2e-4)  # they are rounded
    assert load_autoencoder(Path(shared["file"])).meta["recipe"]["processes"] == 2

    # a finished run is neither replaced nor gone on with by mistake
    code, error = scaf("pretrain", folder / "faces", "--out", folder / "one.safetensors", *SMALL, fails=True)
    assert code == 2 and "one.safetensors exists; go on with --resume" in error
    resume = ("pretrain", folder / "faces", "--out", folder / "one.safetensors", "--crop", "1", "--resume")
    code, error = scaf(*resume, "--lr", "1", fails=True)
    assert code == 2 and "leave out --lr" in error


def test_a_command_line_that_makes_no_sense(folder: Path, scaf: Callable[..., Any]) -> None:
    out = folder / "a.safetensors"
    for words, said in (
        ((folder / "faces", "--out", folder / "a.pt"), "suffix .safetensors"),
        ((folder / "faces", "--out", out, "--no-pixels", "--no-structure"), "nothing to learn"),
        ((folder / "faces", "--out", out, "--crop", "left"), "--crop left"),
        ((folder / "nowhere", "--out", out), "nowhere: does not exist"),
        ((folder / "faces", "--out", out, "--resume"), "no such run to resume"),
        ((folder / "faces", "--out", out, "--start", folder / "none.safetensors"), "cannot be read"),
    ):
        code, error = scaf("pretrain", *words, fails=True)
        assert code == 2 and said in error and error.count("\n") == 1
    assert not out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process")
def test_ctrl_c_saves_and_resume_goes_on(folder: Path, scaf: Callable[..., Any]) -> None:
    out = folder / "a.safetensors"
    words = [sys.executable, "-m", "tests.narrow", "pretrain", str(folder / "faces"), "--out", str(out)]
    words += [*SMALL, "--no-gan"]
    words[words.index("--max-steps") + 1] = "500"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 300
        while not (folder / "a.csv").exists() and time.monotonic() < until:
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        error = running.communicate(timeout=120)[1]
    assert running.returncode == 130 and error == "scaf-gui: stopped; what was done so far is saved\n"
    done = load_autoencoder(out).meta["recipe"]["steps"]
    assert done >= 1
    with (folder / "a.csv").open("a", encoding="ascii") as stream:
        stream.write(f"{done + 7},9.000,1.00\n")  # as of a run that was killed after its last checkpoint
    resume = ("pretrain", "--out", out, "--device", "cpu", "--resume", "--max-steps", done + 1)
    on = scaf(*resume)  # the faces and the precision that it had, which need not be named
    assert on["steps"] == done + 1 and on["faces"] == 22 and on["device"] == "cpu, float32"
    steps = [int(line.split(",")[0]) for line in (folder / "a.csv").read_text(encoding="ascii").splitlines()[1:]]
    assert steps[-1] == done + 1 and steps == sorted(set(steps))

    for path in (folder / "faces").iterdir():
        if path.name.startswith("face 1"):
            path.unlink()
    code, error = scaf(*resume, folder / "faces", "--crop", "1", "--faces", folder / "fewer", fails=True)
    assert code == 2 and "is of a run on 22 faces, and these are" in error and "--start" in error


def test_a_batch_that_cannot_be_shared_evenly(folder: Path, scaf: Callable[..., Any], monkeypatch: Any) -> None:
    """Parts of different size would not add up to what one process does."""
    monkeypatch.setattr(distributed, "joined", lambda device: nullcontext(Group(0, 3)))
    code, error = scaf("pretrain", folder / "faces", "--out", folder / "a.safetensors", *SMALL, fails=True)
    assert code == 2 and "3 processes cannot share a batch of 4 faces evenly" in error
    assert not (folder / "a.faces").exists(), "said before any face is cut"


def test_the_time_left_is_seen_on_a_terminal_and_a_lost_checkpoint_in_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = {"total": 66.93}
    stage = "guided by components + half size + pixels + structure + GAN + prior"
    note = "no checkpoint: a.state: cannot be saved (No space left on device); what was there before stays"
    event = Step(5, 900, 0.5, stage, losses, 3.2, 11_990.0, lambda: pytest.fail("not asked"), None, note)
    show(event, Progress())
    assert capsys.readouterr().err == f"scaf-gui: {note}\n"
    show(event, Progress(quiet=True))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show(event, Progress())
    assert " 3 h 20 min left, loss 66.93, 3 faces/s, guided" in capsys.readouterr().err


def test_trained_weights_are_warmed_up_again() -> None:
    """A fresh optimiser knows nothing of their gradients; the published recipe itself begins at its full rate."""
    parser = argparse.ArgumentParser()
    pretrain.arguments(parser)

    def warm_up(*words: str) -> int:
        args = parser.parse_args(["faces", "--out", "a.safetensors", *words])
        return pretrain.chosen_recipe(args, args.out).warm_up

    assert warm_up() == 0 < warm_up("--start", "b.safetensors")
    assert warm_up("--start", "b.safetensors", "--warm-up", "0") == 0
    assert warm_up("--start", "b.safetensors", "--recipe", "short") == warm_up("--recipe", "short") == 50
