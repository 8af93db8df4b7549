"""Optimal design: which labels would settle most of what a Gaussian process on the pool does not know yet.

The variance of a Gaussian process depends on where labels are, not on what they say: it needs no labels and no model. The
process lives on the neighbour graph of the pool or linearly on the features. Pure functions of arrays.

References
----------
Ji and Han, A variance minimization criterion to active learning on graphs, AISTATS 2012 (V-optimality);
Ma, Garnett, Schneider, Σ-optimality for active learning on Gaussian random fields, NIPS 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.features.graph import SpectralMap, spectral_map
from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.distance import finite_rows
from al_widgets.strategies.ranking import CHUNK, checked_size, nothing, require_finite

#: Variance of the noise of one label, where the mean prior variance is 1.
NOISE = 0.02
#: Rows looked at in one query; of larger pools a sample.
SHORTLIST = 10_000


class Design:
    """Posterior variances of candidates, updated as rows are taken.

    Parameters
    ----------
    coordinates : ndarray (m, p)
        Candidates; the prior covariance of x and x′ is Σ wᵢ xᵢ x′ᵢ.
    weights : ndarray (p,)
    gram : ndarray (p,) or (p, p)
        Σ over all rows that count of x xᵀ; a vector means a diagonal matrix.
    total : ndarray (p,)
        Σ over all rows that count of x.
    known : ndarray (n, p)
        Coordinates of rows that are labelled or pending.
    noise : float
        Variance of a label.

    Notes
    -----
    With C the posterior covariance of the p weights, v = C x and s = xᵀ v + noise, taking x gives C − v vᵀ / s. All
    quantities of the candidates follow in O(m p), those that were asked for.
    """

    def __init__(
        self,
        coordinates: FloatArray,
        weights: FloatArray,
        gram: FloatArray,
        total: FloatArray,
        known: FloatArray,
        noise: float = NOISE,
    ) -> None:
        root: FloatArray = np.sqrt(weights.astype(np.float64))
        self._phi = (coordinates * root.astype(coordinates.dtype)).astype(np.float32, copy=False)
        self._gram = gram * root**2 if gram.ndim == 1 else root[:, None] * gram.astype(np.float64) * root
        self._total = root * total
        self._noise = noise
        seen = known.astype(np.float64) * root
        p = len(root)
        if len(seen) < p:  # Woodbury: the smaller of the two inverses
            inner = np.linalg.inv(noise * np.eye(len(seen)) + seen @ seen.T)
            self._covariance: FloatArray = np.eye(p) - seen.T @ inner @ seen
        else:
            self._covariance = np.linalg.inv(np.eye(p) + seen.T @ seen / noise)
        self._projected: FloatArray | None = None
        self._variance = np.einsum("ij,ij->i", self._project(), self._phi, dtype=np.float64)
        # Σ over all rows of cov(row, candidate)², and of cov(row, candidate)
        self._squares: FloatArray | None = None
        self._sums: FloatArray | None = None

    def _project(self) -> FloatArray:
        """Return C x of each candidate x, shape (m, p); remembered until a row is taken."""
        if self._projected is None:
            self._projected = self._phi @ self._covariance.astype(np.float32)
        return self._projected

    def _weigh(self, vectors: FloatArray) -> FloatArray:
        """Return G v of vectors in rows; G is diagonal where coordinates are orthonormal."""
        weighed: FloatArray = vectors * self._gram if self._gram.ndim == 1 else vectors @ self._gram
        return weighed

    @property
    def variance(self) -> FloatArray:
        """Posterior variance of each candidate, shape (m,), at least 0."""
        left: FloatArray = np.maximum(self._variance, 0)
        return left

    @property
    def v_optimality(self) -> FloatArray:
        """How much a label of each candidate lowers the summed variance of all rows, shape (m,)."""
        if self._squares is None:
            projected = self._project()
            gram = self._gram.astype(np.float32)
            if gram.ndim == 1:
                self._squares = (np.square(projected) @ gram).astype(np.float64)
            else:
                self._squares = np.einsum("ij,ij->i", projected @ gram, projected, dtype=np.float64)
        settled: FloatArray = np.maximum(self._squares, 0) / (self.variance + self._noise)
        return settled

    @property
    def sigma_optimality(self) -> FloatArray:
        """How much a label of each candidate lowers the variance of the sum over all rows, shape (m,)."""
        if self._sums is None:
            towards = self._covariance @ self._total
            self._sums = (self._phi @ towards.astype(np.float32)).astype(np.float64)
        settled: FloatArray = self._sums**2 / (self.variance + self._noise)
        return settled

    def take(self, position: int) -> None:
        """Count the candidate at `position` as labelled."""
        self._projected = None
        x = self._phi[position].astype(np.float64)
        v = self._covariance @ x
        s = float(x @ v) + self._noise
        along = (self._phi @ v.astype(np.float32)).astype(np.float64)
        if self._squares is not None:
            weighed = self._weigh(v)
            across = self._phi @ (self._covariance @ weighed).astype(np.float32)
            self._squares += along * (along * (float(v @ weighed) / s) - 2 * across) / s
        if self._sums is not None:
            self._sums -= along * (float(self._total @ v) / s)
        self._variance -= along**2 / s
        self._covariance -= np.outer(v, v / s)


def graph_design(context: Context, rows: IntArray, dimension: int | None = None) -> Design:
    """Return the design on the pool's neighbour graph, labelled and pending rows taken.

    Parameters
    ----------
    context : Context
    rows : ndarray (m,) of int
        The candidates.
    dimension : int, optional
        Eigenvectors used; default: `smooth_dimension`.
    """
    graph = graph_of(context)
    weights = graph.weights(dimension or smooth_dimension(len(graph.points)))
    used = weights > 0
    vectors = graph.vectors[:, used]
    placement = graph.placement
    covered = np.concatenate([np.asarray(context.labelled, np.intp), np.asarray(context.pending, np.intp)])
    return Design(
        placement[rows] @ vectors,
        weights[used],
        np.ones(vectors.shape[1]),  # eigenvectors are orthonormal
        vectors.sum(axis=0, dtype=np.float64),
        placement[covered] @ vectors,
    )


def smooth_dimension(n: int) -> int:
    """Return how many eigenvectors describe a pool of n nodes: an eighth of them, between 20 and 300."""
    return int(np.clip(n // 8, 20, 300))


def graph_of(context: Context) -> SpectralMap:
    """Return the neighbour graph of the pool.

    Raises
    ------
    StrategyError
        If features are not finite, naming the row.
    """
    for start in range(0, len(context.features), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(context.features)))
        require_finite(np.asarray(context.features[start : start + CHUNK]), rows, "features")
    return spectral_map(context.features)


def feature_design(context: Context, rows: IntArray) -> Design:
    """Return the design of a linear process on centred, scaled features; labelled and pending rows taken."""
    n, d = context.features.shape
    sample = np.arange(n) if n <= SHORTLIST else np.sort(context.rng.choice(n, SHORTLIST, replace=False))
    block = finite_rows(context.features, sample).astype(np.float64)
    mean = block.mean(axis=0)
    spread = float(block.var(axis=0).sum())
    scale = 1 / np.sqrt(spread) if spread > 0 else 1.0

    def centred(which: IntArray) -> FloatArray:
        near = (finite_rows(context.features, which).astype(np.float64) - mean) * scale
        return np.concatenate([near, np.full((len(which), 1), 1.0)], axis=1)

    everywhere = centred(sample)
    covered = np.concatenate([np.asarray(context.labelled, np.intp), np.asarray(context.pending, np.intp)])
    return Design(centred(rows), np.ones(d + 1), everywhere.T @ everywhere, everywhere.sum(axis=0), centred(covered))


_CRITERIA = {"variance": "variance", "v": "v_optimality", "sigma": "sigma_optimality"}


@dataclass(frozen=True)
class OptimalDesign:
    """Asks what would settle most of the pool, whatever the answers.

    Parameters
    ----------
    criterion : {"variance", "v", "sigma"}
        The candidate's own variance; the summed variance of all (V-optimality); the variance of the sum (Σ-optimality).
    on : {"graph", "features"}
        Where the Gaussian process lives.
    name : str, optional
    """

    criterion: Literal["variance", "v", "sigma"] = "v"
    on: Literal["graph", "features"] = "graph"
    name: str = "v_optimal"

    def __post_init__(self) -> None:
        if self.criterion not in _CRITERIA or self.on not in {"graph", "features"}:
            raise StrategyError(
                f"criterion must be variance, v or sigma, and on graph or features, not {self.criterion!r}, {self.on!r}"
            )

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        rows = context.candidates
        limit = max(SHORTLIST, 2 * size)
        if len(rows) > limit:
            rows = np.sort(context.rng.choice(rows, limit, replace=False))
        small = len(context.features) < 4
        design = feature_design(context, rows) if small or self.on == "features" else graph_design(context, rows)
        return greedy(design, rows, size, self.criterion)


def greedy(design: Design, rows: IntArray, k: int, criterion: str) -> Selection:
    """Take the k best one after another, each as if those before were labelled."""
    taken = np.zeros(len(rows), bool)
    chosen = np.empty(k, np.intp)
    utilities = np.empty(k)
    for i in range(k):
        score = np.where(taken, -np.inf, getattr(design, _CRITERIA[criterion]))
        best = int(score.argmax())
        chosen[i], utilities[i] = best, score[best]
        taken[best] = True
        design.take(best)
    return Selection(rows[chosen].astype(np.intp, copy=False), utilities)
