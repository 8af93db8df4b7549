"""The queue: which item is served next, audit items mixed in between and unmarked.

Pure bookkeeping in memory; the session's lock guards it, leases are the store's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from al_widgets.records import QueryKind
from al_widgets.session.snapshot import Ranked


@dataclass(frozen=True, slots=True)
class Pick:
    """An item that was picked, before it is dressed as a `Query`."""

    row: int
    strategy: str
    utility: float | None
    propensity: float | None
    kind: QueryKind


class ServingQueue:
    """Ranking, audit reserve and a random order behind them.

    Parameters
    ----------
    size : int
        Number of items of the pool.
    reserve : sequence of int
        Rows of the audit reserve, in the order in which they are served.
    audit : float
        Share of queries spent on the reserve: 0, or 0.01 to 0.5.
    seed : int
        Of the random order and of the places of audit items.
    """

    def __init__(self, size: int, reserve: Sequence[int], audit: float, seed: int) -> None:
        self._reserve = list(reserve)
        self._in_reserve = frozenset(self._reserve)
        self._audit = audit if self._reserve else 0.0
        self._seed = seed
        order = np.random.default_rng(seed).permutation(size)
        self._order = [int(row) for row in order if int(row) not in self._in_reserve]
        self._ranking: tuple[Ranked, ...] = ()

    @property
    def reserve(self) -> list[int]:
        """Rows of the audit reserve, in the order in which they are served."""
        return self._reserve

    def sample(self, n: int) -> list[int]:
        """Return `n` rows that stay the same: the audit reserve first, then rows of the random order."""
        return [*self._reserve[:n], *self._order[: max(0, n - len(self._reserve))]]

    @property
    def in_reserve(self) -> frozenset[int]:
        """Rows of the audit reserve."""
        return self._in_reserve

    @property
    def ranking(self) -> tuple[Ranked, ...]:
        """What was installed last."""
        return self._ranking

    def install(self, ranking: Sequence[Ranked]) -> None:
        """Replace the ranking."""
        self._ranking = tuple(ranking)

    def ranked_left(self, free: Callable[[int], bool]) -> int:
        """Return the number of ranked items that can still be served."""
        return sum(1 for ranked in self._ranking if free(ranked.row))

    def pick(self, n: int, served: int, free: Callable[[int], bool]) -> list[Pick]:
        """Pick up to `n` items that are free, each once.

        Parameters
        ----------
        served : int
            Number of items served before: places of audit items go by it.
        free : callable
            Whether a row can be served now.
        """
        taken: set[int] = set()

        def open_(row: int) -> bool:
            return row not in taken and free(row)

        audits = (Pick(row, "audit", None, None, "audit") for row in self._reserve if open_(row))
        others = self._others(open_)
        picks: list[Pick] = []
        for place in range(served, served + n):
            first, second = (audits, others) if self._is_audit(place) else (others, audits)
            pick = next(first, None) or next(second, None)
            if pick is None:
                break
            taken.add(pick.row)
            picks.append(pick)
        return picks

    def _others(self, free: Callable[[int], bool]) -> Iterator[Pick]:
        for ranked in self._ranking:
            if free(ranked.row):
                yield Pick(ranked.row, ranked.strategy, ranked.utility, ranked.propensity, "new")
        for row in self._order:
            if free(row):
                yield Pick(row, "random", None, None, "new")

    def _is_audit(self, place: int) -> bool:
        return bool(self._audit) and hidden_place(place, self._audit, str(self._seed))


def hidden_place(place: int, share: float, key: str) -> bool:
    """Whether a place of the order of queries is special: one at a hidden, random place of every block of 1/share places."""
    block = int(place * share)
    first, end = (math.ceil(k / share) for k in (block, block + 1))
    if not first <= place < end:  # the product and the quotients round differently
        block += 1 if place >= end else -1
        first, end = (math.ceil(k / share) for k in (block, block + 1))
    digest = hashlib.blake2b(f"{key}:{block}".encode(), digest_size=4).digest()
    return first + int.from_bytes(digest, "big") % max(1, end - first) == place
