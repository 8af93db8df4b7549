"""Accuracy on the audit reserve, with the interval that fits what is known.

Pure functions; anybody above the records may import them. Only answers to audit items may be given to them: answers to
items that a strategy chose measure the strategy, not the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Estimate

FloatArray = npt.NDArray[np.floating[Any]]

MIN_AUDIT = 20
"""Audit answers below which no accuracy is given: the 95 % interval would be wider than 0.35 at an accuracy of 0.8."""

PPI_MIN_AUDIT, PPI_MIN_ERRORS = 50, 10
"""From how many audit answers and errors on `ppi_estimate` trusts its own variance."""


def percent(level: float) -> str:
    """Return ``"95 %"`` for 0.95."""
    return f"{100 * level:g} %"


def wilson_interval(n_correct: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Parameters
    ----------
    n_correct, n : float
        Successes and trials, ``n > 0``.
    level : float
        Coverage for one look at one proportion; who looks after every answer needs `ppr_interval`.

    Returns
    -------
    low, high : float

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    p = n_correct / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At 0 and n the interval ends there exactly; rounding would leave 1e-17.
    return (0.0 if n_correct == 0 else max(0.0, centre - half)), (1.0 if n_correct == n else min(1.0, centre + half))


def audit_estimate(correct: npt.ArrayLike, *, minimum: int = MIN_AUDIT, level: float = 0.95) -> Estimate:
    """Estimate the accuracy of a model from the audit items answered so far.

    Parameters
    ----------
    correct : array_like (n,) of bool or float
        Whether the model was right, one entry an answered audit item; NaN entries are left out.
    minimum : int
        Answers below which no figure is given.
    level : float

    Returns
    -------
    Estimate
        Without a value, and with `why`, below `minimum`.
    """
    y = np.asarray(correct, dtype=float).ravel()
    y = y[~np.isnan(y)]
    n, method = int(y.size), f"Wilson {percent(level)}"
    if n < minimum:
        answers = f"{n} audit label{'' if n == 1 else 's'}"
        return Estimate(None, None, None, n, method, f"{answers}: too few, {minimum} are needed")
    n_correct = float(y.sum())
    low, high = wilson_interval(n_correct, n, level)
    return Estimate(n_correct / n, low, high, n, method)


def ppi_estimate(
    correct: npt.ArrayLike,
    confidence: npt.ArrayLike,
    unanswered_confidence: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> Estimate:
    """Estimate the accuracy with the help of the model's confidence in the unanswered part of the reserve (PPI++).

    Parameters
    ----------
    correct : array_like (n,)
        Whether the model was right on each answered audit item.
    confidence : array_like (n,)
        Its largest probability on those items.
    unanswered_confidence : array_like (N,)
        Its largest probability on the audit items not answered yet.
    level : float

    Returns
    -------
    Estimate
        PPI++ from 50 answers with 10 errors (and 10 hits) on, `audit_estimate` before: a normal interval with few
        errors covers too little.

    References
    ----------
    Angelopoulos, Duchi and Zrnic, "PPI++: Efficient prediction-powered inference", 2023, eq. 7 and prop. 2.
    """
    y, f = np.asarray(correct, dtype=float).ravel(), np.asarray(confidence, dtype=float).ravel()
    u = np.asarray(unanswered_confidence, dtype=float).ravel()
    if y.shape != f.shape:
        raise ValueError(f"correct and confidence must be of one length, not {y.size} and {f.size}")
    n, n_more = y.size, u.size
    wrong = float(n - y.sum())
    if n < PPI_MIN_AUDIT or not PPI_MIN_ERRORS <= wrong <= n - PPI_MIN_ERRORS or n_more < 2:
        return audit_estimate(y, level=level)
    var_f = float(np.var(np.concatenate([f, u]), ddof=1))
    cov = float(np.cov(y, f)[0, 1])
    lam = float(np.clip(cov / ((1 + n / n_more) * var_f), 0, 1)) if var_f > 0 else 0.0
    value = lam * float(u.mean()) + float((y - lam * f).mean())
    se = math.sqrt(lam**2 * float(u.var(ddof=1)) / n_more + float((y - lam * f).var(ddof=1)) / n)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    low, high = max(0.0, value - z * se), min(1.0, value + z * se)
    return Estimate(min(1.0, max(0.0, value)), low, high, n, f"PPI++ {percent(level)}")


def correct_for_annotator(agreement: Estimate, annotator_accuracy: float, n_classes: int) -> Estimate:
    """Turn agreement with one noisy annotator into accuracy.

    The model is right with probability θ, the annotator with probability a, errors independent and evenly spread:
    agreement r = θa + (1 - θ)e with e = (1 - a)/(K - 1), so θ = (r - e)/(a - e). Wrong where both err on the same
    hard items: then prefer a second annotator.

    Parameters
    ----------
    agreement : Estimate
        Share of audit answers the model agrees with.
    annotator_accuracy : float
        Above chance, at most 1.
    n_classes : int
        At least 2.
    """
    chance = (1 - annotator_accuracy) / (n_classes - 1)
    gain = annotator_accuracy - chance
    if gain <= 0:
        why = f"the annotator is right in {annotator_accuracy:.0%} of the answers, no better than chance"
        return Estimate(None, None, None, agreement.n, agreement.method, why)
    if agreement.value is None or agreement.low is None or agreement.high is None:
        return agreement
    value, low, high = (
        min(1.0, max(0.0, (x - chance) / gain)) for x in (agreement.value, agreement.low, agreement.high)
    )
    return Estimate(
        value, low, high, agreement.n, f"{agreement.method}, if {annotator_accuracy:.0%} of the answers are right"
    )


def chance_accuracy(n_classes: int) -> float:
    """Return the accuracy of guessing evenly among `n_classes` classes."""
    if n_classes < 1:
        raise ValueError(f"there is no chance level for {n_classes} classes")
    return 1 / n_classes


def majority_share(
    labels: Sequence[Any] | npt.NDArray[Any], *, minimum: int = MIN_AUDIT, level: float = 0.95
) -> Estimate:
    """Estimate the accuracy of always answering the commonest class, from the labels of audit items.

    Parameters
    ----------
    labels : sequence (n,)
        Labels of the answered audit items: a random sample, unlike all labels.
    minimum : int
        Labels below which no figure is given.
    level : float

    Returns
    -------
    Estimate
        Slightly too high for few labels, as the commonest class is found in the same sample.
    """
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    n = int(counts.sum())
    return audit_estimate(np.arange(n) < (counts.max() if n else 0), minimum=minimum, level=level)
