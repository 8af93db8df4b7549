"""What every encoder can do: turn images into vectors, in two steps so that the costly one can be cached.

``describe`` is deterministic and needs one image only: its result is cached on disk under the image's content key and
the encoder's fingerprint. ``fit``/``reduce`` look at the whole pool (scaling, PCA) and are cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Images to feature vectors."""

    @property
    def fingerprint(self) -> str:
        """Name, version and settings: equal fingerprints give equal descriptions."""

    def describe(self, images: Sequence[npt.NDArray[np.generic]]) -> FloatArray:
        """Return one raw description an image, shape (n, D), float32; images may differ in size and dtype."""

    def fit(self, descriptions: FloatArray) -> Self:
        """Fit the reduction on descriptions of the pool, shape (n, D)."""

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return features, shape (n, d), float32, d ≤ D."""
