"""Sensors & Software DT1 files with their HD header (pulseEKKO, Noggin).

Each trace has 25 float32, 28 bytes of text, then its samples: int16, or float32 on newer instruments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from al_widgets.errors import ReadError
from al_widgets.readers.fields import (
    Fields,
    TextFields,
    file_size,
    read_array,
    read_bytes,
    sibling,
    whole_traces,
)
from al_widgets.readers.volume import Axis, Volume

TRACE_HEADER = 128
METRES = {"m": 1.0, "metres": 1.0, "meters": 1.0, "ft": 0.3048, "feet": 0.3048}


def read_dt1(path: str | Path, *, allow_truncated: bool = False) -> Volume:
    """Read a DT1 file; spacing, window and time-zero come from the HD file beside it.

    Without an HD file the spacing is taken from the positions in the trace headers, and the time-zero is unknown (0).

    Returns
    -------
    Volume
        ``(1, samples, traces)`` of int16 or float32. Positions in feet are given in metres.

    Raises
    ------
    ReadError
        If the file is truncated, or DT1 and HD contradict each other.
    """
    path = Path(path)
    size = file_size(path)
    first = Fields(path, read_bytes(path, TRACE_HEADER))
    samples = first.integer("f", 8, "points per trace", 1, 2**24)
    width = first.integer("f", 20, "bytes per point", 2, 4)
    if width == 3:
        first.bad("bytes per point", width, "2 or 4")
    header_path = sibling(path, ".HD")
    header = TextFields(header_path, "=") if header_path else None
    declared = header.integer("NUMBER OF TRACES", 1, 2**31) if header else None
    if header and header.integer("NUMBER OF PTS/TRC", 1, 2**24) != samples:
        raise ReadError(
            str(header.path),
            f"header field NUMBER OF PTS/TRC is {header.values['NUMBER OF PTS/TRC']!r}, but the traces of {path.name} have {samples} points",
        )
    record = np.dtype([("header", "<f4", 25), ("text", "S28"), ("data", "<i2" if width == 2 else "<f4", samples)])
    traces = whole_traces(path, size, record.itemsize, declared, field="NUMBER OF TRACES", truncated=allow_truncated)
    data = read_array(path, "u1", traces * record.itemsize, 0).view(record)
    headers = data["header"]
    for column, name, expected in ((2, "points per trace", samples), (5, "bytes per point", width)):
        wrong = np.flatnonzero(headers[:, column] != expected)
        if wrong.size:
            raise ReadError(
                str(path),
                f"header field {name} of trace {wrong[0]} is {float(headers[wrong[0], column])!r}, trace 0 has {expected}",
            )
    array = np.ascontiguousarray(data["data"].T[np.newaxis]).astype(data["data"].dtype.newbyteorder("="), copy=False)
    metadata: dict[str, Any] = {
        "format": "DT1",
        "vendor": "Sensors & Software",
        "header": dict(header.values) if header else {},
    }
    if header:
        window = header.real("TOTAL TIME WINDOW", positive=True)
        point = header.real("TIMEZERO AT POINT", 1.0)
        metadata["frequency_mhz"] = header.real("NOMINAL FREQUENCY", 0.0) or None
        metadata["antenna_separation_m"] = header.real("ANTENNA SEPARATION", 0.0)
        unit = header.values.get("POSITION UNITS", "m").lower()
        start, step = header.real("STARTING POSITION", 0.0), header.real("STEP SIZE USED", 0.0)
    else:
        window = first.real("f", 24, "picoseconds per point", positive=True) * samples / 1000
        point, unit = 1.0, "m"
        start, step = _positions(headers[:, 1])
    metadata["time_zero_sample"] = point - 1  # points are counted from 1
    dt = window / samples
    metre = METRES.get(unit)
    if step > 0 and metre:
        distance = Axis("distance", "m", step * metre, start * metre)
    elif step > 0:
        distance = Axis("distance", unit[:20], step, start)
    else:
        distance = Axis("trace")
    return Volume(array, (Axis("line"), Axis("time", "ns", dt, -(point - 1) * dt), distance), metadata, path.stem)


def _positions(positions: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[float, float]:
    """Return start and spacing of evenly spaced positions; spacing 0 where they are not."""
    if len(positions) < 2 or not np.isfinite(positions).all() or np.abs(positions).max() > 1e9:
        return 0.0, 0.0
    steps = np.diff(positions.astype(np.float64))
    step = float(np.median(steps))
    return (float(positions[0]), step) if step > 0 and np.abs(steps - step).max() < 0.1 * step else (0.0, 0.0)
