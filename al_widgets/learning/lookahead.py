"""What one more label would change in the graph learner, in closed form. Pure function, any thread.

References
----------
Zhu, Lafferty, Ghahramani, Combining active learning and semi-supervised learning using Gaussian fields and harmonic
functions, ICML workshop 2003.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from al_widgets.learning.base import FloatArray, IntArray
from al_widgets.learning.process import OFFSET, Labelled, kernel_between, softmax

if TYPE_CHECKING:
    from al_widgets.learning.graph import Solution

_CLASSES = 3


def expected_risk(
    solution: Solution, labelled: Labelled, features: FloatArray, rows: IntArray, references: IntArray
) -> FloatArray:
    """Return for each row Σ over references of 1 − max p, expected over the row's label; shape (m,).

    Parameters
    ----------
    solution : Solution
    labelled : Labelled
        The rows the solution is made of.
    features : ndarray (N, d)
        Of the pool.
    rows, references : ndarray of int
    """
    settings = solution.settings
    weights = solution.graph.weights(settings.dimension).astype(np.float64)
    noise = np.diag(settings.noise / labelled.weights)

    def seen(which: IntArray) -> Labelled:
        scaled = (np.asarray(features[which], np.float64) - solution.centre) * float(solution.scale)
        nothing = np.zeros(len(which), np.intp)
        coordinates = solution.graph.coordinates(which).astype(np.float64)
        return Labelled(coordinates, scaled, np.empty((len(which), 0)), nothing, np.ones(len(which)))

    asked, judged = seen(rows), seen(references)
    inner = np.linalg.inv(kernel_between(labelled, labelled, weights, settings) + noise)
    to_asked = kernel_between(labelled, asked, weights, settings)
    to_judged = kernel_between(labelled, judged, weights, settings)
    covariance = kernel_between(asked, judged, weights, settings) - to_asked.T @ inner @ to_judged
    prior = (asked.coordinates**2 @ weights) * settings.share
    if settings.share < 1:
        own = 1 + (asked.features**2).sum(axis=1) if settings.width == 0 else np.full(len(rows), 1 + OFFSET)
        prior = prior + (1 - settings.share) * own
    variance = np.maximum(prior - np.einsum("ij,ij->j", to_asked, inner @ to_asked), 0)
    gain = covariance / (variance + settings.noise)[:, None]
    n_classes = len(solution.classes)
    placement = solution.graph.placement
    now = solution.scores(features[references], placement[references]).astype(np.float64)
    own_scores = solution.scores(features[rows], placement[rows]).astype(np.float64)
    chances = softmax(settings.temperature * own_scores)
    risk = np.zeros(len(rows))
    for i in range(len(rows)):
        likely = np.argsort(-chances[i])[:_CLASSES]
        share = chances[i, likely] / chances[i, likely].sum()
        for c, p in zip(likely, share, strict=True):
            target = np.full(n_classes, -1.0 / max(n_classes - 1, 1))
            target[c] = 1.0
            after = softmax(settings.temperature * (now + gain[i][:, None] * (target - own_scores[i])))
            risk[i] += p * float((1 - after.max(axis=1)).sum())
    return risk
