"""Whether an annotator's accuracy fell at some answer: the odds of a fall against steadiness, from all their answers.

An annotator's run of luck looks like a fall to whoever takes the earlier accuracy for known. Here neither the accuracy before nor the
one after nor the answer of the fall is taken for known: each is summed over its prior, in the hypothesis of a fall and in that of
none (the statistic of Shiryaev 1963, a Bayes factor). Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.oracles.accuracy_path import AccuracyModel
from al_widgets.oracles.answers import FloatArray

HAZARD = 0.01
"""Probability an answer that the annotator turns there."""

SETTLED = 10
"""First answers in which no fall is looked for: a bad beginning is practice."""


@dataclass(frozen=True)
class Fall:
    """What speaks for a fall of one annotator's accuracy.

    Attributes
    ----------
    certainty : float
        Probability that the accuracy fell, if it fell at all or was steady.
    before, after : float
        Expected accuracies, should it have fallen.
    since : float
        Expected number of answers given after the fall.
    """

    certainty: float
    before: float
    after: float
    since: float


def find_fall(emission: FloatArray, block: int, least: float, model: AccuracyModel) -> Fall | None:
    """Weigh a fall of more than `least` against a steady accuracy.

    Parameters
    ----------
    emission : ndarray (s, G)
        Log likelihood of each step of the annotator's answers, given the accuracy.
    block : int
        Answers a step.
    least : float
        Smaller falls do not count.
    model : AccuracyModel
        Grid and prior of the accuracy.

    Returns
    -------
    Fall or None
        None with too few answers to tell before from after.

    Notes
    -----
    odds = Σ_τ h Σ_{a, b < a - least} p(a, b) L(answers up to τ | a) L(answers after τ | b) / Σ_a p(a) L(all answers | a), with h the
    hazard. Under a steady accuracy the odds after t answers exceed c at any time with probability at most about h t / c, however
    often one looks.
    """
    first = -(-SETTLED // block)
    if len(emission) <= first:
        return None
    a, p = model.accuracy, model.prior
    pairs = p[:, None] * p[None, :] * (a[None, :] < a[:, None] - least)
    pairs /= pairs.sum()
    summed = np.cumsum(emission, 0)
    whole = summed[-1].max()
    steady = float(np.log(p @ np.exp(summed[-1] - whole)) + whole)
    left, right = summed[first - 1 : -1], summed[-1] - summed[first - 1 : -1]
    top = left.max(1) + right.max(1)
    left, right = np.exp(left - left.max(1, keepdims=True)), np.exp(right - right.max(1, keepdims=True))
    joint = ((left @ pairs) * right).sum(1) + 1e-300
    log_fell = np.log(joint) + top + np.log(HAZARD * block)
    fell = float(np.logaddexp.reduce(log_fell))
    where = np.exp(log_fell - fell)
    return Fall(
        certainty=float(1 / (1 + np.exp(np.clip(steady - fell, -700, 700)))),
        before=float(where @ ((left * (right @ pairs.T)) @ a / joint)),
        after=float(where @ ((right * (left @ pairs)) @ a / joint)),
        since=float(where @ np.arange(len(where), 0, -1) * block),
    )
