"""A small picture of a part of a section with the outlines of two masks on it, for lists of sections."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.gpr_processing import remove_background
from al_widgets.task.strokes import IGNORE

Array = npt.NDArray[Any]
Box = tuple[int, int, int, int]

COLOURS = ("#ffdc3c", "#3cc8ff")
"""Of the two outlines: bright on grey, and told apart by people who see fewer colours."""
ROWS, COLUMNS = 240, 360
"""Pixels of a picture."""
LEAST_SHARE = 0.25
"""Of the section's rows and columns that a picture shows at least: an echo is nothing without what is around it."""
MARGIN = 0.3
"""Around what differs, as a share of its size."""
TAIL = 1.0
"""Percent of the values that are shown as plain black or white at either end."""
DASH = 4
"""Pixels of a dash of the second outline: the first one is seen below it."""


def box_around(first: Array, second: Array) -> Box:
    """Return (top, left, bottom, right) of what is worth seeing where two masks differ."""
    a, b = (np.where(mask < IGNORE, mask, 0) for mask in (first, second))
    differ = a != b
    if not differ.any():
        return 0, 0, *first.shape
    spans = []
    for axis, size in enumerate(first.shape):
        where = np.flatnonzero(differ.any(axis=1 - axis))
        low, high = int(where[0]), int(where[-1]) + 1
        length = min(size, max(round((high - low) * (1 + 2 * MARGIN)), round(size * LEAST_SHARE), 1))
        start = min(max(0, (low + high - length) // 2), size - length)
        spans.append((start, start + length))
    (top, bottom), (left, right) = spans
    return top, left, bottom, right


def section_picture(section: Array, first: Array, second: Array, box: Box, *, radar: bool) -> bytes:
    """Return a PNG of the section within `box`: grey, the first mask's outline drawn through, the second's dashed.

    Parameters
    ----------
    section : ndarray (rows, columns)
    first, second : ndarray (rows, columns) of uint8
    box : tuple of four ints
    radar : bool
        Take the mean trace away, and show 0 as middle grey.
    """
    from PIL import Image

    cut = np.s_[box[0] : box[2], box[1] : box[3]]
    grey = Image.fromarray(_grey(section, radar)[cut]).resize((COLUMNS, ROWS), Image.Resampling.BILINEAR)
    picture = np.repeat(np.asarray(grey)[..., None], 3, axis=2)
    dashes = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) // DASH % 2 == 0
    for mask, colour, drawn in ((first, COLOURS[0], np.ones_like(dashes)), (second, COLOURS[1], dashes)):
        picture[_outline(mask[cut]) & drawn] = tuple(bytes.fromhex(colour[1:]))
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _grey(section: Array, radar: bool) -> npt.NDArray[np.uint8]:
    values = np.nan_to_num(np.asarray(section, np.float32))
    if radar:
        values = remove_background(values, "mean")
        high = float(np.percentile(np.abs(values), 100 - TAIL))
        low = -high
    else:
        low, high = (float(p) for p in np.percentile(values, [TAIL, 100 - TAIL]))
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    grey: npt.NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return grey


def _outline(mask: Array) -> npt.NDArray[np.bool_]:
    """Return where the rim of what is no background is, at the resolution of the picture; two pixels wide."""
    rows = np.arange(ROWS) * mask.shape[0] // ROWS
    columns = np.arange(COLUMNS) * mask.shape[1] // COLUMNS
    large = np.where(mask < IGNORE, mask, 0)[np.ix_(rows, columns)]
    rim = np.zeros(large.shape, bool)
    for axis in (0, 1):
        here, there = (np.take(large, range(a, large.shape[axis] - 1 + a), axis=axis) for a in (0, 1))
        differ = here != there
        lead = [(0, 0), (0, 0)]
        for shift in (0, 1):
            lead[axis] = (shift, 1 - shift)
            rim |= np.pad(differ, lead)
    return rim
