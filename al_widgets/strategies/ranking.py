"""From utilities to positions: checks of what a strategy was given, and the best `k` of many scores.

Anybody in `strategies` may import this module; it runs on whichever thread calls the strategy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection

#: Rows handled at a time by everything that walks the whole pool: small enough to stay in the cache.
CHUNK = 8192


def checked_size(context: Context, batch_size: int) -> int:
    """Check positions of a context and return how many rows can be chosen.

    Returns
    -------
    int
        ``min(batch_size, len(candidates))``; 0 for an exhausted pool.

    Raises
    ------
    StrategyError
        If `batch_size` is below 1, features are no matrix, or positions are out of range or repeated.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise StrategyError(f"batch_size must be a whole number of at least 1, not {batch_size!r}")
    if context.features.ndim != 2:
        raise StrategyError(f"features must be a matrix (rows, d), not of shape {context.features.shape}")
    if context.n_classes < 1:
        raise StrategyError(f"n_classes must be at least 1, not {context.n_classes}")
    if len(context.labelled) != len(context.labels):
        raise StrategyError(
            f"{len(context.labelled)} labelled rows, but {len(context.labels)} labels: give one label a row"
        )
    n = len(context.features)
    for name in ("candidates", "labelled", "pending"):
        rows = np.asarray(getattr(context, name))
        if len(rows) and (rows.ndim != 1 or rows.dtype.kind not in "iu"):
            raise StrategyError(f"{name} must be a vector of row numbers, not {rows.dtype} of shape {rows.shape}")
        if len(rows) and (rows.min() < 0 or rows.max() >= n):
            wrong = rows[(rows < 0) | (rows >= n)][0]
            raise StrategyError(f"{name} names row {wrong}, but there are {n} rows of features")
    seen = np.zeros(n, bool)
    seen[context.candidates] = True
    if np.count_nonzero(seen) != len(context.candidates):
        raise StrategyError("candidates repeat a row: every candidate must be different")
    return min(int(batch_size), len(context.candidates))


def nothing() -> Selection:
    """Return the selection of an exhausted pool."""
    return Selection(np.empty(0, np.intp), np.empty(0))


def require_finite(values: npt.NDArray[Any], rows: IntArray, what: str) -> None:
    """Refuse NaN and infinities, naming the first row.

    Parameters
    ----------
    values : ndarray (m,) or (m, d)
        What must be finite.
    rows : ndarray (m,) of int
        Rows of the pool they belong to.
    what : str
        What they are, for the message.

    Raises
    ------
    StrategyError
    """
    # A sum is finite unless a term is not (or it overflows, which the slow look below clears up).
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return
    for start in range(0, len(values), CHUNK):
        block = values[start : start + CHUNK]
        bad = ~np.isfinite(block).reshape(len(block), -1).all(axis=1)
        if bad.any():
            row = int(rows[start + int(bad.argmax())])
            raise StrategyError(
                f"{what} of row {row} are not finite (NaN or infinity): set the item aside or repair its encoder"
            )


def as_slice(rows: IntArray) -> slice | IntArray:
    """Return consecutive rows as a slice, so that a view serves instead of a copy."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def top(utilities: FloatArray, rows: IntArray, k: int, rng: np.random.Generator) -> Selection:
    """Choose the `k` largest utilities, ties at random.

    Parameters
    ----------
    utilities : ndarray (m,)
        Score of each row; all finite.
    rows : ndarray (m,) of int
        The rows scored.
    k : int
        How many, at most m.
    rng : Generator
        Breaks ties.
    """
    order = shortlist(utilities, k, rng)
    return Selection(rows[order].astype(np.intp, copy=False), utilities[order].astype(np.float64))


def shortlist(utilities: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Return positions of the `k` largest utilities, best first, ties in random order. O(m)."""
    m = len(utilities)
    k = min(k, m)
    if k <= 0:
        return np.empty(0, np.intp)
    if k < m:
        threshold = np.partition(utilities, m - k)[m - k]
        above = np.flatnonzero(utilities > threshold)
        level = np.flatnonzero(utilities == threshold)
        if len(level) > k - len(above):
            level = rng.choice(level, k - len(above), replace=False)
        chosen = np.concatenate([above, level])
    else:
        chosen = np.arange(m)
    # A random order first, then a stable sort: equal scores come in random order.
    chosen = rng.permutation(chosen)
    order: IntArray = chosen[np.argsort(-utilities[chosen], kind="stable")]
    return order
