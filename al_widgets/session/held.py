"""Items that a growing session holds: rows that are given, taken back and given again, and the queue of those that wait.

The session's lock guards both. A row that was taken back is given to another item only when no model speaks of it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import QueryKind
from al_widgets.session.queue import Pick, ServingQueue
from al_widgets.session.snapshot import Ranked

FloatArray = npt.NDArray[np.float32]


@dataclass
class Held:
    """One item.

    Attributes
    ----------
    item_id : str
    row : int
    description, features : ndarray or None
        Before and after the encoder's reduction.
    kind : {"new", "audit"}
    strategy : str
    utility, propensity : float or None
    probabilities : tuple of (str, float)
        The model's opinion when the item came, likeliest class first.
    round : int
        Of that model.
    stale : bool
        Whether the stream has changed since: it is not trained on any more.
    """

    item_id: str
    row: int
    description: FloatArray | None = None
    features: FloatArray | None = None
    kind: QueryKind = "new"
    strategy: str = ""
    utility: float | None = None
    propensity: float | None = None
    probabilities: tuple[tuple[str, float], ...] = ()
    round: int = 0
    stale: bool = False


class HeldItems:
    """Rows of a session that grows.

    Parameters
    ----------
    ids : list of str
        Row → item id, empty for a row that nobody has; changed in place.
    row : dict of str to int
        Item id → row; changed in place.
    """

    def __init__(self, ids: list[str], row: dict[str, int]) -> None:
        self._ids, self._row = ids, row
        self._items: dict[str, Held] = {}
        self._free: list[int] = []
        self._dropped: list[int] = []
        self._leaving: list[int] = []

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Held]:
        return iter(self._items.values())

    def get(self, item_id: str) -> Held | None:
        """Return an item, or None."""
        return self._items.get(item_id)

    def add(self, item_id: str, **fields: Any) -> Held:
        """Give an item a row."""
        if self._free:
            row = self._free.pop()
            self._ids[row] = item_id
        else:
            row = len(self._ids)
            self._ids.append(item_id)
        self._row[item_id] = row
        held = self._items[item_id] = Held(item_id, row, **fields)
        return held

    def drop(self, item_id: str) -> None:
        """Take an item's row back."""
        held = self._items.pop(item_id, None)
        if held is not None:
            del self._row[item_id]
            self._ids[held.row] = ""
            self._dropped.append(held.row)

    def begin_round(self) -> None:
        """Note that the next model will not know the rows taken back so far."""
        self._leaving += self._dropped
        self._dropped = []

    def end_round(self) -> None:
        """Note that this model is the one in use: the rows may be given again."""
        self._free += self._leaving
        self._leaving = []


class ArrivalQueue(ServingQueue):
    """Serves items in the order in which they came; which of them measure was decided when they came."""

    def __init__(self, seed: int) -> None:
        super().__init__(0, (), 0.0, seed)
        self._waiting: dict[int, Pick] = {}
        self._audits: dict[int, None] = {}

    @property
    def reserve(self) -> list[int]:
        """Rows of the audit items that are held."""
        return list(self._audits)

    @property
    def in_reserve(self) -> frozenset[int]:
        """Rows of the audit items that are held."""
        return frozenset(self._audits)

    @property
    def waiting(self) -> int:
        """Number of items that wait for an answer."""
        return len(self._waiting)

    def sample(self, n: int) -> list[int]:
        """Return the newest `n` audit rows."""
        return self.reserve[-n:]

    def put(self, pick: Pick, *, waiting: bool = True) -> None:
        """Add an item."""
        if waiting:
            self._waiting[pick.row] = pick
        if pick.kind == "audit":
            self._audits[pick.row] = None

    def answered(self, row: int) -> None:
        """Note that an item waits no longer."""
        self._waiting.pop(row, None)

    def drop(self, row: int) -> None:
        """Forget an item."""
        self._waiting.pop(row, None)
        self._audits.pop(row, None)

    def install(self, ranking: Sequence[Ranked]) -> None:
        """Do nothing: the order is that of arrival."""

    def ranked_left(self, free: Callable[[int], bool]) -> int:
        """Return the number of items that can still be served."""
        return sum(1 for row in self._waiting if free(row))

    def pick(self, n: int, served: int, free: Callable[[int], bool]) -> list[Pick]:
        """Pick the oldest `n` items that are free."""
        del served
        return [pick for pick in self._waiting.values() if free(pick.row)][: max(0, n)]
