"""Fitted classifiers as one: a scikit-learn classifier whose probabilities are the mean of its members'.

Imported when a committee's estimator is asked for: it loads scikit-learn.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone


class VotingMembers(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Mean of classifiers that may have seen different classes.

    Parameters
    ----------
    members : list of classifiers
        Fitted ones are used as they are; `fit` refits clones of them on the same rows.

    Attributes
    ----------
    classes_ : ndarray (K,)
        All classes any member has seen.
    """

    def __init__(self, members: list[Any]) -> None:
        self.members = members

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """All classes any member has seen, rising."""
        return np.unique(np.concatenate([np.asarray(member.classes_) for member in self.members]))

    def fit(self, X: Any, y: Any) -> Self:
        """Fit clones of the members on the same rows."""
        self.members = [clone(member).fit(X, y) for member in self.members]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the mean of the members' probabilities, shape (m, K)."""
        classes = self.classes_
        total = np.zeros((len(X), len(classes)))
        for member in self.members:
            total[:, np.searchsorted(classes, member.classes_)] += member.predict_proba(X)
        return total / len(self.members)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row."""
        likeliest: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return likeliest
