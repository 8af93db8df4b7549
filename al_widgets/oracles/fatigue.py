"""Notice when an annotator turns: less accurate, much slower, or rushing. It suggests a break, it never locks anybody out.

Who may import it: the session and above. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.answers import FloatArray
from al_widgets.oracles.dawid_skene import Consensus

DROP = 0.15
"""A loss of accuracy smaller than this raises no alarm."""

CERTAINTY = 0.9
"""Probability of such a loss at which the alarm is raised."""

MIN_ANSWERS = 30
"""Answers of an annotator before anything is said about them."""

WINDOW = 20
"""Newest answers whose pace is compared with the earlier ones."""

SLOWER, FASTER = 1.5, 0.6
"""Pace that counts as turned, as a multiple of the earlier median."""


@dataclass(frozen=True)
class BreakAdvice:
    """Whether an annotator should pause.

    Attributes
    ----------
    annotator : str
    suggested : bool
    why : str
        One sentence with the figures; empty if no break is suggested.
    accuracy, before : float
        Expected accuracy of the next answer; mean over the first half of the answers. NaN when too few.
    certainty : float
        Probability that the accuracy has fallen by more than `DROP`.
    pace : float
        Median seconds of the newest answers over that of the earlier ones; NaN when unknown.
    """

    annotator: str
    suggested: bool
    why: str
    accuracy: float
    before: float
    certainty: float
    pace: float


def advise_breaks(result: Consensus) -> list[BreakAdvice]:
    """Judge every annotator of a fit.

    Parameters
    ----------
    result : Consensus
        Best fitted with ``jump=0.01``, which finds a sudden drop sooner.

    Returns
    -------
    list of BreakAdvice
        In the order of ``result.answers.annotators``.

    Notes
    -----
    Accuracy: alarm when P(next accuracy < before - 0.15) > 0.9, where `before` is the mean smoothed accuracy over the first half
    of the annotator's answers. A fall from .9 to .5 is found within about 60 answers of all annotators; one from .9 to .7
    often is not.
    """
    return [_advise(result, number) for number in range(len(result.answers.annotators))]


def accuracy_drop(result: Consensus, annotator: int) -> tuple[float, float]:
    """Return the baseline accuracy of an annotator and the probability that it has fallen by more than `DROP`.

    Both are NaN with fewer than `MIN_ANSWERS` labels.
    """
    own = result.accuracy[(result.answers.annotator == annotator) & result.answers.is_label]
    if len(own) < MIN_ANSWERS:
        return float("nan"), float("nan")
    before = float(own[: len(own) // 2].mean())
    return before, float(result.coming[annotator][result.model.accuracy < before - DROP].sum())


def pace_change(elapsed_s: npt.ArrayLike) -> tuple[float, float]:
    """Compare the newest answers' seconds with the earlier ones.

    Parameters
    ----------
    elapsed_s : array_like (n,)
        Seconds of one annotator's answers in time order; NaN is left out.

    Returns
    -------
    ratio : float
        Median of the newest `WINDOW` over the median of the earlier ones, the first ten (practice) left out.
    z : float
        Of the rank-sum test between the two, positive when slower. NaN, as `ratio`, with too few answers.
    """
    seconds = np.asarray(elapsed_s, np.float64)
    seconds = seconds[np.isfinite(seconds) & (seconds > 0)]
    earlier, newest = seconds[10:-WINDOW], seconds[-WINDOW:]
    if len(seconds) < 10 + MIN_ANSWERS or len(earlier) < WINDOW:
        return float("nan"), float("nan")
    ranks = _ranks(np.concatenate([earlier, newest]))
    m, n = len(newest), len(earlier)
    expected, variance = m * (m + n + 1) / 2, m * n * (m + n + 1) / 12
    z = (ranks[n:].sum() - expected) / np.sqrt(variance)
    return float(np.median(newest) / np.median(earlier)), float(z)


def _advise(result: Consensus, number: int) -> BreakAdvice:
    name = result.answers.annotators[number]
    before, certainty = accuracy_drop(result, number)
    now = float(result.next_accuracy[number])
    pace, z = pace_change(result.answers.elapsed_s[result.answers.annotator == number])
    why = ""
    if certainty > CERTAINTY:
        why = f"the answers have become less reliable (accuracy about {now:.2f}, {before:.2f} before): take a break"
    elif abs(z) > 4 and pace > SLOWER:
        why = f"the last {WINDOW} answers took {pace:.1f} times as long as before: take a break"
    elif abs(z) > 4 and pace < FASTER:
        why = f"the last {WINDOW} answers took {pace:.1f} times as long as before: slow down, or take a break"
    return BreakAdvice(name, bool(why), why, now, before, certainty, pace)


def _ranks(values: FloatArray) -> FloatArray:
    """Rank values from 1, ties at their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)
