"""Run-length encoding of masks as COCO defines it: column-major runs, in base 32 with differences, printable ASCII.

Strokes travel and are kept in it, and COCO files are written in it. Pure functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # whoever labels pictures by class needs no arrays: importing the package stays quick
    import numpy as np
    import numpy.typing as npt

MAX_PIXELS = 2**28
"""Pixels a decoded mask may have: the encoding of an empty one is a few bytes, whatever its size."""


def encode(mask: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return ``{"size": [height, width], "counts": text}`` of a mask (rows, columns)."""
    import numpy as np

    flat = np.asarray(mask, bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(bounds).tolist()
    if flat.size and flat[0]:  # the first run is of zeros
        runs.insert(0, 0)
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": _to_text(runs)}


def decode(encoded: Any) -> npt.NDArray[np.bool_]:
    """Return the mask; `counts` may be text or a list of runs.

    Raises
    ------
    ValueError
        If it is no such encoding, or does not fill its size.
    """
    size, counts = (encoded.get("size"), encoded.get("counts")) if isinstance(encoded, dict) else (None, None)
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
        raise ValueError(f"size must be two positive whole numbers, not {size!r}")
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError(f"size {size} is more than {MAX_PIXELS} pixels")
    runs = runs_of(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(n, int) and n >= 0 for n in runs):
        raise ValueError("counts must be text or a list of runs")
    if sum(runs) != size[0] * size[1]:
        raise ValueError(f"counts fill {sum(runs)} pixels, size {size} has {size[0] * size[1]}")
    import numpy as np

    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(size, order="F")


def _to_text(runs: list[int]) -> str:
    text = []
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        while True:
            digit = value & 0x1F
            value >>= 5
            more = value != (-1 if digit & 0x10 else 0)
            text.append(chr((digit | 0x20 if more else digit) + 48))
            if not more:
                break
    return "".join(text)


def runs_of(text: str) -> list[int]:
    """Return the lengths of the runs, the first of zeros; they may be negative where the text was made up.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    runs: list[int] = []
    value = shift = 0
    for c in text:
        digit = ord(c) - 48
        if not 0 <= digit < 64 or shift > 60:
            raise ValueError(f"counts hold {c!r} at run {len(runs)}")
        value |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("counts end within a run")
    return runs
