"""Batches in the space of gradients: large where the model is unsure, diverse where items differ.

The gradient of the loss of a linear last layer at the predicted class is g = (p − e_ŷ) ⊗ x. It is never formed: all that is
needed is ⟨gᵢ, gⱼ⟩ = ⟨aᵢ, aⱼ⟩⟨xᵢ, xⱼ⟩ with a = p − e_ŷ, two products of a matrix and a vector a pick.

References
----------
Ash et al., Deep batch active learning by diverse, uncertain gradient lower bounds (BADGE), ICLR 2020;
Zhdanov, Diverse mini-batch active learning, 2019 (k-means weighted by uncertainty).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.distance import finite_rows, squared_distances
from al_widgets.strategies.informed import Informed
from al_widgets.strategies.opinion import given_probabilities, probabilities_of, score_rows
from al_widgets.strategies.pool_rows import PoolRows, passes
from al_widgets.strategies.ranking import CHUNK, require_finite, shortlist
from al_widgets.strategies.uncertainty import likeliest, margin


class Gradients:
    """Gradient embeddings of all rows of a pool, held as probabilities and features.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.pool = PoolRows(context)
        pool = self.pool
        given = given_probabilities(context)
        if given is not None and pool.whole:
            self._p: FloatArray = given
        else:
            self._p = probabilities_of(context, pool.rows(np.arange(len(pool.norms))))
        self._likeliest = np.empty(len(pool.norms), np.min_scalar_type(context.n_classes))
        self.norms = pool.norms  # becomes ‖g‖² in place: ‖x‖² is not needed again
        for start in range(0, len(self._p), CHUNK):
            where = slice(start, start + CHUNK)
            p = self._p[where]
            require_finite(p, np.arange(start, start + len(p)), "probabilities")
            best = likeliest(p)
            self._likeliest[where] = best
            # ‖g‖² = ‖p − e_ŷ‖² ‖x‖², and ‖p − e_ŷ‖² = ‖p‖² − 2 p_ŷ + 1
            size = np.einsum("ij,ij->i", p, p) - 2 * p[np.arange(len(p)), best] + 1
            self.norms[where] *= np.maximum(size, 0)

    def lower(self, nearest: FloatArray, position: int) -> None:
        """Lower `nearest` (M,) to ‖g − g_position‖² where that is less, in place."""
        a = self._p[position].astype(self._p.dtype, copy=True)
        a[self._likeliest[position]] -= 1
        a *= -2
        x = np.ascontiguousarray(self.pool.features[position])
        for where in passes(len(nearest)):
            gap: FloatArray = self.pool.features[where] @ x
            gap *= self._p[where] @ a - a[self._likeliest[where]]
            gap += self.norms[where]
            gap += self.norms[position]
            np.maximum(gap, 0, out=gap)
            np.minimum(nearest[where], gap, out=nearest[where])


