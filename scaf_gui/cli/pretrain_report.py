"""How a pre-training goes and how it ended: the line of progress, the curve, the figures at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.errors import InputError

_LOSSES = (
    "total", "reconstruction", "pixels", "structure", "guide", "gan", "prior", "image_discriminator",
    "latent_discriminator",
)  # fmt: skip


def outcome(out: Path, result: Any, notes: dict[str, Any], device: str) -> Outcome:
    """What a finished run has made, for people and as JSON.

    :param notes: of the faces' pack: where they come from, and what was left out
    """
    from scaf_gui.learning.pretraining import picture_path
    from scaf_gui.learning.pretraining_state import state_path

    made, tallies = result.autoencoder, {name: noted["tally"] for name, noted in notes["sources"].items()}
    values = {
        "autoencoder": made.id,
        "size": made.input_size,
        "file": str(out),
        "state": str(state_path(out)),
        "picture": str(picture_path(out)),
        "curve": str(curve_path(out)),
        "faces": notes["faces"],
        "sources": tallies,
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "device": device,
        "figures": dict(made.meta["figures"]),
    }
    seen = made.meta["figures"]
    lines = [
        f"{out}: auto-encoder {made.id}, {result.steps} steps on {notes['faces']} faces in {result.seconds:.0f} s",
        f"held-out faces: mean difference {seen['held_out_l1']:.1f} of 255, structure {seen['held_out_structure']:.2f}",
    ]
    return Outcome(values, lines + [tally_line(name, tally) for name, tally in tallies.items()])


def curve_path(out: Path) -> Path:
    """Losses over the run, a line every few seconds."""
    return out.with_suffix(".csv")


def cut_curve(path: Path, step: int) -> None:
    """Take out of a curve what comes from another run, or from after the checkpoint that this one goes on from."""
    from scaf_gui.io.files import replace_file

    try:
        lines = path.read_text(encoding="ascii").splitlines(keepends=True)
        kept = [line for line in lines[1:] if int(line.partition(",")[0]) < step]
        replace_file(path, "".join(lines[:1] + kept).encode())
    except (OSError, ValueError, InputError):
        pass


def append_losses(path: Path, event: Any) -> None:
    """A line of the curve."""
    line = [event.step, f"{event.epoch:.3f}", f"{event.faces_per_second:.2f}"]
    line += [f"{event.losses[name]:.4f}" if name in event.losses else "" for name in _LOSSES]
    try:
        with path.open("a", encoding="ascii") as stream:
            if stream.tell() == 0:
                stream.write(",".join(["step", "epoch", "faces_per_second", *_LOSSES]) + "\n")
            stream.write(",".join(map(str, line)) + "\n")
    except OSError:
        pass  # a full disk is reported with the checkpoint; the curve is not worth ending a run for


def tally_line(name: str, tally: dict[str, Any]) -> str:
    """How many faces a source gave, and why others gave none."""
    left_out = [(tally["broken"], "broken"), (tally["tiny"], "too small"), (tally["without_face"], "without a face")]
    passed = ", ".join(f"{count} {what}" for count, what in left_out if count)
    return f"{name}: {tally['faces']} faces of {tally['images']} images{', ' + passed if passed else ''}"


def show(event: Any, progress: Progress) -> None:
    """A step on the line of progress; what must not be missed in lines of its own."""
    # A line of a terminal ends somewhere: what matters most comes first.
    note = f"{_time(event.seconds_left)} left, loss {event.losses['total']:.2f}, {event.faces_per_second:.0f} faces/s"
    progress("Pre-training", event.step, event.steps, f"{note}, {event.stage}")
    progress.warn(event.note)
    if event.saved is not None:
        progress.say(f"step {event.step}, epoch {event.epoch:.2f}: saved {event.saved}")


def _time(seconds: float) -> str:
    """In the unit that suits: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
