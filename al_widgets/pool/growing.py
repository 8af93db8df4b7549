"""A pool that grows while it is used: what streams and generators make is added item by item.

Ids come from the content, so that the same picture met again is the same item. Pixels of items that are let go are forgotten;
what is kept is up to the caller. Any thread may call it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError, UnknownItemError
from al_widgets.pool.identity import digest
from al_widgets.pool.payload import array_payload, file_payload
from al_widgets.readers.file_bytes import read_bytes
from al_widgets.readers.images import decode_image
from al_widgets.records import Payload, PoolIdentity

Array = npt.NDArray[np.generic]


class GrowingPool:
    """Items added one by one.

    Parameters
    ----------
    name : str
        Short name; ids are ``"<name>/<16 hex of the content>"``.
    kind : str
        ``"stream"`` or ``"synthesis"``, for messages.
    """

    def __init__(self, name: str = "stream", kind: str = "stream") -> None:
        self._name, self._kind = name, kind
        self._items: dict[str, Array | str] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Short name for titles and file names."""
        return self._name

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids of the items that are held now, oldest first."""
        with self._lock:
            return list(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __repr__(self) -> str:
        return f"<GrowingPool {self._name!r}, {len(self)} items>"

    def add(self, item: Any) -> tuple[str, Array]:
        """Add a picture; return its id and its pixels. One that is there already keeps its id.

        Parameters
        ----------
        item : ndarray (h, w) or (h, w, c), str or Path
            Pixels, or the path of a file.

        Raises
        ------
        PoolError
            If it is neither.
        ReadError
            If the file cannot be read.
        """
        if isinstance(item, str | os.PathLike):
            path = os.fspath(item)
            data = read_bytes(path)
            pixels, key, held = decode_image(data, path), digest(data), path
        else:
            pixels = np.asarray(item)
            if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "biuf" or 0 in pixels.shape:
                raise PoolError(
                    f"a picture is an array (h, w) or (h, w, c) of numbers, or a path, not {type(item).__name__} "
                    f"of shape {pixels.shape} and dtype {pixels.dtype}"
                )
            pixels = np.ascontiguousarray(pixels)
            key = digest(f"{pixels.shape}{pixels.dtype}".encode(), pixels.tobytes())
            held = pixels.copy()
        item_id = f"{self._name}/{key[:16]}"
        with self._lock:
            self._items.setdefault(item_id, held)
        return item_id, pixels

    def forget(self, item_id: str) -> None:
        """Let an item go: its id and its pixels."""
        with self._lock:
            self._items.pop(item_id, None)

    def image(self, item_id: str) -> Array:
        """Return the item's pixels.

        Raises
        ------
        UnknownItemError
            If it was never added, or let go.
        ReadError
            If its file is gone.
        """
        held = self._held(item_id)
        return decode_image(read_bytes(held), held) if isinstance(held, str) else held

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return the item for the screen; raises like `image`."""
        held = self._held(item_id)
        return (
            file_payload(read_bytes(held), held, max_side) if isinstance(held, str) else array_payload(held, max_side)
        )

    def content_key(self, item_id: str) -> str:
        """Return the part of the id that the content makes."""
        return item_id.rsplit("/", 1)[-1]

    def identity(self) -> PoolIdentity:
        """Return what a store remembers: a name and a kind, no samples, for every run brings other items."""
        return PoolIdentity(self._name, self._kind, 0)

    def _held(self, item_id: str) -> Array | str:
        try:
            return self._items[item_id]
        except KeyError:
            raise UnknownItemError(item_id) from None
