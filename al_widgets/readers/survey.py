"""Surveys: parallel lines, each in a file of its own, as one volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from al_widgets.errors import ReadError
from al_widgets.readers.volume import Axis, Volume

TOLERANCE = 1e-3
"""Relative difference of spacing that lines of one survey may have."""


def stack_lines(
    lines: Sequence[Volume], *, name: str, line_spacing_m: float | None = None, zigzag: bool = False
) -> Volume:
    """Stack lines into one volume, padding shorter ones with zeros at their end.

    Parameters
    ----------
    lines : sequence of Volume
        Each with one section, in the order of the survey.
    name : str
        Of the survey.
    line_spacing_m : float, optional
        Distance of neighbouring lines; files do not hold it.
    zigzag : bool
        The survey went back and forth: reverse every second line, so that all start on the same side. Without positions that say
        more, lines are taken to start together.

    Returns
    -------
    Volume
        ``(lines, samples, traces of the longest)``; `Volume.lengths` has the real traces of each.
        ``metadata["lines"]`` has name, number of traces and direction of each.

    Raises
    ------
    ReadError
        If lines differ in sampling, number of samples or sample type, or one has several sections.
    """
    if not lines:
        raise ReadError(name, "it holds no lines")
    first = lines[0]
    for line in lines:
        if len(line) != 1:
            raise ReadError(
                line.name, f"it has {len(line)} sections, a line of a survey has one; pass channel=... to choose"
            )
        if line.shape[1] != first.shape[1]:
            raise ReadError(line.name, f"it has {line.shape[1]} samples per trace, {first.name} has {first.shape[1]}")
        if line.array.dtype != first.array.dtype:
            raise ReadError(line.name, f"it has samples of {line.array.dtype}, {first.name} has {first.array.dtype}")
        for mine, its in zip(line.axes[1:], first.axes[1:], strict=True):
            if mine.unit != its.unit or abs(mine.step - its.step) > TOLERANCE * its.step:
                raise ReadError(
                    line.name,
                    f"it has a {mine.name} step of {mine.step:g} {mine.unit}, {first.name} has {its.step:g} {its.unit}",
                )
    lengths = tuple(line.shape[2] for line in lines)
    array = np.zeros((len(lines), first.shape[1], max(lengths)), first.array.dtype)
    described: list[dict[str, Any]] = []
    for i, line in enumerate(lines):
        back = zigzag and i % 2 == 1
        array[i, :, : lengths[i]] = line.array[0][:, ::-1] if back else line.array[0]
        described.append(
            {
                "name": line.name,
                "traces": lengths[i],
                "reversed": back,
                "time_zero_sample": line.metadata.get("time_zero_sample"),
                "header": line.metadata.get("header", {}),
            }
        )
    spacing = Axis("line", "m", line_spacing_m) if line_spacing_m else Axis("line")
    metadata = {
        **{k: v for k, v in first.metadata.items() if k != "header"},
        "lines": described,
        "zigzag": zigzag,
    }
    return Volume(array, (spacing, first.axes[1], first.axes[2]), metadata, name, lengths=lengths)


def with_spacing(volume: Volume, line_spacing_m: float | None, trace_spacing_m: float | None) -> Volume:
    """Return the volume with spacings that the caller knows better than the file."""
    line, _, trace = volume.axes
    return volume.with_axes(
        Axis("line", "m", line_spacing_m) if line_spacing_m else line,
        None,
        Axis("distance", "m", trace_spacing_m) if trace_spacing_m else trace,
    )
