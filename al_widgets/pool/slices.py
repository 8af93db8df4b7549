"""The sections of a volume as a pool: one B-scan or one slice an item. Any thread; the volume does not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError, UnknownItemError
from al_widgets.pool.identity import digest, sample_ids
from al_widgets.readers.volume import Volume
from al_widgets.records import Payload, PoolIdentity


class SlicePool:
    """The sections of a volume across its first axis.

    Ids are ``"<volume name>/<index>"``, the index counting from 0 in the raw volume.

    Parameters
    ----------
    volume : Volume

    Raises
    ------
    PoolError
        If it is no volume.
    """

    def __init__(self, volume: Volume) -> None:
        if not isinstance(volume, Volume):
            raise PoolError(
                f"SlicePool needs a Volume, not a {type(volume).__name__}; use al.read(path) or al.Volume(array)"
            )
        self._volume = volume
        self._ids = tuple(f"{volume.name}/{index}" for index in range(len(volume)))
        self._index = {item_id: index for index, item_id in enumerate(self._ids)}

    @property
    def volume(self) -> Volume:
        """The volume itself, for axes, metadata and neighbouring sections."""
        return self._volume

    @property
    def name(self) -> str:
        """Name of the volume."""
        return self._volume.name

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids of all sections, in the volume's order."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def index(self, item_id: str) -> int:
        """Return the index of a section in the volume.

        Raises
        ------
        UnknownItemError
            If there is no such section.
        """
        try:
            return self._index[item_id]
        except KeyError:
            raise UnknownItemError(item_id) from None

    def image(self, item_id: str) -> npt.NDArray[np.generic]:
        """Return a section as stored, (samples, traces) or (rows, columns); a short line without its padding."""
        return self._volume.section(self.index(item_id)).array

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return a section for the screen; radar, which swings about 0, with limits symmetric about 0."""
        from al_widgets.pool.payload import array_payload

        array = self.image(item_id)
        payload = array_payload(array, max_side)
        if self._volume.axes[1].name != "time" or array.dtype.kind not in "if" or payload.encoding != "raw":
            return payload
        limit = max(abs(payload.low), abs(payload.high))
        return replace(payload, low=-limit, high=limit)

    def content_key(self, item_id: str) -> str:
        """Return a digest of the section's shape, dtype and values."""
        return _digest(self.image(item_id))

    def identity(self) -> PoolIdentity:
        """Return what a store remembers: name, size and the digests of at most 32 sections."""
        samples = tuple((item_id, self.content_key(item_id)) for item_id in sample_ids(self._ids))
        return PoolIdentity(self.name, "slices", len(self), samples)

    def __repr__(self) -> str:
        return f"<SlicePool {self.name!r}: {len(self)} sections>"


def _digest(array: npt.NDArray[Any]) -> str:
    values = np.ascontiguousarray(array)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    head = repr((values.shape, values.dtype.str.lstrip("<>=|"))).encode()
    return digest(head, values.reshape(-1).view(np.uint8).data)
