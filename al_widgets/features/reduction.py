"""The cheap second step of encoding: blocks balanced on the pool, then principal components, never whitened.

Imported by encoders. `BalancedPCA` is fitted once and not changed afterwards: any thread may use a fitted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError

FloatArray = npt.NDArray[np.float32]

_SMALLEST_SPREAD = 1e-6


class BalancedPCA:
    """Standardise, give every block of columns the same weight, keep the first principal components.

    A column is centred and divided by its standard deviation on the pool and by the square root of its block's number of
    columns that vary at all. Components are not whitened, for that would blow up noise; one factor for all brings the root
    mean square length of the pool's rows to 8, so that a regularisation constant means the same for every pool.

    Parameters
    ----------
    blocks : sequence of int
        Number of columns of each block, in order.
    dimension : int
        Components kept at most.
    seed : int
        Of the randomised decomposition.
    """

    def __init__(self, blocks: Sequence[int], dimension: int = 256, seed: int = 0) -> None:
        self.blocks = tuple(blocks)
        self.dimension = dimension
        self.seed = seed
        self._mean: FloatArray | None = None
        self._projection: FloatArray | None = None

    def fit(self, descriptions: FloatArray) -> Self:
        """Fit on rows of the pool, shape (n, D); raises `EncoderError` if they do not fit the blocks."""
        n, columns = descriptions.shape
        if columns != sum(self.blocks) or not n:
            raise EncoderError(f"descriptions of shape {descriptions.shape} do not fit {sum(self.blocks)} columns")
        mean = descriptions.mean(axis=0, dtype=np.float64)
        balanced = descriptions - mean.astype(np.float32)
        spread = np.sqrt(np.square(balanced).mean(axis=0, dtype=np.float64))
        varies = spread > _SMALLEST_SPREAD * np.maximum(1.0, np.abs(mean))
        weight = np.zeros(columns)
        start = 0
        for size in self.blocks:
            block = slice(start, start + size)
            start += size
            weight[block][varies[block]] = 1 / (spread[block][varies[block]] * np.sqrt(max(1, varies[block].sum())))
        balanced *= weight.astype(np.float32)
        axes = principal_axes(balanced, min(self.dimension, n, columns), self.seed)
        scores = balanced @ axes.T
        length = float(np.sqrt(np.square(scores, dtype=np.float64).sum(axis=1).mean()))
        scale = _ROW_LENGTH / length if length > 0 else 1.0
        self._mean = mean.astype(np.float32)
        self._projection = (weight[:, None] * axes.T.astype(np.float64) * scale).astype(np.float32)
        return self

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return features, shape (n, d), float32; a row depends on its own description only.

        Raises
        ------
        EncoderError
            Before `fit`.
        """
        if self._mean is None or self._projection is None:
            raise EncoderError("the encoder's reduction has not been fitted; call fit(descriptions) first")
        return np.asarray((descriptions - self._mean) @ self._projection, np.float32)


_ROW_LENGTH = 8.0


def principal_axes(centred: FloatArray, k: int, seed: int = 0, iterations: int = 2) -> FloatArray:
    """Return the first `k` principal axes as rows, largest first, by randomised subspace iteration.

    N. Halko, P. Martinsson, J. Tropp, *Finding structure with randomness*, SIAM Review 53 (2011), algorithms 4.4 and 5.1,
    with ten vectors to spare. Each axis points where its largest part is positive.

    Parameters
    ----------
    centred : ndarray (n, D)

    Returns
    -------
    ndarray (k, D), float32
    """
    n, columns = centred.shape
    width = min(k + 10, n, columns)
    basis = np.random.default_rng(seed).standard_normal((columns, width), dtype=np.float32)
    basis = np.linalg.qr(centred @ basis)[0]
    for _ in range(iterations):
        basis = np.linalg.qr(centred.T @ basis)[0]
        basis = np.linalg.qr(centred @ basis)[0]
    axes = np.linalg.svd((basis.T @ centred).astype(np.float64), full_matrices=False)[2][:k]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    upright: FloatArray = (axes * np.where(signs == 0, 1, signs)[:, None]).astype(np.float32)
    return upright
