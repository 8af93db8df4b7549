"""Any image as a small uint8 RGB square: the common ground of all descriptors.

Imported by encoders. Pure functions; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Canvas = npt.NDArray[np.uint8]

_LOW, _HIGH = 0.5, 99.5
_SAMPLE = 65_536


def canvases(images: Sequence[npt.NDArray[Any]], side: int) -> Canvas:
    """Return the images resized to (n, side, side, 3), uint8; proportions are not kept.

    Transparent parts are shown on grey.
    """
    from PIL import Image

    result = np.empty((len(images), side, side, 3), np.uint8)
    for row, image in enumerate(images):
        picture = Image.fromarray(eight_bits(image))
        if picture.size != (side, side):
            # Bilinear with antialiasing; reducing_gap first shrinks by whole factors, several times faster for photos.
            picture = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
        pixels = np.asarray(picture)
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            alpha = pixels[:, :, 3:].astype(np.float32) / 255
            pixels = np.rint(pixels[:, :, :3] * alpha + 128 * (1 - alpha)).astype(np.uint8)
        result[row] = pixels if pixels.ndim == 3 else pixels[:, :, None]
    return result


def eight_bits(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return an image as uint8 (h, w), (h, w, 3) or (h, w, 4).

    uint8 stays; bool becomes 0 and 255; floats that all lie within 0 … 1 are multiplied by 255; everything else is
    stretched between its 0.5th and 99.5th percentile, without NaN and infinities, NaN becoming the middle. Of two
    channels the third is 0, of more than four the first three count.
    """
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] not in (3, 4):
        if array.shape[2] == 1:
            array = array[:, :, 0]
        elif array.shape[2] == 2:
            array = np.concatenate([array, np.zeros_like(array[:, :, :1])], axis=2)
        else:
            array = array[:, :, :3]
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "buif":
        raise ValueError(
            f"an image has shape (h, w) or (h, w, c), pixels and real numbers, not {array.shape}, {array.dtype}"
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    return _stretched(array)


def _stretched(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    flat = array.reshape(-1)
    flat = flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return np.full(array.shape, 128, np.uint8)
    if array.dtype.kind == "f" and flat.min() >= 0 and flat.max() <= 1:
        low, high = 0.0, 1.0
    else:
        low, high = (float(value) for value in np.percentile(flat, (_LOW, _HIGH)))
        if not low < high:
            low, high = float(flat.min()), float(flat.max())
    if not low < high:
        return np.full(array.shape, 128, np.uint8)
    # Halves keep the width of float64's whole range finite.
    scaled = (array.astype(np.float64) / 2 - low / 2) * (255.0 / (high / 2 - low / 2))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=127.5, posinf=255, neginf=0), 0, 255)).astype(np.uint8)


def luminance(pictures: Canvas) -> npt.NDArray[np.float32]:
    """Return grey levels 0 … 1, shape (n, h, w): Rec. 601 luma."""
    return pictures.astype(np.float32) @ np.array([0.299 / 255, 0.587 / 255, 0.114 / 255], np.float32)
