"""The command that trains the auto-encoder on unlabelled faces."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import Choices, device_argument, positive
from scaf_gui.cli.pretrain_report import append_losses, curve_path, cut_curve, outcome, show, tally_line
from scaf_gui.errors import UsageError

if TYPE_CHECKING:
    from scaf_gui.learning.device import Device
    from scaf_gui.learning.pretraining_recipes import Recipe

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CURVE_SECONDS = 10.0
#: steps over which the rate rises where trained weights meet a fresh optimiser, in recipes that begin without
_WARM_UP = 200


def recipes() -> Sequence[str]:
    from scaf_gui.learning.pretraining_recipes import RECIPES

    return list(RECIPES)


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "pretrain", help="train the auto-encoder on folders or .tar shards of unlabelled faces"
    )
    arguments(parser)
    parser.set_defaults(run=run_pretrain)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options; those left out keep the recipe's value."""
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="folders or .tar files of faces, each may end in @CROP")
    add("--out", type=Path, required=True, metavar="FILE", help="the auto-encoder, a .safetensors file")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--start", type=Path, metavar="FILE", help="begin with these weights: fresh optimiser and warm-up"
    )
    begin.add_argument("--resume", action="store_true", help="go on with the run that --out belongs to, exactly")
    add("--overwrite", action="store_true", help="an auto-encoder that is there may be replaced")
    add("--recipe", default="published", metavar="NAME", choices=Choices(recipes), help="%(choices)s")
    add("--size", type=int, choices=(128, 256), help="pixels of the input")
    add("--crop", default="auto", metavar="auto|detector|SIDE[,X,Y]", help="where the faces are in the images")
    add("--faces", type=Path, metavar="DIR", help="where cut faces are kept (default: beside --out)")
    for name in ("pixels", "structure", "gan", "prior", "cosine"):
        add(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=f"switch {name} on or off")
    for name, what in (
        ("gan-from", "share of the run after which the GAN loss takes part"),
        ("structure-from", "share of the run after which the structural loss takes part"),
        ("guided", "share of the run that is guided by principal components"),
        ("small", "share of the run in which images are painted at half the size"),
        ("gan-weight", "of the GAN loss"),
        ("prior-weight", "of the prior's loss on the latent"),
        ("lr", "learning rate"),
        ("lr-discriminator", "the image discriminator's, over --lr"),
        ("beta1", "Adam's"),
        ("weight-decay", "AdamW's"),
        ("muon", "matrices learn by Muon, steps so many times Adam's; 0: all by Adam"),
        ("ema", "decay of the averaged weights, 0 for none"),
        ("epochs", "length of the run, without --max-steps and --max-minutes"),
        ("max-minutes", "the run ends by then"),
        ("save-minutes", "time between checkpoints"),
        ("degrees", "random turns up to so far"),
        ("erasing", "probability that part of the input is erased"),
    ):
        add(f"--{name}", type=float, default=None, metavar="X", help=what)
    for name, what in (
        ("batch", "faces per step, all processes together"),
        ("max-steps", "the run ends after so many steps"),
        ("save-steps", "steps between checkpoints, instead of minutes"),
        ("warm-up", "steps over which the learning rate rises"),
        ("grow", "steps over which the layers of 256 pixels are blended in"),
        ("seed", "of everything random"),
    ):
        add(f"--{name}", type=int, default=None, metavar="N", help=what)
    add("--threads", type=positive, default=None, metavar="N", help="of torch on the CPU")
    add("--workers", type=int, default=None, metavar="N", help="threads that prepare faces (default: 0 on the CPU)")
    add("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    device_argument(parser)


def run_pretrain(args: argparse.Namespace, progress: Progress) -> Outcome | int:
    import scaf_gui.learning  # noqa: F401 - before torch
    from scaf_gui.io.facepack import FacePack
    from scaf_gui.io.locks import locked
    from scaf_gui.learning.distributed import joined
    from scaf_gui.learning.pretrained import load_autoencoder
    from scaf_gui.learning.pretraining import pretrain
    from scaf_gui.learning.pretraining_state import read_kept

    out = _out(args)
    if args.resume and args.precision == "auto":  # what is faster may be measured differently now
        args.precision = read_kept(out).precision or "auto"
    device = chosen_device(args)
    with joined(device) as group, locked(out, wanted=group.first):
        recipe = chosen_recipe(args, out)
        if recipe.batch % group.processes:
            raise UsageError(
                f"{group.processes} processes cannot share a batch of {recipe.batch} faces evenly; "
                "choose another --batch or --nproc-per-node"
            )
        device = group.alike(device)
        start = None if args.start is None else load_autoencoder(args.start)
        folder = args.faces or out.with_suffix(".faces")
        if group.first:
            _gather(args, recipe.size, folder, progress)
        group.wait()
        faces = FacePack(folder)
        workers = args.workers if args.workers is not None else (0 if device.kind == "cpu" else 8)
        work = pretrain(
            faces, recipe, out, start=start, resume=args.resume, device=device, group=group, workers=workers,
            sources=tuple(Path(name).name for name in faces.notes["sources"]),
        )  # fmt: skip
        stop = partial(group.either, device=device)
        result = _drive(work, out, progress, stop) if group.first else _drive(work, None, Progress(quiet=True), stop)
        if not group.first:
            return 0
    return outcome(out, result, faces.notes, device.why)


def _drive(
    work: Generator[Any, None, Any], out: Path | None, progress: Progress, stop: Callable[[bool], bool] = bool
) -> Any:
    """Run to the end. Ctrl-C and a request to end (SIGTERM) wait for the step at hand and save it first.

    :param out: where to write the curve, ``None`` in helping processes
    :param stop: whether to stop, given that this process was asked to: all processes must do so after the same step
    """
    asked: list[int] = []
    before = {number: signal.signal(number, lambda got, _: asked.append(got)) for number in _SIGNALS}
    last, begun = 0.0, False
    try:
        while True:
            event = next(work)
            if out is not None and not begun:
                begun = True
                cut_curve(curve_path(out), event.step)
            if out is not None and (event.saved or event.note or monotonic() - last > _CURVE_SECONDS):
                last = monotonic()
                append_losses(curve_path(out), event)
            show(event, progress)
            if stop(bool(asked)):
                event.save()
                raise KeyboardInterrupt
    except StopIteration as end:
        return end.value
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        work.close()
        progress.clear()


def chosen_recipe(args: argparse.Namespace, out: Path) -> Recipe:
    """The named recipe, or that of the run to resume, with what the command line says otherwise.

    :raises UsageError: the options contradict each other
    """
    from scaf_gui.learning.presets import Augmentation
    from scaf_gui.learning.pretraining_recipes import Recipe, recipe_named
    from scaf_gui.learning.pretraining_state import read_kept

    recipe = read_kept(out).recipe if args.resume else recipe_named(args.recipe)
    asked = {name: value for name, value in vars(args).items() if value is not None}
    changed = {field.name: asked[field.name] for field in fields(Recipe) if field.name in asked}
    views = {field.name: asked[field.name] for field in fields(Augmentation) if field.name in asked}
    fixed = sorted(({*changed} | {*views}) - {"max_minutes", "max_steps", "epochs", "save_minutes", "save_steps"})
    if args.resume and fixed:
        option = fixed[0].replace("_", "-")
        raise UsageError(f"--resume goes on with the same recipe; leave out --{option}, or use --start instead")
    if args.start is not None and not recipe.warm_up:
        changed.setdefault("warm_up", _WARM_UP)
    return replace(recipe, **changed, views=replace(recipe.views, **views))


def chosen_device(args: argparse.Namespace) -> Device:
    """Device and precision, and the number of threads set."""
    import cv2
    import torch

    from scaf_gui.learning.device import choose_device

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    device = choose_device(args.device or _preferred())
    if args.precision == "bfloat16":
        return replace(device, dtype=torch.bfloat16, why=f"{device.kind}, bfloat16: asked for")
    if args.precision == "float32" or device.dtype is torch.float16:
        return replace(device, dtype=None, why=f"{device.kind}, float32")
    return device


def _preferred() -> str:
    from scaf_gui.settings import Settings

    try:
        return str(Settings()["device"])
    except ImportError:  # on a machine with torch alone, where the window's packages are not installed
        return "auto"


def _out(args: argparse.Namespace) -> Path:
    out = Path(args.out)
    if out.suffix != ".safetensors":
        raise UsageError(f"--out {out}: give it the suffix .safetensors")
    if out.exists() and not (args.resume or args.overwrite):
        raise UsageError(f"{out} exists; go on with --resume, replace it with --overwrite, or choose another --out")
    return out


def _gather(args: argparse.Namespace, size: int, folder: Path, progress: Progress) -> None:
    from scaf_gui.io.facepack import read_notes
    from scaf_gui.io.shards import open_shards
    from scaf_gui.session.gather import gather, parse_share

    noted = read_notes(folder)
    if args.resume and noted is not None and noted.get("finished"):
        return  # cut anew, they might be others
    if not args.sources:
        if args.faces is None:
            raise UsageError("name SOURCE folders or .tar files of faces, or faces that were cut before with --faces")
        return
    named = [_with_crop(source, args.crop) for source in args.sources]
    for _, crop in named:
        if crop not in ("auto", "detector"):
            try:
                parse_share(crop)
            except ValueError:
                raise UsageError(f"--crop {crop}: use auto, detector, SIDE or SIDE,X,Y (parts of the image)") from None
    shards = open_shards([path for path, _ in named])
    places = {shard.path.name: place for place, shard in enumerate(shards)}
    work = gather(shards, folder, size, [crop for _, crop in named])
    try:
        while True:
            name, faces = next(work)
            progress("Cutting faces", places[name], len(shards), f"{name}: {faces} faces")
    except StopIteration as end:
        notes: dict[str, Any] = end.value
    finally:
        work.close()
        progress.clear()
    for name, noted in notes["sources"].items():
        progress.say(tally_line(name, noted["tally"]))
        for problem in noted["tally"]["problems"]:
            progress.say(f"left out: {problem}")


def _with_crop(source: str, otherwise: str) -> tuple[Path, str]:
    """A source and where its faces are: ``shard.tar@0.9`` names both."""
    path, at, crop = source.rpartition("@")
    if at and path and not Path(source).exists():
        return Path(path), crop
    return Path(source), otherwise
