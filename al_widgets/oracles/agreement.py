"""How well annotators agree: masks by Dice, boxes by overlap or by the distance of their apexes; and the boxes they agree on.

Boxes are rows ``x, y, width, height`` (pixels, y downwards). The apex of a box is the middle of its upper
edge: where the diffraction hyperbola of a buried object has its top. Who may import it: the session and
above. Any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.oracles.answers import FloatArray, IntArray

By = Literal["iou", "apex"]


def dice(first: npt.ArrayLike, second: npt.ArrayLike, n_classes: int = 2) -> FloatArray:
    """Return the Dice coefficient of two masks for each class, 2 |A ∩ B| / (|A| + |B|).

    Parameters
    ----------
    first, second : array_like of int or bool
        Class numbers, same shape. Pixels that are negative in either (unpainted) do not count.
    n_classes : int

    Returns
    -------
    ndarray (n_classes,)
        NaN for a class that is in neither.

    Raises
    ------
    TaskError
        If the shapes differ.
    """
    a, b = np.asarray(first).astype(np.intp), np.asarray(second).astype(np.intp)
    if a.shape != b.shape:
        raise TaskError(f"masks must have the same shape, not {a.shape} and {b.shape}")
    both = (a >= 0) & (b >= 0)
    a, b = a[both], b[both]
    sizes = np.bincount(a, minlength=n_classes) + np.bincount(b, minlength=n_classes)
    common = np.bincount(a[a == b], minlength=n_classes)
    share = np.full(len(sizes), np.nan)
    np.divide(2.0 * common, sizes, out=share, where=sizes > 0)
    return share


def pairwise_dice(masks: Sequence[npt.ArrayLike], n_classes: int = 2) -> FloatArray:
    """Return the mean Dice of each pair of annotators over the classes that occur, (J, J), 1 on the diagonal.

    NaN for a pair that painted no pixel in common.
    """
    J = len(masks)
    table = np.eye(J)
    for i in range(J):
        for j in range(i):
            values = dice(masks[i], masks[j], n_classes)
            known = values[~np.isnan(values)]
            table[i, j] = table[j, i] = known.mean() if len(known) else np.nan
    return table


def iou(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Return the overlap of every pair of boxes, intersection over union.

    Parameters
    ----------
    first, second : array_like (m, 4), (n, 4)

    Returns
    -------
    ndarray (m, n)
        0 for two boxes without area.
    """
    a, b = _boxes(first)[:, None, :], _boxes(second)[None, :, :]
    width = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common = np.maximum(width, 0) * np.maximum(height, 0)
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - common
    share: FloatArray = np.zeros_like(common)
    np.divide(common, union, out=share, where=union > 0)
    return share


def apex(boxes: npt.ArrayLike) -> FloatArray:
    """Return the middle of the upper edge of each box, (n, 2): x, y."""
    b = _boxes(boxes)
    return np.column_stack([b[:, 0] + b[:, 2] / 2, b[:, 1]])


def apex_distance(first: npt.ArrayLike, second: npt.ArrayLike, spacing: tuple[float, float] = (1.0, 1.0)) -> FloatArray:
    """Return the distance of every pair of apexes, (m, n).

    Parameters
    ----------
    first, second : array_like (m, 4), (n, 4)
        Boxes.
    spacing : (float, float)
        Size of a pixel in x and y, to get a distance in metres, or in traces and nanoseconds weighed against
        each other.
    """
    difference = (apex(first)[:, None, :] - apex(second)[None, :, :]) * np.asarray(spacing)
    return np.asarray(np.hypot(difference[..., 0], difference[..., 1]), np.float64)


@dataclass(frozen=True)
class Match:
    """Two annotators' boxes, paired one to one.

    Attributes
    ----------
    pairs : ndarray (p, 2) of int
        Rows of the first and the second.
    score : ndarray (p,)
        Overlap, or distance of the apexes, of each pair.
    only_first, only_second : ndarray of int
        Rows without a partner.
    """

    pairs: IntArray
    score: FloatArray
    only_first: IntArray
    only_second: IntArray

    @property
    def f1(self) -> float:
        """Share of all boxes that have a partner, 2 p / (m + n); NaN if there are no boxes at all."""
        total = 2 * len(self.pairs) + len(self.only_first) + len(self.only_second)
        return 2 * len(self.pairs) / total if total else float("nan")


