"""Tensors with a JSON header in one safetensors file: written beside and renamed, never unpickled."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save_file
from torch import Tensor

from scaf_gui.errors import CheckpointError
from scaf_gui.replace import replace_by

#: key of the JSON text in the metadata of a safetensors file
HEADER = "scaf_gui"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write beside, then rename: a file that is there is replaced by a whole one or not at all.

    :raises CheckpointError: where the file cannot be written
    """
    path = Path(path)
    text = {HEADER: json.dumps(dict(header), ensure_ascii=False, sort_keys=True)}
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    with _replaced(path) as beside:
        save_file(contiguous, beside, metadata=text)  # not through a copy in memory: a state has hundreds of megabytes


def replace_file(path: Path, content: bytes) -> None:
    """Write bytes beside a file, then rename; :raises CheckpointError: where that fails."""
    with _replaced(Path(path)) as beside:
        beside.write_bytes(content)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of another once it is whole and on the disk."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.touch()
            mode = beside.stat().st_mode
            yield beside
            beside.chmod(mode)  # safetensors would let nobody else read it
            with beside.open("rb+") as stream:
                os.fsync(stream.fileno())
            replace_by(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or in_short(error)
        raise CheckpointError(f"cannot be saved ({why}); what was there before stays", path) from error


def clear_unfinished(path: Path) -> None:
    """Remove what writers of a file that were killed have left beside it; nobody else may be writing it."""
    for beside in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            beside.unlink()


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header of a file, without its tensors.

    :raises CheckpointError: where the file is missing, a pickle, truncated, or not written by this program
    """
    path = Path(path)
    try:
        # Looked at first: safetensors' own messages speak of headers, and a pickle deserves plain words.
        with path.open("rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise CheckpointError(f"the model file cannot be read ({error.strerror or error})", path) from error
    # A safetensors file begins with the length of its header, whose low byte may be anything, then "{".
    if start[8:9] != b"{" and (start[:1] == b"\x80" or start[:4] == b"PK\x03\x04"):
        raise CheckpointError("is a pickled PyTorch file, which could run any code; only safetensors are loaded", path)
    try:
        with safe_open(path, framework="pt") as opened:
            found = opened.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"is truncated or not a safetensors file ({in_short(error)})", path) from error
    if HEADER not in found:
        raise CheckpointError("is a safetensors file, but not a model of this program", path)
    try:
        return dict(json.loads(found[HEADER]))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"has damaged metadata ({in_short(error)})", path) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, as stored; :raises CheckpointError: where they cannot be read."""
    try:
        return dict(load(Path(path).read_bytes()))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"is truncated or not a safetensors file ({in_short(error)})", path) from error


def in_short(error: BaseException) -> str:
    """The first line of an error's text, cut to fit into a sentence."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]
