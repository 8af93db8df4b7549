"""Questions about regions: the most doubtful connected blobs, and what an answer about one says of its pixels.

A region is judged in two seconds where a section takes half a minute; its answer is kept as one stroke with parts on all its sections.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.learning.pixels import Strengths, region_masks
from al_widgets.records import Query
from al_widgets.session.mask_ledger import parts_of
from al_widgets.strategies.slices import Region, next_regions
from al_widgets.task.strokes import IGNORE, UNLABELLED

Mask = npt.NDArray[np.uint8]
Voxels = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]
Box = tuple[int, int, int, int, int, int]
THRESHOLDS = (0.35, 0.25, 0.15)
"""Of the scaled anomaly map, tried one after the other until there is a blob."""
EXPECTED = (0.15, 0.1, 0.06)
"""The same of the probability that a model gives the foreground: rare as it is, blobs of less than a half are worth a question."""
ANOMALOUS = 6.0
"""Value of the anomaly map that stands for a probability of 1 before there is a model."""
MIN_VOXELS = 20
"""Blobs of fewer are noise."""
FLOOD = 10
"""Times the blob's voxels beyond which an outline has flowed out into its surroundings: the blob alone is labelled then."""


@dataclass(frozen=True)
class RegionQuery:
    """A region that is asked about: is it a target, clutter, or can nobody tell.

    Attributes
    ----------
    query : Query
        Section where it is seen best, strategy, utility and reason.
    region_id : str
    box : tuple of six ints
        (section, row, column, sections, rows, columns).
    voxels : tuple of three ndarrays
        Indices of its voxels: sections, rows, columns.
    probability : float
        Mean probability of being no background.
    """

    query: Query
    region_id: str
    box: Box
    voxels: Voxels
    probability: float

    def mask_of(self, index: int, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Return its pixels on a section."""
        mask = np.zeros(shape, bool)
        here = self.voxels[0] == index
        mask[self.voxels[1][here], self.voxels[2][here]] = True
        return mask


def find_regions(
    foreground: npt.NDArray[np.float32],
    closed: npt.NDArray[np.bool_],
    cut: npt.NDArray[np.bool_],
    k: int,
    *,
    thresholds: Sequence[float],
    min_voxels: int = MIN_VOXELS,
) -> list[Region]:
    """Return up to `k` regions, the most useful first.

    Parameters
    ----------
    foreground : ndarray (sections, rows, columns)
        Probability of being no background, or the scaled anomaly map; changed.
    closed, cut : ndarray of bool
        Voxels whose blob is not asked again; voxels where a blob ends, because they are known to be background or may not be
        asked about.
    thresholds : sequence of float
        Tried one after the other until there is a blob.
    min_voxels : int
        Smaller blobs are noise.
    """
    foreground[cut] = 0
    for threshold in thresholds:
        found = next_regions(foreground, closed, k, threshold=threshold, min_voxels=min_voxels)
        if found:
            return found
    return []


def refined(
    region: Region,
    cell: int,
    foreground_of: Callable[[int], npt.NDArray[np.floating[Any]]],
    cut_of: Callable[[int], npt.NDArray[np.bool_]],
) -> Region:
    """Return a region that was found on cells of several pixels with the pixels of those cells that lie above its level.

    Parameters
    ----------
    region : Region
    cell : int
        Rows and columns of a cell.
    foreground_of, cut_of : callable
        Section → what `find_regions` takes, of each pixel of the section.
    """
    if cell == 1:
        return region
    found: list[Voxels] = []
    for index in np.unique(region.voxels[0]):
        foreground, cut = foreground_of(int(index)), cut_of(int(index))
        here = region.voxels[0] == index
        coarse = np.zeros([-(-n // cell) for n in cut.shape], bool)
        coarse[region.voxels[1][here], region.voxels[2][here]] = True
        inside = coarse.repeat(cell, 0).repeat(cell, 1)[: cut.shape[0], : cut.shape[1]] & ~cut
        sharp = inside & (foreground > region.level)
        rows, columns = np.nonzero(sharp if sharp.any() else inside)
        found.append((np.full(rows.size, index, np.intp), rows, columns))
    voxels = tuple(np.concatenate(axis) for axis in zip(*found, strict=True))
    low, high = [int(v.min()) for v in voxels], [int(v.max()) + 1 for v in voxels]
    box = (low[0], low[1], low[2], high[0], high[1], high[2])
    return replace(region, box=box, voxels=(voxels[0], voxels[1], voxels[2]))


def region_id_of(region: Region) -> str:
    """Return a name that is the same for the same voxels."""
    digest = hashlib.blake2b(digest_size=8)
    for axis in region.voxels:
        digest.update(np.ascontiguousarray(axis, np.int64).tobytes())
    return f"region-{digest.hexdigest()}"


def region_parts(
    ids: Sequence[str],
    strength: Strengths | None,
    voxels: Voxels,
    number: int,
    painted: Any,
    hidden: frozenset[int],
) -> list[dict[str, Any]]:
    """Return the parts of the stroke that an answer about a region is.

    A class other than the background outlines the object around the blob's strongest voxel, and says that the quiet surroundings
    are background; the background, or "to be ignored", says so of the blob alone. What was painted before stays.

    Parameters
    ----------
    ids : sequence of str
        Item ids of all sections.
    strength : ndarray, what gives boxes of one, or None
        See `al_widgets.learning.pixels.region_masks`; None: the blob alone is labelled.
    number : int
        Class of the answer, or 254.
    painted : callable
        Item id → the annotator's mask so far.
    hidden : frozenset of int
        Sections that get no part.
    """
    masks: dict[int, Mask] = {}
    if strength is not None and number not in (0, IGNORE):
        masks = region_masks(strength, voxels, value=number)
        if sum(int((m == number).sum()) for m in masks.values()) > FLOOD * len(voxels[0]):
            masks = {}
    if not masks:
        for index in np.unique(voxels[0]):
            here = voxels[0] == index
            mask = masks[int(index)] = np.full(painted(ids[int(index)]).shape, UNLABELLED, np.uint8)
            mask[voxels[1][here], voxels[2][here]] = number
    parts: list[dict[str, Any]] = []
    for index, mask in sorted(masks.items()):
        if index in hidden:
            continue
        before = painted(ids[index])
        real = mask[:, : before.shape[1]]  # short lines have no pixels beyond their end
        parts += parts_of(ids[index], np.where(before == UNLABELLED, real, UNLABELLED).astype(np.uint8))
    return parts
