"""GSSI DZT files (SIR-3000, SIR-4000, StructureScan …).

Layout: a header of 1024 bytes a channel (or ``1024 * rh_data`` bytes, or `rh_data` bytes when that is at least 1024), then scans;
each scan holds one trace a channel. 8- and 16-bit samples are unsigned around half their range, 32-bit samples signed.
The first two samples of every trace are a scan counter and a mark flag, not radar.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from al_widgets.errors import ReadError
from al_widgets.readers.fields import Fields, file_size, read_array, read_bytes, whole_traces
from al_widgets.readers.volume import Axis, Volume

BLOCK = 1024
MAX_CHANNELS = 64


def read_dzt(path: str | Path, *, channel: int | None = None, allow_truncated: bool = False) -> Volume:
    """Read a DZT file.

    Parameters
    ----------
    path : path
    channel : int, optional
        Channel to read, from 0. By default all: those of a file with several become the sections of the volume.
    allow_truncated : bool
        Keep the whole scans of a file that was cut short.

    Returns
    -------
    Volume
        ``(channels, samples, traces)`` of int8, int16 or int32, centred on 0; samples 0 and 1 of every trace are 0.
        ``metadata["marks"]`` lists the traces with a user mark.

    Raises
    ------
    ReadError
        If the file is truncated or its header makes no sense.
    """
    path = Path(path)
    size = file_size(path)
    fields = Fields(path, read_bytes(path, BLOCK * MAX_CHANNELS))
    data_offset = fields.integer("H", 2, "rh_data", 0, 65535)
    samples = fields.integer("H", 4, "rh_nsamp", 3, 65535)
    bits = fields.integer("H", 6, "rh_bits", 8, 32)
    if bits not in (8, 16, 32):
        fields.bad("rh_bits", bits, "8, 16 or 32")
    fields.number("h", 8, "rh_zero")
    scans_per_m = fields.real("f", 14, "rhf_spm")
    position = fields.real("f", 22, "rhf_position")
    range_ns = fields.real("f", 26, "rhf_range", positive=True)
    channels = fields.integer("H", 52, "rh_nchan", 1, MAX_CHANNELS)
    for code, at, name in (
        ("f", 10, "rhf_sps"),
        ("f", 18, "rhf_mpm"),
        ("f", 54, "rhf_epsr"),
        ("f", 58, "rhf_top"),
        ("f", 62, "rhf_depth"),
    ):
        fields.number(code, at, name)
    offset = BLOCK * data_offset if data_offset < BLOCK else BLOCK * channels
    if offset < BLOCK:
        fields.bad("rh_data", data_offset, "the length of the header")
    if channel is not None and not 0 <= channel < channels:
        raise ReadError(str(path), f"it has no channel {channel}; header field rh_nchan is {channels}")
    dtype, signed = {8: ("u1", "i1"), 16: ("<u2", "<i2"), 32: ("<i4", "<i4")}[bits]
    scan_bytes = samples * channels * bits // 8
    traces = whole_traces(path, size - offset, scan_bytes, None, field="rh_nsamp", truncated=allow_truncated)
    raw = read_array(path, dtype, traces * samples * channels, offset).reshape(traces, channels, samples)
    chosen = raw if channel is None else raw[:, channel : channel + 1]
    flags = chosen[:, 0, 1]
    common = np.bincount(np.unique(flags, return_inverse=True)[1]).argmax()
    marks = np.flatnonzero(flags != np.unique(flags)[common])
    if bits < 32:  # flipping the top bit of an unsigned number subtracts half the range
        chosen = np.bitwise_xor(chosen, np.array(1 << (bits - 1), chosen.dtype)).view(signed)
    array = np.ascontiguousarray(chosen.transpose(1, 2, 0)).astype(np.dtype(signed).newbyteorder("="), copy=False)
    array[:, :2] = 0
    antennas = [_text(fields.data[BLOCK * c + 98 : BLOCK * c + 112]) for c in range(channels)]
    metadata: dict[str, Any] = {
        "format": "DZT",
        "vendor": "GSSI",
        "antenna": antennas[channel or 0],
        "channels": channels,
        "marks": marks.tolist(),
        "time_zero_sample": abs(position) * samples / range_ns,
        "permittivity": fields.values.get("rhf_epsr"),
        "header": dict(fields.values),
    }
    if channels > 1:
        metadata["antennas"] = antennas
    distance = Axis("distance", "m", 1 / scans_per_m) if 1e-9 < scans_per_m < 1e9 else Axis("trace")
    axes = (
        Axis("line" if channels == 1 or channel is not None else "channel"),
        # The position of the first sample is written as a negative time, by some instruments as a positive one.
        Axis("time", "ns", range_ns / samples, -abs(position)),
        distance,
    )
    return Volume(array, axes, metadata, path.stem)


def _text(raw: bytes) -> str:
    return "".join(c for c in raw.split(b"\0")[0].decode("latin-1") if c.isprintable()).strip()
