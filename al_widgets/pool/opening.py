"""One door to all pools: what was given decides which. Imported by `al_widgets.pool` and sessions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from al_widgets.errors import PoolError
from al_widgets.pool.base import Pool

_EXPECTED = "a folder, a list of paths, an array (n, h, w[, c]), a DataFrame with a column of paths, or a pool"


def open_pool(source: Any, *, column: str | None = None, root: str | os.PathLike[str] | None = None) -> Pool:
    """Return the pool for `source`.

    Parameters
    ----------
    source : str, path-like, list, tuple, ndarray, DataFrame or Pool
        A folder; a list of paths; an array of pictures or a list of equally shaped ones; a table with a column of
        paths. A pool is returned as it is.
    column : str, optional
        Of a table: its column of paths.
    root : str or path-like, optional
        Of a list or a table: the folder that ids, or relative paths, start from.

    Raises
    ------
    PoolError
        If `source` is none of these or holds nothing.
    """
    if isinstance(source, str | os.PathLike):
        from al_widgets.pool.folder import FolderPool

        return FolderPool(source)
    if _is_frame(source):
        from al_widgets.pool.frame import FramePool

        return FramePool(source, column=column, root=root)
    if isinstance(source, Pool):
        if not len(source):
            raise PoolError(f"the pool {source.name!r} is empty")
        return source
    if isinstance(source, np.ndarray) or (hasattr(source, "__array__") and hasattr(source, "shape")):
        array = np.asarray(source)
        if array.dtype.kind not in "OUT":
            from al_widgets.pool.array import ArrayPool

            return ArrayPool(array)
        source = array.reshape(-1).tolist()  # an array of paths, or a column of a table
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return _from_items(list(source), root)
    raise PoolError(f"a {type(source).__name__} is no pool; give {_EXPECTED}")


def _from_items(items: list[Any], root: str | os.PathLike[str] | None) -> Pool:
    if not items:
        raise PoolError("the list is empty; give paths or pictures")
    if all(isinstance(item, str | os.PathLike) for item in items):
        from al_widgets.pool.paths import PathsPool

        return PathsPool(items, root=root)
    if all(hasattr(item, "shape") for item in items):
        from al_widgets.pool.array import ArrayPool

        return ArrayPool(items)
    odd = next(item for item in items if not isinstance(item, str | os.PathLike))
    raise PoolError(f"the list holds a {type(odd).__name__} ({odd!r:.60}) between its paths; give {_EXPECTED}")


def _is_frame(source: Any) -> bool:
    """Recognise a DataFrame by its parts, so that pandas need not be imported."""
    return all(hasattr(source, part) for part in ("columns", "index", "iloc"))
