"""What every pool can do: a fixed list of items with stable ids, read one by one and only when needed.

Any thread may call a pool; implementations hold no lock while they decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from al_widgets.records import Payload, PoolIdentity


@runtime_checkable
class Pool(Protocol):
    """Items to be labelled."""

    @property
    def name(self) -> str:
        """Short name for titles and file names, for example the folder's."""

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids of all items; stable across restarts and reordering."""

    def __len__(self) -> int: ...

    def image(self, item_id: str) -> npt.NDArray[np.generic]:
        """Return the item as stored, shape (h, w) or (h, w, c), any numeric dtype; for encoders.

        Raises
        ------
        UnknownItemError
            If there is no such item.
        ReadError
            If it cannot be read.
        """

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return the item for the screen, its longer side at most `max_side` pixels; raises like `image`."""

    def content_key(self, item_id: str) -> str:
        """Return a digest that changes when the item's content does; the key of its cached features."""

    def identity(self) -> PoolIdentity:
        """Return what a store remembers of this pool."""
