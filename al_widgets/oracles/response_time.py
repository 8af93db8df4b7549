"""How long a simulated annotator takes: a shifted log-normal, slower when wrong, when new to the task, when the item is hard.

Who may import it: `al_widgets.oracles` and above. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.oracles.answers import FloatArray


@dataclass(frozen=True)
class ResponseTime:
    """Distribution of an annotator's seconds an answer.

    ``log(t - shift_s)`` is normal around ``log(median_s - shift_s)`` plus the effects below.

    Attributes
    ----------
    median_s : float
        Of a right answer to an average item by a practised annotator.
    spread : float
        Standard deviation of the log.
    shift_s : float
        Nobody answers faster.
    wrong : float
        Added to the log when the answer is wrong or "I cannot tell".
    difficulty : float
        Added to the log for each unit of the item's difficulty (log-odds).
    practice : float
        Added to the log at the first answer; fades with exp(-n / 40).
    limit_s : float
        Longest possible answer; a longer draw is drawn again.
    pause_share, pause_s : float
        Share of answers during which the annotator looks away, and mean seconds of that.
    """

    median_s: float = 2.0
    spread: float = 0.5
    shift_s: float = 0.0
    wrong: float = 0.2
    difficulty: float = 0.0
    practice: float = 0.0
    limit_s: float = float("inf")
    pause_share: float = 0.0
    pause_s: float = 90.0

    def __post_init__(self) -> None:
        """Refuse times that cannot be.

        Raises
        ------
        TaskError
            If the median is not above the shift and below the limit, or a spread or share is impossible.
        """
        if not 0 <= self.shift_s < self.median_s < self.limit_s:
            raise TaskError(
                f"response times need 0 <= shift_s < median_s < limit_s, not {self.shift_s}, {self.median_s}, {self.limit_s}"
            )
        if self.spread < 0 or not 0 <= self.pause_share <= 1:
            raise TaskError(
                f"spread must not be negative and pause_share between 0 and 1, not {self.spread} and {self.pause_share}"
            )

    def draw(self, rng: np.random.Generator, n: int, wrong: bool, difficulty: float) -> float:
        """Draw the seconds of the `n`-th answer (from 0)."""
        centre = np.log(self.median_s - self.shift_s) + self.wrong * wrong + self.difficulty * difficulty
        centre += self.practice * np.exp(-n / 40)
        seconds = self.limit_s
        for _ in range(100):
            seconds = self.shift_s + float(np.exp(centre + self.spread * rng.standard_normal()))
            if seconds < self.limit_s:
                break
        seconds = min(seconds, self.limit_s)
        if self.pause_share and rng.random() < self.pause_share:
            seconds += float(rng.exponential(self.pause_s))
        return seconds


def fit_response_time(
    seconds: npt.ArrayLike, wrong: npt.ArrayLike, number: npt.ArrayLike, difficulty: npt.ArrayLike
) -> ResponseTime:
    """Fit the distribution to real answers.

    Parameters
    ----------
    seconds : array_like (n,)
        Of each answer; NaN is left out.
    wrong : array_like (n,) of bool
    number : array_like (n,) of int
        The annotator's how manieth answer it was, from 0.
    difficulty : array_like (n,)
        Of the item, log-odds; zeros if unknown.

    Returns
    -------
    ResponseTime
        By maximum likelihood: least squares on the log for each of 40 shifts below the fastest answer, the
        best shift kept. Answers beyond three robust standard deviations of the log are taken for pauses and
        left out of the fit.

    Raises
    ------
    TaskError
        With fewer than 20 known times.
    """
    t, bad = np.asarray(seconds, np.float64), np.asarray(wrong, np.float64)
    known = np.isfinite(t) & (t > 0)
    if known.sum() < 20:
        raise TaskError(f"response times cannot be fitted to {int(known.sum())} known times; at least 20 are needed")
    log = np.log(t[known])
    middle = np.median(log)
    usual = log < middle + 3 * 1.4826 * np.median(np.abs(log - middle)) + 1e-9
    pauses = ~usual & (t[known] > 5 * np.exp(middle))
    keep = np.flatnonzero(known)[~pauses]
    t, n = t[keep], len(keep)
    columns = [np.ones(n), bad[keep], np.asarray(difficulty, np.float64)[keep], np.exp(-np.asarray(number)[keep] / 40)]
    # A column that does not vary cannot be told from the constant.
    used = [0] + [k for k in (1, 2, 3) if np.ptp(columns[k]) > 1e-6]
    X = np.column_stack([columns[k] for k in used])
    best: tuple[float, float, FloatArray, float] | None = None
    for shift in np.linspace(0.0, 0.98, 40) * t.min():
        y = np.log(t - shift)
        beta = np.linalg.lstsq(X, y, rcond=None)[0]
        spread = float(np.sqrt(((y - X @ beta) ** 2).sum() / max(n - len(used), 1)))
        likelihood = -n * np.log(max(spread, 1e-9)) - float(y.sum())
        if best is None or likelihood > best[0]:
            best = (likelihood, float(shift), np.asarray(beta, np.float64), spread)
    if best is None:
        raise AssertionError("no shift was tried")
    _, shift, beta, spread = best
    effect = dict(zip(used, map(float, beta), strict=True))
    lost = np.median(t)
    return ResponseTime(
        median_s=shift + float(np.exp(effect[0])),
        spread=spread,
        shift_s=shift,
        wrong=effect.get(1, 0.0),
        difficulty=effect.get(2, 0.0),
        practice=effect.get(3, 0.0),
        pause_share=float(pauses.mean()),
        pause_s=float(np.asarray(seconds, np.float64)[known][pauses].mean() - lost) if pauses.any() else 90.0,
    )
