"""Train the starter: the 68-point model that pre-fills the first faces.

It learns from labelled 300-W photos, from frames of YouTube Faces (labels partly automatic, so they get a smaller
share) and from rendered faces, beginning with an auto-encoder::

    python packaging/train_starter.py --data DATA --base models/faces-128.safetensors \\
        --out models/starter-68.safetensors --minutes 60

DATA holds ``300w/pool`` and ``ytf68`` (images with ``.pts``; learnt from) and ``300w/dev`` (measured at every save,
never learnt from, and no weights are chosen by it). Nothing here reads ``300w/test``, ``300w/test-hard`` or ``multi``;
tests/benchmarks/active_loop.py measures the final figures. The weights are saved every few minutes, without those
that are the auto-encoder's; ``--start FILE`` goes on from such a file, for as long as ``--minutes`` says. With
``--base`` too, the generator is the auto-encoder's from then on, whatever the file had.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labelled_faces import example, labelled_faces, read_image

from scaf_gui.core.metrics import Evaluation
from scaf_gui.core.scheme import Scheme, load_scheme
from scaf_gui.learning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scaf_gui.learning.device import Device, choose_device
from scaf_gui.learning.examples import Example
from scaf_gui.learning.predictor import Predictor
from scaf_gui.learning.presets import Preset, preset
from scaf_gui.learning.pretrained import Autoencoder, load_autoencoder
from scaf_gui.learning.training import train
from scaf_gui.paths import resource_folder
from scaf_gui.samples.render import render_face

#: renders of the sample and of the tests have smaller seeds
FIRST_RENDER_SEED = 100_000
RENDER_SIZE = 320


@dataclass(frozen=True)
class Source:
    """Labelled faces, and how large a share of what is learnt from they make up."""

    name: str
    faces: Sequence[Example]
    share: float


def rendered_faces(count: int, size: int, folder: Path, scheme: Scheme) -> list[Example]:
    """Renders, kept in ``folder`` so that the next run need not paint them again."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(FIRST_RENDER_SEED, FIRST_RENDER_SEED + count):
        image, label = folder / f"{seed}_{size}.png", folder / f"{seed}_{size}.npy"
        if not label.exists():
            face = render_face(seed, size)
            cv2.imwrite(str(image), face.image[..., ::-1])
            np.save(label, face.landmarks_68)
        found.append(example(str(image), np.load(label), scheme))
    return found


def with_generator(start: Checkpoint, base: Autoencoder) -> Checkpoint:
    """The checkpoint with the generator of an auto-encoder in place of its own."""
    other = {name: base.tensors[name] for name in start.tensors if name.startswith("P.")}
    return replace(start, tensors={**start.tensors, **other})


