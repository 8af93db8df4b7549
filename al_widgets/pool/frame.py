"""A table with a column of image paths as a pool. Imported by `al_widgets.pool`; pandas is not imported here."""

# Strings and os.path, for a folder may hold 100,000 files and each Path costs more than its listing.
# ruff: noqa: PTH100, PTH109, PTH111, PTH118

from __future__ import annotations

import os
from typing import Any

from al_widgets.errors import PoolError
from al_widgets.pool.files import FilePool, display_id
from al_widgets.pool.identity import duplicates

PATH_COLUMNS = ("path", "file", "filename", "image")
"""Names under which the column of paths is looked for, any case, in this order."""


class FramePool(FilePool):
    """Image files named in a column of a pandas DataFrame, in the order of its rows.

    Ids come from the index if that says which item is which: if it has no duplicates and either holds strings or has a name.
    An unnamed index of numbers only counts rows and changes when the table is sorted or filtered; then the id is the path as
    it stands in the table.

    Parameters
    ----------
    frame : pandas.DataFrame
    column : str, optional
        Column of paths; default: the first of ``path``, ``file``, ``filename``, ``image``, any case.
    root : str or path-like, optional
        Folder that relative paths start from; default: the working directory.

    Raises
    ------
    PoolError
        If there is no such column, no row, a missing path, or an id twice (the message names them).
    """

    def __init__(self, frame: Any, column: str | None = None, root: str | os.PathLike[str] | None = None) -> None:
        name = _path_column(frame, column)
        if not len(frame):
            raise PoolError("the table has no rows")
        values = list(frame[name])
        missing = [
            str(label)
            for label, value in zip(frame.index, values, strict=True)
            if not isinstance(value, str | os.PathLike) or not os.fspath(value)
        ]
        if missing:
            raise PoolError(f"column {name!r} holds no path in {len(missing)} rows: {', '.join(missing[:5])}")
        written = [os.fspath(value) for value in values]
        by_index = _index_is_meaningful(frame.index)
        ids = [str(label) for label in frame.index] if by_index else [display_id(path) for path in written]
        if twice := duplicates(ids):
            more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
            where = "index" if by_index else f"column {name!r}"
            raise PoolError(f"{where} names these items more than once: {', '.join(map(repr, twice[:5]))}{more}")
        base = os.path.abspath(os.path.expanduser(os.fspath(root))) if root is not None else os.getcwd()
        paths = {item: os.path.join(base, os.path.expanduser(path)) for item, path in zip(ids, written, strict=True)}
        super().__init__(str(frame.index.name or "table") if by_index else "table", "frame", paths)


def _path_column(frame: Any, column: str | None) -> Any:
    names = list(frame.columns)
    if column is not None:
        if column not in names:
            raise PoolError(f"the table has no column {column!r}; it has {', '.join(map(repr, names))}")
        return column
    for wanted in PATH_COLUMNS:
        for name in names:
            if str(name).lower() == wanted:
                return name
    raise PoolError(
        f"the table has no column of paths: looked for {', '.join(PATH_COLUMNS)}, it has "
        f"{', '.join(map(repr, names)) or 'no column'}. Name it: FramePool(frame, column=...)"
    )


def _index_is_meaningful(index: Any) -> bool:
    if getattr(index, "nlevels", 1) > 1 or not index.is_unique or index.hasnans:
        return False
    return all(isinstance(label, str) for label in index) or index.name is not None
