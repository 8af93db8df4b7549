"""Which section, or which region, of a volume to ask about next: pure functions of maps and positions.

What can be expected of them (own simulation, and Zhang, Kramer & Mazurowski, arXiv 2412.08081): the choice of sections matters
less than the model, and random or evenly spaced sections are hard to beat; asking about regions is what saves time. So random
and fixed interval are here beside the others, and always selectable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]


def margin_uncertainty(probabilities: FloatArray) -> FloatArray:
    """Return ``1 - (p1 - p2)`` of the two most probable classes, for ``(..., n_classes)``; 1 where undecided."""
    if probabilities.shape[-1] < 2:
        return np.zeros(probabilities.shape[:-1], np.float32)
    top = np.partition(probabilities, -2, axis=-1)
    uncertainty: FloatArray = 1 - (top[..., -1] - top[..., -2])
    return uncertainty


def top_mean(values: FloatArray, share: float = 0.01) -> float:
    """Return the mean of the `share` largest values: a small object must not drown in the average of a section."""
    flat = np.ravel(values)
    k = max(1, int(share * flat.size))
    return float(np.partition(flat, -k)[-k:].mean())


def distance_factor(n: int, labelled: IntArray, reach: float) -> FloatArray:
    """Return 0 for labelled sections, growing to 1 for those farther than a few `reach` sections from any labelled one."""
    if len(labelled) == 0:
        return np.ones(n)
    nearest = np.abs(np.arange(n)[:, None] - np.asarray(labelled)[None, :]).min(axis=1)
    factor: FloatArray = 1 - np.exp(-0.5 * (nearest / max(reach, 1e-9)) ** 2)
    return factor


def section_utilities(
    uncertainty: FloatArray,
    labelled: IntArray,
    *,
    reach: float | None = None,
    foreground: FloatArray | None = None,
    look_s: float = 5.0,
    answer_s: float = 6.0,
) -> FloatArray:
    """Return the utility of asking about each section: uncertainty × distance to labelled sections, per second.

    Parameters
    ----------
    uncertainty : ndarray (n,)
        Top-percentile uncertainty (`top_mean`) of each section.
    labelled : ndarray of int
        Sections with an answer, or on screen: they get utility 0.
    reach : float, optional
        Sections over which objects extend; default n / 12, at least 1.
    foreground : ndarray (n,), optional
        Expected share of the most painted section that there is to paint, 0 to 1: what makes a section cost time.
    look_s, answer_s : float
        Seconds to look at a section, and to paint one with the most foreground.
    """
    n = len(uncertainty)
    factor = distance_factor(n, labelled, max(1.0, n / 12) if reach is None else reach)
    utilities = np.maximum(np.asarray(uncertainty, np.float64), 0) * factor
    if foreground is not None:
        share = np.asarray(foreground, np.float64) / max(float(np.max(foreground, initial=0)), 1e-12)
        utilities /= (look_s + answer_s * share) / look_s
    result: FloatArray = utilities
    return result


def next_sections(utilities: FloatArray, candidates: IntArray, k: int, *, reach: float) -> IntArray:
    """Return up to `k` candidates, best first, each choice lowering the utility of its neighbours.

    Raises
    ------
    StrategyError
        If a utility is not finite.
    """
    if not np.isfinite(utilities).all():
        raise StrategyError("utilities of sections must be finite")
    left = [int(c) for c in candidates]
    chosen: list[int] = []
    while left and len(chosen) < k:
        factor = distance_factor(len(utilities), np.array(chosen, np.intp), reach)
        best = max(left, key=lambda c: (float(utilities[c] * factor[c]), -c))
        chosen.append(best)
        left.remove(best)
    return np.array(chosen, np.intp)


def random_sections(candidates: IntArray, k: int, rng: np.random.Generator) -> IntArray:
    """Return `k` candidates drawn evenly."""
    chosen: IntArray = rng.permutation(np.asarray(candidates, np.intp))[:k]
    return chosen


def interval_sections(n: int, k: int) -> IntArray:
    """Return `k` evenly spaced sections of n, half a step from the ends; all in order if k ≥ n."""
    k = min(k, n)
    return np.floor((np.arange(k) + 0.5) * n / k).astype(np.intp) if k else np.empty(0, np.intp)


HIGHEST = 0.95
"""Threshold at which blobs are not cut any further."""

FIRST_REGIONS = 3
"""Regions asked about before the first section is shown."""


def wants_region(n_regions: int, n_sections: int) -> bool:
    """Say whether the next question is better about a region than about a section, given how many of each were answered.

    A few regions first: two seconds each, and there is a model before the first section has been looked at. From then on sections
    painted by hand teach more a second: the edges of outlines made from answers are only about right.
    """
    return n_sections == 0 and n_regions < FIRST_REGIONS


@dataclass(frozen=True)
class Region:
    """A connected blob to ask about: is it a target, clutter, or is the annotator unsure.

    Attributes
    ----------
    section : int
        Where it is seen best.
    box : tuple of six ints
        (section, row, column) first, then one beyond the last.
    voxels : tuple of three ndarrays
        Indices of its voxels.
    utility : float
    probability : float
        Mean foreground probability.
    level : float
        What its voxels lie above.
    """

    section: int
    box: tuple[int, int, int, int, int, int]
    voxels: tuple[IntArray, IntArray, IntArray]
    utility: float
    probability: float
    level: float


def next_regions(
    foreground: FloatArray,
    asked: npt.NDArray[np.bool_],
    k: int = 1,
    *,
    threshold: float = 0.5,
    min_voxels: int = 20,
) -> list[Region]:
    """Return the `k` most doubtful connected blobs that nobody has been asked about, most useful first.

    A blob is a connected set (6 neighbours) of voxels above `threshold`; one that outgrows a hundredth of the volume is cut at
    higher thresholds until it falls apart, without touching the others. Its utility is doubt times size: mean of ``4 p (1 - p)``, with p the mean foreground
    probability, times the square root of its voxels: a wrong answer about a large blob spoils more.

    Parameters
    ----------
    foreground : ndarray (sections, rows, columns)
        Probability of being no background, or an anomaly map scaled to 0 … 1.
    asked : ndarray of bool, same shape
        Voxels that belong to earlier answers; a blob that touches them is skipped.
    k : int
    threshold : float
    min_voxels : int
        Smaller blobs are noise.
    """
    foreground = np.asarray(foreground, np.float32)
    found = []
    for level, where, inside in _open_blobs(foreground, asked, threshold, max(min_voxels, foreground.size // 100)):
        size = int(inside.sum())
        if size < min_voxels:
            continue
        values = foreground[where]
        p = float(values[inside].mean())
        mass = np.where(inside, values, 0).sum(axis=(1, 2))
        voxels = tuple((axis + s.start).astype(np.intp) for axis, s in zip(np.nonzero(inside), where, strict=True))
        starts, stops = [s.start for s in where], [s.stop for s in where]
        box = (starts[0], starts[1], starts[2], stops[0], stops[1], stops[2])
        utility = 4 * p * (1 - p) * size**0.5
        found.append(Region(starts[0] + int(mass.argmax()), box, (voxels[0], voxels[1], voxels[2]), utility, p, level))
    found.sort(key=lambda r: (-r.utility, r.box))
    return found[:k]


def _open_blobs(
    foreground: FloatArray, asked: npt.NDArray[np.bool_], threshold: float, limit: int
) -> Iterator[tuple[float, tuple[slice, ...], npt.NDArray[np.bool_]]]:
    """Give threshold, box and voxels of each blob that nobody was asked about, at most `limit` voxels large unless it is of one piece to the end."""
    from scipy.ndimage import find_objects, label

    left = [(threshold, tuple(slice(0, n) for n in foreground.shape), np.ones(foreground.shape, bool))]
    while left:
        level, outer, within = left.pop()
        labels, _ = label((foreground[outer] > level) & within)
        for number, box in enumerate(find_objects(labels), 1):
            inside = labels[box] == number
            where = tuple(slice(o.start + b.start, o.start + b.stop) for o, b in zip(outer, box, strict=True))
            if asked[where][inside].any():
                continue
            if level < HIGHEST and int(inside.sum()) > limit:
                left.append((level + 0.05, where, inside))
            else:
                yield level, where, inside
