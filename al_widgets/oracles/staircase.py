"""An annotator's detection threshold: how strong an injected target must be to be seen.

A grid posterior over a psychometric function; the next target is as strong as the threshold is thought to be,
where a yes or no tells most about it (a Bayesian staircase: Watson & Pelli 1983, QUEST). Who may import it:
the session and above. Any thread; an estimate is never changed, an answer gives a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.answers import FloatArray
from al_widgets.records import Estimate


def psychometric(
    amplitude: npt.ArrayLike, threshold: npt.ArrayLike, width: npt.ArrayLike, guess: npt.ArrayLike, lapse: npt.ArrayLike
) -> FloatArray:
    """Return the probability of a yes: γ + (1 - γ - λ) / (1 + exp(-(s - μ) / σ)).

    Parameters
    ----------
    amplitude, threshold : array_like
        Strength of the target and the strength seen half of the time, in dB.
    width : array_like
        Slope, dB.
    guess, lapse : array_like
        Probability of a yes without a target, and of a no to an obvious one.
    """
    s, mu, sigma = np.asarray(amplitude, np.float64), np.asarray(threshold), np.asarray(width)
    gamma, lam = np.asarray(guess), np.asarray(lapse)
    return np.asarray(gamma + (1 - gamma - lam) / (1 + np.exp(-(s - mu) / sigma)), np.float64)


@dataclass(frozen=True)
class Staircase:
    """What is known of one annotator's threshold.

    Attributes
    ----------
    thresholds, widths, guesses, lapses : ndarray
        The grid.
    weights : ndarray (len(thresholds), len(widths), len(guesses), len(lapses))
        Posterior on it, sums to 1.
    n : int
        Answers so far.
    """

    thresholds: FloatArray
    widths: FloatArray
    guesses: FloatArray
    lapses: FloatArray
    weights: FloatArray
    n: int = 0

    @classmethod
    def start(cls, low: float = -20.0, high: float = 4.0) -> Staircase:
        """Begin with a flat threshold between two amplitudes, in dB relative to the background's RMS.

        Raises
        ------
        ValueError
            If `low` is not below `high`.
        """
        if not low < high:
            raise ValueError(f"the lowest amplitude must be below the highest, not {low} and {high}")
        grid = (
            np.linspace(low, high, 49),
            np.array([0.5, 1.0, 2.0, 3.0, 4.5]),
            np.array([0.02, 0.1, 0.2]),
            np.array([0.02, 0.08]),
        )
        weights = np.full([len(g) for g in grid], 1 / np.prod([len(g) for g in grid]))
        return cls(*grid, weights)

    @property
    def next_amplitude(self) -> float:
        """How strong the next target should be: the posterior mean of the threshold, in dB."""
        return float(self.weights.sum((1, 2, 3)) @ self.thresholds)

    def answered(self, amplitude: float | None, seen: bool) -> Staircase:
        """Take in an answer.

        Parameters
        ----------
        amplitude : float or None
            Of the injected target, dB; None for a catch trial without a target.
        seen : bool
            Whether the annotator saw a target. Count "cannot tell" as not seen.
        """
        grid = np.ix_(self.thresholds, self.widths, self.guesses, self.lapses)
        yes = grid[2] if amplitude is None else psychometric(amplitude, *grid)
        weights = self.weights * (yes if seen else 1 - yes)
        return replace(self, weights=weights / weights.sum(), n=self.n + 1)

    def threshold(self, level: float = 0.9) -> Estimate:
        """Return the amplitude that is seen half of the time, with its credible interval, in dB."""
        marginal = self.weights.sum((1, 2, 3))
        cumulative = np.cumsum(marginal)
        low, high = np.interp([(1 - level) / 2, (1 + level) / 2], cumulative, self.thresholds)
        return Estimate(
            self.next_amplitude, float(low), float(high), self.n, f"staircase, {100 * level:.0f} % credible"
        )

    def chance_of_seeing(self, amplitude: float) -> float:
        """Return the probability that a target of this strength is seen, dB."""
        grid = np.ix_(self.thresholds, self.widths, self.guesses, self.lapses)
        return float((self.weights * psychometric(amplitude, *grid)).sum())

    def curve(self, amplitudes: npt.ArrayLike, level: float = 0.9) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the chance of seeing targets of some strengths, dB, and the credible band in which it lies, low and high."""
        grid = np.ix_(self.thresholds, self.widths, self.guesses, self.lapses)
        weights = self.weights.ravel()
        rows = np.zeros((3, np.size(amplitudes)))
        for n, amplitude in enumerate(np.ravel(amplitudes)):
            chances = psychometric(amplitude, *grid).ravel()
            order = chances.argsort()
            cumulative = np.cumsum(weights[order])
            rows[:, n] = (
                float(weights @ chances),
                *np.interp([(1 - level) / 2, (1 + level) / 2], cumulative, chances[order]),
            )
        return rows[0], rows[1], rows[2]
