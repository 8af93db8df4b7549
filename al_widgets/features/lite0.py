"""EfficientNet-Lite0: from the tensors of its checkpoint to an ONNX network that gives middle layers too.

The network: M. Tan, Q. Le, *EfficientNet*, ICML 2019, in the Lite variant (no squeeze-and-excitation, ReLU6), weights trained on
ImageNet by Google, Apache-2.0. Batch normalisation is folded into the convolutions; the classifier is left out. Imported by
`al_widgets.features.pretrained`. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.onnx_file import FLOAT, UINT8, Graph

SIDE = 128
"""Side of the pictures it is given, in pixels."""

DIMENSION = 1280 + (24 + 40 + 80 + 112 + 192) + 4 * 112
"""Length of a description: head, means of five stages, and stage of 112 channels in 2 x 2 parts."""

_STAGES = (
    (1, 1, 16),
    (2, 2, 24),
    (2, 2, 40),
    (3, 2, 80),
    (3, 1, 112),
    (4, 2, 192),
    (1, 1, 320),
)  # blocks, stride, channels
_TAPPED = (24, 40, 80, 112, 192)
_QUARTERED = 112
_EPSILON = 1e-3  # of batch normalisation, as in the TensorFlow original


@dataclass(frozen=True)
class Convolution:
    """A convolution with bias: `weight` (out, in / groups, k, k), TensorFlow's SAME padding, ReLU6 behind it or not."""

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    stride: int
    relu: bool
    groups: int


@dataclass(frozen=True)
class Block:
    """Inverted residual: convolutions in a row, their input added to the result if `residual`."""

    convolutions: tuple[Convolution, ...]
    residual: bool
    ends_stage: int
    """Channels of the stage that it is the last block of, else 0."""


def network(tensors: Mapping[str, npt.NDArray[Any]]) -> Iterator[Block]:
    """Give stem, blocks and head in order; a missing tensor raises KeyError."""

    def convolution(kernel: str, norm: str, stride: int, *, relu: bool) -> Convolution:
        weight = tensors[f"{kernel}.weight"]
        scale = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + _EPSILON)
        bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
        depthwise = weight.shape[1] == 1 and weight.shape[0] > 1
        return Convolution(
            (weight * scale[:, None, None, None]).astype(np.float32),
            bias.astype(np.float32),
            stride,
            relu,
            len(weight) if depthwise else 1,
        )

    yield Block((convolution("_conv_stem", "_bn0", 2, relu=True),), residual=False, ends_stage=0)
    number = 0
    for repeats, stride, channels in _STAGES:
        for repeat in range(repeats):
            name = f"_blocks.{number}"
            number += 1
            parts = []
            if f"{name}._expand_conv.weight" in tensors:
                parts.append(convolution(f"{name}._expand_conv", f"{name}._bn0", 1, relu=True))
            parts.append(
                convolution(f"{name}._depthwise_conv", f"{name}._bn1", stride if repeat == 0 else 1, relu=True)
            )
            parts.append(convolution(f"{name}._project_conv", f"{name}._bn2", 1, relu=False))
            yield Block(tuple(parts), repeat > 0, channels if repeat == repeats - 1 else 0)
    yield Block((convolution("_conv_head", "_bn1", 1, relu=True),), residual=False, ends_stage=0)


def onnx_model(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return an ONNX file: ``image`` uint8 (n, 128, 128, 3) RGB to ``features`` float32 (n, 2176).

    Weights are kept as float16, for half the memory while it is read; computation is in float32.
    """
    graph = Graph()
    for name, value in (("zero", 0.0), ("six", 6.0), ("centre", 127.0), ("width", 128.0)):
        graph.constant(name, np.array(value, np.float32))
    graph.node("Cast", ["image"], "values", to=FLOAT)
    graph.node("Sub", ["values", "centre"], "centred")
    graph.node("Div", ["centred", "width"], "scaled")
    current = graph.node("Transpose", ["scaled"], "input", perm=[0, 3, 1, 2])
    taps: dict[int, str] = {}
    for number, block in enumerate(network(tensors)):
        entry = current
        for place, convolution in enumerate(block.convolutions):
            current = _add_convolution(graph, current, f"b{number}c{place}", convolution)
        if block.residual:
            current = graph.node("Add", [current, entry], f"b{number}sum")
        if block.ends_stage:
            taps[block.ends_stage] = current
    parts = [_pooled(graph, current, "head")]
    parts += [_pooled(graph, taps[channels], f"stage{channels}") for channels in _TAPPED]
    half = SIDE // 16 // 2
    quarters = graph.node(
        "AveragePool", [taps[_QUARTERED]], "quarters", kernel_shape=[half, half], strides=[half, half]
    )
    parts.append(graph.node("Flatten", [quarters], "quarters_flat", axis=1))
    graph.node("Concat", parts, "features", axis=1)
    return graph.model(
        "efficientnet_lite0",
        {"image": (UINT8, ("n", SIDE, SIDE, 3))},
        {"features": (FLOAT, ("n", DIMENSION))},
    )


def _add_convolution(graph: Graph, source: str, name: str, convolution: Convolution) -> str:
    half = graph.constant(f"{name}_half", convolution.weight.astype(np.float16))
    weight = graph.node("Cast", [half], f"{name}_weight", to=FLOAT)
    bias = graph.constant(f"{name}_bias", convolution.bias)
    side = convolution.weight.shape[2]
    result = graph.node(
        "Conv",
        [source, weight, bias],
        f"{name}_out",
        kernel_shape=[side, side],
        strides=[convolution.stride, convolution.stride],
        group=convolution.groups,
        auto_pad="SAME_UPPER",
    )
    return graph.node("Clip", [result, "zero", "six"], f"{name}_relu") if convolution.relu else result


def _pooled(graph: Graph, source: str, name: str) -> str:
    return graph.node("Flatten", [graph.node("GlobalAveragePool", [source], f"{name}_mean")], name, axis=1)
