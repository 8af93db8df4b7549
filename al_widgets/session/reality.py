"""Does a made picture look like a real one, and does it have an answer? Density, reconstruction, and a judge.

Loads scikit-learn when used. Measured on digits in `tests/session/test_synthesis_pictures.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.session.generators import Generator, scaled

DIMENSION = 20
PERCENTILE = 99.0
SURE = 0.8
"""Probability from which on the judge counts as sure."""


class Reality:
    """What real pictures have in common: their principal components, and how far apart neighbours are.

    Parameters
    ----------
    images : array_like (n, h, w[, c])
        Real pictures, all of one shape; at least 30.

    Raises
    ------
    SessionError
        If there are fewer, or shapes differ.
    """

    def __init__(self, images: npt.ArrayLike) -> None:
        from sklearn.decomposition import PCA
        from sklearn.neighbors import NearestNeighbors

        X = flattened(images)
        if len(X) < 30:
            raise SessionError(f"{len(X)} real pictures are too few to say what a real one looks like; give 30 or more")
        self._pca = PCA(min(DIMENSION, X.shape[1], len(X) - 1), random_state=0).fit(X)
        reduced = self._pca.transform(X)
        self._neighbours = NearestNeighbors(n_neighbors=2).fit(reduced)
        self._far = float(np.percentile(self._neighbours.kneighbors(reduced)[0][:, 1], PERCENTILE))
        self._lossy = float(np.percentile(self._loss(X, reduced), PERCENTILE))

    def likely(self, images: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which pictures are as near to a real one, and as well described, as 99 % of the real ones; shape (m,)."""
        X = flattened(images)
        reduced = self._pca.transform(X)
        near = self._neighbours.kneighbors(reduced, n_neighbors=1)[0][:, 0] <= self._far
        inside: npt.NDArray[np.bool_] = near & (self._loss(X, reduced) <= self._lossy)
        return inside

    def _loss(self, X: npt.NDArray[Any], reduced: npt.NDArray[Any]) -> npt.NDArray[Any]:
        residual: npt.NDArray[Any] = np.square(X - self._pca.inverse_transform(reduced)).sum(axis=1)
        return residual


def flattened(images: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return pictures as rows (n, pixels)."""
    try:
        array = np.asarray(images, np.float64)
    except ValueError as error:
        raise SessionError(f"pictures that are blended or compared need one shape: {error}") from error
    return array.reshape(len(array), -1)


def answerable_share(
    generator: Generator | npt.ArrayLike, images: npt.ArrayLike, labels: Sequence[str], n: int = 300, seed: int = 0
) -> float:
    """Return the share of a generator's pictures that have an answer.

    Answerable is what looks real (`Reality`) and what a judge trained on all real pictures is at least 0.8 sure of (`Judge`).

    Parameters
    ----------
    generator : Generator or array (n, h, w)
        Or pictures themselves.
    images, labels
        Real pictures with their classes.
    n : int
        Pictures made.

    References
    ----------
    Baum and Lang, Query learning can work poorly when a human oracle is used, IJCNN 1992: what uniform pixels lead to.
    """
    if isinstance(generator, Generator):
        rng = np.random.default_rng(seed)
        points = rng.random((n, len(generator.ranges)))
        made = np.stack([np.asarray(generator.make(scaled(generator, point)), np.float64) for point in points])
    else:
        made = np.asarray(generator, np.float64)
    judge = Judge(images, labels)
    sure = judge.probabilities(made).max(axis=1) >= SURE
    return float((sure & Reality(images).likely(made)).mean())


class Judge:
    """The stand-in for a person: support vector machines between every two classes, calibrated, coupled to one probability.

    Machines for all classes at once do not notice that a picture lies between two of them; those for the two do.

    Parameters
    ----------
    images : array_like (n, h, w[, c])
    labels : sequence of str
        At least five of each class.

    References
    ----------
    Price, Knerr, Personnaz and Dreyfus, Pairwise neural network classifiers with probabilistic outputs, NIPS 1994 (coupling).
    """

    def __init__(self, images: npt.ArrayLike, labels: Sequence[str]) -> None:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        X, y = flattened(images), np.asarray(labels)
        self._scale = float(np.abs(X).max()) or 1.0
        self._classes = np.unique(y)
        self._machines: dict[tuple[int, int], Any] = {}
        for i, j in combinations(range(len(self._classes)), 2):
            some = (y == self._classes[i]) | (y == self._classes[j])
            machine = CalibratedClassifierCV(SVC(C=10.0), ensemble=False)
            self._machines[i, j] = machine.fit(X[some] / self._scale, y[some] == self._classes[i])

    def probabilities(self, images: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the probability of each class, in the order of the names, shape (m, K): 1 / (Σ 1/r_ij - (K - 2))."""
        X = flattened(images) / self._scale
        n_classes = len(self._classes)
        inverse = np.zeros((len(X), n_classes))
        for (i, j), machine in self._machines.items():
            first = machine.predict_proba(X)[:, 1].clip(1e-7, 1 - 1e-7)
            inverse[:, i] += 1 / first
            inverse[:, j] += 1 / (1 - first)
        coupled = 1 / (inverse - (n_classes - 2))
        shares: npt.NDArray[np.float64] = coupled / coupled.sum(axis=1, keepdims=True)
        return shares
