"""Walking over the candidates' features without copying them: what strategies that look at all of them share.

A strategy that picks one row after another needs, for each pick, one product of all features with one vector. Candidates
are usually nearly the whole pool; then products are taken over the whole pool, in place.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray
from al_widgets.strategies.distance import squared_norms
from al_widgets.strategies.ranking import CHUNK, require_finite

#: Rows of one product with a vector: as quick as all at once, and nothing as long as the pool is made.
PASS = 4 * CHUNK


def passes(n: int) -> Iterator[slice]:
    """Yield consecutive slices that cover n rows."""
    return (slice(start, start + PASS) for start in range(0, n, PASS))


class PoolRows:
    """The rows a strategy looks at.

    Attributes
    ----------
    features : ndarray (M, d)
        The whole pool, or a copy of the candidates when they are few.
    free : ndarray (M,) of bool
        Which of them may be chosen.
    norms : ndarray (M,)
        ‖x‖².

    Raises
    ------
    StrategyError
        If features are not finite, naming the row.
    """

    def __init__(self, context: Context) -> None:
        pool = context.features
        whole = len(context.candidates) * 4 > len(pool) and pool.dtype.kind == "f"
        if whole:
            self.features: FloatArray = pool
            self._rows: IntArray | None = None
            self.free = np.zeros(len(pool), bool)
            self.free[context.candidates] = True
        else:
            self.features = np.asarray(pool[context.candidates])
            if self.features.dtype.kind != "f":
                self.features = self.features.astype(np.float64)
            self._rows = np.asarray(context.candidates, np.intp)
            self.free = np.ones(len(self._rows), bool)
        self.norms = np.empty(len(self.features), self.features.dtype)
        for start in range(0, len(self.features), CHUNK):
            self.norms[start : start + CHUNK] = squared_norms(self.features[start : start + CHUNK])
        if not np.isfinite(self.norms.sum()):
            require_finite(self.norms, self.rows(np.arange(len(self.norms))), "features")

    @property
    def whole(self) -> bool:
        """Whether the rows are the whole pool."""
        return self._rows is None

    def rows(self, positions: IntArray) -> IntArray:
        """Return rows of the pool at some positions."""
        return positions if self._rows is None else self._rows[positions]

    def position(self, row: int) -> int | None:
        """Return the position of a row of the pool, None when it is not looked at."""
        if self._rows is None:
            return row
        where = np.flatnonzero(self._rows == row)
        return int(where[0]) if len(where) else None

    def lower(self, nearest: FloatArray, position: int) -> None:
        """Lower `nearest` (M,) to ‖x − x_position‖² where that is less, in place."""
        towards = -2 * np.asarray(self.features[position])
        for where in passes(len(nearest)):
            gap: FloatArray = self.features[where] @ towards
            gap += self.norms[where]
            gap += self.norms[position]
            np.maximum(gap, 0, out=gap)
            np.minimum(nearest[where], gap, out=nearest[where])

    def nearest_of(self, centres: FloatArray) -> FloatArray:
        """Return the squared distance to the nearest of some centres, infinite without any, shape (M,)."""
        nearest = np.full(len(self.norms), np.inf, self.features.dtype)
        if not len(centres):
            return nearest
        centres = np.asarray(centres, self.features.dtype)
        norms = squared_norms(centres)
        step = max(256, min(CHUNK, 2**21 // len(centres)))
        for start in range(0, len(self.norms), step):
            gap = self.features[start : start + step] @ centres.T
            gap *= -2
            gap += norms
            nearest[start : start + step] = gap.min(axis=1) + self.norms[start : start + step]
        np.maximum(nearest, 0, out=nearest)
        return nearest
