"""Histograms of local binary patterns for a batch of pictures. Pure functions; any thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_PATTERNS = 59


def _uniform_table() -> npt.NDArray[np.intp]:
    """Give numbers to the 58 patterns with at most two changes around the ring; all others share number 58."""
    table = np.full(256, _PATTERNS - 1, np.intp)
    number = 0
    for code in range(256):
        bits = [code >> place & 1 for place in range(8)]
        if sum(bits[place] != bits[place - 1] for place in range(8)) <= 2:
            table[code] = number
            number += 1
    return table


_UNIFORM = _uniform_table()


def lbp(grey: npt.NDArray[np.uint8], radius: int = 1, grid: int = 2) -> FloatArray:
    """Return histograms of uniform local binary patterns, one for each of ``grid x grid`` parts.

    Eight neighbours on a square ring (T. Ojala, M. Pietikäinen, T. Mäenpää, *Multiresolution gray-scale and rotation invariant
    texture classification with local binary patterns*, PAMI 2002), the square root of the frequencies (Hellinger).

    Parameters
    ----------
    grey : ndarray (n, side, side) of uint8
    radius : int
        Distance of the ring, in pixels.

    Returns
    -------
    ndarray (n, grid² · 59), float32
    """
    n, height, width = grey.shape
    centre = grey[:, radius : height - radius, radius : width - radius]
    codes = np.zeros(centre.shape, np.uint8)
    for bit, (down, right) in enumerate(_RING):
        top, left = radius * (1 + down), radius * (1 + right)
        neighbour = grey[:, top : top + centre.shape[1], left : left + centre.shape[2]]
        codes |= (neighbour >= centre).astype(np.uint8) << np.uint8(bit)
    rows = np.arange(centre.shape[1]) * grid // centre.shape[1]
    columns = np.arange(centre.shape[2]) * grid // centre.shape[2]
    place = (np.arange(n)[:, None, None] * grid**2 + rows[:, None] * grid + columns) * _PATTERNS
    counts = np.bincount((place + _UNIFORM[codes]).ravel(), minlength=n * grid**2 * _PATTERNS)
    histogram = counts.reshape(n, grid**2, _PATTERNS).astype(np.float32)
    roots: FloatArray = np.sqrt(histogram / histogram.sum(axis=-1, keepdims=True)).reshape(n, -1)
    return roots
