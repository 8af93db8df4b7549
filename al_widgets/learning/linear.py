"""Logistic regression as a learner."""

from __future__ import annotations

from al_widgets.learning.adapter import SklearnLearner


def logistic_learner(C: float = 10.0) -> SklearnLearner:
    """Return a learner that fits a logistic regression on the labelled rows.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty.
    """
    from sklearn.linear_model import LogisticRegression

    return SklearnLearner(LogisticRegression(C=C, max_iter=200))
