"""Any scikit-learn classifier as a learner.

Copes with what a session brings and an estimator often does not: one class only, classes without a label yet, estimators
that take no weights. Fitted on the trainer's thread.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from al_widgets.errors import LearnerError
from al_widgets.learning.base import FloatArray, IntArray, Learner
from al_widgets.learning.checks import CHUNK, checked_labels, require_finite, spread


class SklearnLearner:
    """A scikit-learn classifier, fitted on the labelled rows only.

    Parameters
    ----------
    prototype : estimator
        Has ``fit(X, y)`` and ``predict_proba(X)``; it is cloned, never fitted itself.
    """

    def __init__(self, prototype: Any) -> None:
        if isinstance(prototype, type) or not (
            callable(getattr(prototype, "fit", None)) and hasattr(prototype, "predict_proba")
        ):
            raise LearnerError(
                f"{prototype!r} is no learner: give a scikit-learn classifier with predict_proba (for SVC: probability=True)"
            )
        self._prototype = prototype
        self._fitted: Any = None
        self._features: FloatArray | None = None
        self._n_classes = 0

    @property
    def estimator(self) -> Any:
        """The fitted scikit-learn estimator, its ``classes_`` are class numbers.

        Raises
        ------
        LearnerError
            Before `fit`.
        """
        if self._fitted is None:
            raise LearnerError("the learner is not fitted yet")
        return self._fitted

    def clone(self) -> Self:
        """Return an unfitted copy."""
        return type(self)(self._prototype)

    def fit(
        self,
        features: FloatArray,
        labelled: IntArray,
        labels: IntArray,
        n_classes: int,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit on rows `labelled`; see `Learner.fit`. Rows of weight 0 are left out."""
        from sklearn.base import clone
        from sklearn.dummy import DummyClassifier

        rows, classes, weights = checked_labels(features, labelled, labels, n_classes, sample_weight)
        X = np.asarray(features[rows])
        require_finite(X, "labelled features")
        # Most classifiers refuse a single class; the honest model is then a constant.
        single = len(np.unique(classes)) == 1
        model = DummyClassifier(strategy="prior") if single else clone(self._prototype)
        try:
            if sample_weight is None or not _takes_weight(model):
                model.fit(X, classes)
            else:
                model.fit(X, classes, sample_weight=weights)
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise LearnerError(f"{type(model).__name__} could not be fitted on {len(rows)} labels: {error}") from error
        self._fitted, self._features, self._n_classes = model, features, n_classes
        return self

    def pool_probabilities(self) -> FloatArray:
        """Return probabilities of every row, shape (N, n_classes), float32; see `Learner.pool_probabilities`."""
        if self._features is None:
            raise LearnerError("the learner is not fitted yet")
        return self.predict_proba(self._features)

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Return probabilities of new rows, shape (m, n_classes), float32, predicted in blocks."""
        from al_widgets.learning.linear import is_multinomial, linear_probabilities

        model = self.estimator
        if features.ndim != 2:
            raise LearnerError(f"features must be a matrix (rows, d), not of shape {features.shape}")
        linear = is_multinomial(model) and features.shape[1] == model.coef_.shape[1]
        classes = np.asarray(model.classes_, np.intp)
        every = len(classes) == self._n_classes
        full = np.zeros((len(features), self._n_classes), np.float32)
        for start in range(0, len(features), CHUNK):
            where = slice(start, start + CHUNK)
            block = np.asarray(features[where])
            if linear:
                probabilities = linear_probabilities(model, block)
                if every:
                    full[where] = probabilities
                else:
                    full[where][:, classes] = probabilities
                if not np.isfinite(full[where].sum()):
                    require_finite(block)
                continue
            require_finite(block)
            try:
                full[where] = spread(model.predict_proba(block), classes, self._n_classes)
            except (ValueError, TypeError, AttributeError) as error:
                raise LearnerError(f"{type(model).__name__} could not predict: {error}") from error
        return full


def _takes_weight(model: Any) -> bool:
    """Tell whether ``fit`` takes ``sample_weight`` (a pipeline does not, in this form)."""
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(model, "sample_weight"))


def as_learner(what: Any = None) -> Learner:
    """Return `what` as a learner: a learner itself, a scikit-learn classifier wrapped, the default for None.

    Raises
    ------
    LearnerError
        If it is neither.
    """
    if what is None:
        from al_widgets.learning.selection import default_learner

        return default_learner()
    if hasattr(type(what), "pool_probabilities"):  # isinstance would ask an unfitted learner for its estimator
        learner: Learner = what
        return learner
    return SklearnLearner(what)
