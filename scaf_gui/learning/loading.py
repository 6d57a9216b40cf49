"""Loading torch's shared libraries without holding up other threads."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

#: in the order and way in which torch loads them; what they need comes with them
_LIBRARIES = (("torch_global_deps", "RTLD_GLOBAL"), ("torch", "RTLD_LOCAL"))
_alone = Lock()


def load_libraries() -> bool:
    """Load what ``import torch`` would, so that the import itself is short; whether all of it was found.

    An import holds the interpreter's lock while it loads a shared library, half a second for torch's, and everything
    else stands still meanwhile. A C function that is called through ctypes lets go of the lock. Where this does not
    work the import does all, as ever; on Windows the libraries are loaded before the window's own.
    """
    if sys.platform == "win32" or "torch" in sys.modules:
        return False
    with _alone:
        spec = find_spec("torch")
        if spec is None or spec.origin is None:
            return False
        folder = Path(spec.origin).parent / "lib"
        ending = ".dylib" if sys.platform == "darwin" else ".so"
        load = ctypes.CDLL(None).dlopen
        load.restype, load.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
        found = [
            load(os.fsencode(folder / f"lib{name}{ending}"), os.RTLD_NOW | getattr(os, scope))
            for name, scope in _LIBRARIES
        ]
        return None not in found
