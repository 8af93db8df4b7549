"""Bounds that hold although somebody looks at them all the time.

A pointwise 95 % interval, looked at after every audit answer, misses the truth at some time in 15 to 47 % of sessions.
Two remedies: for a model that stands a confidence sequence (prior-posterior ratio), for one that is refitted an interval spent
over few, planned looks (Clopper-Pearson). `certified_path` pays both from one account. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.evaluation.accuracy import percent
from al_widgets.records import Estimate

FloatArray = npt.NDArray[np.floating[Any]]

FIRST_LOOK, LOOK_GROWTH = 30, 1.3
"""Looks are made when the number of audit answers reaches 30 · 1.3^k."""

PLANNED_LOOKS = 10
"""Looks that share the error, by default: the tenth comes at 319 audit answers."""

STANDING_SHARE = 0.75
"""Share of the error not spent yet that goes to a model that stands from one look to the next: it may well be the last one."""


def _log_beta_binomial(k: FloatArray, n: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    from scipy.special import betaln, gammaln

    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    result: FloatArray = choose + betaln(k + a, n - k + b) - betaln(a, b)
    return result


def ppr_log_ratio(
    total_correct: npt.ArrayLike,
    n_correct: npt.ArrayLike,
    n: npt.ArrayLike,
    population: npt.ArrayLike,
    *,
    prior: tuple[float, float] = (9.0, 1.0),
) -> FloatArray:
    """Return log(prior / posterior) of a number of correct items, after a sample without replacement.

    Under the true number this is a nonnegative martingale in n, so that it exceeds log(1/α) at any time with
    probability at most α: the numbers below log(1/α) are a confidence sequence.

    Parameters
    ----------
    total_correct : array_like
        Hypothetical number of correct items in the population; outside ``[n_correct, population - n + n_correct]``
        the result is inf.
    n_correct, n : array_like
        Correct ones among the items drawn so far.
    population : array_like
        Items of which the sample is drawn: the whole reserve.
    prior : (float, float)
        Beta prior of the accuracy; (9, 1) makes intervals narrow where models are mostly right.

    References
    ----------
    Waudby-Smith and Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, theorem 1.
    """
    total, s, drawn, size = (np.asarray(x, dtype=float) for x in (total_correct, n_correct, n, population))
    a, b = (np.asarray(x, dtype=float) for x in prior)
    possible = (total >= s) & (total <= size - drawn + s)
    inside = np.where(possible, total, s)
    before = _log_beta_binomial(inside, size, a, b)
    after = _log_beta_binomial(inside - s, size - drawn, a + s, b + drawn - s)
    return np.where(possible, before - after, np.inf)


def ppr_interval(n_correct: int, n: int, population: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return an interval for the accuracy of one frozen model on a finite reserve, valid at every n at once.

    Parameters
    ----------
    n_correct, n : int
        Among the items drawn at random, without replacement, so far.
    population : int
        Size of the reserve.
    level : float
        Probability that the truth is never outside, however often one looks.
    """
    if not 0 <= n_correct <= n <= population or population < 1:
        raise ValueError(f"{n_correct} correct of {n} drawn of {population} is impossible")
    candidates = np.arange(n_correct, population - n + n_correct + 1)
    kept = candidates[ppr_log_ratio(candidates, n_correct, n, population) < -math.log(1 - level)]
    return float(kept[0]) / population, float(kept[-1]) / population


def ppr_interval_iid(
    n_correct: int, n: int, *, level: float = 0.95, prior: tuple[float, float] = (9.0, 1.0)
) -> tuple[float, float]:
    """Return the same for items drawn independently from an endless population.

    The log ratio is convex in the accuracy with its minimum at n_correct / n; its two crossings are found by
    bisection.
    """
    if not 0 <= n_correct <= n:
        raise ValueError(f"{n_correct} correct of {n} drawn is impossible")
    if n == 0:
        return 0.0, 1.0
    from scipy.optimize import brentq
    from scipy.special import betaln, xlog1py, xlogy

    a, b = prior
    n_wrong = n - n_correct
    constant = betaln(a + n_correct, b + n_wrong) - betaln(a, b) + math.log(1 - level)

    def excess(p: float) -> float:
        return float(constant - xlogy(n_correct, p) - xlog1py(n_wrong, -p))

    best = n_correct / n
    low = 0.0 if n_correct == 0 else float(brentq(excess, 1e-300, best, xtol=1e-12))
    high = 1.0 if n_wrong == 0 else float(brentq(excess, best, 1 - 1e-16, xtol=1e-12))
    return low, high


