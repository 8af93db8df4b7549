"""What every learner must do, as a suite to inherit: for our own learners and for yours.

::

    class TestMine(LearnerContract):
        def make(self):
            return MyLearner()
"""

# ruff: noqa: D102, S101 - tests: names say what they check

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from al_widgets.errors import LearnerError
from al_widgets.learning import Learner


def three_clusters(n: int = 120, dtype: type = np.float32, seed: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return features (n, 6) of three well separated clusters, and class numbers."""
    draw = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    centres = 4 * np.eye(3, 6)
    return (centres[truth] + 0.7 * draw.standard_normal((n, 6))).astype(dtype), truth


class LearnerContract:
    """Inherit and give `make`; pytest finds the tests."""

    def make(self) -> Learner:
        """Return a new, unfitted learner."""
        raise NotImplementedError

    def fitted(self, n_labels: int = 12, n_classes: int = 3) -> tuple[Learner, npt.NDArray[Any], npt.NDArray[Any]]:
        """Return a learner fitted on the first labels of three clusters, with the features and class numbers."""
        X, y = three_clusters()
        rows = np.arange(n_labels)
        return self.make().fit(X, rows, y[rows], n_classes), X, y

    def test_make_gives_a_learner(self) -> None:
        # Not isinstance: on Python 3.11 it would ask for `estimator`, which an unfitted learner refuses.
        learner = self.make()
        for name in ("clone", "fit", "pool_probabilities", "predict_proba"):
            assert callable(getattr(learner, name))
        assert isinstance(getattr(type(learner), "estimator", None), property)

    def test_fit_learns_separated_clusters(self) -> None:
        learner, X, y = self.fitted()
        assert (learner.pool_probabilities().argmax(axis=1) == y).mean() > 0.95
        assert (learner.predict_proba(X).argmax(axis=1) == y).mean() > 0.95

    def test_probabilities_are_distributions_over_class_numbers(self) -> None:
        learner, X, _ = self.fitted(n_classes=5)
        for p in (learner.pool_probabilities(), learner.predict_proba(X[:7])):
            assert p.shape[1] == 5
            assert np.isfinite(p).all()
            assert (p >= 0).all()
            np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)

    def test_fit_works_with_one_label(self) -> None:
        X, y = three_clusters()
        learner = self.make().fit(X, np.array([4]), y[[4]], 3)
        assert (learner.pool_probabilities().argmax(axis=1) == y[4]).all()

    def test_fit_gives_a_class_without_labels_no_row(self) -> None:
        X, y = three_clusters()
        rows = np.flatnonzero(y != 1)[:10]
        learner = self.make().fit(X, rows, y[rows], 3)
        assert set(learner.pool_probabilities().argmax(axis=1)) <= {0, 2}

    def test_fit_repeats_itself(self) -> None:
        first, _, _ = self.fitted()
        second, _, _ = self.fitted()
        np.testing.assert_array_equal(first.pool_probabilities(), second.pool_probabilities())

    def test_clone_is_unfitted_and_fits_alike(self) -> None:
        learner, X, y = self.fitted()
        copy = learner.clone()
        with pytest.raises(LearnerError):
            copy.pool_probabilities()
        copy.fit(X, np.arange(12), y[:12], 3)
        np.testing.assert_allclose(copy.pool_probabilities(), learner.pool_probabilities(), atol=1e-6)

    def test_fit_leaves_a_fitted_original_as_it_was(self) -> None:
        learner, X, y = self.fitted()
        before = learner.pool_probabilities().copy()
        learner.clone().fit(X, np.arange(30), y[:30], 3)
        np.testing.assert_array_equal(before, learner.pool_probabilities())

    def test_fit_counts_heavy_labels_more(self) -> None:
        X, y = three_clusters()
        rows = np.r_[np.arange(12), 12, 15]  # two contradicting labels of neighbours
        labels = np.r_[y[:12], (y[12] + 1) % 3, (y[15] + 1) % 3]
        light = np.r_[np.ones(12), 0.01, 0.01]
        learner = self.make().fit(X, rows, labels, 3, light)
        assert (learner.pool_probabilities().argmax(axis=1) == y).mean() > 0.95

    def test_fit_leaves_out_labels_of_weight_zero(self) -> None:
        X, y = three_clusters()
        rows = np.arange(13)
        labels = y[rows].copy()
        labels[12] = (labels[12] + 1) % 3
        weights = np.ones(13)
        weights[12] = 0
        with_zero = self.make().fit(X, rows, labels, 3, weights).pool_probabilities()
        without = self.make().fit(X, rows[:12], labels[:12], 3, np.ones(12)).pool_probabilities()
        np.testing.assert_allclose(with_zero, without, atol=1e-6)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_fit_takes_single_and_double_precision(self, dtype: type) -> None:
        X, y = three_clusters(dtype=dtype)
        learner = self.make().fit(X, np.arange(9), y[:9], 3)
        assert (learner.pool_probabilities().argmax(axis=1) == y).mean() > 0.95

    def test_fit_takes_arrays_that_may_not_be_written(self) -> None:
        X, y = three_clusters()
        X.setflags(write=False)
        y.setflags(write=False)
        assert self.make().fit(X, np.arange(9), y[:9], 3).pool_probabilities().shape == (len(X), 3)

    def test_estimator_is_a_fitted_classifier_of_class_numbers(self) -> None:
        learner, X, y = self.fitted()
        estimator = learner.estimator
        assert list(estimator.classes_) == [0, 1, 2]
        assert estimator.predict_proba(X[:5]).shape == (5, 3)
        assert (estimator.predict(X) == y).mean() > 0.95

    def test_unfitted_says_so(self) -> None:
        with pytest.raises(LearnerError, match="not fitted"):
            _ = self.make().estimator

    def test_fit_refuses_no_labels(self) -> None:
        X, _ = three_clusters()
        nothing = np.empty(0, np.intp)
        with pytest.raises(LearnerError, match="no label"):
            self.make().fit(X, nothing, nothing, 3)

    def test_fit_refuses_a_class_that_does_not_exist(self) -> None:
        X, _ = three_clusters()
        with pytest.raises(LearnerError, match="3 classes"):
            self.make().fit(X, np.array([0, 1]), np.array([0, 3]), 3)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_predict_names_the_row_when_features_are_not_finite(self, value: float) -> None:
        learner, X, _ = self.fitted()
        X = X.copy()
        X[17] = value
        with pytest.raises(LearnerError, match="row 17"):
            learner.predict_proba(X)
