"""A list of image files as a pool. Imported by `al_widgets.pool`; no file is opened when the pool is made."""

# Strings and os.path, for a folder may hold 100,000 files and each Path costs more than its listing.
# ruff: noqa: PTH100, PTH111, PTH120

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from al_widgets.errors import PoolError
from al_widgets.pool.files import FilePool, display_id
from al_widgets.pool.identity import duplicates


class PathsPool(FilePool):
    """Image files given one by one, in the given order.

    Ids are POSIX paths relative to `root`.

    Parameters
    ----------
    paths : iterable of str or path-like
    root : str or path-like, optional
        Default: the folder that all paths share. Give it when the list will grow to other folders, for then the shared
        folder, and with it every id, would change.

    Raises
    ------
    PoolError
        If the list is empty, names a file twice, or holds something that is no path.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]], root: str | os.PathLike[str] | None = None) -> None:
        given = list(paths)
        for path in given:
            if not isinstance(path, str | os.PathLike) or not os.fspath(path):
                raise PoolError(f"a list of paths holds {path!r}, which is no path")
        if not given:
            raise PoolError("the list of paths is empty")
        absolute = [os.path.abspath(os.path.expanduser(os.fspath(path))) for path in given]
        if twice := duplicates(absolute):
            more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
            raise PoolError(f"these paths occur more than once: {', '.join(map(repr, twice[:5]))}{more}")
        base = common_folder(absolute) if root is None else os.path.abspath(os.path.expanduser(os.fspath(root)))
        ids = [display_id(os.path.relpath(path, base) if base else path) for path in absolute]
        super().__init__(Path(base).name or "files", "paths", dict(zip(ids, absolute, strict=True)))


def common_folder(absolute: list[str]) -> str:
    """Return the deepest folder that holds all files; empty if there is none (several drives)."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in absolute])
    except ValueError:
        return ""
