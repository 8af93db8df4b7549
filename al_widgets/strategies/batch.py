"""From scores to a batch without redundancy, for any score: repulsion, power sampling, herding, or plainly the top.

Each takes scores of all candidates and gives a `Selection`. Rows that are pending count as picked already.

References
----------
Kirsch et al., Stochastic batch acquisition: a simple baseline for deep active learning, TMLR 2023 (power sampling);
Cardoso et al., Ranked batch-mode active learning, Information Sciences 2017 (repulsion, here multiplied);
Bae et al., Uncertainty herding, ICLR 2025 (herding).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.distance import bandwidth, finite_rows, largest_similarity, squared_distances
from al_widgets.strategies.herding import covered_points, herd
from al_widgets.strategies.ranking import CHUNK, shortlist, top

BatchMode = Literal["repulsion", "power", "herding", "top"]
Selector = Callable[[Context, FloatArray, IntArray, int], Selection]


def by_repulsion(context: Context, scores: FloatArray, rows: IntArray, k: int) -> Selection:
    """Pick greedily by score × (1 − largest similarity / 0.95) to what is pending or picked; near-copies last.

    Only the 20 k best (at least 200) are looked at, so it costs little more than the top.
    """
    pending = np.asarray(context.pending, np.intp)
    if k == 1 and not len(pending):
        return top(scores, rows, 1, context.rng)
    short = shortlist(scores, max(200, 20 * k), context.rng)
    worth = scores[short].astype(np.float64) - min(0.0, float(scores.min()))
    points = finite_rows(context.features, rows[short])
    gamma = bandwidth(context.features, context.rng)
    apart = _apart(largest_similarity(points, finite_rows(context.features, pending), gamma))
    chosen = np.empty(k, np.intp)
    utilities = np.empty(k)
    free = np.ones(len(short), bool)
    for i in range(k):
        # Among copies of what is covered all scores are 0: the more uncertain goes first.
        value = np.where(free, worth * apart, -np.inf)
        best = int(np.flatnonzero(value == value.max())[0])
        chosen[i], utilities[i] = best, value[best]
        free[best] = False
        near = np.exp(-gamma * squared_distances(points, points[best : best + 1])[:, 0])
        np.minimum(apart, _apart(near), out=apart)
    return Selection(rows[short[chosen]].astype(np.intp, copy=False), utilities)


def _apart(similarity: FloatArray) -> FloatArray:
    """Return 1 for what is far, falling to 0 at a similarity of 0.95: what is closer is a copy."""
    return np.maximum(0.0, 1.0 - similarity.astype(np.float64) / 0.95)


def distinct(context: Context, rows: IntArray, least: int) -> IntArray:
    """Return positions of rows that are no near-copy of a pending row or of one before them, at least `least` positions.

    Parameters
    ----------
    context : Context
    rows : ndarray (m,) of int
        Best first.
    least : int
        Copies fill up to this many, best first.
    """
    points = finite_rows(context.features, rows)
    gamma = bandwidth(context.features, context.rng)
    pending = finite_rows(context.features, np.asarray(context.pending, np.intp))
    open_ = _apart(largest_similarity(points, pending, gamma)) > 0
    kept = np.zeros(len(rows), bool)
    for i in range(len(rows)):
        if open_[i]:
            kept[i] = True
            near = np.exp(-gamma * squared_distances(points[i + 1 :], points[i : i + 1])[:, 0])
            open_[i + 1 :] &= _apart(near) > 0
    copies = np.flatnonzero(~kept)[: max(0, least - int(kept.sum()))]
    return np.sort(np.concatenate([np.flatnonzero(kept), copies]))


def by_power(context: Context, scores: FloatArray, rows: IntArray, k: int, beta: float = 1.0) -> Selection:
    """Draw without replacement with probability ∝ scoreᵝ (Kirsch et al., eq. 4).

    The largest β ln s + Gumbel noise is the smallest E / sᵝ with E exponential: the same draw without a logarithm. Propensities
    are those of the draws one after another.
    """
    least = min(0.0, float(scores.min()))

    def weight_of(some: FloatArray) -> FloatArray:
        weight: FloatArray = np.maximum(some.astype(np.float64) - least, 1e-12) ** beta
        return weight

    arrival = np.empty(len(scores))
    total = 0.0
    for start in range(0, len(scores), CHUNK):
        weight = weight_of(scores[start : start + CHUNK])
        total += float(weight.sum())
        arrival[start : start + CHUNK] = context.rng.standard_exponential(len(weight)) / weight
    order = np.argpartition(arrival, k - 1)[:k]
    order = order[np.argsort(arrival[order], kind="stable")]
    weight = weight_of(scores[order])
    left = total - np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    propensities = np.clip(weight / np.maximum(left, weight), 0, 1)
    return Selection(rows[order].astype(np.intp, copy=False), scores[order].astype(np.float64), propensities)


def by_herding(context: Context, scores: FloatArray, rows: IntArray, k: int) -> Selection:
    """Pick the cover of what scores high: Uncertainty Herding with any score as the weight."""
    rng = context.rng
    worth = scores.astype(np.float64) - min(0.0, float(scores.min()))
    short = shortlist(scores, max(500, 20 * k), rng)
    references = np.arange(len(rows))
    if len(rows) > 1500:
        references = np.sort(rng.choice(len(rows), 1500, replace=False))
    gamma = bandwidth(context.features, rng)
    points = finite_rows(context.features, rows[references])
    similarity = np.exp(-gamma * squared_distances(finite_rows(context.features, rows[short]), points)).astype(
        points.dtype
    )
    covered = largest_similarity(points, covered_points(context), gamma)
    chosen, gains = herd(similarity, worth[references].astype(points.dtype), covered, k)
    return Selection(rows[short[chosen]].astype(np.intp, copy=False), gains)


def by_top(context: Context, scores: FloatArray, rows: IntArray, k: int) -> Selection:
    """Take the k best scores whether they repeat each other or not: what most libraries do."""
    return top(scores, rows, k, context.rng)


SELECTORS: dict[str, Selector] = {
    "repulsion": by_repulsion,
    "power": by_power,
    "herding": by_herding,
    "top": by_top,
}


def selector(mode: str) -> Selector:
    """Return the batch selector of a mode.

    Raises
    ------
    StrategyError
        For an unknown mode.
    """
    try:
        return SELECTORS[mode]
    except KeyError:
        raise StrategyError(f"unknown batch mode {mode!r}: choose one of {', '.join(sorted(SELECTORS))}") from None
