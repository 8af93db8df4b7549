"""What a pixel learner is fitted on: strokes as they are, a few pixels of outlines made from answers about regions, presumed background.

A hand paints what it sees. The outline around a region that was called a target is made from the data: about one pixel in five is
wrong, and there are many of them. Taken as they are, outlines drown the strokes; left out, a region answer teaches next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.learning.pixels import UNLABELLED

Mask = npt.NDArray[np.uint8]

PER_OUTLINE = 15
"""Pixels a class that the outlines on one section give."""
PRESUMED = 40
"""Inconspicuous pixels of a section without strokes that are taken for background."""


def training_masks(
    painted: Mapping[int, Mask],
    outlined: Mapping[int, Mask],
    doubtful: npt.NDArray[np.floating[Any]],
    *,
    below: float,
    background: int = 0,
    rng: np.random.Generator,
) -> dict[int, Mask]:
    """Return the masks to fit on.

    All painted pixels count. Of outlines an even sample of up to `PER_OUTLINE` pixels a class and section counts, and once
    something is painted, no more of them than of painted ones. Where nothing is painted, `PRESUMED` pixels of each section that nobody has
    spoken of and that are not conspicuous are taken for background: targets are rare, and without them the learner never sees
    what it is to tell them from.

    Parameters
    ----------
    painted : mapping of int to ndarray (rows, columns) of uint8
        Section → strokes; 255 where nothing is known.
    outlined : mapping of int to ndarray, likewise
        Section → what answers about regions say.
    doubtful : ndarray (sections, rows, columns)
        Foreground probability, or the anomaly map scaled to 0 … 1.
    below : float
        Pixels less `doubtful` than this are inconspicuous.
    background : int
        Class of what is no object.
    rng : numpy Generator
    """
    n_painted = sum(int((mask != UNLABELLED).sum()) for mask in painted.values())
    samples = {}
    for index, mask in outlined.items():
        values = mask.ravel()
        free = values != UNLABELLED
        if index in painted:
            free &= painted[index].ravel() == UNLABELLED
        classes = np.unique(values[free])
        drawn = [rng.permutation(np.flatnonzero(free & (values == c)))[:PER_OUTLINE] for c in classes]
        samples[index] = np.concatenate(drawn) if drawn else np.empty(0, np.intp)
    n_outlined = sum(len(sample) for sample in samples.values())
    share = min(1.0, n_painted / n_outlined) if n_painted and n_outlined else 1.0
    result = {}
    for index in range(len(doubtful)):
        mask = painted[index].copy() if index in painted else np.full(doubtful.shape[1:], UNLABELLED, np.uint8)
        flat = mask.ravel()
        if index in outlined:
            sample = rng.permutation(samples[index])[: int(np.ceil(share * len(samples[index])))]
            flat[sample] = outlined[index].ravel()[sample]
        if index not in painted:
            spoken = outlined[index].ravel() != UNLABELLED if index in outlined else np.zeros(flat.size, bool)
            quiet = np.flatnonzero((doubtful[index].ravel() < below) & ~spoken)
            flat[rng.permutation(quiet)[:PRESUMED]] = background
        result[index] = mask
    return result
