"""Where a stream's items come from: an iterator, or a folder that is being filled.

`pull` returns an item, or `NOTHING` when none is there now, and raises StopIteration when none will come. One thread at a time.
"""

# Strings and os.path: a folder is looked at every second.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from al_widgets.errors import PoolError

SETTLED_S = 1.0
"""A file is taken when it has not changed for so long, or when two looks find it unchanged: writers need time."""


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()


class Source(Protocol):
    """Where items come from."""

    def pull(self) -> Any:
        """Return the next item or `NOTHING`; raise StopIteration at the end."""


class IteratorSource:
    """Items of any iterable; it may block, and it need not end."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items: Iterator[Any] = iter(items)

    def pull(self) -> Any:
        """Return the next item."""
        return next(self._items)


class FolderSource:
    """Pictures of a folder and its subfolders in the order in which they were written; it never ends.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    PoolError
        If it is no folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise PoolError(f"{folder} is no folder; give a folder, an iterable of pictures, or None for a callback")
        self._folder = folder
        self._taken: set[str] = set()
        self._looked: dict[str, tuple[int, int]] = {}
        self._ready: list[str] = []

    def pull(self) -> Any:
        """Return the path of the next complete picture, or `NOTHING`."""
        if not self._ready:
            self._look()
        return self._ready.pop(0) if self._ready else NOTHING

    def _look(self) -> None:
        from al_widgets.readers.images import EXTENSIONS

        found: list[tuple[int, str]] = []
        looked: dict[str, tuple[int, int]] = {}
        for folder, names, files in os.walk(self._folder):
            names[:] = sorted(n for n in names if not n.startswith("."))
            for file in files:
                path = os.path.join(folder, file)
                if path in self._taken or file.startswith(".") or not file.lower().endswith(tuple(EXTENSIONS)):
                    continue
                try:
                    status = os.stat(path)
                except OSError:  # gone again, or renamed while we looked
                    continue
                state = (status.st_size, status.st_mtime_ns)
                old = time.time() - status.st_mtime > SETTLED_S
                if status.st_size and (old or self._looked.get(path) == state):
                    found.append((status.st_mtime_ns, path))
                else:
                    looked[path] = state
        self._looked = looked
        self._ready = [path for _, path in sorted(found)]
        self._taken.update(self._ready)


def pool_items(pool: Any) -> Iterator[tuple[str, Any]]:
    """Yield (id, pixels) of a pool's items in order: a pool played as a stream."""
    for item_id in pool.item_ids:
        yield item_id, pool.image(item_id)


def open_source(items: Any) -> Source | None:
    """Return the source for what a user gave; None for None: items are offered by a callback.

    Raises
    ------
    PoolError
        If it is neither a folder nor iterable.
    """
    if items is None:
        return None
    if isinstance(items, str | os.PathLike):
        return FolderSource(Path(items))
    if hasattr(items, "item_ids") and hasattr(items, "image"):
        return IteratorSource(pool_items(items))
    try:
        return IteratorSource(items)
    except TypeError:
        raise PoolError(
            f"a stream is a folder, an iterable of pictures, or None for a callback, not a {type(items).__name__}"
        ) from None
