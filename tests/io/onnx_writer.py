"""Writes small ONNX files (protocol buffers) for tests, without the package onnx."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


def _part(field: int, content: bytes | str | int) -> bytes:
    if isinstance(content, int):
        return _varint(field << 3) + _varint(content)
    raw = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = {"float32": 1, "int64": 7}[values.dtype.name]
    dimensions = b"".join(_part(1, size) for size in values.shape)
    return dimensions + _part(2, kind) + _part(8, name) + _part(9, values.tobytes())


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int]) -> bytes:
    given = b"".join(
        _part(5, _part(1, name) + b"".join(_part(8, value) for value in values) + _part(20, 7))
        for name, values in attributes.items()
    )
    return b"".join(_part(1, name) for name in inputs) + _part(2, output) + _part(4, kind) + given


def _value(name: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(_part(1, _part(1, size)) for size in shape)
    return _part(1, name) + _part(2, _part(1, _part(1, 1) + _part(2, dimensions)))


#: pupils, nose tip and corners of the mouth around a white cell, in cells from its top-left corner
POINTS = np.array([[0, 0], [1, 0], [0.5, 0.6], [0.1, 1.2], [0.9, 1.2]])


def yunet() -> bytes:
    """A network with YuNet's input and outputs that finds a face in every white cell of 32 x 32 pixels.

    The face's box is 64 x 80 pixels around the cell's centre, its points are :data:`POINTS`.
    """
    nodes, tensors, outputs = [], [], []
    bias = {"bbox": [0.5, 0.5, math.log(2.0), math.log(2.5)], "kps": POINTS.ravel().tolist()}
    for stride in (8, 16, 32):
        for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            name = f"{kind}_{stride}"
            weights = np.zeros((channels, 3, stride, stride), np.float32)
            offset = np.array(bias.get(kind, [-250.0 if stride == 32 else -1e4]), np.float32)
            if kind in ("cls", "obj"):
                weights[:] = 1 / weights[0].size
            tensors += [_tensor(f"w_{name}", weights), _tensor(f"b_{name}", offset)]
            tensors.append(_tensor(f"s_{name}", np.array([1, -1, channels], np.int64)))
            size = [stride, stride]
            nodes.append(
                _node("Conv", ["input", f"w_{name}", f"b_{name}"], f"c_{name}", kernel_shape=size, strides=size)
            )
            nodes.append(_node("Transpose", [f"c_{name}"], f"t_{name}", perm=[0, 2, 3, 1]))
            flat = name if kind in bias else f"r_{name}"
            nodes.append(_node("Reshape", [f"t_{name}", f"s_{name}"], flat))
            if kind not in bias:
                nodes.append(_node("Sigmoid", [flat], name))
            outputs.append(_value(name, [1, (640 // stride) ** 2, channels]))
    graph = b"".join(
        _part(field, item)
        for field, items in (
            (1, nodes),
            (2, ["graph"]),
            (5, tensors),
            (11, [_value("input", [1, 3, 640, 640])]),
            (12, outputs),
        )
        for item in items
    )
    return _part(1, 7) + _part(7, graph) + _part(8, _part(2, 11))
