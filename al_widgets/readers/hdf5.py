"""HDF5 files, among them the output of gprMax; needs h5py (extra ``hdf5``)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import MissingExtraError, ReadError
from al_widgets.readers.arrays import as_volume, choose
from al_widgets.readers.fields import check_expansion, file_size, foreign
from al_widgets.readers.volume import Axis, Volume

MAX_DATASETS = 1000


def read_hdf5(
    path: str | Path,
    *,
    key: str | None = None,
    component: str = "Ez",
    receiver: int = 1,
    axes: Sequence[Any] | None = None,
    max_bytes: int | None = None,
) -> Volume:
    """Read one dataset of an HDF5 file, or the traces of a gprMax ``.out`` file (A-scan or merged B-scan).

    Parameters
    ----------
    path : path
    key : str, optional
        Path of the dataset inside the file; by default the only one of two or three dimensions.
    component, receiver : str, int
        For gprMax: the field component and the number of the receiver.
    axes : three `Axis` or tuples, optional
    max_bytes : int, optional
        Largest array to allocate; by default what the file's size can justify.

    Raises
    ------
    ReadError
        If it is no intact file, holds no such dataset, or points to other files.
    MissingExtraError
        If h5py is not installed.
    """
    try:
        h5py = import_module("h5py")
    except ImportError as error:
        raise MissingExtraError("reading HDF5 files", "h5py", "hdf5") from error
    path = Path(path)
    size = file_size(path)
    with foreign(path, "HDF5 file"), h5py.File(path, "r") as file:
        found = _datasets(file)
        if "gprMax" in file.attrs and key is None:
            name = f"rxs/rx{receiver}/{component}"
            if name not in found:
                known = ", ".join(n for n in found if n.startswith("rxs/"))
                raise ReadError(str(path), f"it holds no {name}; there are: {known or 'no receivers'}")
            array = _load(path, found[name], size, max_bytes)
            return _gprmax(path, array, dict(file.attrs), name)
        name = choose(path, {n: d.shape for n, d in found.items()}, key.strip("/") if key else None)
        return as_volume(path, _load(path, found[name], size, max_bytes), axes, {"format": "HDF5", "key": name})


def _datasets(file: Any) -> dict[str, Any]:
    """Return name → dataset of all numeric datasets of a file, without following links to other files."""
    found: dict[str, Any] = {}
    pending = [("", file)]
    visited: set[Any] = set()
    while pending and len(found) < MAX_DATASETS and len(visited) < MAX_DATASETS:
        prefix, group = pending.pop()
        if group.id in visited:  # hard links may form a circle
            continue
        visited.add(group.id)
        for name in group:
            if type(group.get(name, getlink=True)).__name__ != "HardLink":
                continue
            item = group[name]
            if hasattr(item, "keys"):
                pending.append((f"{prefix}{name}/", item))
            elif hasattr(item, "shape") and item.shape is not None and item.dtype.kind in "biuf":
                found[f"{prefix}{name}"] = item
    return found


def _load(path: Path, dataset: Any, size: int, max_bytes: int | None) -> Any:
    if dataset.is_virtual or dataset.external:
        raise ReadError(str(path), f"dataset {dataset.name} lies in other files; copy it into one file first")
    check_expansion(
        path,
        f"dataset {dataset.name} of shape {dataset.shape}",
        prod(dataset.shape) * dataset.dtype.itemsize,
        size,
        max_bytes,
    )
    return np.asarray(dataset[()])


def _gprmax(path: Path, array: npt.NDArray[Any], attributes: dict[str, Any], name: str) -> Volume:
    """Return the field at a receiver, (iterations[, traces]); time in s, steps in cells of ``dx_dy_dz`` metres."""
    if array.ndim not in (1, 2):
        raise ReadError(str(path), f"dataset {name} has shape {array.shape}, expected (iterations[, traces])")
    dt = float(attributes["dt"])
    cells = np.asarray(attributes.get("rxsteps", (0, 0, 0)), np.float64).ravel()[:3]
    spacing = np.asarray(attributes.get("dx_dy_dz", (1, 1, 1)), np.float64).ravel()[:3]
    step = float(np.linalg.norm(cells * spacing)) if cells.shape == spacing.shape else 0.0
    axes = (
        Axis("line"),
        Axis("time", "ns", dt * 1e9),
        Axis("distance", "m", step) if "dx_dy_dz" in attributes and step > 0 else Axis("trace"),
    )
    metadata = {
        "format": "gprMax",
        "key": name,
        "time_zero_sample": 0.0,
        "version": str(attributes["gprMax"])[:40],
        "title": str(attributes.get("Title", ""))[:200],
    }
    return as_volume(path, array.reshape(len(array), -1)[np.newaxis], axes, metadata)
