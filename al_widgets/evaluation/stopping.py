"""When to stop: three signals, each with its reason. A session shows the advice and never stops by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Advice, Estimate, Forecast

STABLE_KAPPA = 0.99
"""Mean agreement from which predictions count as stable; 0.98 lost up to 0.042 of accuracy in simulations."""

STABLE_PAIRS, STABLE_ITEMS, STABLE_STEP = 4, 300, 30
"""Pairs of refits compared, items they are compared on, and labels between two refits of a pair.

Three pairs are the usual rule; measured on digits it stops either too early or too late, whatever lies between its refits: 10
labels apart up to 0.029 of accuracy below the end (8 sessions); 30 apart at 206 labels on average and up to 0.011 below; 40 apart
as late as 260 labels, up to 0.008 below. Four pairs 30 apart reach back as far as three 40 apart and notice sooner: 230 labels, at
most 250, up to 0.008 below (24 sessions each).
"""


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Cohen's κ of two sets of predictions: agreement beyond chance, at most 1.

    Where both predict one and the same class throughout, chance explains everything and κ is undefined; then 1.0 is
    returned, for they agree.
    """
    a, b = np.asarray(first).ravel(), np.asarray(second).ravel()
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"predictions must be of one length and not empty, not {a.size} and {b.size}")
    names, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    share_a = np.bincount(codes[: a.size], minlength=names.size) / a.size
    share_b = np.bincount(codes[a.size :], minlength=names.size) / a.size
    observed, expected = float((a == b).mean()), float(share_a @ share_b)
    return 1.0 if expected >= 1 else (observed - expected) / (1 - expected)


def stability(predictions: Sequence[npt.NDArray[Any]], n_labels: Sequence[int]) -> Estimate:
    """Return how little the newest models differ on fixed unlabelled items.

    Parameters
    ----------
    predictions : sequence of ndarray (items,)
        Classes predicted by each refit, oldest first, of the same at least 300 items, none of them trained on.
    n_labels : sequence of int
        Labels behind each refit.

    Returns
    -------
    Estimate
        Mean κ of the four newest successive pairs at least 30 labels apart; without a value while there are fewer.

    References
    ----------
    Bloodgood and Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions", CoNLL 2009.
    """
    method = f"mean κ of {STABLE_PAIRS} refits"
    kept: list[int] = []
    for i in reversed(range(len(predictions))):
        if not kept or n_labels[kept[-1]] - n_labels[i] >= STABLE_STEP:
            kept.append(i)
        if len(kept) > STABLE_PAIRS:
            break
    size = len(predictions[-1]) if predictions else 0
    if len(kept) <= STABLE_PAIRS:
        return Estimate(
            None, None, None, size, method, f"{max(0, len(kept) - 1)} of {STABLE_PAIRS} pairs of trainings yet"
        )
    if size < STABLE_ITEMS:
        return Estimate(None, None, None, size, method, f"{size} unlabelled items: too few, {STABLE_ITEMS} are needed")
    pairs = [cohen_kappa(predictions[older], predictions[newer]) for newer, older in pairwise(kept)]
    return Estimate(float(np.mean(pairs)), min(pairs), max(pairs), size, method)


def change_bound(kappa: float) -> float:
    """Return 4(1 - κ)/κ, which bounds the change of the F score between two models that agree with κ.

    References
    ----------
    Bloodgood and Grothendieck, "Analysis of stopping active learning based on stabilizing predictions", CoNLL 2013.
    """
    return math.inf if kappa <= 0 else 4 * (1 - kappa) / kappa


def advise(
    *,
    target: float | None = None,
    certified: Estimate | None = None,
    stable: Estimate | None = None,
    forecast: Forecast | None = None,
    budget_left: float | None = None,
    next_point: Forecast | None = None,
) -> Advice:
    """Say whether to stop, and why.

    Parameters
    ----------
    target : float, optional
        Accuracy wanted.
    certified : Estimate, optional
        From `certified_estimate`: its lower bound must reach the target.
    stable : Estimate, optional
        From `stability`.
    forecast : Forecast, optional
        What is still to come, for the budget.
    budget_left : float, optional
        Money left, in the unit of ``forecast.money``.
    next_point : Forecast, optional
        To one percentage point above the present accuracy.

    Returns
    -------
    Advice
        `why` is the reason that decides; `reasons` are all there are.
    """
    met = target is not None and certified is not None and certified.low is not None and certified.low >= target
    steady = stable is not None and stable.value is not None and stable.value >= STABLE_KAPPA
    spent = budget_left is not None and budget_left <= 0
    low = None if forecast is None else forecast.money.low
    far = budget_left is not None and low is not None and low > budget_left
    stops: list[str] = []
    if met and certified is not None:
        stops.append(f"The target is met: accuracy is at least {certified.low:.1%} ({certified.method}).")
    if spent:
        stops.append("The budget is spent.")
    if steady and stable is not None and stable.value is not None:
        stops.append(
            f"More labels change little: the last trainings agree with κ = {stable.value:.3f}, "
            f"which bounds the change of the F score by {change_bound(stable.value):.3f}."
        )
    if far and forecast is not None and not spent:
        stops.append(
            f"The target of {forecast.target:.1%} is out of reach: at least {low:,.2f} would be "
            f"needed (90 % sure), {budget_left:,.2f} are left."
        )
    others = [*_next_point(next_point), *([] if stops else _too_early(forecast))]
    if stops:
        return Advice(stop=True, why=stops[0], reasons=(*stops, *others))
    why = _why_not(target, certified, stable)
    return Advice(stop=False, why=why, reasons=(why, *others))


def _next_point(forecast: Forecast | None) -> list[str]:
    """Say what one more percentage point costs, where that is known."""
    if forecast is None or forecast.labels.value is None:
        return []
    labels, money = forecast.labels, forecast.money
    upto = "no upper limit" if labels.high is None or math.isinf(labels.high) else f"{labels.high:,.0f}"
    costs = "" if money.value is None else f", {money.value:,.2f} in money"
    return [
        f"One more percentage point takes about {labels.value:,.0f} labels (80 %: {labels.low:,.0f} to {upto}){costs}."
    ]


def _too_early(forecast: Forecast | None) -> list[str]:
    return [f"Forecast: {forecast.why}."] if forecast is not None and forecast.why else []


def _why_not(target: float | None, certified: Estimate | None, stable: Estimate | None) -> str:
    reasons = []
    if target is not None and certified is not None:
        if certified.low is None:
            reasons.append(f"the target is not certified yet ({certified.why})")
        else:
            reasons.append(f"accuracy is certified from {certified.low:.1%} on, the target is {target:.1%}")
    if stable is not None:
        known = stable.value is not None
        reasons.append(
            f"predictions still change (κ = {stable.value:.3f})"
            if known
            else f"stability is not known yet ({stable.why})"
        )
    return f"Go on: {'; '.join(reasons)}." if reasons else "Go on: no target and no history to judge by."
