"""What is still needed to reach a target accuracy, with honest uncertainty.

Curves drawn from `al_widgets.evaluation.error_decay` reach the target at so many labels each; their quantiles are the forecast.
This module says when that is worth saying, and in which units. Pure.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from al_widgets.evaluation.accuracy import wilson_interval
from al_widgets.evaluation.error_decay import BEYOND, labels_to_target
from al_widgets.records import Estimate, Forecast

MIN_ERRORS = 10
"""Audit errors of the newest model below which it is too early to say."""

MIN_REFITS = 4
"""Refits with different numbers of labels that a curve needs."""

LEAST_TARGET = 0.6
"""Smallest target error, as a share of the present error, that the curves can see."""

_MAX_REFITS = 60
_METHOD = "learning curves 80 %"


def _too_early(target: float, why: str) -> Forecast:
    nothing = Estimate(None, None, None, 0, _METHOD, why)
    return Forecast(target, nothing, nothing, nothing, None, why)


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
        0 labels where today's accuracy is above the target by its 80 % interval. Without figures, and with `why`, when it is too early to say: fewer than 10 audit errors, fewer than 4 refits,
        or a target error below 0.6 of the present one (measured: such forecasts were off by a factor of 2.3).

    Notes
    -----
    Intervals are equal-tailed: nine times in ten it takes at least `low`. With 150 audit items most of their width is the
    audit's own noise: even who knows the mean curve of other sessions is off by a factor of 1.5 in the labels still to come.
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
    if n_audit and wilson_interval(n_audit - n_errors, n_audit, 0.8)[0] >= target:
        reached = Estimate(0.0, 0.0, 0.0, n_audit, "Wilson 80 %")
        return Forecast(target, labels=reached, seconds=reached, money=reached, never=0.0)
    if n_errors < MIN_ERRORS:
        return _too_early(
            target,
            f"too early to say: the model errs on {n_errors} of {n_audit} audit labels; a forecast takes {MIN_ERRORS} errors, or so many "
            "labels that the target is seen to be reached",
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
    why = (
        ""
        if never <= 0.5
        else (
            f"may never be reached: {never:.0%} of the drawn curves stay below {target:.1%} for {BEYOND:.0f} times the labels"
        )
    )

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
