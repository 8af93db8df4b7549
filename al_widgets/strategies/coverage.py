"""Probability coverage: each pick is the candidate whose ball holds most items that no ball holds yet.

References
----------
Yehuda et al., Active learning through a covering lens (ProbCover), NeurIPS 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, Selection
from al_widgets.strategies.distance import finite_rows, squared_distances
from al_widgets.strategies.gradient import kmeans
from al_widgets.strategies.herding import covered_points
from al_widgets.strategies.ranking import checked_size, nothing

#: Candidates and items whose cover is counted; of larger pools random samples. (Of 20,000 clustered items, 20 such picks cover
#: 34.5 %, picks among all 37.8 %, random ones 10.5 %.)
SAMPLE = 4000
#: Candidates whose distances are computed at a time: they stay in the processor's cache.
_BLOCK = 128


def pure_radius(points: FloatArray, n_classes: int, rng: np.random.Generator, purity: float = 0.95) -> float:
    """Return the squared radius of the largest ball of which `purity` holds one cluster only (§3.3 of the paper).

    Clusters of k-means with as many clusters as classes stand for the classes.
    """
    some = points if len(points) <= 1000 else points[rng.choice(len(points), 1000, replace=False)]
    k = min(max(n_classes, 2), len(some))
    centres = kmeans(some, np.ones(len(some), some.dtype), k, some[:0], rng)
    belongs = squared_distances(some, centres).argmin(axis=1)
    gap = squared_distances(some, some)
    # A ball of radius r around x is pure until r reaches the nearest item of another cluster.
    other = np.where(belongs[:, None] != belongs[None, :], gap, np.inf).min(axis=1)
    other = other[np.isfinite(other)]
    if not len(other):
        return float(np.median(gap))
    return float(np.quantile(other, 1 - purity))


@dataclass(frozen=True)
class ProbabilityCoverage:
    """Greedy maximum coverage by balls of one radius; labelled and pending rows are centres from the start.

    Parameters
    ----------
    radius : float or None
        In units of the features; None finds the largest radius at which 95 % of balls are pure.
    """

    radius: float | None = None
    name: str = "probability_coverage"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; utilities are shares of the pool newly covered. See `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        rng, rows = context.rng, context.candidates
        limit = max(SAMPLE, 2 * size)
        some = rows if len(rows) <= limit else np.sort(rng.choice(rows, limit, replace=False))
        n = len(context.features)
        everyone = np.arange(n) if n <= SAMPLE else np.sort(rng.choice(n, SAMPLE, replace=False))
        points = finite_rows(context.features, everyone)
        radius = pure_radius(points, context.n_classes, rng) if self.radius is None else self.radius**2
        open_ = np.ones(len(points), points.dtype)
        covered = covered_points(context)
        for start in range(0, len(covered), SAMPLE):
            gap = squared_distances(points, covered[start : start + SAMPLE].astype(points.dtype))
            open_[(gap <= radius).any(axis=1)] = 0
        balls = np.empty((len(some), len(points)), bool)
        degree = np.empty(len(some))
        for start in range(0, len(some), _BLOCK):
            block = slice(start, start + _BLOCK)
            gap = squared_distances(finite_rows(context.features, some[block]), points)
            np.less_equal(gap, radius, out=balls[block])
            degree[block] = np.less_equal(gap, radius, out=gap) @ open_
        chosen = np.empty(size, np.intp)
        utilities = np.empty(size)
        taken = np.zeros(len(some), bool)
        for i in range(size):
            # Once all is covered, what is left is picked at random.
            tie = rng.random(len(some)) if degree[~taken].max() <= 0 else 0.0
            best = int(np.where(taken, -np.inf, degree + tie).argmax())
            chosen[i], utilities[i] = best, max(0.0, float(degree[best])) / len(points)
            taken[best] = True
            new = np.flatnonzero(balls[best] & (open_ > 0))
            open_[new] = 0
            degree -= np.count_nonzero(balls[:, new], axis=1)
        return Selection(some[chosen].astype(np.intp, copy=False), utilities)
