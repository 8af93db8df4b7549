"""A pool that grows and shrinks while it is used: items of streams and generators are held one by one, and forgotten again.

Ids of pixels come from the content, so that the same picture met again is the same item; of files from the path. Pixels of
items that are not held are nowhere kept. Any thread may call it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A picture that came by, not yet held.

    Attributes
    ----------
    item_id : str
    content_key : str
        Digest of the content.
    pixels : ndarray (h, w) or (h, w, c)
        May be the caller's own array.
    path : str
        Empty for pixels.
    """

    item_id: str
    content_key: str
    pixels: Array
    path: str = ""


class GrowingPool:
    """Items that come and go.

    Parameters
    ----------
    name : str
        Short name. Ids are ``"<name>/<16 hex of the content>"`` for pixels, ``"<name>/<path>"`` for files, relative to `root`
        where they lie in it, and ``"<name>/<given id>"`` where one is given.
    kind : str
        ``"stream"`` or ``"synthesis"``, for messages.
    root : str or Path, optional
        Folder of the files.
    """

    def __init__(self, name: str = "stream", kind: str = "stream", root: str | os.PathLike[str] | None = None) -> None:
        self._name, self._kind = name, kind
        self._root = None if root is None else Path(root)
        self._items: dict[str, Arrival] = {}
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

    def identify(self, item: Any, item_id: str | None = None) -> Arrival:
        """Return a picture with its id and content key, without holding it.

        Parameters
        ----------
        item : ndarray (h, w) or (h, w, c), str or Path
            Pixels, or the path of a file, which is read.
        item_id : str, optional
            The user's own name of it.

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
            own = self._relative(path) if item_id is None else item_id
            return Arrival(f"{self._name}/{own}", digest(data), decode_image(data, path), path)
        pixels = np.asarray(item)
        if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "biuf" or 0 in pixels.shape:
            raise PoolError(
                f"a picture is an array (h, w) or (h, w, c) of numbers, or a path, not {type(item).__name__} "
                f"of shape {pixels.shape} and dtype {pixels.dtype}"
            )
        pixels = np.ascontiguousarray(pixels)
        key = digest(f"{pixels.shape}{pixels.dtype}".encode(), pixels.reshape(-1).view(np.uint8).data)
        return Arrival(f"{self._name}/{key[:16] if item_id is None else item_id}", key, pixels)

    def hold(self, arrival: Arrival) -> None:
        """Keep a picture: a copy of its pixels, or the path of its file."""
        kept = np.empty((0, 0)) if arrival.path else arrival.pixels.copy()
        with self._lock:
            self._items.setdefault(arrival.item_id, Arrival(arrival.item_id, arrival.content_key, kept, arrival.path))

    def add(self, item: Any, item_id: str | None = None) -> tuple[str, Array]:
        """Identify and hold a picture; return its id and its pixels. One that is there already stays as it is."""
        arrival = self.identify(item, item_id)
        self.hold(arrival)
        return arrival.item_id, arrival.pixels

    def forget(self, item_id: str) -> None:
        """Let an item go: its id and its pixels."""
        with self._lock:
            self._items.pop(item_id, None)

    def image(self, item_id: str) -> Array:
        """Return the item's pixels.

        Raises
        ------
        UnknownItemError
            If it was never held, or was let go.
        ReadError
            If its file is gone.
        """
        held = self._held(item_id)
        return decode_image(read_bytes(held.path), held.path) if held.path else held.pixels

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return the item for the screen; raises like `image`."""
        held = self._held(item_id)
        if held.path:
            return file_payload(read_bytes(held.path), held.path, max_side)
        return array_payload(held.pixels, max_side)

    def content_key(self, item_id: str) -> str:
        """Return the digest that the item had when it came."""
        return self._held(item_id).content_key

    def identity(self) -> PoolIdentity:
        """Return what a store remembers: a name and a kind, no samples, for every run brings other items."""
        return PoolIdentity(self._name, self._kind, 0)

    def _relative(self, path: str) -> str:
        full = Path(path)
        if self._root is not None and full.is_relative_to(self._root):
            return full.relative_to(self._root).as_posix()
        return full.as_posix().lstrip("/")

    def _held(self, item_id: str) -> Arrival:
        try:
            return self._items[item_id]
        except KeyError:
            raise UnknownItemError(item_id) from None
