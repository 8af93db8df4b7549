"""Just enough of the ONNX file format to write a network: protocol buffers by hand, so that `onnx` need not be installed.

Field numbers are those of ``onnx.proto3`` (ONNX 1.12, IR version 8, operator set 17). Imported by `al_widgets.features.lite0`.
Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FLOAT, UINT8 = 1, 2
_TENSOR_TYPES = {"float32": 1, "uint8": 2, "int64": 7, "float16": 10}
_IR_VERSION, _OPERATORS = 8, 17
_ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 2, 3, 7


@dataclass
class Graph:
    """A network that is being written: nodes in order of computation, and constants."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        """Add a constant; return its name."""
        little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
        dims = b"".join(_number(1, length) for length in little.shape)
        kind = _number(2, _TENSOR_TYPES[little.dtype.name])
        self.constants.append(dims + kind + _text(8, name) + _bytes(9, little.tobytes()))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; return the output's name."""
        self.nodes.append(
            b"".join(_text(1, name) for name in inputs)
            + _text(2, output)
            + _text(4, operator)
            + b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
        )
        return output

    def model(
        self,
        name: str,
        inputs: Mapping[str, tuple[int, Sequence[int | str]]],
        outputs: Mapping[str, tuple[int, Sequence[int | str]]],
    ) -> bytes:
        """Return the file; inputs and outputs by name, each with element type and shape (a string is a free dimension)."""
        graph = (
            b"".join(_bytes(1, node) for node in self.nodes)
            + _text(2, name)
            + b"".join(_bytes(5, constant) for constant in self.constants)
            + b"".join(_bytes(11, _value(key, *value)) for key, value in inputs.items())
            + b"".join(_bytes(12, _value(key, *value)) for key, value in outputs.items())
        )
        operators = _text(1, "") + _number(2, _OPERATORS)
        return _number(1, _IR_VERSION) + _text(2, "al_widgets") + _bytes(7, graph) + _bytes(8, operators)


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1  # negative numbers in two's complement
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _attribute(name: str, value: Any) -> bytes:
    head = _text(1, name)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    if isinstance(value, str):
        return head + _text(4, value) + _number(20, _ATTRIBUTE_STRING)
    return head + b"".join(_number(8, part) for part in value) + _number(20, _ATTRIBUTE_INTS)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_bytes(1, _text(2, side) if isinstance(side, str) else _number(1, side)) for side in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dims)))