def mixed(sources: Sequence[Source], seed: int = 0) -> list[Example]:
    """A list in which every source has its share: the scarcest for its share stands in it once, others repeatedly.

    What does not go into whole repetitions is drawn at random.
    """
    sources = [source for source in sources if source.share > 0 and source.faces]
    total = sum(source.share for source in sources)
    length = max(len(source.faces) * total / source.share for source in sources)
    rng = np.random.default_rng(seed)
    found: list[Example] = []
    for source in sources:
        wanted, have = round(length * source.share / total), len(source.faces)
        found += list(source.faces) * (wanted // have)
        found += [source.faces[place] for place in sorted(rng.choice(have, wanted % have, replace=False))]
    return found


def figures(checkpoint: Checkpoint, faces: Sequence[Example], scheme: Scheme, device: Device) -> Evaluation:
    """NME, failures, AUC and drags on faces that were not learnt from, true boxes."""
    predictor = Predictor(checkpoint, device, scheme, scores=())
    pairs = []
    for at in range(0, len(faces), 16):
        part = faces[at : at + 16]
        found = predictor.predict_faces([(read_image(face.image), face.square) for face in part])
        pairs += [(prediction.points, face.points) for prediction, face in zip(found, part, strict=True)]
    return Evaluation.of(pairs, scheme)


def card_row(name: str, found: Evaluation) -> str:
    """A row of the model card's table of figures."""
    return (
        f"| {name}, {found.faces} faces | true | {found.nme:.2f} | {found.drags_3:.1f} | {found.drags_5:.1f} "
        f"| {found.failure_8:.1f} % | {found.auc_8:.3f} |"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCAF_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", type=Path, help="auto-encoder to begin with; without it, random weights")
    parser.add_argument("--start", type=Path, help="go on from this checkpoint of an earlier run")
    parser.add_argument("--rate", type=float, default=0.5, help="with --start: learning rates times this")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--max-steps", type=int, default=100_000)
    parser.add_argument("--ytf-share", type=float, default=0.2, help="of the faces learnt from; 0: none")
    parser.add_argument("--render-share", type=float, default=0.15, help="likewise, of the renders")
    parser.add_argument("--renders", type=int, default=240, help="how many different ones")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scaf-starter-renders")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--ema", type=float, default=0.998, help="decay of the averaged weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=float, default=240.0, help="seconds")
    given = parser.parse_args()
    if given.data is None:
        parser.error("--data or the environment variable SCAF_DATA is needed")
    if given.ytf_share < 0 or given.render_share < 0 or given.ytf_share + given.render_share >= 1:
        parser.error("the shares of ytf68 and of renders must leave some to 300w/pool")
    return given


def recipe(given: argparse.Namespace) -> Preset:
    """The preset, planned by time; a run that goes on is no refinement by a few faces: it trains as the first did."""
    chosen = replace(preset(given.preset), full_steps=given.max_steps, full_epochs=0, ema=given.ema)
    as_first = {"warm_start": given.rate, "refine_keeps_statistics": False, "refine_augmentation": None}
    return replace(chosen, **as_first) if given.start else chosen


def main() -> int:
    given = parse()
    import torch

    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    scheme = load_scheme(resource_folder() / "schemes" / "300w-68.json")
    data = Path(given.data)
    renders = rendered_faces(given.renders, RENDER_SIZE, given.cache, scheme) if given.render_share else []
    frames = labelled_faces(data / "ytf68", scheme) if given.ytf_share else []
    sources = [
        Source("300w/pool", labelled_faces(data / "300w" / "pool", scheme), 1 - given.ytf_share - given.render_share),
        Source("ytf68", frames, given.ytf_share),
        Source("renders", renders, given.render_share),
    ]
    watched = labelled_faces(data / "300w" / "dev", scheme)
    base = load_autoencoder(given.base) if given.base else None
    start: Checkpoint | Autoencoder | None = base
    if given.start:
        start = load_checkpoint(given.start, scheme)
        start = with_generator(start, base) if base is not None else start
    device = choose_device(given.device)
    for source in sources:
        print(f"{source.name}: {len(source.faces)} faces, share {source.share:.2f}", flush=True)
    print(f"from {given.start or given.base or 'random weights'}; {device.why}", flush=True)

    def save(checkpoint: Checkpoint) -> Evaluation:
        found = figures(checkpoint, watched, scheme, device)
        told = {
            "learnt_from": {s.name: {"faces": len(s.faces), "share": round(s.share, 3)} for s in sources if s.faces},
            "labels": sum(len(s.faces) for s in sources if s.name != "renders"),
        }
        noted = replace(checkpoint, meta={**checkpoint.meta, "recipe": {**checkpoint.meta["recipe"], **told}})
        noted = noted.with_figures({"dev": asdict(found)})
        save_checkpoint(noted, given.out, half=True, base=base)
        print(f"saved {given.out} ({given.out.stat().st_size / 2**20:.1f} MiB): dev NME {found.nme:.2f} %", flush=True)
        return found

    run = train(
        mixed(sources, given.seed), read_image, scheme, recipe(given),
        start=start, device=device, seed=given.seed, max_seconds=given.minutes * 60,
    )  # fmt: skip
    saved = said = time.monotonic()
    while True:
        try:
            progress = next(run)
        except StopIteration as finished:
            result = finished.value
            break
        now = time.monotonic()
        if now - said > 20:
            said = now
            print(f"step {progress.step}/{progress.steps} loss {progress.loss:.5f} {progress.note}", flush=True)
        if now - saved > given.save_every and progress.snapshot is not None:
            save(progress.snapshot())
            saved = time.monotonic()
    found = save(result.checkpoint)
    print(f"{result.checkpoint.id}: {len(result.curve)} steps, {result.seconds:.0f} s", flush=True)
    print("| faces | boxes | NME % | drags (3 %) | drags (5 %) | failures > 8 % | AUC at 8 % |")
    print("|---" * 7 + "|")
    print(card_row("dev", found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
