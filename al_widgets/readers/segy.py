"""SEG-Y revision 1 files, as georadar writes them.

3200 bytes of text, 400 bytes of binary header, then traces of a 240-byte header and samples. Radar programs put picoseconds into
the sample interval, which the standard means as microseconds: `read_segy` follows the radar's use unless told otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError
from al_widgets.readers.fields import Fields, file_size, read_array, read_bytes, whole_traces
from al_widgets.readers.volume import Axis, Volume

TEXT, BINARY, TRACE = 3200, 400, 240
FORMATS = {1: "u4", 2: "i4", 3: "i2", 5: "f4", 8: "i1"}
"""Sample format code → type of the bytes; 1 is IBM floating point."""
INTERVAL_NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3}


def ibm_to_float(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    """Return IBM System/360 single-precision numbers as float32.

    Value = (-1)^sign · fraction/2^24 · 16^(exponent - 64). What float32 cannot hold becomes infinite or 0.
    """
    exponent = ((words >> 24) & 0x7F).astype(np.int32)
    fraction = (words & 0x00FFFFFF).astype(np.float64)
    value = np.ldexp(fraction, 4 * (exponent - 64) - 24)
    with np.errstate(over="ignore", under="ignore"):
        return np.where(words >> 31 == 1, -value, value).astype(np.float32)


def read_segy(path: str | Path, *, interval_unit: str = "ps", allow_truncated: bool = False) -> Volume:
    """Read a SEG-Y file with samples of format 1 (IBM float), 2 (int32), 3 (int16), 5 (IEEE float) or 8 (int8).

    Parameters
    ----------
    path : path
    interval_unit : {"ps", "ns", "us"}
        What the sample interval counts; radar: picoseconds.
    allow_truncated : bool
        Keep the whole traces of a file that was cut short.

    Returns
    -------
    Volume
        ``(1, samples, traces)``. The spacing comes from source coordinates in metres where they are even.

    Raises
    ------
    ReadError
        If the file is truncated, of another format, or its traces differ in length.
    """
    path = Path(path)
    if interval_unit not in INTERVAL_NS:
        raise ReadError(str(path), f"interval_unit must be one of {', '.join(INTERVAL_NS)}, not {interval_unit!r}")
    size = file_size(path)
    data = read_bytes(path, TEXT + BINARY)
    order = ">" if Fields(path, data, ">").number("h", 3224, "format code") in FORMATS else "<"
    fields = Fields(path, data, order)
    code = fields.integer("h", 3224, "format code", -(2**15), 2**15)
    if code not in FORMATS:
        fields.order = ">"
        fields.bad("format code", fields.number("h", 3224, "format code"), "1, 2, 3, 5 or 8")
    samples = fields.integer("H", 3220, "samples per trace", 1, 65535)
    interval = fields.integer("H", 3216, "sample interval", 1, 65535)
    if len(data) < TEXT + BINARY:
        raise ReadError(str(path), f"it is truncated: {len(data)} bytes, the headers alone have {TEXT + BINARY}")
    fields.number("H", 3500, "revision")
    extended = fields.integer("h", 3504, "extended text headers", 0, 1000)
    offset = TEXT + BINARY + extended * TEXT
    word = np.dtype(order + FORMATS[code])
    record = np.dtype([("header", f"V{TRACE}"), ("data", word, samples)])
    traces = whole_traces(
        path, size - offset, record.itemsize, None, field="samples per trace", truncated=allow_truncated
    )
    raw = read_array(path, "u1", traces * record.itemsize, offset)
    headers = raw.reshape(traces, record.itemsize)[:, :TRACE]
    counts = _column(headers, 114, order + "u2")
    wrong = np.flatnonzero((counts != samples) & (counts != 0))
    if wrong.size:
        raise ReadError(
            str(path),
            f"header field samples of trace {wrong[0]} is {counts[wrong[0]]}, the file header has {samples}; "
            "traces of different lengths are not read",
        )
    values = raw.view(record)["data"]
    array = ibm_to_float(values.astype(np.uint32)) if code == 1 else values.astype(word.newbyteorder("="))
    metadata: dict[str, Any] = {
        "format": "SEG-Y",
        "sample_format": code,
        "interval_unit": interval_unit,
        "time_zero_sample": 0.0,
        "header": dict(fields.values),
    }
    time = Axis("time", "ns", interval * INTERVAL_NS[interval_unit])
    return Volume(
        np.ascontiguousarray(array.T[np.newaxis]),
        (Axis("line"), time, _distance(headers, order)),
        metadata,
        path.stem,
    )


def _column(headers: npt.NDArray[np.uint8], at: int, dtype: str) -> npt.NDArray[Any]:
    width = np.dtype(dtype).itemsize
    return np.ascontiguousarray(headers[:, at : at + width]).view(dtype)[:, 0]


def _distance(headers: npt.NDArray[np.uint8], order: str) -> Axis:
    """Return the distance axis from source coordinates, or one that counts traces where they do not tell."""
    units, scalar = _column(headers, 88, order + "i2"), _column(headers, 70, order + "i2")
    if len(headers) < 2 or (units > 1).any() or (units < 0).any() or (scalar != scalar[0]).any():
        return Axis("trace")
    s = float(scalar[0])
    factor = s if s > 0 else -1 / s if s < 0 else 1.0
    x, y = (factor * _column(headers, at, order + "i4").astype(np.float64) for at in (72, 76))
    steps = np.hypot(np.diff(x), np.diff(y))
    step = float(np.median(steps))
    if step <= 0 or np.abs(steps - step).max() > max(0.1 * step, 1.5 * factor):
        return Axis("trace")
    mean = float(np.hypot(x[-1] - x[0], y[-1] - y[0]) / (len(x) - 1))
    return Axis("distance", "m", mean, 0.0) if mean > 0.5 * step else Axis("trace")