@dataclass(frozen=True)
class Badge(Informed):
    """k-means++ on gradient embeddings: the first is the largest gradient, the others are drawn ∝ squared distance.

    Pending rows are centres from the start.
    """

    name: str = "badge"

    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows; utilities are distances when picked."""
        gradients = Gradients(context)
        pool = gradients.pool
        nearest = np.full(len(gradients.norms), np.inf, gradients.norms.dtype)
        for row in np.asarray(context.pending, np.intp):
            at = pool.position(int(row))
            if at is not None:  # pending rows that are not looked at cover nothing here
                gradients.lower(nearest, at)
        free = pool.free
        chosen = np.empty(size, np.intp)
        utilities = np.empty(size)
        propensities = np.empty(size)
        for i in range(size):
            if np.isinf(nearest[0]):  # no centre yet
                best, propensities[i] = _largest(gradients.norms, free), 1.0
                utilities[i] = np.sqrt(gradients.norms[best])
            else:
                nearest[~free] = 0
                best, propensities[i] = _draw(nearest, free, context.rng)
                utilities[i] = np.sqrt(nearest[best])
            chosen[i] = best
            free[best] = False
            if i + 1 < size:
                gradients.lower(nearest, best)
        return Selection(pool.rows(chosen), utilities, propensities)


def _largest(values: FloatArray, free: npt.NDArray[np.bool_]) -> int:
    """Return the free position of the largest value, block by block."""
    best, at = -np.inf, 0
    for start in range(0, len(values), CHUNK):
        block = np.where(free[start : start + CHUNK], values[start : start + CHUNK], -np.inf)
        here = int(block.argmax())
        if block[here] > best:
            best, at = float(block[here]), start + here
    return at


def _draw(weight: FloatArray, free: npt.NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, float]:
    """Draw a position ∝ weight, uniformly among the free ones when all weights are 0; give its probability.

    First a block, then a position in it: no cumulative sum of the whole pool.
    """
    starts = range(0, len(weight), CHUNK)
    sums = np.array([weight[start : start + CHUNK].sum(dtype=np.float64) for start in starts])
    total = sums.sum()
    if total <= 0:
        left = np.flatnonzero(free)
        return int(rng.choice(left)), 1.0 / len(left)
    block = int(rng.choice(len(sums), p=sums / total))
    start = starts[block]
    inside = np.cumsum(weight[start : start + CHUNK], dtype=np.float64)
    at = start + min(int(np.searchsorted(inside, rng.random() * inside[-1], "right")), len(inside) - 1)
    if weight[at] <= 0:  # rounding at the end of the sum
        at = start + int(weight[start : start + CHUNK].argmax())
    return at, float(weight[at] / total)


@dataclass(frozen=True)
class WeightedKMeans(Informed):
    """k-means of the most uncertain candidates, weighted by 1 − margin; picks the candidate nearest each centre.

    Parameters
    ----------
    on : {"features", "gradients"}
        Where the clusters are: Zhdanov's, or gradient embeddings (formed for the short list only).
    factor : int
        The short list holds this many times the batch.
    """

    on: str = "features"
    factor: int = 10
    name: str = "weighted_kmeans"

    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows; utilities are 1 − margin."""
        scores = score_rows(context, context.candidates, margin)
        short = shortlist(scores, self.factor * size, context.rng)
        rows = context.candidates[short]
        uncertain = scores[short].astype(np.float64)
        points = finite_rows(context.features, rows).astype(np.float64)
        pending = finite_rows(context.features, np.asarray(context.pending, np.intp)).astype(np.float64)
        if self.on == "gradients":
            p = probabilities_of(context, np.concatenate([rows, np.asarray(context.pending, np.intp)]))
            p = p.astype(np.float64)
            p[np.arange(len(p)), p.argmax(axis=1)] -= 1
            both = (p[:, :, None] * np.concatenate([points, pending])[:, None, :]).reshape(len(p), -1)
            points, pending = both[: len(rows)], both[len(rows) :]
            uncertain_weight = np.ones(len(rows))
        else:
            uncertain_weight = uncertain + 1e-3
        # Centres that are pending stay where they are: what they hold needs no further pick.
        centres = kmeans(points, uncertain_weight, size, pending, context.rng)
        picked = nearest_each(points, centres)
        order = picked[np.argsort(-uncertain[picked], kind="stable")]
        return Selection(rows[order].astype(np.intp, copy=False), uncertain[order])


def kmeans(
    points: FloatArray, weights: FloatArray, k: int, fixed: FloatArray, rng: np.random.Generator, steps: int = 20
) -> FloatArray:
    """Return k weighted centres (k, d) by k-means++ and Lloyd steps, beside centres that are fixed.

    Parameters
    ----------
    points : ndarray (m, d)
    weights : ndarray (m,)
    k : int
    fixed : ndarray (f, d)
        Centres that take points but do not move and are not returned.
    rng : Generator
    steps : int
    """
    centres = fixed.copy()
    nearest = squared_distances(points, fixed).min(axis=1) if len(fixed) else np.full(len(points), np.inf)
    for _ in range(k):
        chance = weights * np.where(np.isinf(nearest), 1.0, nearest)
        total = chance.sum()
        at = int(rng.choice(len(points), p=chance / total)) if total > 0 else int(rng.integers(len(points)))
        centres = np.concatenate([centres, points[at : at + 1]])
        nearest = np.minimum(nearest, squared_distances(points, points[at : at + 1])[:, 0])
    for _ in range(steps):
        belongs = squared_distances(points, centres).argmin(axis=1)
        before = centres.copy()
        for c in range(len(fixed), len(centres)):
            own = belongs == c
            if own.any():
                centres[c] = np.average(points[own], axis=0, weights=weights[own])
        if np.allclose(before, centres):
            break
    return centres[len(fixed) :]


def nearest_each(points: FloatArray, centres: FloatArray) -> IntArray:
    """Return for each centre the nearest point that no centre before it took, shape (k,)."""
    gap = squared_distances(points, centres)
    picked = np.empty(len(centres), np.intp)
    for c in range(len(centres)):
        picked[c] = int(gap[:, c].argmin())
        gap[picked[c]] = np.inf
    return picked
