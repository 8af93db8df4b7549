"""How good a model looks on the items that were chosen for it: a figure for teaching, never an accuracy.

What a strategy asks is harder, or otherwise unlike, the pool, and what a grid confirms is easier; so the error of cross-validation on
the training labels says nothing about the pool, whichever way it is off. Beside the audit it shows by how much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.evaluation import wilson_interval
from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.learning.base import Learner
from al_widgets.records import Estimate

METHOD = "5-fold cross-validation on the chosen items, no accuracy of the pool"
FOLDS = 5
FEWEST = 20
"""Labels below which folds would be left without classes."""


def cross_validate(
    learner: Learner,
    features: npt.NDArray[np.floating[Any]],
    labelled: npt.NDArray[np.intp],
    labels: npt.NDArray[np.intp],
    n_classes: int,
    seed: int,
) -> Estimate:
    """Return the share of training labels that a model made of the others predicts.

    Parameters
    ----------
    learner : Learner
        Cloned for every fold.
    features : ndarray (n, d)
    labelled, labels : ndarray (m,)
        Rows of `features`, and their class numbers.
    n_classes : int
    seed : int
        Of the folds.

    Returns
    -------
    Estimate
        The interval is Wilson's, as if the items were a fair sample; they are not.
    """
    if len(labels) < FEWEST or len(np.unique(labels)) < 2:
        return Estimate(None, None, None, len(labels), METHOD, f"cross-validation needs {FEWEST} labels of two classes")
    fold = np.arange(len(labels)) % FOLDS
    np.random.default_rng(seed).shuffle(fold)
    right = np.zeros(len(labels), bool)
    with one_blas_thread():
        for k in range(FOLDS):
            kept, held = fold != k, fold == k
            if len(np.unique(labels[kept])) < 2:
                right[held] = labels[held] == labels[kept][0]
                continue
            fitted = learner.clone().fit(features, labelled[kept], labels[kept], n_classes, None)
            right[held] = fitted.pool_probabilities()[labelled[held]].argmax(1) == labels[held]
    low, high = wilson_interval(int(right.sum()), len(right))
    return Estimate(float(right.mean()), low, high, len(right), METHOD)
