"""Logistic regression as a learner, and its probabilities of many rows in one pass of single precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from al_widgets.learning.adapter import SklearnLearner
from al_widgets.learning.base import FloatArray


def logistic_learner(C: float = 10.0) -> SklearnLearner:
    """Return a learner that fits a logistic regression on the labelled rows.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty.
    """
    from sklearn.linear_model import LogisticRegression

    return SklearnLearner(LogisticRegression(C=C, max_iter=200))


def is_multinomial(model: Any) -> bool:
    """Tell whether a fitted model's probabilities are the softmax of one linear map: then `linear_probabilities` serves."""
    from sklearn.linear_model import LogisticRegression

    return type(model) is LogisticRegression and model.solver != "liblinear"


def linear_probabilities(model: Any, block: FloatArray) -> FloatArray:
    """Return the probabilities of a block (m, K) of a fitted multinomial logistic regression, float32.

    Classes are rows while it computes: sums and maxima over few classes are then vector operations. NaN or infinite features
    give probabilities that are not finite.

    Parameters
    ----------
    model : LogisticRegression
        Fitted; see `is_multinomial`.
    block : ndarray (m, d)
    """
    X = np.asarray(block, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        scores = np.asarray(model.coef_, np.float32) @ X.T
    scores += np.asarray(model.intercept_, np.float32)[:, None]
    if len(scores) == 1:  # two classes: the score of the second
        scores = np.concatenate([np.zeros_like(scores), scores])
    with np.errstate(invalid="ignore", over="ignore"):
        scores -= scores.max(axis=0)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=0)
    probabilities: FloatArray = scores.T
    return probabilities
