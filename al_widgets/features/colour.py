"""Colour histograms for a batch of pictures. Pure functions; any thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_HUES, _SATURATIONS, _VALUES = 8, 4, 4
_COLOURS = _HUES * _SATURATIONS * _VALUES


def hsv_histogram(pictures: npt.NDArray[np.uint8], grid: int = 2) -> FloatArray:
    """Return joint histograms of hue (8), saturation (4) and value (4), one for each of ``grid x grid`` parts.

    The square root of the frequencies, so that Euclidean distance is Hellinger's.

    Parameters
    ----------
    pictures : ndarray (n, side, side, 3) of uint8, RGB

    Returns
    -------
    ndarray (n, grid² · 128), float32
    """
    n, height, width, _ = pictures.shape
    red, green, blue = (pictures[..., channel].astype(np.float32) for channel in range(3))
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma == 0, np.float32(1), chroma)
    hue = np.where(
        value == red,
        np.mod((green - blue) / safe, 6),
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    saturation = chroma / np.where(value == 0, np.float32(1), value)
    colours = (_bin(hue / 6, _HUES) * _SATURATIONS + _bin(saturation, _SATURATIONS)) * _VALUES
    colours += _bin(value / 255, _VALUES)
    rows, columns = np.arange(height) * grid // height, np.arange(width) * grid // width
    part = rows[:, None] * grid + columns
    place = (np.arange(n)[:, None, None] * grid**2 + part) * _COLOURS
    counts = np.bincount((place + colours).ravel(), minlength=n * grid**2 * _COLOURS)
    histogram = counts.reshape(n, grid**2, _COLOURS).astype(np.float32)
    roots: FloatArray = np.sqrt(histogram / histogram.sum(axis=-1, keepdims=True)).reshape(n, -1)
    return roots


def _bin(share: npt.NDArray[np.floating[Any]], bins: int) -> npt.NDArray[np.intp]:
    return np.minimum((share * bins).astype(np.intp), np.intp(bins - 1))
