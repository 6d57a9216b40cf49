"""``scaf-gui pretrain``: the real command on rendered faces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scaf_gui.learning.pretrained import load_autoencoder

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

    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "scaf_gui"]
    words += ["pretrain", str(folder / "faces"), "--out", str(folder / "two.safetensors"), *SMALL, "--json"]
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
    words = [sys.executable, "-m", "scaf_gui", "pretrain", str(folder / "faces"), "--out", str(out), *SMALL, "--no-gan"]
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
    on = scaf("pretrain", folder / "faces", "--out", out, "--crop", "1", "--device", "cpu", "--resume",
              "--max-steps", done + 1)  # fmt: skip
    assert on["steps"] == done + 1 and (folder / "a.csv").read_text(encoding="ascii").count("\n") >= 3
