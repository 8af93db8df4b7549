"""Features that the user already has. Imported by `al_widgets.features` and the table of features; any thread."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError

FloatArray = npt.NDArray[np.float32]


class Precomputed:
    """Rows of features in the pool's order, for example embeddings from another program; no image is read.

    Parameters
    ----------
    features : array_like (N, d)
        Row i belongs to the pool's i-th item; finite.

    Raises
    ------
    EncoderError
        If it is no finite matrix of numbers.
    """

    def __init__(self, features: npt.ArrayLike) -> None:
        matrix = np.asarray(features)
        if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind not in "buif":
            raise EncoderError(
                f"precomputed features have shape {matrix.shape}, {matrix.dtype}; a matrix (N, d) is needed"
            )
        self.features: FloatArray = np.ascontiguousarray(matrix, np.float32)
        if bad := int((~np.isfinite(self.features)).any(axis=1).sum()):
            raise EncoderError(f"precomputed features hold NaN or infinity in {bad} rows")

    @property
    def fingerprint(self) -> str:
        """Digest of the matrix."""
        return f"precomputed-{hashlib.blake2b(self.features.data, digest_size=16).hexdigest()}"

    def describe(self, images: Sequence[npt.NDArray[Any]]) -> FloatArray:
        """Refuse: a picture does not tell which row is its own; raises `EncoderError`."""
        raise EncoderError(f"precomputed features cannot encode {len(images)} new images")

    def fit(self, descriptions: FloatArray) -> Self:
        """Do nothing."""
        del descriptions
        return self

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return the rows as they are."""
        return descriptions
