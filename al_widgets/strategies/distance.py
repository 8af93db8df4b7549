"""Distances and similarities between rows of features, in blocks, in the precision of the features.

Pure functions; used by strategies that look at where items lie.
"""

from __future__ import annotations

import numpy as np

from al_widgets.strategies.base import FloatArray, IntArray
from al_widgets.strategies.ranking import CHUNK, require_finite


def squared_norms(features: FloatArray) -> FloatArray:
    """Return ‖x‖² of each row, shape (m,)."""
    norms: FloatArray = np.einsum("ij,ij->i", features, features)
    return norms


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ‖aᵢ − bⱼ‖², shape (len(a), len(b)), never negative."""
    squared = a @ b.T
    squared *= -2
    squared += squared_norms(a)[:, None]
    squared += squared_norms(b)[None, :]
    return np.maximum(squared, 0, out=squared)


def finite_rows(features: FloatArray, rows: IntArray) -> FloatArray:
    """Return a copy of some rows as floats, refusing NaN and infinities by row.

    Raises
    ------
    StrategyError
    """
    block = np.asarray(features[rows])
    if block.dtype.kind != "f":
        block = block.astype(np.float64)
    require_finite(block, rows, "features")
    return block


def bandwidth(features: FloatArray, rng: np.random.Generator, sample: int = 1000) -> float:
    """Return γ = 4 / E‖x − x̄‖² of the Gaussian similarity exp(−γ‖x − x′‖²), from a sample of rows.

    Twice the inverse of the mean squared distance of two items: an item covers its neighbourhood, not the pool.
    """
    rows = np.arange(len(features))
    if len(rows) > sample:
        rows = np.sort(rng.choice(len(features), sample, replace=False))
    block = finite_rows(features, rows).astype(np.float64)
    spread = float(((block - block.mean(axis=0)) ** 2).sum(axis=1).mean())
    return 4.0 / spread if spread > 0 else 1.0


def largest_similarity(block: FloatArray, centres: FloatArray, gamma: float) -> FloatArray:
    """Return max over centres of exp(−γ‖x − c‖²) for each row, 0 without centres; shape (m,)."""
    nearest = np.zeros(len(block), block.dtype)
    for start in range(0, len(centres), CHUNK):
        squared = squared_distances(block, centres[start : start + CHUNK].astype(block.dtype, copy=False))
        np.maximum(nearest, np.exp(-gamma * squared.min(axis=1)), out=nearest)
    return nearest
