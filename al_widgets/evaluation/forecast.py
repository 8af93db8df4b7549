"""What is still needed to reach a target accuracy, with honest uncertainty.

Learning curves are fitted to bootstrap samples of the *audit items*, each item with its whole history of right and
wrong: that keeps the correlation between refits, which a fit through the points of one curve would take for evidence.
Each sample draws one curve from two families; the draws that reach the target give the interval. Pure, vectorised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Estimate, Forecast

FloatArray = npt.NDArray[np.floating[Any]]

MIN_ERRORS = 10
"""Audit errors of the newest model below which it is too early to say."""

MIN_REFITS = 4
"""Refits with different numbers of labels that a curve needs."""

LEAST_TARGET = 0.6
"""Smallest target error, as a share of the present error, that the curves can see."""

_DRAWS = 150
_MAX_REFITS = 60
_METHOD = "bootstrap of learning curves 80 %"


@dataclass(frozen=True)
class _Families:
    """Curves c + a·shape(n): n ↦ (n + d)^-b relative to the first refit, and n ↦ exp(-n/τ) relative to the first."""

    first: float
    b: FloatArray
    d: FloatArray
    tau: FloatArray

    def shapes(self, n: FloatArray) -> FloatArray:
        """Return the value of every curve at n, shape (curves, len(n))."""
        power = ((n + self.d[:, None]) / (self.first + self.d[:, None])) ** -self.b[:, None]
        return np.vstack([power, np.exp(-(n - self.first) / self.tau[:, None])])

    def solve(self, curve: npt.NDArray[np.intp], value: FloatArray) -> FloatArray:
        """Return n at which curve number `curve` takes a value in (0, ∞)."""
        is_power = curve < self.b.size
        p = np.minimum(curve, self.b.size - 1)
        e = np.maximum(curve - self.b.size, 0)
        with np.errstate(over="ignore"):
            power = (self.first + self.d[p]) * value ** (-1 / self.b[p]) - self.d[p]
        return np.where(is_power, power, self.first - self.tau[e] * np.log(value))

    def log_prior(self) -> FloatArray:
        """Return the log prior of every curve: half the mass a family, b normal around 0.8."""
        power = -0.5 * ((self.b - 0.8) / 0.6) ** 2
        power -= np.log(np.exp(power).sum())
        result: FloatArray = np.concatenate([power, np.full(self.tau.size, -np.log(self.tau.size))])
        return result


def _families(first: float) -> _Families:
    offsets = np.array([-0.6 * first, 0.0, 40.0, 120.0])
    b, d = np.meshgrid(np.linspace(0.2, 2.4, 12), offsets)
    return _Families(first, b.ravel(), d.ravel(), np.geomspace(25, 800, 14))


def _too_early(target: float, why: str) -> Forecast:
    nothing = Estimate(None, None, None, 0, _METHOD, why)
    return Forecast(target, nothing, nothing, nothing, None, why)


def labels_to_target(
    correctness: FloatArray,
    n_labels: FloatArray,
    target_error: float,
    rng: np.random.Generator,
    draws: int = _DRAWS,
) -> FloatArray:
    """Draw total numbers of labels at which the error reaches the target; inf where it never does.

    Parameters
    ----------
    correctness : ndarray (audit items, refits)
        1 right, 0 wrong, NaN unanswered.
    n_labels : ndarray (refits,)
        Labels behind each refit, increasing.
    target_error : float
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    ndarray (draws,)
    """
    answered = ~np.isnan(correctness)
    wrong = np.where(answered, 1 - correctness, 0.0)
    items, refits = correctness.shape
    picked = rng.multinomial(items, np.full(items, 1 / items), size=draws).astype(float)
    n_audit = picked @ answered
    error = (picked @ wrong + 0.5) / (n_audit + 1)
    present = error[:, -3:].mean(1, keepdims=True)
    variance = np.maximum(error * (1 - error), present * (1 - present))
    # Later refits tell more about what follows; refits share the audit items, so that R of them count as four.
    w = n_audit * (n_labels / n_labels[-1]) / variance / (refits / 4)

    families = _families(float(n_labels[0]))
    shapes = families.shapes(n_labels)
    floors = np.linspace(0, 1, 9)
    c = present * floors
    s_ff, s_f, s_fe = w @ (shapes**2).T, w @ shapes.T, (w * error) @ shapes.T
    s_ee, s_e, s_1 = (w * error**2).sum(1), (w * error).sum(1), w.sum(1)
    a = np.maximum((s_fe[:, :, None] - c[:, None, :] * s_f[:, :, None]) / s_ff[:, :, None], 0)
    flat = s_ee[:, None] - 2 * c * s_e[:, None] + c**2 * s_1[:, None]
    cross = s_fe[:, :, None] - c[:, None, :] * s_f[:, :, None]
    sse = flat[:, None, :] - 2 * a * cross + a**2 * s_ff[:, :, None]
    # The floor's prior is exponential with mean present/2, hence exp(-2 · share of the present error).
    log_weight = -sse / 2 + families.log_prior()[:, None] - 2 * floors
    flat_weight = log_weight.reshape(draws, -1)
    choice = np.argmax(flat_weight + rng.gumbel(size=flat_weight.shape), axis=1)
    curve, floor = np.unravel_index(choice, log_weight.shape[1:])
    rows = np.arange(draws)
    height, bottom = a[rows, curve, floor], c[rows, floor]

    total = np.full(draws, np.inf)
    gap = target_error - bottom
    reaches = gap > 0
    total[reaches & (height <= 0)] = n_labels[-1]
    falling = reaches & (height > 0)
    total[falling] = families.solve(curve[falling], gap[falling] / height[falling])
    return total


def forecast_to_target(
    correctness: npt.ArrayLike,
    n_labels: npt.ArrayLike,
    target: float,
    *,
    seconds_per_label: float | None,
    hourly_rate: float | None = None,
    answers_per_label: float = 1.0,
    rng: np.random.Generator,
) -> Forecast:
    """Forecast labels, seconds and money still to come until the target accuracy is reached.

    Parameters
    ----------
    correctness : array_like (audit items, refits)
        1 where the model of that refit is right on that audit item, 0 where it is wrong, NaN where the item has no
        answer.
    n_labels : array_like (refits,)
        Labels when each refit began.
    target : float
        Accuracy wanted, above 0 and at most 1; 1 itself is never near enough to be forecast.
    seconds_per_label : float or None
        Expected seconds of one answer to what the strategy would serve; None leaves seconds and money out.
    hourly_rate : float, optional
    answers_per_label : float
        Above 1 where items are asked again.
    rng : numpy.random.Generator

    Returns
    -------
    Forecast
        Without figures, and with `why`, when it is too early to say: fewer than 10 audit errors, fewer than 4 refits,
        or a target error below 0.6 of the present one (measured: such forecasts were off by a factor of 2.3).

    References
    ----------
    POW4: Gu, Hu and Liu, "Modelling classification performance for large data sets", 2001. The families and priors were
    chosen on four data sets; 80 % intervals covered 90 % there.
    """
    matrix = np.atleast_2d(np.asarray(correctness, dtype=float))
    n = np.asarray(n_labels, dtype=float).ravel()
    if not 0 < target <= 1:
        raise ValueError(f"the target accuracy lies between 0 and 1, not at {target}; 95 % is 0.95")
    if matrix.shape[1] != n.size:
        raise ValueError(f"{matrix.shape[1]} columns of correctness for {n.size} refits")
    # Of refits at the same number of labels the last counts, and of very many an even selection.
    columns = np.flatnonzero(np.append(np.diff(n) > 0, True)) if n.size else np.empty(0, np.intp)
    columns = columns[n[columns] > 0]
    if columns.size > _MAX_REFITS:
        columns = columns[np.unique(np.linspace(0, columns.size - 1, _MAX_REFITS).round().astype(int))]
    matrix, n = matrix[:, columns], n[columns]
    matrix = matrix[~np.isnan(matrix).all(1)] if n.size else matrix
    if n.size < MIN_REFITS:
        return _too_early(target, f"too early to say: {n.size} of {MIN_REFITS} trainings with more labels each")
    newest = matrix[:, -1]
    n_audit = int((~np.isnan(newest)).sum())
    n_errors = int(np.nansum(1 - newest))
    wanted = 1 - target
    if n_errors < MIN_ERRORS:
        return _too_early(
            target,
            f"too early to say: {n_errors} of {n_audit} audit labels are errors of the model, {MIN_ERRORS} are needed",
        )
    present = n_errors / n_audit
    if wanted < LEAST_TARGET * present:
        nearest = 1 - LEAST_TARGET * present
        return _too_early(
            target,
            f"too early to say: accuracy is {1 - present:.1%} now; from here {nearest:.1%} can be forecast, "
            f"{target:.1%} cannot",
        )
    total = labels_to_target(matrix, n, wanted, rng)
    left = np.ceil(np.maximum(total - n[-1], 0))
    never = float(np.isinf(left).mean())
    low, middle, high = np.quantile(left, [0.1, 0.5, 0.9], method="inverted_cdf")
    why = "" if never <= 0.5 else f"may never be reached: {never:.0%} of the drawn curves stay below {target:.1%}"

    def scaled(factor: float | None, missing: str) -> Estimate:
        if factor is None:
            return Estimate(None, None, None, n_audit, _METHOD, missing)
        value = None if np.isinf(middle) else float(middle) * factor
        lowest = None if np.isinf(low) else float(low) * factor
        highest = float("inf") if np.isinf(high) else float(high) * factor
        return Estimate(value, lowest, highest, n_audit, _METHOD, why)

    seconds = None if seconds_per_label is None else seconds_per_label * answers_per_label
    money = None if seconds is None or hourly_rate is None else seconds / 3600 * hourly_rate
    return Forecast(
        target,
        labels=scaled(1.0, ""),
        seconds=scaled(seconds, "no answer has been timed yet"),
        money=scaled(money, "no hourly rate is set" if hourly_rate is None else "no answer has been timed yet"),
        never=never,
        why=why,
    )
