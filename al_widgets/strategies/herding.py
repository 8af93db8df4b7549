"""Uncertainty Herding: a batch that covers what is uncertain and not covered yet; without a model, what is not covered.

References
----------
Bae, Noh, Sutherland, Generalized coverage for more robust low-budget active learning (MaxHerding), ECCV 2024;
Bae, Oliveira, Sutherland, Uncertainty herding: one active learning method for all label budgets, ICLR 2025.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.distance import bandwidth, finite_rows, largest_similarity, squared_distances
from al_widgets.strategies.opinion import has_opinion, score_rows
from al_widgets.strategies.ranking import checked_size, nothing, shortlist
from al_widgets.strategies.uncertainty import margin


def herd(similarity: FloatArray, weights: FloatArray, covered: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Greedily choose the candidates that add most cover: the pure algorithm.

    Parameters
    ----------
    similarity : ndarray (m, r)
        k(candidate, reference), between 0 and 1.
    weights : ndarray (r,)
        What covering each reference is worth (its uncertainty).
    covered : ndarray (r,)
        How well each is covered already, between 0 and 1.
    k : int
        How many, at most m.

    Returns
    -------
    positions : ndarray (k,) of int
    gains : ndarray (k,)
        Mean weighted cover each added when it was picked (equation 3 of the paper, over references).
    """
    left = similarity - covered[None, :]
    np.maximum(left, 0, out=left)
    chosen = np.empty(k, np.intp)
    gains = np.empty(k)
    taken = np.zeros(len(similarity), bool)
    for i in range(k):
        gain = left @ weights
        gain[taken] = -np.inf
        best = int(gain.argmax())
        chosen[i], gains[i] = best, gain[best] / max(len(weights), 1)
        taken[best] = True
        # max(0, s − max(c, s_best)) = max(0, (s − c) − (s_best − c)⁺)
        left -= left[best].copy()[None, :]
        np.maximum(left, 0, out=left)
    return chosen, gains


@dataclass(frozen=True)
class UncertaintyHerding:
    """Cover of the pool, weighted by 1 − margin; the cold start when there is no model.

    Labelled and pending rows and those picked before count as covered.

    Parameters
    ----------
    n_shortlist : int
        The most uncertain candidates that may be picked (drawn at random before there is a model).
    n_references : int
        Random candidates whose cover is counted.
    """

    n_shortlist: int = 1000
    n_references: int = 1500
    name: str = "herding"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        rng, rows = context.rng, context.candidates
        limit = max(self.n_shortlist, 4 * size)
        if has_opinion(context):
            uncertain = score_rows(context, rows, margin)
            short = shortlist(uncertain, limit, rng)
        else:
            uncertain = np.ones(len(rows), np.float32)
            short = _sample(len(rows), limit, rng)
        references = _sample(len(rows), self.n_references, rng)
        gamma = bandwidth(context.features, rng)
        points = finite_rows(context.features, rows[references])
        chosen, gains = herd(
            _similarity(finite_rows(context.features, rows[short]), points, gamma),
            uncertain[references].astype(points.dtype),
            largest_similarity(points, covered_points(context), gamma),
            size,
        )
        return Selection(rows[short[chosen]].astype(np.intp, copy=False), gains)


def covered_points(context: Context) -> FloatArray:
    """Return features of all labelled and pending rows, shape (n + p, d): what counts as covered."""
    rows = np.concatenate([np.asarray(context.labelled, np.intp), np.asarray(context.pending, np.intp)])
    return finite_rows(context.features, rows)


def _similarity(block: FloatArray, points: FloatArray, gamma: float) -> FloatArray:
    """Return exp(−γ‖x − p‖²), shape (m, r)."""
    squared = squared_distances(block, points)
    squared *= -gamma
    return np.exp(squared, out=squared)


def _sample(m: int, limit: int, rng: np.random.Generator) -> IntArray:
    """Return all positions, or `limit` random ones in rising order."""
    if m <= limit:
        return np.arange(m)
    return np.sort(rng.choice(m, limit, replace=False)).astype(np.intp)
