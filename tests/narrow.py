"""The real network with a quarter of its channels: a sixteenth of the arithmetic, for tests that train.

``python -m tests.narrow`` is the program itself with such networks, for tests that start it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

WIDTHS: dict[str, tuple[int, ...]] = {
    "ENCODER_WIDTHS": (16, 32, 64, 128),
    "GENERATOR_WIDTHS": (64, 32, 16, 16, 16),
    "SKIP_WIDTHS": (64, 32, 16, 16),
}


def narrow(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Build all networks narrow from now on.

    Files of the shipped models do not fit them: only for tests that make their own.

    :param put: ``monkeypatch.setattr`` in a test
    """
    from scaf_gui.learning import autoencoder, networks

    for name, widths in WIDTHS.items():
        for module in (autoencoder, networks):
            if hasattr(module, name):
                put(module, name, widths)


if __name__ == "__main__":
    from scaf_gui.app import main

    narrow()
    sys.exit(main())
