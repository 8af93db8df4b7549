"""How the error falls with labels: a power law whose exponent wanders, fitted to the audit of all refits. Pure, vectorised.

On the log of the error against the log of labels, with x = 0 at the newest refit and x < 0 before:

    log error = level - b·x + wander(x) + jitter + audit noise

Audit items are few and shared by all refits, so that their noise is mostly one shift of the whole curve, which only the number of
audit items can lessen; towards earlier refits it loses its hold like a random walk. The exponent b has its prior from other data.
`wander` is an integrated random walk of unknown scale: after a bend the past says little of what follows, after a long
straight stretch it says much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]

BEYOND = 16.0
"""Times the present labels beyond which a target counts as never reached."""

_USUAL, _STEEP, _FLAT_BELOW = (0.70, 0.45, 0.4), (0.25, 0.9, 0.5), (0.05, 0.25)
"""Kinds of curves: prior probability, median of the exponent, standard deviation of its log; a flat one has any below a bound.

Chosen, with the figures below, by the error of forecasts (continuous ranked probability score) in 168 simulated sessions: letters,
vowels, digits, clothes, satellite and vehicle pictures, textures and seven made sets, margin and random querying. There the error
fell from n to 2n labels with a mean exponent of 0.40 ± 0.26; what an audit of 150 sees of the past exponent foretells the next one
with a correlation of 0.31 only, hence a prior that has a say.
"""

_JITTER = 0.07
"""Standard deviation of a refit's log error around its curve."""

_EXPONENTS = np.geomspace(0.01, 1.6, 32)
_WANDER = np.array([0.1, 0.3, 0.6, 1.2])


def _log_prior() -> FloatArray:
    prior = np.zeros(_EXPONENTS.size)
    for share, median, spread in (_USUAL, _STEEP):
        normal = np.exp(-0.5 * (np.log(_EXPONENTS / median) / spread) ** 2)
        prior += share * normal / normal.sum()
    flat = _FLAT_BELOW[1] > _EXPONENTS
    result: FloatArray = np.log(prior + _FLAT_BELOW[0] * flat / flat.sum())
    return result


def _wander(x: FloatArray) -> FloatArray:
    """Return the covariance of an integrated random walk that starts at 0 in both directions, of unit scale; x ≤ 0."""
    near, far = np.minimum(-x[:, None], -x), np.maximum(-x[:, None], -x)
    covariance: FloatArray = near**2 * (far / 2 - near / 6)
    return covariance


def labels_to_target(
    correctness: FloatArray, n_labels: FloatArray, target_error: float, rng: np.random.Generator, draws: int = 400
) -> FloatArray:
    """Draw total numbers of labels at which the error reaches the target; inf where it does not within 16 times the present ones.

    Parameters
    ----------
    correctness : ndarray (audit items, refits)
        1 right, 0 wrong, NaN unanswered; the newest refit has an answer.
    n_labels : ndarray (refits,)
        Labels behind each refit, increasing.
    target_error : float
        Above 0.
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    ndarray (draws,)
    """
    answered = ~np.isnan(correctness)
    n_audit = answered.sum(0)
    seen = n_audit > 0
    x = np.log(n_labels[seen] / n_labels[-1])
    error = (np.where(answered, 1 - correctness, 0.0).sum(0)[seen] + 0.5) / (n_audit[seen] + 1)
    y = np.log(error)
    shift = float((1 - error[-1]) / (error[-1] * n_audit[-1]))  # variance of the audit noise, relative to the error

    base = shift * np.minimum(-x[:, None], -x) + _JITTER**2 * np.eye(x.size)
    covariance = base + _WANDER[:, None, None] ** 2 * _wander(x)
    precision = np.linalg.inv(covariance)
    weights = precision.sum(2)
    total = weights.sum(1)
    straight = y + _EXPONENTS[:, None] * x
    level = np.einsum("wi,bi->wb", weights, straight) / total[:, None]
    misfit = np.einsum("bi,wij,bj->wb", straight, precision, straight) - level**2 * total[:, None]
    evidence = -0.5 * (np.linalg.slogdet(covariance)[1] + np.log(total))[:, None] - misfit / 2
    log_weight = evidence + _log_prior()

    choice = np.argmax(log_weight.ravel() + rng.gumbel(size=(draws, log_weight.size)), axis=1)
    wander, exponent = np.unravel_index(choice, log_weight.shape)
    now = level[wander, exponent] + rng.standard_normal(draws) * np.sqrt(1 / total[wander] + shift)
    # Cut off before the exponential: what is beyond need not be told apart.
    further = np.clip((now - np.log(target_error)) / _EXPONENTS[exponent], 0, 2 * np.log(BEYOND))
    times = np.exp(further)
    return np.where(times > BEYOND, np.inf, n_labels[-1] * times)
