"""A forest of scikit-learn's, grown and asked tree by tree, by a few threads of our own.

Not by the forest itself: scikit-learn sets the warning filters of the whole process anew around each of its tasks, and tasks of two
threads at once leave none behind (1.9). Growing and asking leave the interpreter to other threads, so that two cores take about
half of the time; the trees are those that the forest would grow, and the same question gets the same answer to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

THREADS = min(2, os.cpu_count() or 1)
"""A stroke is answered sooner where a second core is free, and the others stay with the page."""


class Stopped(Exception):  # noqa: N818  # nothing went wrong
    """A prediction was left off because it was not wanted any more."""


def grow(forest: Any, features: npt.NDArray[np.float32], labels: npt.NDArray[np.intp]) -> Any:
    """Fit a forest without bootstrap whose classes weigh evenly; returns it.

    Parameters
    ----------
    forest : ExtraTreesClassifier
        ``class_weight="balanced"``, `random_state` a number.
    features : ndarray (n, k)
    labels : ndarray (n,) of int
    """
    from sklearn.base import clone
    from sklearn.utils.class_weight import compute_sample_weight

    n_trees = forest.n_estimators
    forest.set_params(n_estimators=1).fit(features, labels)  # checks the input, and learns the names of the classes
    forest.set_params(n_estimators=n_trees)
    (first,) = forest.estimators_
    seeds = np.random.RandomState(forest.random_state).randint(np.iinfo(np.int32).max, size=n_trees)
    numbers = np.searchsorted(forest.classes_, labels).astype(np.float64)[:, None]
    weights = compute_sample_weight("balanced", labels)
    rows = np.ascontiguousarray(features, np.float32)

    def grown(seed: int) -> Any:
        tree = clone(first).set_params(random_state=int(seed))
        return tree.fit(rows, numbers, sample_weight=weights, check_input=False)

    forest.estimators_ += _each(grown, seeds[1:].tolist())
    return forest


def mean_probability(
    forest: Any, features: npt.NDArray[np.float32], stop: Callable[[], bool] | None = None
) -> npt.NDArray[np.float32]:
    """Return the class probabilities of a fitted forest, each thread its part of the rows.

    Parameters
    ----------
    forest : fitted scikit-learn forest
    features : ndarray (n, k)
    stop : callable, optional
        Asked between trees whether to leave off.

    Raises
    ------
    Stopped
        If `stop` said so.
    """

    def mean(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        total = np.zeros((len(rows), len(forest.classes_)))
        for tree in forest.estimators_:
            if stop is not None and stop():
                raise Stopped
            total += tree.predict_proba(rows, check_input=False)
        return total / len(forest.estimators_)

    return np.concatenate(_each(mean, np.array_split(features, THREADS))).astype(np.float32)


def _each(work: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    if THREADS == 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))
