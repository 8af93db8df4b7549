"""Classes that are harder than others for everybody: log odds added to each annotator's accuracy.

Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

import numpy as np

from al_widgets.oracles.answers import FloatArray, IntArray

MOST_EASE = 4.0
"""Largest log odds by which a class is taken to be easier or harder than others."""


def class_accuracy(accuracy: FloatArray, ease: FloatArray) -> FloatArray:
    """Return the accuracy on items of each class, (K, G), of annotators with an overall accuracy (G,)."""
    odds = accuracy / (1 - accuracy) * np.exp(ease)[:, None]
    return np.asarray(odds / (1 + odds), np.float64)


def learn_ease(
    ease: FloatArray, right: FloatArray, share: FloatArray, value: IntArray, smoothed: FloatArray, accuracy: FloatArray
) -> FloatArray:
    """Re-estimate how much easier each class is than others, for everybody alike (one Newton step a pass).

    Log odds of a right answer = those of the annotator + ease of the class. How much classes differ is estimated, too (DerSimonian
    & Laird 1986): where they differ by no more than chance, all eases are 0. Answers count as far as others know the item. Eases
    are shifted such that an annotator's accuracy stays the one on items as they come.

    Parameters
    ----------
    ease : ndarray (K,)
        Before.
    right : ndarray (n, K)
        Chance of a right answer to each class, by the annotator of each label.
    share : ndarray (n, K)
        Class probabilities of each label's item, times how much others know of it.
    value : ndarray (n,) of int
        The labels.
    smoothed : ndarray (n, G)
        Distribution of the annotator's accuracy at each label.
    accuracy : ndarray (G,)
        Its grid.
    """
    n_classes = share.shape[1]
    slope = np.bincount(value, share[np.arange(len(value)), value], n_classes) - (share * right).sum(0)
    precision = (share * right * (1 - right)).sum(0)
    total = float(precision.sum())
    if total < 1e-6:
        return ease
    alone = np.clip(ease + slope / np.maximum(precision, 1e-9), -MOST_EASE, MOST_EASE)
    centred = alone - precision @ alone / total
    excess = float(precision @ centred**2) - (n_classes - 1)
    variance = max(excess, 0.0) / max(total - float(precision @ precision) / total, 1e-9)
    ease = centred * precision * variance / (precision * variance + 1)
    count = share.sum(0)
    middle = np.array([float((smoothed @ accuracy).mean())])
    for _ in range(3):
        level = class_accuracy(middle, ease)[:, 0]
        ease = ease - count @ (level - middle) / (count @ (level * (1 - level)))
    return ease
