"""The program's entry point: ``scaf-gui`` and ``python -m scaf_gui``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    if sys.platform == "win32":
        # torch's libraries do not load once Qt's have: c10.dll, error 1114
        import torch  # noqa: F401

    if sys.platform == "darwin":
        # what torch cannot compute on Apple's GPU is computed on the CPU, not refused; read when torch is imported
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

    from scaf_gui.cli.main import run

    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
