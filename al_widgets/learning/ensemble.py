"""A committee as a learner: several learners on resamples of the labels; strategies ask its `members`.

Fitted on the trainer's thread.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from al_widgets.errors import LearnerError
from al_widgets.learning.adapter import as_learner
from al_widgets.learning.base import FloatArray, IntArray, Learner
from al_widgets.learning.checks import checked_labels


class CommitteeLearner:
    """Learners of one kind on bootstrap resamples of the labelled rows; probabilities are their mean.

    Parameters
    ----------
    prototype : Learner, scikit-learn classifier or None
        What each member is a clone of; None: logistic regression.
    n_members : int
        At least 2.
    seed : int
        Of the resamples.

    Notes
    -----
    Every class that was seen stays in every resample; repeats become weights.
    """

    def __init__(self, prototype: Any = None, n_members: int = 5, seed: int = 0) -> None:
        if n_members < 2:
            raise LearnerError(f"a committee needs at least 2 members, not {n_members}")
        if prototype is None:
            from al_widgets.learning.linear import logistic_learner

            prototype = logistic_learner()
        self._prototype: Learner = as_learner(prototype)
        self._n_members = n_members
        self._seed = seed
        self._members: tuple[Learner, ...] = ()

    @property
    def members(self) -> tuple[Learner, ...]:
        """The fitted members; empty before `fit`."""
        return self._members

    @property
    def estimator(self) -> Any:
        """A scikit-learn voting classifier of the members.

        Raises
        ------
        LearnerError
            Before `fit`.
        """
        from al_widgets.learning.voting import VotingMembers

        if not self._members:
            raise LearnerError("the learner is not fitted yet")
        return VotingMembers([member.estimator for member in self._members])

    def clone(self) -> Self:
        """Return an unfitted copy."""
        return type(self)(self._prototype.clone(), self._n_members, self._seed)

    def fit(
        self,
        features: FloatArray,
        labelled: IntArray,
        labels: IntArray,
        n_classes: int,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit all members; see `Learner.fit`."""
        rows, classes, weights = checked_labels(features, labelled, labels, n_classes, sample_weight)
        rng = np.random.default_rng(self._seed)
        first = np.unique(classes, return_index=True)[1]
        members = []
        for _ in range(self._n_members):
            drawn = np.concatenate([first, rng.integers(len(rows), size=len(rows) - len(first))])
            unique, count = np.unique(drawn, return_counts=True)
            members.append(
                self._prototype.clone().fit(features, rows[unique], classes[unique], n_classes, weights[unique] * count)
            )
        self._members = tuple(members)
        return self

    def pool_probabilities(self) -> FloatArray:
        """Return the mean of the members' probabilities (N, n_classes)."""
        if not self._members:
            raise LearnerError("the learner is not fitted yet")
        return _mean([member.pool_probabilities() for member in self._members])

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Return the mean of the members' probabilities of new rows (m, n_classes)."""
        if not self._members:
            raise LearnerError("the learner is not fitted yet")
        return _mean([member.predict_proba(features) for member in self._members])


def _mean(probabilities: list[FloatArray]) -> FloatArray:
    """Return the mean of equally shaped arrays."""
    total = probabilities[0].copy()
    for more in probabilities[1:]:
        total += more
    total /= len(probabilities)
    return total
