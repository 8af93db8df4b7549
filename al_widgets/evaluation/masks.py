"""How well masks agree with the truth: Dice and average precision of voxels, with intervals over sections.

Voxels of one section are no independent observations: intervals resample whole sections. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Estimate

Mask = npt.NDArray[Any]
IGNORE = 255
"""Value of truth where a voxel is left out."""


def dice(predicted: Mask, truth: Mask, class_number: int, *, repeats: int = 1000, seed: int = 0) -> Estimate:
    """Return the Dice coefficient ``2 |A ∩ B| / (|A| + |B|)`` of one class over all voxels, bootstrap 95 % over sections.

    Parameters
    ----------
    predicted, truth : ndarray (sections, rows, columns)
        Class numbers; voxels with truth 255 are left out.
    class_number : int
    repeats, seed : int
        Of the bootstrap.
    """
    _check(predicted, truth)
    known = truth != IGNORE
    a, b = (predicted == class_number) & known, (truth == class_number) & known
    return _overlap(a & b, a, b, "the class occurs nowhere", repeats, seed)


def foreground_dice(predicted: Mask, truth: Mask, *, repeats: int = 1000, seed: int = 0) -> Estimate:
    """Return Dice over all classes but 0: twice the voxels of the same class over those predicted and those that are there.

    Parameters
    ----------
    predicted, truth : ndarray (sections, rows, columns)
        Class numbers; voxels with truth 255 are left out.
    """
    _check(predicted, truth)
    known = truth != IGNORE
    a, b = (predicted != 0) & known, (truth != 0) & known
    return _overlap(a & b & (predicted == truth), a, b, "there is no foreground, and none is expected", repeats, seed)


def average_precision(scores: Mask, truth: Mask, *, repeats: int = 200, seed: int = 0, bins: int = 4096) -> Estimate:
    """Return the average precision of voxels (area under precision over recall), bootstrap 95 % over sections.

    Scores are sorted into `bins` ranks with ties treated as scikit-learn does, so that resampling sections costs a sum of
    histograms and no new sorting; scores closer than the ranks count as tied, never so among the highest half as many as `bins`.

    Parameters
    ----------
    scores : ndarray (sections, rows, columns)
        Larger means more probably foreground.
    truth : ndarray, same shape
        0 for background, 255 to leave out, foreground otherwise.
    """
    _check(scores, truth)
    flat = np.asarray(scores, np.float64).reshape(len(truth), -1)
    known = (truth != IGNORE).reshape(len(truth), -1)
    positive = (truth != 0).reshape(len(truth), -1) & known
    if not positive.any():
        return Estimate(None, None, None, len(truth), "bootstrap 95 % over sections", "there is no foreground")
    # The highest scores one by one, since a single voxel among the first changes precision; below them a quarter of the edges
    # follows the foreground and a quarter all voxels.
    sample = flat[known]
    top = min(bins // 2, sample.size)
    spread = [np.quantile(v, np.linspace(0, 1, bins // 4)) for v in (sample, flat[positive])]
    edges = np.unique(np.concatenate([np.partition(sample, -top)[-top:], *spread]))
    ranks = np.searchsorted(edges, flat, side="right")
    n_bins = len(edges) + 1
    hits = np.stack([np.bincount(r[p], minlength=n_bins) for r, p in zip(ranks, positive, strict=True)])
    all_ = np.stack([np.bincount(r[k], minlength=n_bins) for r, k in zip(ranks, known, strict=True)])

    def area(rows: npt.NDArray[np.intp]) -> float:
        true = hits[rows].sum(axis=0)[::-1]
        seen = all_[rows].sum(axis=0)[::-1].cumsum()
        total = true.sum()
        if total == 0:
            return float("nan")
        precision = true.cumsum() / np.maximum(seen, 1)
        return float((precision * true).sum() / total)

    return _bootstrap(area, len(truth), repeats, seed)


def _overlap(hits: Mask, a: Mask, b: Mask, nowhere: str, repeats: int, seed: int) -> Estimate:
    """Return ``2 |hits| / (|a| + |b|)`` with its interval over sections."""
    axes = tuple(range(1, hits.ndim))
    both, size = hits.sum(axis=axes), a.sum(axis=axes) + b.sum(axis=axes)
    if size.sum() == 0:
        return Estimate(None, None, None, len(hits), "bootstrap 95 % over sections", nowhere)

    def ratio(rows: npt.NDArray[np.intp]) -> float:
        total = size[rows].sum()
        return float(2 * both[rows].sum() / total) if total else float("nan")

    return _bootstrap(ratio, len(hits), repeats, seed)


def _bootstrap(statistic: Callable[[npt.NDArray[np.intp]], float], n: int, repeats: int, seed: int) -> Estimate:
    """Return a statistic of sections with the percentile interval of its bootstrap (Efron 1979)."""
    value = statistic(np.arange(n, dtype=np.intp))
    method = "bootstrap 95 % over sections"
    if n < 5:
        return Estimate(value, None, None, n, method, f"{n} sections are too few for an interval")
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rng.integers(0, n, n)) for _ in range(repeats)])
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value), n, method)


def _check(one: Mask, other: Mask) -> None:
    if one.shape != other.shape or one.ndim < 2:
        raise ValueError(f"masks must have the same shape (sections, rows, columns), not {one.shape} and {other.shape}")
