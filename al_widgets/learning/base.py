"""The protocol of learners: fitted on the labelled rows of a pool, asked for the probabilities of every row.

A learner sees the whole pool's features, so that it may use the unlabelled rows too. It is fitted on the trainer's thread
and replaced, never changed, afterwards: any thread may ask a fitted one.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]


@runtime_checkable
class Learner(Protocol):
    """A classifier on the features of a pool."""

    @property
    def estimator(self) -> Any:
        """The fitted scikit-learn estimator: ``predict`` and ``predict_proba`` on features, ``classes_`` are class numbers."""

    def clone(self) -> Self:
        """Return an unfitted copy that may share what depends on the pool's features only (a graph, a kernel)."""

    def fit(
        self,
        features: FloatArray,
        labelled: IntArray,
        labels: IntArray,
        n_classes: int,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit on rows `labelled` of `features` (N, d) with class numbers `labels`.

        Raises
        ------
        LearnerError
            If there is nothing to fit (no label), or the fit failed.
        """

    def pool_probabilities(self) -> FloatArray:
        """Return probabilities of every row of the pool it was fitted on, shape (N, n_classes), rows sum to 1.

        Classes without a label yet get probability 0 or more; columns are class numbers 0 … n_classes - 1.
        """

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Return probabilities of new rows, shape (m, n_classes)."""
