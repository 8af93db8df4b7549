"""Membership query synthesis: queries that are made, not drawn. Pure functions of arrays; any thread.

Where an experiment or a simulation answers at any point, bisection finds a boundary exponentially faster than drawing: n answers
leave an interval of 2^-n instead of about 1/n (Angluin, Queries and concept learning, 1988; Dasgupta, Analysis of a greedy active
learning strategy, NIPS 2004). Where people answer, most of what can be made has no answer (Baum and Lang, Query learning can work
poorly when a human oracle is used, IJCNN 1992): see `blends`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError

FloatArray = npt.NDArray[np.float64]
Utility = Callable[[FloatArray], npt.NDArray[np.floating]]


@dataclass(frozen=True)
class Pair:
    """Two points whose answers differ; the boundary lies between them.

    Attributes
    ----------
    first, second : ndarray (d,)
        In units of the ranges: 0 to 1.
    distance : float
    """

    first: FloatArray
    second: FloatArray
    distance: float

    @property
    def middle(self) -> FloatArray:
        """The point that halves what is not known."""
        return (self.first + self.second) / 2


def closest_opposites(points: FloatArray, labels: npt.NDArray[np.intp], precision: float = 0.0) -> Pair | None:
    """Return the closest two points with different labels that are still farther apart than `precision`; None if none are.

    Bisecting the closest pair first brings one place of the boundary to its precision before another is begun.

    Parameters
    ----------
    points : ndarray (n, d)
    labels : ndarray (n,)
    """
    if len(np.unique(labels)) < 2:
        return None
    squared = np.square(points[:, None] - points[None]).sum(axis=2)
    open_ = (labels[:, None] != labels[None]) & (squared > precision**2)
    if not open_.any():
        return None
    at = np.where(open_, squared, np.inf).argmin()
    i, j = divmod(int(at), len(points))
    return Pair(points[i], points[j], float(np.sqrt(squared[i, j])))


def bisection(
    points: FloatArray, labels: npt.NDArray[np.intp], precision: float, starts: npt.NDArray[np.intp]
) -> Pair | None:
    """Return the pair of one line between two starting points that must be halved next; None when every line is done.

    A line joins two starting points of different labels. On it only its own points are bisected, so that a line takes
    log2(length / precision) answers, each of them a bit.

    Parameters
    ----------
    points : ndarray (n, d)
    labels : ndarray (n,)
    precision : float
    starts : ndarray (n,)
        Number of the line on which each point lies; -1 for points on no line.
    """
    for line in np.unique(starts[starts >= 0]):
        on = np.flatnonzero(starts == line)
        ends = points[on[:2]]
        along = (points[on] - ends[0]) @ (ends[1] - ends[0])
        order = on[np.argsort(along, kind="stable")]
        changes = np.flatnonzero(labels[order[1:]] != labels[order[:-1]])
        gaps = [(float(np.linalg.norm(points[order[c + 1]] - points[order[c]])), int(c)) for c in changes]
        wide = [(gap, c) for gap, c in gaps if gap > precision]
        if wide:
            gap, c = min(wide)
            return Pair(points[order[c]], points[order[c + 1]], gap)
    return None


def hill_climb(
    utility: Utility,
    dimension: int,
    rng: np.random.Generator,
    *,
    starts: int = 64,
    climbers: int = 8,
    steps: int = 40,
    width: float = 0.2,
) -> tuple[FloatArray, float]:
    """Return the point of the unit cube with the largest utility that was found, and its utility.

    Random restarts, then the best of them climb: each tries a normal step, keeps it if it is higher, and widens its steps by
    1.5 or narrows them by 1.5^-1/4 (the one-fifth rule: Rechenberg 1973). All climbers are scored in one call a step.

    Parameters
    ----------
    utility : callable
        Points (m, d) of the unit cube → utilities (m,), finite.
    dimension : int
    starts, climbers, steps : int
    width : float
        First length of a step.

    Raises
    ------
    StrategyError
        If a utility is not finite.
    """
    points = rng.random((max(1, starts), dimension))
    values = _scored(utility, points)
    best = np.argsort(-values, kind="stable")[: max(1, climbers)]
    points, values = points[best], values[best]
    widths = np.full(len(points), width)
    for _ in range(steps):
        tried = np.clip(points + widths[:, None] * rng.standard_normal(points.shape), 0.0, 1.0)
        heights = _scored(utility, tried)
        higher = heights > values
        points = np.where(higher[:, None], tried, points)
        values = np.where(higher, heights, values)
        widths = np.clip(widths * np.where(higher, 1.5, 1.5**-0.25), 1e-6, 0.5)
    top = int(values.argmax())
    return points[top], float(values[top])


def _scored(utility: Utility, points: FloatArray) -> FloatArray:
    values = np.asarray(utility(points), np.float64).reshape(-1)
    if values.shape != (len(points),) or not np.isfinite(values).all():
        raise StrategyError(
            f"a utility must give one finite number a point, not shape {values.shape} for {len(points)} points"
        )
    return values


def novelty(points: FloatArray, taken: FloatArray, width: float = 0.1) -> FloatArray:
    """Return how far points are from those that were asked, 0 to 1; shape (m,): ``Π (1 - exp(-‖x - t‖² / (2 width²)))``."""
    near: FloatArray = np.prod(1 - _kernel(points, taken, width), axis=1)
    return near


def answerability(points: FloatArray, unsure: FloatArray, told: FloatArray, width: float = 0.1) -> FloatArray:
    """Return how likely points can be told, above 0 to 1; shape (m,).

    ``(1 + T) / (1 + T + 3 U)``, with T and U the Gaussian densities of what was and of what could not be told: one "cannot tell"
    makes its surroundings worth less until answers there say otherwise.
    """
    yes, no = _kernel(points, told, width).sum(axis=1), _kernel(points, unsure, width).sum(axis=1)
    likely: FloatArray = (1 + yes) / (1 + yes + 3 * no)
    return likely


def _kernel(points: FloatArray, centres: FloatArray, width: float) -> FloatArray:
    """Return exp(-‖x - c‖² / (2 width²)), shape (m, n)."""
    if not len(centres):
        return np.zeros((len(points), 0))
    values: FloatArray = np.exp(-np.square(points[:, None] - centres[None]).sum(axis=2) / (2 * width**2))
    return values


def opposite_neighbours(features: npt.NDArray[np.floating], labels: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return pairs (row, nearest row of another label), closest pair first; shape (n, 2)."""
    X = np.asarray(features, np.float64)
    norms = np.square(X).sum(axis=1)
    squared = norms[:, None] + norms[None] - 2 * X @ X.T
    squared[labels[:, None] == labels[None]] = np.inf
    nearest = squared.argmin(axis=1)
    gaps = squared[np.arange(len(X)), nearest]
    rows = np.argsort(gaps, kind="stable")
    rows = rows[np.isfinite(gaps[rows])]
    return np.column_stack([rows, nearest[rows]]).astype(np.intp)


def blends(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating], share: float) -> npt.NDArray[np.float32]:
    """Return ``(1 - share) · first + share · second``; with `share` up to 0.25 people still see the first."""
    if not 0 <= share <= 0.5:
        raise StrategyError(f"the share of the second picture lies between 0 and 0.5, not {share!r}")
    mixed: npt.NDArray[np.float32] = (
        (1 - share) * np.asarray(first, np.float32) + share * np.asarray(second, np.float32)
    ).astype(np.float32)
    return mixed