def match_boxes(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    by: By = "iou",
    limit: float | None = None,
    spacing: tuple[float, float] = (1.0, 1.0),
) -> Match:
    """Pair boxes one to one so that as many as possible fit, and these as well as possible.

    Parameters
    ----------
    first, second : array_like (m, 4), (n, 4)
    by : {"iou", "apex"}
    limit : float, optional
        Least overlap (default .5), or largest distance of the apexes (default 10).
    spacing : (float, float)
        For ``"apex"``, see `apex_distance`.

    Returns
    -------
    Match
        Sorted by the first's rows.
    """
    from scipy.optimize import linear_sum_assignment

    a, b = _boxes(first), _boxes(second)
    table = iou(a, b) if by == "iou" else apex_distance(a, b, spacing)
    bound = (0.5 if by == "iou" else 10.0) if limit is None else limit
    fits = table >= bound if by == "iou" else table <= bound
    # A pair that fits is worth more than any gain among others: first count, then quality.
    quality = table if by == "iou" else -table / max(bound, 1e-12)
    worth = np.where(fits, (len(a) + len(b) + 1) * 2.0 + quality, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    keep = fits[rows, columns]
    rows, columns = rows[keep], columns[keep]
    return Match(
        np.column_stack([rows, columns]).astype(np.intp),
        np.asarray(table[rows, columns], np.float64),
        np.setdiff1d(np.arange(len(a)), rows).astype(np.intp),
        np.setdiff1d(np.arange(len(b)), columns).astype(np.intp),
    )


@dataclass(frozen=True)
class BoxConsensus:
    """The boxes that several annotators' boxes add up to.

    Attributes
    ----------
    boxes : ndarray (n, 4)
        Medians over the annotators who drew them.
    votes : ndarray (n,) of int
        Annotators who drew each.
    support : ndarray (n,)
        Share of the annotators.
    members : list of ndarray (v, 2) of int
        Annotator and row of each box that went in.
    """

    boxes: FloatArray
    votes: IntArray
    support: FloatArray
    members: list[IntArray]


def box_consensus(
    annotators: Sequence[npt.ArrayLike],
    *,
    least: float = 0.5,
    by: By = "iou",
    limit: float | None = None,
    spacing: tuple[float, float] = (1.0, 1.0),
) -> BoxConsensus:
    """Combine the boxes of one class that several annotators drew on one item.

    Parameters
    ----------
    annotators : sequence of array_like (m_j, 4)
        Boxes of each annotator who looked at the item; perhaps none.
    least : float
        Share of the annotators that must have drawn a box for it to stay; exactly one half of two or more
        stays.
    by, limit, spacing
        See `match_boxes`.

    Returns
    -------
    BoxConsensus
        Best supported first.

    Notes
    -----
    Annotators are taken in one after the other, most boxes first; each one's boxes are paired with the medians so far, and
    what finds no partner begins a group of its own. So no group holds two boxes of one annotator.
    """
    drawn = [_boxes(b) for b in annotators]
    groups: list[list[tuple[int, int]]] = []
    for j in sorted(range(len(drawn)), key=lambda j: (-len(drawn[j]), j)):
        found = match_boxes(_medians(drawn, groups), drawn[j], by=by, limit=limit, spacing=spacing)
        for group, row in found.pairs:
            groups[group].append((j, int(row)))
        groups += [[(j, int(row))] for row in found.only_second]
    kept = [g for g in groups if len(g) / len(drawn) >= least]
    kept.sort(key=len, reverse=True)
    votes = np.array([len(g) for g in kept], np.intp)
    return BoxConsensus(
        _medians(drawn, kept), votes, votes / max(len(drawn), 1), [np.array(sorted(g), np.intp) for g in kept]
    )


def _medians(drawn: list[FloatArray], groups: list[list[tuple[int, int]]]) -> FloatArray:
    """Return the median box of each group, edge by edge."""
    medians = np.zeros((len(groups), 4))
    for number, group in enumerate(groups):
        members = np.array([drawn[j][row] for j, row in group])
        left, top = np.median(members[:, :2], 0)
        right, bottom = np.median(members[:, :2] + members[:, 2:], 0)
        medians[number] = left, top, right - left, bottom - top
    return medians


def _boxes(boxes: npt.ArrayLike) -> FloatArray:
    b = np.asarray(boxes, np.float64)
    if b.size == 0:
        return np.zeros((0, 4))
    if b.ndim != 2 or b.shape[1] != 4 or (b[:, 2:] < 0).any() or not np.isfinite(b).all():
        raise TaskError(
            f"boxes must be rows x, y, width, height with sizes of 0 or more, not an array of shape {b.shape}"
        )
    return b
