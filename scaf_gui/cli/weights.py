"""The command that brings in published weights."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from scaf_gui.cli.output import Outcome, Progress


def register(commands: Any) -> None:
    parser = commands.add_parser("import-weights", help="bring in the published 3FabRec weights (saae.mdl)")
    parser.add_argument("weights", type=Path, metavar="saae.mdl", help="file of the reference implementation")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the auto-encoder, a .safetensors file")
    parser.add_argument("--landmarks", type=Path, metavar="FILE", help="the landmark network, if the file has one")
    parser.add_argument("--scheme", default="300w-68", metavar="ID", help="landmarks of that network (default 300w-68)")
    parser.add_argument("--overwrite", action="store_true", help="files that are there may be replaced")
    parser.set_defaults(run=run_import)


def run_import(args: argparse.Namespace, progress: Progress) -> Outcome:
    """Everything is read and checked before anything is written."""
    from scaf_gui.core.scheme import parse_scheme
    from scaf_gui.errors import UsageError
    from scaf_gui.learning.checkpoint import save_checkpoint
    from scaf_gui.learning.pretrained import save_autoencoder
    from scaf_gui.learning.reference import read_reference, reference_autoencoder, reference_landmarks
    from scaf_gui.session.project import scheme_text

    for path in (args.out, args.landmarks):
        if path is not None and path.exists() and not args.overwrite:
            raise UsageError(f"{path} is there already; choose another name, or --overwrite")
    weights = read_reference(args.weights)
    autoencoder = reference_autoencoder(weights)
    network = None
    if args.landmarks is not None:
        network = reference_landmarks(weights, parse_scheme(json.loads(scheme_text(args.scheme))), autoencoder)
    save_autoencoder(autoencoder, args.out)
    lines = [f"Auto-encoder {autoencoder.id} for images of {weights.input_size} pixels: {args.out}"]
    if network is not None:
        save_checkpoint(network, args.landmarks, half=True)
        lines.append(f"Landmark network {network.id}, {weights.landmarks} landmarks: {args.landmarks}")
    elif weights.landmarks:
        lines.append(f"The file also has a network for {weights.landmarks} landmarks: --landmarks FILE writes it")
    values = {
        "autoencoder": autoencoder.id,
        "file": str(args.out),
        "input_size": weights.input_size,
        "landmarks": weights.landmarks,
        "network": None if network is None else network.id,
        "network_file": None if network is None else str(args.landmarks),
    }
    return Outcome(values, lines)
