"""Checks of what a learner is fitted on, and a classifier that has seen one class only. Any thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import LearnerError
from al_widgets.learning.base import FloatArray, IntArray

#: Rows predicted at a time.
CHUNK = 8192


def require_finite(features: FloatArray, what: str = "features") -> None:
    """Refuse NaN and infinities, naming the first row.

    Raises
    ------
    LearnerError
    """
    for start in range(0, len(features), CHUNK):
        block = np.asarray(features[start : start + CHUNK])
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(block.sum()):
                continue
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            raise LearnerError(
                f"{what} of row {start + int(bad.argmax())} are not finite (NaN or infinity): "
                "set the item aside or repair its encoder"
            )


def checked_labels(
    features: FloatArray,
    labelled: IntArray,
    labels: IntArray,
    n_classes: int,
    sample_weight: FloatArray | None,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return rows, class numbers and weights (ones when None) as arrays that fit together; without rows of weight 0.

    Raises
    ------
    LearnerError
        If there is no label, lengths differ, or a row, class or weight is out of range.
    """
    rows = np.asarray(labelled, np.intp).reshape(-1)
    classes = np.asarray(labels, np.intp).reshape(-1)
    if features.ndim != 2:
        raise LearnerError(f"features must be a matrix (rows, d), not of shape {features.shape}")
    if len(rows) == 0:
        raise LearnerError("there is no label to fit on: label an item first")
    if len(rows) != len(classes):
        raise LearnerError(f"{len(rows)} labelled rows, but {len(classes)} labels: give one label a row")
    if rows.min() < 0 or rows.max() >= len(features):
        raise LearnerError(f"labelled rows reach {rows.max()}, but there are {len(features)} rows of features")
    if classes.min() < 0 or classes.max() >= n_classes:
        raise LearnerError(f"labels reach from {classes.min()} to {classes.max()}, but there are {n_classes} classes")
    if sample_weight is None:
        return rows, classes, np.ones(len(rows))
    weights = np.asarray(sample_weight, np.float64).reshape(-1)
    if len(weights) != len(rows) or not np.isfinite(weights).all() or weights.min() < 0 or weights.max() <= 0:
        raise LearnerError(f"sample_weight must be {len(rows)} numbers of at least 0, not all 0")
    used = weights > 0
    return rows[used], classes[used], weights[used]


def spread(probabilities: npt.NDArray[Any], classes: IntArray, n_classes: int) -> FloatArray:
    """Return probabilities with a column for every class number; classes never seen get 0. Rows sum to 1."""
    full = np.zeros((len(probabilities), n_classes), np.float32)
    full[:, np.asarray(classes, np.intp)] = probabilities
    full /= np.maximum(full.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return full
