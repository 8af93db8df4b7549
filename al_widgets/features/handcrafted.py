"""The encoder without weights: gradients, binary patterns, colours and learned patches; nothing to fetch, no GPU.

Imported by sessions. `describe` may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError
from al_widgets.features.binary_patterns import lbp
from al_widgets.features.canvas import canvases, luminance
from al_widgets.features.colour import hsv_histogram
from al_widgets.features.gradients import hog
from al_widgets.features.patches import SIDE, patch_responses
from al_widgets.features.reduction import BalancedPCA

FloatArray = npt.NDArray[np.float32]

_VERSION = 1


class HandcraftedEncoder:
    """HOG, LBP, colour histograms and patch responses, balanced and reduced to 256 principal components.

    Every image is resized to 64 x 64 (32 x 32 for patches). Values are rounded to float16, so that a cache may keep them in
    half the space without changing them.

    Parameters
    ----------
    dimension : int
        Features kept at most.

    Attributes
    ----------
    near_side : int
        Images whose shorter side has at least this many pixels lose nothing that `describe` would see.
    """

    title = "gradients, patterns, colours and patches, handcrafted"
    near_side = 128
    _side = 64

    def __init__(self, dimension: int = 256) -> None:
        self._reduction = BalancedPCA(self._blocks(), dimension)

    @property
    def fingerprint(self) -> str:
        """Name and version of what `describe` computes."""
        return f"handcrafted-{_VERSION}"

    def describe(self, images: Sequence[npt.NDArray[Any]]) -> FloatArray:
        """Return descriptions, shape (n, D), float32, finite; each depends on its own image only.

        Raises
        ------
        EncoderError
            If something is no image.
        """
        try:
            pictures = canvases(images, self._side)
            # Patches see the same square shrunk by two: one resize of the original instead of two.
            small = _halved(pictures)
        except (ValueError, TypeError) as error:
            raise EncoderError(f"cannot encode: {error}") from error
        if not len(pictures):
            return np.empty((0, sum(self._blocks())), np.float32)
        grey = luminance(pictures)
        levels = np.rint(grey * 255).astype(np.uint8)
        blocks = (hog(grey), lbp(levels, 1), lbp(levels, 2), hsv_histogram(small), patch_responses(small))
        return np.concatenate(blocks, axis=1).astype(np.float16).astype(np.float32)

    def fit(self, descriptions: FloatArray) -> Self:
        """Fit balance and principal components; see `BalancedPCA.fit`."""
        self._reduction = BalancedPCA(self._blocks(), self._reduction.dimension).fit(descriptions)
        return self

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return features, shape (n, d ≤ 256); see `BalancedPCA.reduce`."""
        return self._reduction.reduce(descriptions)

    @staticmethod
    def _blocks() -> tuple[int, ...]:
        return (1764, 472, 512, 1600)


def _halved(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return means of 2 x 2 pixels, rounded half up."""
    n = len(pictures)
    parts = pictures.reshape(n, SIDE, 2, SIDE, 2, 3).astype(np.uint16).sum(axis=(2, 4))
    means: npt.NDArray[np.uint8] = ((parts + 2) >> 2).astype(np.uint8)
    return means
