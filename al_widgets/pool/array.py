"""An array of pictures as a pool. Imported by `al_widgets.pool`. Any thread; the array must not change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError, UnknownItemError
from al_widgets.pool.identity import digest, sample_ids
from al_widgets.records import Payload, PoolIdentity

_HASH_ALL_BYTES = 256 * 1024**2
_HASH_SAMPLE_BYTES = 32 * 1024**2


class ArrayPool:
    """Pictures in one array (n, h, w) or (n, h, w, c) of any real or boolean dtype; a memory map stays on the disk.

    Ids are ``"<8 hex digits of the content>/<index>"``: the same array gives the same ids in the next session, another one
    gives others. All bytes are hashed up to 256 MB; of larger arrays shape, dtype and an even sample of pictures.

    Parameters
    ----------
    images : array_like
    name : str, optional
        Short name for titles; default ``"array"``.

    Raises
    ------
    PoolError
        If it is empty, has another number of dimensions, or holds no real numbers.
    """

    def __init__(self, images: npt.ArrayLike, name: str = "array") -> None:
        array = images if isinstance(images, np.ndarray) else _as_array(images)
        _check(array)
        self._images: npt.NDArray[Any] = array
        self._name = name
        self._prefix = _content_hash(array)
        self._ids = tuple(f"{self._prefix}/{index}" for index in range(len(array)))

    def __repr__(self) -> str:
        return f"<ArrayPool {self._name!r}: {len(self):,} items of shape {self.item_shape}, {self._images.dtype}>"

    @property
    def name(self) -> str:
        """Short name for titles and file names."""
        return self._name

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids of all items, a tuple."""
        return self._ids

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape that all pictures have."""
        return tuple(self._images.shape[1:])

    def __len__(self) -> int:
        return len(self._images)

    def image(self, item_id: str) -> npt.NDArray[np.generic]:
        """Return a picture, a read-only view of the array."""
        view: npt.NDArray[np.generic] = self._images[self._index(item_id)].view()
        view.flags.writeable = False
        return view

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return a picture for the screen; see `al_widgets.pool.payload.array_payload`."""
        from al_widgets.pool.payload import array_payload

        return array_payload(np.asarray(self._images[self._index(item_id)]), max_side)

    def content_key(self, item_id: str) -> str:
        """Return a digest of the picture's shape, dtype and values."""
        return _digest(self._images[self._index(item_id)])

    def identity(self) -> PoolIdentity:
        """Return name, kind, size and the digests of at most 32 pictures."""
        samples = tuple((item_id, self.content_key(item_id)) for item_id in sample_ids(self._ids))
        return PoolIdentity(self._name, "array", len(self), samples)

    def _index(self, item_id: str) -> int:
        prefix, _, digits = item_id.partition("/")
        if prefix == self._prefix and digits.isascii() and digits.isdecimal() and str(int(digits)) == digits:
            index = int(digits)
            if index < len(self):
                return index
        raise UnknownItemError(item_id)


def _as_array(images: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        return np.asarray(images)
    except ValueError as error:
        raise PoolError(f"pictures of different shapes are no array ({error}); save them as files") from error


def _check(array: npt.NDArray[Any]) -> None:
    shape = array.shape
    if array.dtype.kind == "c":
        raise PoolError("the array is complex; give its magnitude, np.abs(array)")
    if array.dtype.kind not in "buif":
        raise PoolError(f"the array has dtype {array.dtype}; pictures need numbers")
    if array.ndim == 2:
        raise PoolError(
            f"the array has shape {shape}: a pool of pictures needs (n, h, w) or (n, h, w, c). One picture: array[None]; "
            "rows of features: give the pictures here and the rows as encoder=al.features.Precomputed(rows)"
        )
    if array.ndim not in (3, 4):
        raise PoolError(f"the array has shape {shape}: a pool of pictures needs (n, h, w) or (n, h, w, c)")
    if 0 in shape:
        raise PoolError(f"the array of shape {shape} holds no pixels")
    if array.ndim == 4 and shape[1] in (1, 3, 4) and shape[3] > 4:
        raise PoolError(f"the array of shape {shape} has its channels first; give np.moveaxis(array, 1, -1)")


def _content_hash(array: npt.NDArray[Any]) -> str:
    if array.nbytes <= _HASH_ALL_BYTES:
        return _digest(array)[:8]
    count = max(2, min(len(array), _HASH_SAMPLE_BYTES // max(1, array[0].nbytes)))
    chosen = np.unique(np.linspace(0, len(array) - 1, count).astype(np.intp))
    parts = [_digest(array[index]) for index in chosen]
    return digest(repr((array.shape, array.dtype.str.lstrip("<>=|"))).encode(), "".join(parts).encode())[:8]


def _digest(array: npt.NDArray[Any]) -> str:
    """Digest of shape, dtype and values; the byte order in memory does not count."""
    values = np.ascontiguousarray(array)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    head = repr((array.shape, values.dtype.str.lstrip("<>=|"))).encode()
    return digest(head, values.reshape(-1).view(np.uint8).data)
