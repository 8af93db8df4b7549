"""Notice when an annotator turns: less accurate, much slower, or rushing. It suggests a break, it never locks anybody out.

Who may import it: the session and above. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.answers import FloatArray
from al_widgets.oracles.dawid_skene import Consensus
from al_widgets.oracles.turning_point import Fall, find_fall

DROP = 0.15
"""A loss of accuracy smaller than this raises no alarm."""

CERTAINTY = 0.99
"""Probability of such a loss at which the alarm is raised; the same of its still going on need only be more than half."""

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
        Expected accuracy of the next answer; that before a fall, had there been one. NaN when too few.
    certainty : float
        Probability that the accuracy has fallen by more than `DROP`, and not stayed the same; NaN with too few answers.
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
    Accuracy: alarm when a fall by more than `DROP` at one of the answers is 99 times as likely as a steady accuracy (`find_fall`) and
    the accuracy is probably still low. In simulated sessions of three annotators a fall from .9 to .5 was found within 120 answers of
    all of them in 8 of 10 and within 300 in all (median 70), and none in 20 stable ones; one from .9 to .7 is often not found.
    """
    return [_advise(result, number) for number in range(len(result.answers.annotators))]


def accuracy_fall(result: Consensus, annotator: int) -> Fall | None:
    """Return what speaks for a fall of an annotator's accuracy by more than `DROP`; None with fewer than `MIN_ANSWERS` labels."""
    if ((result.answers.annotator == annotator) & result.answers.is_label).sum() < MIN_ANSWERS:
        return None
    own = result.chains.annotator == annotator
    return find_fall(result.emission[own], result.chains.block, DROP, result.model)


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
    fall = accuracy_fall(result, number)
    now = float(result.next_accuracy[number])
    pace, z = pace_change(result.answers.elapsed_s[result.answers.annotator == number])
    why = ""
    if fall is not None and fall.certainty > CERTAINTY and _still_low(result, number, fall):
        why = (
            f"the last {fall.since:.0f} answers are less reliable than those before (accuracy about {fall.after:.2f}, "
            f"{fall.before:.2f} before): take a break"
        )
    elif abs(z) > 4 and pace > SLOWER:
        why = f"the last {WINDOW} answers took {pace:.1f} times as long as before: take a break"
    elif abs(z) > 4 and pace < FASTER:
        why = f"the last {WINDOW} answers took {pace:.1f} times as long as before: slow down, or take a break"
    before, certainty = (float("nan"),) * 2 if fall is None else (fall.before, fall.certainty)
    return BreakAdvice(name, bool(why), why, now, before, certainty, pace)


def _still_low(result: Consensus, number: int, fall: Fall) -> bool:
    """Whether the annotator's next answer is probably worse than before the fall by more than `DROP`."""
    return bool(result.coming[number][result.model.accuracy < fall.before - DROP].sum() > 0.5)


def _ranks(values: FloatArray) -> FloatArray:
    """Rank values from 1, ties at their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)
