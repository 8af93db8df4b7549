"""How long an item will take: a Bayesian linear model of the logarithm of time.

For strategies that weigh what an answer tells against what it costs, and for forecasts. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.evaluation.cost import fence

FloatArray = npt.NDArray[np.floating[Any]]

MIN_TIMES = 30
"""Timed answers below which the median is the prediction."""

_SHORTEST_S = 1e-3


def timing_features(
    annotator: npt.ArrayLike,
    kind: npt.ArrayLike,
    answer_number: npt.ArrayLike,
    minutes_since_break: npt.ArrayLike,
    item: npt.ArrayLike,
    *,
    annotators: tuple[str, ...],
    kinds: tuple[str, ...] = ("new", "audit", "repeat", "gold"),
) -> FloatArray:
    """Return the design matrix of a `TimeModel`.

    Parameters
    ----------
    annotator, kind : array_like (n,) of str
        One-hot coded; names that are not listed get zeros, that is, the average.
    answer_number : array_like (n,)
        How many answers the annotator had given before; practice fades as exp(-k/40).
    minutes_since_break : array_like (n,)
    item : array_like (n, p)
        What is known of the items: log size, entropy of the model's opinion, whether the class changes.
    annotators, kinds : tuple of str

    Returns
    -------
    ndarray (n, len(annotators) + len(kinds) + 2 + p)
    """
    who, what = np.asarray(annotator, dtype=str), np.asarray(kind, dtype=str)
    numbers = np.asarray(answer_number, dtype=float)
    items = np.asarray(item, dtype=float).reshape(numbers.size, -1)
    columns = [
        *(who == name for name in annotators),
        *(what == name for name in kinds),
        np.exp(-numbers / 40),
        np.asarray(minutes_since_break, dtype=float),
    ]
    return np.column_stack([*(np.asarray(c, dtype=float) for c in columns), items])


@dataclass(frozen=True)
class TimeModel:
    """Expected seconds of an answer.

    Attributes
    ----------
    mean, scale : ndarray (d,)
        Standardisation of the features.
    weights : ndarray (d,)
    intercept : float
    log_variance : float
        Variance of the log time that the features do not explain.
    n : int
        Times behind it.
    """

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    intercept: float
    log_variance: float
    n: int

    def predict(self, features: npt.ArrayLike) -> FloatArray:
        """Return expected seconds, shape (n,): exp(μ + s²/2), the mean of a log-normal time."""
        z = (np.asarray(features, dtype=float) - self.mean) / self.scale
        result: FloatArray = np.exp(self.intercept + z @ self.weights + self.log_variance / 2)
        return result


def _evidence_ridge(Z: FloatArray, y: FloatArray, w: FloatArray, steps: int = 50) -> tuple[FloatArray, float]:
    """Weighted ridge regression whose two precisions maximise the evidence (MacKay 1992); returns weights, noise variance."""
    root = np.sqrt(w)
    U, singular, Vt = np.linalg.svd(Z * root[:, None], full_matrices=False)
    target = U.T @ (y * root)
    energy = singular**2
    n = float(w.sum())
    total = float((w * y * y).sum())
    noise, prior = max(total / n, 1e-6), 1.0
    for _ in range(steps):
        shrunk = singular * target / (energy + noise * prior)
        gamma = float((energy / (energy + noise * prior)).sum())
        residual = max(total - float((2 * singular * target * shrunk - energy * shrunk**2).sum()), 1e-12)
        new_prior = gamma / max(float((shrunk**2).sum()), 1e-12)
        new_noise = max(residual / max(n - gamma, 1.0), 1e-6)
        done = abs(new_noise - noise) < 1e-6 * noise and abs(new_prior - prior) < 1e-4 * prior
        noise, prior = new_noise, min(new_prior, 1e9)
        if done:
            break
    return Vt.T @ (singular * target / (energy + noise * prior)), noise


def fit_time_model(features: npt.ArrayLike, seconds: npt.ArrayLike) -> TimeModel:
    """Fit expected times.

    Pauses (`fence`) are left out; answers far off a first fit get less weight, w = 1/(1 + (r/2s)²), in a second one.

    Parameters
    ----------
    features : array_like (n, d)
        For example from `timing_features`.
    seconds : array_like (n,)
        Positive.

    Returns
    -------
    TimeModel
        Below 30 times it predicts their median for every item; without any it predicts NaN.
    """
    X, t = np.atleast_2d(np.asarray(features, dtype=float)), np.asarray(seconds, dtype=float).ravel()
    if X.shape[0] != t.size:
        raise ValueError(f"{X.shape[0]} rows of features for {t.size} times")
    keep = ~fence(t)[1]
    X, y = X[keep], np.log(np.maximum(t[keep], _SHORTEST_S))
    d = X.shape[1]
    if y.size < MIN_TIMES:
        middle = float(np.median(y)) if y.size else float("nan")
        return TimeModel(np.zeros(d), np.ones(d), np.zeros(d), middle, 0.0, int(y.size))
    mean, scale = X.mean(0), X.std(0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    Z = (X - mean) / scale
    w: FloatArray = np.ones(y.size)
    weights: FloatArray = np.zeros(d)
    intercept, variance = 0.0, 1.0
    for _ in range(2):
        centre, intercept = (w[:, None] * Z).sum(0) / w.sum(), float((w * y).sum() / w.sum())
        weights, variance = _evidence_ridge(Z - centre, y - intercept, w)
        intercept -= float(centre @ weights)
        residual = y - intercept - Z @ weights
        w = 1 / (1 + residual**2 / (4 * variance))
    return TimeModel(mean, scale, weights, intercept, float(variance), int(y.size))
