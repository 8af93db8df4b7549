"""Density-weighted uncertainty: ask what is uncertain and typical of the pool.

References
----------
Settles and Craven, An analysis of active learning strategies for sequence labeling tasks, EMNLP 2008 (information density).
"""

from __future__ import annotations

import numpy as np

from al_widgets.strategies import uncertainty
from al_widgets.strategies.base import Context, FloatArray, IntArray
from al_widgets.strategies.batch import BatchMode
from al_widgets.strategies.distance import squared_norms
from al_widgets.strategies.opinion import score_rows
from al_widgets.strategies.ranking import CHUNK, require_finite
from al_widgets.strategies.scored import Scored


def cosine_density(features: FloatArray, rows: IntArray) -> FloatArray:
    """Return the mean cosine of each row with all rows, raised from [−1, 1] to [0, 1]; shape (m,).

    The mean of x̂ᵢ·x̂ⱼ over j is x̂ᵢ · mean(x̂): two passes over the pool, not N². Features are centred first: cosines of
    features that are all positive tell nothing.

    Raises
    ------
    StrategyError
        If features are not finite, naming the row.
    """
    n, d = features.shape
    mean = np.zeros(d)
    for start in range(0, n, CHUNK):
        block = np.asarray(features[start : start + CHUNK])
        require_finite(block, np.arange(start, start + len(block)), "features")
        mean += block.sum(axis=0, dtype=np.float64)
    mean /= max(n, 1)
    dtype = features.dtype if features.dtype.kind == "f" else np.float64
    centre = mean.astype(dtype)
    direction = np.zeros(d)
    for start in range(0, n, CHUNK):
        block = features[start : start + CHUNK] - centre
        direction += (block / _length(block)[:, None]).sum(axis=0, dtype=np.float64)
    towards = (direction / max(n, 1)).astype(dtype)
    density = np.empty(len(rows), dtype)
    for start in range(0, len(rows), CHUNK):
        block = features[rows[start : start + CHUNK]] - centre
        density[start : start + CHUNK] = (block @ towards) / _length(block)
    scaled: FloatArray = (1 + density) / 2
    return scaled


def _length(block: FloatArray) -> FloatArray:
    """Return ‖x‖ of each row, 1 for a row of zeros."""
    length: FloatArray = np.sqrt(squared_norms(block))
    length[length == 0] = 1
    return length


def density_weighted(beta: float = 1.0, batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy (1 − margin) × densityᵝ.

    Parameters
    ----------
    beta : float
        How much density counts.
    batch : str
        Batch mode.
    """

    def score(context: Context, rows: IntArray) -> FloatArray:
        uncertain = score_rows(context, rows, uncertainty.margin)
        weighted: FloatArray = uncertain * cosine_density(context.features, rows) ** beta
        return weighted

    return Scored("density_weighted", score, batch)
