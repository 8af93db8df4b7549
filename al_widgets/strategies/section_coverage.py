"""Which sections together show most of the objects of a volume, before there is a model: pure functions of an anomaly map.

Two kinds of objects count. Those that the map shows are peaks of it; a section shows one as far as the map there still comes near
the peak. The others, half of them in a dry soil, stand out of nothing: they may lie anywhere, so sections must also be spread.
Adding up what is anomalous instead, as one is tempted to, sends all three sections to the strongest objects and their flanks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]

TOGETHER = 3
"""Sections that are chosen jointly; those after them one by one."""
CELL = 4
"""Rows and columns that are taken together: no object is smaller in a map that was smoothed."""
APART = (3, 6, 3)
"""Sections, and cells of rows and columns, within which only the highest peak counts."""
BESIDE = (2, 1)
"""Cells of rows and columns by which an object may move from one section to the next."""
STEEPNESS = 5.0
"""Of the chance of being an object, over the height of a peak: at 0.5 below the threshold it is 8 %."""
FADES = (1.0, 2.0)
"""How far below its peak an object is still seen as well as at best, and where it is not seen any more."""
LEAST_UNSEEN = 3.0
"""Objects that the map does not show, at least; else as many as it shows."""
STARTS = 30
"""First sections from which a joint choice is tried."""
MOST_PEAKS = 300
"""The highest ones; more tell nothing of where to look."""


def coverage_order(
    anomaly: FloatArray,
    k: int,
    *,
    candidates: IntArray | None = None,
    labelled: IntArray | None = None,
    threshold: float = 2.5,
    reach: float | None = None,
) -> IntArray:
    """Return `k` sections that together show most distinct objects, as far as can be told without a label.

    What is maximised is the expected number of objects seen at least once: peaks of the map, each with a chance that grows with its
    height, and as many unseen ones again (at least three), spread evenly over the sections.

    Parameters
    ----------
    anomaly : ndarray (sections, rows, columns)
        From `al_widgets.features.anomaly.anomaly_map`.
    k : int
    candidates : ndarray of int, optional
        Sections that may be chosen; default all.
    labelled : ndarray of int, optional
        Sections that were looked at already: what they show is seen, and they are not chosen.
    threshold : float
        A peak of this height is an object or not with the same chance.
    reach : float, optional
        Sections to each side of one on which it may show an object that the map does not; default an eighth of the sections.

    Raises
    ------
    StrategyError
        If the map is not finite.
    """
    if not np.isfinite(anomaly).all():
        raise StrategyError("an anomaly map must be finite")
    n = len(anomaly)
    done = [] if labelled is None else sorted({int(i) for i in labelled})
    allowed = set(range(n) if candidates is None else (int(i) for i in candidates))
    free = [i for i in sorted(allowed) if i not in set(done)]
    worth = _worth(anomaly, threshold, max(1.0, n / 8) if reach is None else reach)
    chosen = _together(worth, free, done, min(max(0, TOGETHER - len(done)), len(free)))
    while len(chosen) < min(k, len(free)):
        chosen.append(_best(worth, free, [*done, *chosen]))
    return np.array(chosen[:k], np.intp)


def section_peaks(anomaly: FloatArray, least: float) -> tuple[FloatArray, FloatArray]:
    """Return the height of each peak of a map above `least`, and how well each section shows it, 0 to 1: (peaks,), (peaks, n)."""
    from scipy.ndimage import maximum_filter

    coarse = _coarse(anomaly)
    highest = maximum_filter(coarse, size=[2 * r + 1 for r in APART], mode="nearest")
    at = np.argwhere((coarse == highest) & (coarse > least))
    at = _apart(at[np.argsort(-coarse[tuple(at.T)], kind="stable")])
    heights = coarse[tuple(at.T)]
    beside = maximum_filter(coarse, size=[1, *(2 * r + 1 for r in BESIDE)], mode="nearest")
    near, far = FADES
    shown = np.zeros((len(at), len(coarse)))
    for row, (section, r, c) in enumerate(at):
        seen = np.clip((far - (heights[row] - beside[:, r, c])) / (far - near), 0, 1)
        # An object is where its peak is, not also where the map rises again.
        gone = np.flatnonzero(seen == 0)
        first = gone[gone < section].max(initial=-1) + 1
        last = gone[gone > section].min(initial=len(seen))
        shown[row, first:last] = seen[first:last]
    return heights, shown


def _apart(at: IntArray) -> IntArray:
    """Return the places, the best first, that are not near a better one: a plateau is one peak."""
    kept: list[IntArray] = []
    for place in at:
        if len(kept) == MOST_PEAKS:
            break
        if not any((np.abs(place - other) <= APART).all() for other in kept):
            kept.append(place)
    return np.array(kept, np.intp).reshape(-1, 3)


def _coarse(anomaly: FloatArray) -> FloatArray:
    """Return the largest value of each cell, (sections, cells of rows, cells of columns)."""
    _, rows, columns = anomaly.shape
    down, right = (np.arange(0, size, CELL) for size in (rows, columns))
    result: FloatArray = np.maximum.reduceat(np.maximum.reduceat(anomaly, down, axis=1), right, axis=2)
    return result


def _worth(anomaly: FloatArray, threshold: float, reach: float) -> FloatArray:
    """Return objects expected on each section, one row an object or a place where an unseen one may lie: (objects, n)."""
    n = len(anomaly)
    heights, shown = section_peaks(anomaly, threshold - 1)
    chance = 1 / (1 + np.exp(-STEEPNESS * (heights - threshold)))
    # An object extends over as many sections as a section shows to both sides; its middle is not at the very edge.
    margin = min(int(reach / 2), (n - 1) // 2)
    position = np.arange(n)
    places = position[margin : n - margin]
    spread = np.exp(-0.5 * ((places[:, None] - position[None, :]) / reach) ** 4)
    unseen = max(LEAST_UNSEEN, float(chance.sum())) / len(places)
    result: FloatArray = np.concatenate([chance[:, None] * shown, unseen * spread])
    return result


def _value(worth: FloatArray, sections: list[int]) -> float:
    return float(worth[:, sections].max(axis=1).sum()) if sections else 0.0


def _best(worth: FloatArray, free: list[int], taken: list[int]) -> int:
    """Return the free section that adds most to those taken; where nothing is left to add, the one farthest from them."""
    left = np.array([i for i in free if i not in set(taken)], np.intp)
    seen = worth[:, taken].max(axis=1, initial=0)
    gain = np.round(np.maximum(worth[:, left] - seen[:, None], 0).sum(axis=0), 6)
    away = np.abs(left[:, None] - np.array(taken, np.intp)[None, :]).min(axis=1, initial=worth.shape[1])
    return int(left[np.lexsort((left, -away, -gain))[0]])


def _together(worth: FloatArray, free: list[int], done: list[int], k: int) -> list[int]:
    """Return `k` sections that show most jointly, the one that shows most by itself first.

    Greedy from several first sections, then exchanged one by one while that helps: the best section by itself is often no part
    of the best three.
    """
    best: list[int] = []
    for start in free[:: max(1, len(free) // STARTS)] if k > 1 else []:
        chosen = [start]
        while len(chosen) < k:
            chosen.append(_best(worth, free, [*done, *chosen]))
        chosen = _exchanged(worth, free, done, chosen)
        if _value(worth, [*done, *chosen]) > _value(worth, [*done, *best]) + 1e-6:
            best = chosen
    best = best or ([_best(worth, free, done)] if k else [])
    first: list[int] = []
    while len(first) < len(best):
        first.append(_best(worth, best, [*done, *first]))
    return first


def _exchanged(worth: FloatArray, free: list[int], done: list[int], chosen: list[int]) -> list[int]:
    """Exchange one section after the other for a better one until none is better."""
    chosen, better = list(chosen), True
    while better:
        better = False
        for at, old in enumerate(chosen):
            rest = [*done, *chosen[:at], *chosen[at + 1 :]]
            new = _best(worth, free, rest)
            if _value(worth, [*rest, new]) > _value(worth, [*rest, old]) + 1e-6:
                chosen[at], better = new, True
    return chosen
