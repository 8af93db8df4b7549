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

from al_widgets.records import Query
from al_widgets.session.mask_ledger import parts_of
from al_widgets.strategies.slices import Region, next_regions
from al_widgets.task.strokes import UNLABELLED

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


@dataclass(frozen=True)
class RegionQuery:
    """A region that is asked about: is it a target, clutter, or can nobody tell.

    Attributes
    ----------
    query : Query
        Section where it is seen best, strategy, utility and reason.
    region_id : str
    box : tuple of six ints
        Around its voxels: (section, row, column, sections, rows, columns).
    voxels : tuple of three ndarrays
        Sections, rows and columns of its voxels: what is shown outlined, and what an answer labels.
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
        whole = coarse.repeat(cell, 0).repeat(cell, 1)[: cut.shape[0], : cut.shape[1]]
        inside = whole & ~cut
        # The zoomed map may stay below the level all over a small cell; and somebody may have painted it all meanwhile.
        best = next(m for m in (inside & (foreground > region.level), inside, whole) if m.any())
        rows, columns = np.nonzero(best)
        found.append((np.full(rows.size, index, np.intp), rows, columns))
    sections, rows, columns = (np.concatenate(axis) for axis in zip(*found, strict=True))
    return of_voxels(region, (sections, rows, columns))


def of_voxels(region: Region, voxels: Voxels) -> Region:
    """Return a region of other voxels, with the box around them; seen best where it was, or else where most of them are."""
    low, high = [int(v.min()) for v in voxels], [int(v.max()) + 1 for v in voxels]
    box = (low[0], low[1], low[2], high[0], high[1], high[2])
    counts = np.bincount(voxels[0])
    section = region.section if region.section < len(counts) and counts[region.section] else int(counts.argmax())
    return replace(region, section=section, box=box, voxels=voxels)


def region_id_of(region: Region) -> str:
    """Return a name that is the same for the same voxels."""
    digest = hashlib.blake2b(digest_size=8)
    for axis in region.voxels:
        digest.update(np.ascontiguousarray(axis, np.int64).tobytes())
    return f"region-{digest.hexdigest()}"


def region_parts(
    ids: Sequence[str],
    voxels: Voxels,
    number: int,
    painted: Callable[[str], Mask],
    hidden: frozenset[int],
) -> list[dict[str, Any]]:
    """Return the parts of the stroke that an answer about a region is: its voxels, but for what was painted before.

    Parameters
    ----------
    ids : sequence of str
        Item ids of all sections.
    number : int
        Class of the answer, or 254.
    painted : callable
        Item id → the annotator's mask so far.
    hidden : frozenset of int
        Sections that get no part.
    """
    parts: list[dict[str, Any]] = []
    for index in sorted(set(voxels[0].tolist()) - hidden):
        before = painted(ids[index])
        here = (voxels[0] == index) & (voxels[2] < before.shape[1])  # short lines have no pixels beyond their end
        mask = np.full(before.shape, UNLABELLED, np.uint8)
        mask[voxels[1][here], voxels[2][here]] = number
        mask[before != UNLABELLED] = UNLABELLED
        parts += parts_of(ids[index], mask)
    return parts
