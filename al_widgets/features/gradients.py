"""Histograms of oriented gradients for a batch of pictures. Pure functions; any thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def hog(grey: FloatArray, cell: int = 8, bins: int = 9, clip: float = 0.2) -> FloatArray:
    """Return histograms of oriented gradients.

    Unsigned orientations; a gradient votes for the two nearest bins in proportion; blocks of 2 x 2 cells, normalised
    L2-Hys (N. Dalal, B. Triggs, *Histograms of oriented gradients for human detection*, CVPR 2005).

    Parameters
    ----------
    grey : ndarray (n, side, side)
        Grey levels 0 … 1; `side` a multiple of `cell`.

    Returns
    -------
    ndarray (n, (side / cell - 1)² · 4 · bins), float32
    """
    n, side, _ = grey.shape
    down, right = np.zeros_like(grey), np.zeros_like(grey)
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    right[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    magnitude = np.hypot(right, down)
    angle = np.mod(np.arctan2(down, right) * np.float32(bins / np.pi), bins)
    lower = np.floor(angle)
    share = angle - lower
    first = lower.astype(np.intp) % bins
    cells = side // cell
    of_pixel = np.arange(side) // cell
    place = (np.arange(n)[:, None, None] * cells**2 + of_pixel[:, None] * cells + of_pixel) * bins
    votes = np.bincount((place + first).ravel(), (magnitude * (1 - share)).ravel(), n * cells**2 * bins)
    votes += np.bincount((place + (first + 1) % bins).ravel(), (magnitude * share).ravel(), n * cells**2 * bins)
    histogram = votes.reshape(n, cells, cells, bins).astype(np.float32)
    blocks = np.concatenate(
        [histogram[:, :-1, :-1], histogram[:, 1:, :-1], histogram[:, :-1, 1:], histogram[:, 1:, 1:]], axis=-1
    )
    return _unit(np.minimum(_unit(blocks), np.float32(clip))).reshape(n, -1)


def _unit(blocks: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt((blocks * blocks).sum(axis=-1, keepdims=True) + np.float32(1e-4))
    return blocks / length
