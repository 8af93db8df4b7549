"""Strategies that cluster the pool: typical clusters, and cluster-margin.

References
----------
Hacohen, Dekel, Weinshall, Active learning on a budget: opposite strategies suit high and low budgets (TypiClust), ICML 2022;
Citovsky et al., Batch active learning at scale (Cluster-Margin), NeurIPS 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.features.neighbours import group_means, nearest
from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.distance import finite_rows, squared_distances
from al_widgets.strategies.informed import Informed
from al_widgets.strategies.opinion import score_rows
from al_widgets.strategies.ranking import CHUNK, checked_size, nothing, require_finite, shortlist
from al_widgets.strategies.uncertainty import margin

_SAMPLE = 20_000
_STEPS = 6


def cluster(features: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Return the cluster of each row, shape (N,): k-means on at most 20,000 rows, then one assignment of all.

    Raises
    ------
    StrategyError
        If features are not finite, naming the row.
    """
    n = len(features)
    rows = np.arange(n) if n <= _SAMPLE else np.sort(rng.choice(n, _SAMPLE, replace=False))
    points = finite_rows(features, rows).astype(np.float32)
    centres = _spread_centres(points, k, rng)
    for _ in range(_STEPS):
        belongs = nearest(centres, points, 1)[1][:, 0]
        centres = group_means(points, belongs, centres)
    belongs = np.empty(n, np.intp)
    for start in range(0, n, CHUNK):
        block = np.asarray(features[start : start + CHUNK], np.float32)
        require_finite(block, np.arange(start, start + len(block)), "features")
        belongs[start : start + CHUNK] = nearest(centres, block, 1)[1][:, 0]
    return belongs


def _spread_centres(points: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Return k-means++ seeds of a sample of 20 points a centre, shape (k, d)."""
    few = points
    if len(points) > 20 * k:
        few = points[np.sort(rng.choice(len(points), 20 * k, replace=False))]
    order = [int(((few - few.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    gap = squared_distances(few, few[order])[:, 0]
    while len(order) < k:
        total = np.cumsum(gap, dtype=np.float64)
        at = int(np.searchsorted(total, rng.random() * total[-1], side="right")) if total[-1] > 0 else len(order)
        order.append(min(at, len(few) - 1))
        np.minimum(gap, squared_distances(few, few[order[-1:]])[:, 0], out=gap)
    return few[order].copy()


@dataclass(frozen=True)
class TypicalClusters:
    """The most typical item of each of the largest clusters that nothing covers.

    As many clusters as there are covered rows and picks, at most 500; clusters with the fewest covered rows first, larger
    ones before smaller ones; in each the row whose 20 nearest in the cluster are closest.

    Parameters
    ----------
    max_clusters : int
    n_neighbours : int
    """

    max_clusters: int = 500
    n_neighbours: int = 20
    name: str = "typical_clusters"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; utilities are typicalities. See `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        covered = np.concatenate([np.asarray(context.labelled, np.intp), np.asarray(context.pending, np.intp)])
        k = min(len(covered) + size, self.max_clusters, len(context.features))
        belongs = cluster(context.features, k, context.rng)
        free = np.zeros(len(context.features), bool)
        free[context.candidates] = True
        sizes = np.bincount(belongs, minlength=k)
        load = np.bincount(belongs[covered], minlength=k)
        left = np.bincount(belongs[context.candidates], minlength=k)
        chosen: list[int] = []
        utilities: list[float] = []
        while len(chosen) < size:
            # lexsort: the last key counts most
            order = np.lexsort((-sizes, load))
            c = int(order[left[order] > 0][0])
            row, typicality = self._most_typical(context, np.flatnonzero(belongs == c), free)
            chosen.append(row)
            utilities.append(typicality)
            free[row] = False
            left[c] -= 1
            load[c] += 1
        return Selection(np.array(chosen, np.intp), np.array(utilities))

    def _most_typical(self, context: Context, members: IntArray, free: np.ndarray) -> tuple[int, float]:
        """Return the free member whose neighbours in the cluster are closest, and 1 / mean distance to them."""
        able = members[free[members]]
        among = members if len(members) <= 1000 else context.rng.choice(members, 1000, replace=False)
        able = able if len(able) <= 1000 else context.rng.choice(able, 1000, replace=False)
        points = finite_rows(context.features, able)
        gap = np.sqrt(squared_distances(points, finite_rows(context.features, among)))
        near = min(self.n_neighbours + 1, gap.shape[1])  # a row is its own neighbour at distance 0
        mean = np.partition(gap, near - 1, axis=1)[:, :near].sum(axis=1) / max(near - 1, 1)
        best = int(mean.argmin())
        return int(able[best]), float(1 / (mean[best] + 1e-6))


@dataclass(frozen=True)
class ClusterMargin(Informed):
    """The smallest margins, taken in turn from clusters of similar items, small clusters first.

    The short list of ten times the batch is clustered by average linkage into as many clusters as the batch has items;
    clusters that hold a pending row come last.

    Parameters
    ----------
    factor : int
        The short list holds this many times the batch.
    """

    factor: int = 10
    name: str = "cluster_margin"

    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows; utilities are 1 − margin."""
        from scipy.cluster.hierarchy import fcluster, linkage

        scores = score_rows(context, context.candidates, margin)
        short = shortlist(scores, min(self.factor * size, 2000), context.rng)
        if len(short) < size:
            short = shortlist(scores, size, context.rng)
        pending = np.asarray(context.pending, np.intp)[-500:]
        rows = context.candidates[short]
        points = finite_rows(context.features, np.concatenate([rows, pending])).astype(np.float64)
        if len(points) > 1:
            belongs = fcluster(linkage(points, "average"), size + len(pending), "maxclust") - 1
        else:
            belongs = np.zeros(1, np.intp)
        count = np.bincount(belongs[: len(rows)], minlength=belongs.max() + 1)
        held = np.bincount(belongs[len(rows) :], minlength=belongs.max() + 1) > 0
        queues = [np.flatnonzero(belongs[: len(rows)] == c) for c in np.lexsort((count, held)) if count[c]]
        order: list[int] = []
        turn = 0
        while len(order) < size:
            # Within a cluster the short list is in order of uncertainty.
            order += [int(queue[turn]) for queue in queues if turn < len(queue)]
            turn += 1
        picked = np.array(order[:size])
        return Selection(rows[picked].astype(np.intp, copy=False), scores[short[picked]].astype(np.float64))
