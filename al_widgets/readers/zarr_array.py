"""Zarr arrays in a folder (versions 2 and 3); needs zarr (extra ``zarr``)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from al_widgets.errors import MissingExtraError, ReadError
from al_widgets.readers.arrays import as_volume, choose
from al_widgets.readers.fields import check_expansion, foreign, reading
from al_widgets.readers.volume import Volume

MARKERS = ("zarr.json", ".zarray", ".zgroup")
MAX_MEMBERS = 1000


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr array or group."""
    return any((path / marker).is_file() for marker in MARKERS)


def read_zarr(
    path: str | Path,
    *,
    key: str | None = None,
    axes: Sequence[Any] | None = None,
    max_bytes: int | None = None,
) -> Volume:
    """Read one array of a zarr folder: itself, the one named, or the only one of two or three dimensions.

    Raises
    ------
    ReadError
        If it is no intact zarr folder, or claims more than its bytes can hold.
    MissingExtraError
        If zarr is not installed.
    """
    path = Path(path)
    if not is_zarr(path):
        raise ReadError(str(path), f"it is no zarr folder: it has none of {', '.join(MARKERS)}")
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("reading zarr folders", "zarr", "zarr") from error
    stored = _stored_bytes(path)
    with foreign(path, "zarr folder"):
        node: Any = zarr.open(str(path), mode="r")
        if hasattr(node, "members"):
            arrays = {n: a for n, a in node.members(max_depth=4) if hasattr(a, "dtype")}
            key = choose(path, {n: tuple(a.shape) for n, a in list(arrays.items())[:MAX_MEMBERS]}, key)
            node = arrays[key]
        shape, dtype = tuple(node.shape), np.dtype(node.dtype)
        for what, extent in (("an array", shape), ("a chunk", tuple(node.chunks))):
            check_expansion(path, f"{what} of shape {extent}", prod(extent) * dtype.itemsize, stored, max_bytes)
        array = np.asarray(node[...])
    return as_volume(path, array, axes, {"format": "zarr", "key": key})


def _stored_bytes(path: Path) -> int:
    with reading(path):
        return sum(f.lstat().st_size for f in path.rglob("*"))
