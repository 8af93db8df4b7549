"""The graph learner in scikit-learn's clothes: inductive, semi-supervised, with unlabelled rows marked −1.

Imported when a learner is fitted, not at start: it loads scikit-learn.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from al_widgets.features.graph import build
from al_widgets.learning.graph import Solution, fit_solution


class GraphClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Gaussian process on the neighbour graph of all rows, labelled or not, and on their features.

    Attributes
    ----------
    classes_ : ndarray (K,)
        Labels that were seen.
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> partly = y.copy()
    >>> partly[100:] = -1
    >>> model = GraphClassifier().fit(X, partly)
    >>> bool((model.predict(X) == y).mean() > 0.9)
    True
    """

    @classmethod
    def of(cls, solution: Solution) -> Self:
        """Return a fitted classifier of a solution a learner found; classes are class numbers."""
        made = cls()
        made._solution = solution
        made.classes_ = solution.classes
        made.n_features_in_ = len(solution.centre)
        return made

    @property
    def solution(self) -> Solution:
        """What was found: the process on the graph and the features."""
        check_is_fitted(self)
        return self._solution

    def fit(self, X: Any, y: Any) -> Self:
        """Fit.

        Parameters
        ----------
        X : array (n, d)
        y : array (n,)
            Labels. Of integer labels, −1 means unlabelled, as in `sklearn.semi_supervised`.

        Raises
        ------
        ValueError
            If there is no label.
        """
        from sklearn.utils.multiclass import check_classification_targets

        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=1)
        check_classification_targets(y)
        # −1 and 1 alone are the two classes of a binary problem; beside other labels, −1 means unlabelled.
        binary = y.dtype.kind in "if" and set(np.unique(y)) <= {-1, 1}
        unlabelled = np.zeros(len(y), bool) if binary or y.dtype.kind not in "if" else y == -1
        rows = np.flatnonzero(~unlabelled)
        self.classes_, numbers = np.unique(y[rows], return_inverse=True)
        self._solution, _ = fit_solution(X, rows, numbers, np.ones(len(rows)), build(X))
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return probabilities of ``classes_``, shape (m, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        placement = self._solution.graph.place(X)
        probabilities = self._solution.probabilities(X, placement).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return np.asarray(probabilities, np.float64)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row."""
        probabilities = self.predict_proba(X)
        likeliest: npt.NDArray[Any] = np.asarray(self.classes_)[probabilities.argmax(axis=1)]
        return likeliest
