"""MALA RD3 (int16) and RD7 (int32) files with their RAD header: bare traces, described by a text file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from al_widgets.errors import ReadError
from al_widgets.readers.fields import TextFields, file_size, read_array, sibling, whole_traces
from al_widgets.readers.volume import Axis, Volume


def read_mala(path: str | Path, *, allow_truncated: bool = False) -> Volume:
    """Read an RD3 or RD7 file; its RAD file must lie beside it. The path may also be that of the RAD file.

    Returns
    -------
    Volume
        ``(1, samples, traces)`` of int16 or int32. A time-triggered line (``DISTANCE INTERVAL`` 0) counts traces, not metres.

    Raises
    ------
    ReadError
        If there is no RAD file, the data are truncated, or the two contradict each other.
    """
    path = Path(path)
    if path.suffix.lower() == ".rad":
        data = sibling(path, ".rd3") or sibling(path, ".rd7")
        if data is None:
            raise ReadError(str(path), "it has no RD3 or RD7 file of the same name beside it")
        path = data
    size = file_size(path)
    header_path = sibling(path, ".rad")
    if header_path is None:
        raise ReadError(str(path), f"it needs its header file {path.stem}.rad beside it")
    header = TextFields(header_path, ":")
    samples = header.integer("SAMPLES", 1, 2**24)
    declared = header.integer("LAST TRACE", 1, 2**31) if "LAST TRACE" in header.values else None
    if "FREQUENCY" in header.values:
        dt = 1000 / header.real("FREQUENCY", positive=True)
    else:
        dt = header.real("TIMEWINDOW", positive=True) / samples
    interval = header.real("DISTANCE INTERVAL", 0.0)
    dtype = "<i4" if path.suffix.lower() == ".rd7" else "<i2"
    trace_bytes = samples * int(dtype[-1])
    traces = whole_traces(path, size, trace_bytes, declared, field="LAST TRACE", truncated=allow_truncated)
    array = read_array(path, dtype, traces * samples, 0).reshape(traces, samples).T[np.newaxis]
    zero = header.real("SIGNAL POSITION", 0.0)
    metadata: dict[str, Any] = {
        "format": "RD7" if dtype == "<i4" else "RD3",
        "vendor": "MALA",
        "antenna": header.values.get("ANTENNAS", ""),
        "antenna_separation_m": header.real("ANTENNA SEPARATION", 0.0),
        # SIGNAL POSITION is a setting of the instrument whose unit differs between models: shown, not applied.
        "signal_position": zero,
        "time_zero_sample": 0.0,
        "header": dict(header.values),
    }
    array = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
    distance = Axis("distance", "m", interval) if interval > 0 else Axis("trace")
    return Volume(array, (Axis("line"), Axis("time", "ns", dt), distance), metadata, path.stem)