def clopper_pearson_interval(n_correct: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Return the exact interval of a proportion, two-sided with error `alpha`.

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934).
    """
    if not 0 <= n_correct <= n or n < 1:
        raise ValueError(f"{n_correct} correct of {n} is impossible")
    from scipy.special import betaincinv

    low = 0.0 if n_correct == 0 else float(betaincinv(n_correct, n - n_correct + 1, alpha / 2))
    high = 1.0 if n_correct == n else float(betaincinv(n_correct + 1, n - n_correct, 1 - alpha / 2))
    return low, high


def look_number(n_audit: int) -> int:
    """Return how many looks are due at `n_audit` audit answers: 0 below 30, 1 from 30, 2 from 39, 3 from 51."""
    if n_audit < FIRST_LOOK:
        return 0
    k = int(math.log(n_audit / FIRST_LOOK, LOOK_GROWTH)) + 1
    while FIRST_LOOK * LOOK_GROWTH**k <= n_audit:  # the logarithm may round down
        k += 1
    while FIRST_LOOK * LOOK_GROWTH ** (k - 1) > n_audit:
        k -= 1
    return k


def certified_estimate(
    history: Iterable[tuple[int, int]],
    *,
    level: float = 0.95,
    looks: int | None = PLANNED_LOOKS,
) -> Estimate:
    """Return the newest bound of `certified_path` for a model that was refitted before every entry of `history`."""
    path = certified_path(((n_correct, n, k) for k, (n_correct, n) in enumerate(history)), level=level, looks=looks)
    return path[-1] if path else _nothing_yet(level)


def certified_path(
    history: Iterable[tuple[int, int, Hashable]],
    *,
    level: float = 0.95,
    looks: int | None = PLANNED_LOOKS,
) -> list[Estimate]:
    """Bound the accuracy after each training round, so that all bounds given in a session hold together.

    Audit items were never trained on, hence independent of every model; what costs coverage is looking often. So a bound of a
    new model is made only when the audit has grown by 30 %, and the error is shared among the looks (Clopper-Pearson). A model
    found unchanged at the next look is watched from then on after every answer, with three quarters of the error that is left
    (prior-posterior ratio); no look is spent on it any more. Which of the two it is follows from when models changed, never from
    what the audit says of them: the errors add up to no more than ``1 - level``.

    Parameters
    ----------
    history : iterable of (n_correct, n_audit, model)
        One entry a training round, oldest first: that round's model on the audit items answered by then, and what tells it from
        other models.
    level : float
        Probability that all bounds of the session hold.
    looks : int or None
        Share the error evenly among so many looks and make no more; None: spend error/(k(k+1)) at look k, without
        end.

    Returns
    -------
    list of Estimate
        One an entry: of the model at the newest look; without a value before the first. `method` names the bound.
    """
    left = 1 - level
    made = due = 0
    found: list[Estimate] = []
    estimate = _nothing_yet(level)
    looked: Hashable = None
    watch = 0.0  # error of the sequence that watches the model of the newest look; 0: none does
    for n_correct, n, model in history:
        reached = look_number(n)
        stands = made > 0 and model == looked
        if reached > due:
            due = reached
            if stands and not watch:
                watch = STANDING_SHARE * left
                left -= watch
            elif not stands and (looks is None or made < looks):
                error = left / (made + 2) if looks is None else left / (looks - made)
                left, made, looked, watch = left - error, made + 1, model, 0.0
                low, high = clopper_pearson_interval(n_correct, n, error)
                estimate = Estimate(n_correct / n, low, high, n, f"certified {percent(level)} (Clopper-Pearson)")
        if stands and watch:
            estimate = _watched(estimate, n_correct, n, watch, f"certified {percent(level)} (PPR sequence)")
        found.append(estimate)
    return found


def _watched(before: Estimate, n_correct: int, n: int, error: float, method: str) -> Estimate:
    """Tighten what is certified of a model that stands: all its bounds hold at once, hence their intersection does."""
    low, high = ppr_interval_iid(n_correct, n, level=1 - error)
    if before.low is not None and before.high is not None and max(low, before.low) <= min(high, before.high):
        method = before.method if before.low >= low and before.high <= high else method
        low, high = max(low, before.low), min(high, before.high)
    return Estimate(n_correct / n, low, high, n, method)


def _nothing_yet(level: float) -> Estimate:
    why = f"fewer than {FIRST_LOOK} audit labels: nothing can be certified"
    return Estimate(None, None, None, 0, f"certified {percent(level)}", why)
