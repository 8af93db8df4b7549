"""Alarms against surveyed targets on the ground plane: detection probability over false alarms per square metre.

The way the landmine field scores (for example Wilson et al. 2007, IEEE TGRS 45, 2560): an alarm within a halo of a target
detects it; alarms outside all halos are false. Further alarms in the halo of a detected target count as neither. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Estimate

FloatArray = npt.NDArray[np.float64]
Z95 = 1.959963984540054


@dataclass(frozen=True)
class DetectionCurve:
    """The receiver operating curve of a list of alarms, from the strictest threshold to the laxest.

    Attributes
    ----------
    thresholds : tuple of float
        Alarms with at least this confidence are raised.
    detection : tuple of Estimate
        Share of targets detected, Wilson 95 %.
    false_alarms_per_m2 : tuple of Estimate
        Rate outside all halos, exact Poisson 95 %.
    """

    thresholds: tuple[float, ...]
    detection: tuple[Estimate, ...]
    false_alarms_per_m2: tuple[Estimate, ...]


def detection_curve(
    alarms: npt.ArrayLike, confidence: npt.ArrayLike, targets: npt.ArrayLike, *, area_m2: float, halo_m: float = 0.25
) -> DetectionCurve:
    """Score alarms against targets at every threshold.

    Parameters
    ----------
    alarms : array_like (n, 2)
        x and y in metres.
    confidence : array_like (n,)
    targets : array_like (m, 2)
    area_m2 : float
        Of the surveyed ground; the halos are taken off for the rate of false alarms, at most half of it.
    halo_m : float

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, or area or halo are not positive.
    """
    points, truth = (np.asarray(a, np.float64).reshape(-1, 2) for a in (alarms, targets))
    score = np.asarray(confidence, np.float64).ravel()
    if len(score) != len(points) or not all(np.isfinite(a).all() for a in (points, truth, score)):
        raise ValueError(f"{len(points)} alarms need as many finite confidences, not {len(score)}")
    if not (area_m2 > 0 and halo_m > 0):
        raise ValueError(f"area_m2 and halo_m must be positive, not {area_m2} and {halo_m}")
    near = np.hypot(*(points[:, None, :] - truth[None, :, :]).transpose(2, 0, 1)) <= halo_m
    # The confidence at which each target is first found, and those of the alarms that belong to no target.
    found = np.where(near, score[:, None], -np.inf).max(axis=0, initial=-np.inf)
    false = score[~near.any(axis=1)]
    free = max(area_m2 - len(truth) * np.pi * halo_m**2, area_m2 / 2)
    thresholds = np.unique(score)[::-1]
    return DetectionCurve(
        tuple(float(t) for t in thresholds),
        tuple(wilson(int((found >= t).sum()), len(truth)) for t in thresholds),
        tuple(poisson_rate(int((false >= t).sum()), free) for t in thresholds),
    )


def wilson(hits: int, n: int) -> Estimate:
    """Return a proportion with its Wilson 95 % interval."""
    if n == 0:
        return Estimate(None, None, None, 0, "Wilson 95 %", "there are no targets")
    p, z2 = hits / n, Z95**2
    center = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * float(np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)))
    return Estimate(p, max(0.0, min(p, center - half)), min(1.0, max(p, center + half)), n, "Wilson 95 %")


def poisson_rate(count: int, exposure: float) -> Estimate:
    """Return a rate with its exact Poisson 95 % interval (Garwood 1936)."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(0.975, 2 * count + 2)) / 2
    return Estimate(count / exposure, low / exposure, high / exposure, count, "Poisson 95 %")


def peaks(scores: npt.NDArray[Any], dx_m: float, dy_m: float, *, halo_m: float = 0.25, top: int = 50) -> FloatArray:
    """Return alarms from a volume of scores: local maxima on the ground plane, (n, 3) of x_m, y_m, score, best first.

    Parameters
    ----------
    scores : ndarray (lines, samples, traces)
        The largest score over samples counts.
    dx_m, dy_m : float
        Spacing of traces and of lines.
    halo_m : float
        Of two maxima closer than this the lower is dropped.
    top : int
        At most so many.
    """
    plane = np.asarray(scores, np.float64).max(axis=1)
    order = np.argsort(-plane, axis=None, kind="stable")
    free = np.ones(plane.shape, bool)
    y, x = np.arange(plane.shape[0]) * dy_m, np.arange(plane.shape[1]) * dx_m
    alarms = []
    for flat in order:
        i, j = divmod(int(flat), plane.shape[1])
        if free[i, j]:
            alarms.append((x[j], y[i], plane[i, j]))
            if len(alarms) == top:
                break
            free &= (y[:, None] - y[i]) ** 2 + (x[None, :] - x[j]) ** 2 > halo_m**2
    return np.array(alarms, np.float64).reshape(-1, 3)


def section_detection(
    pairs: Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]],
    *,
    dx_m: float,
    line_m: float,
    halo_m: float = 0.25,
    top: int = 20,
) -> DetectionCurve:
    """Score what a model expects of single sections against the objects in their masks.

    Each section stands for itself, a strip of ground as wide as lines are apart: an object is found by a peak of its own section.

    Parameters
    ----------
    pairs : sequence of (ndarray (rows, columns), ndarray of bool (rows, columns))
        Scores, and where objects are; a connected piece (8 neighbours) is an object, at the middle of its columns.
    dx_m, line_m : float
        Spacing of columns, and of sections.
    halo_m : float
    top : int
        Alarms a section at most.

    Raises
    ------
    ValueError
        As `detection_curve`.
    """
    from scipy.ndimage import find_objects, label

    alarms: list[tuple[float, float]] = []
    confidence: list[float] = []
    targets: list[tuple[float, float]] = []
    length = 0.0
    for number, (scores, truth) in enumerate(pairs):
        apart = 10 * halo_m * number  # strips never meet
        length += scores.shape[1] * dx_m
        found = peaks(np.asarray(scores)[None], dx_m, 1.0, halo_m=halo_m, top=top)
        alarms += [(x, apart) for x in found[:, 0]]
        confidence += found[:, 2].tolist()
        pieces = find_objects(label(truth, np.ones((3, 3)))[0])
        targets += [((where[1].start + where[1].stop - 1) / 2 * dx_m, apart) for where in pieces]
    return detection_curve(alarms, confidence, targets, area_m2=length * line_m, halo_m=halo_m)
