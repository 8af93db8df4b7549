"""Has the stream changed? A generalised likelihood-ratio test on the model's errors. Pure functions; any thread.

Reference: Besson, Kaufmann, Maillard and Seznec, Efficient change-point detection for tackling piecewise-stationary bandits, JMLR 23
(2022), the Bernoulli GLR test with the threshold ``ln(3 n^1.5 / δ)``: it may be looked at after every answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

LEAST = 5
"""Answers needed on either side of a change."""


def change_point(errors: Sequence[float] | npt.NDArray[np.floating], confidence: float = 0.95) -> int | None:
    """Return from which answer on the model errs more often than before; None if nothing speaks for a change.

    Every cut into older and newer answers is compared with no cut: ``n0 · kl(p0, p) + n1 · kl(p1, p)``, with the error rates of both
    parts and of all. The best cut is returned if it is better than the threshold and the newer rate is the higher one.

    Parameters
    ----------
    errors : sequence of float (n,)
        0 where the model's prediction made before the answer was right, 1 where it was wrong; oldest first.
    confidence : float
        Probability with which no change is ever reported where there is none.

    Examples
    --------
    >>> change_point([0] * 40 + [1] * 8)
    40
    >>> change_point([0, 1] * 30) is None
    True
    """
    values = np.asarray(errors, np.float64)
    n = len(values)
    if n < 2 * LEAST:
        return None
    cuts = np.arange(LEAST, n - LEAST + 1)
    sums = np.cumsum(values)
    older = sums[cuts - 1] / cuts
    newer = (sums[-1] - sums[cuts - 1]) / (n - cuts)
    all_ = np.full(len(cuts), sums[-1] / n)
    ratio = cuts * _divergence(older, all_) + (n - cuts) * _divergence(newer, all_)
    ratio[newer <= older] = -np.inf
    best = int(ratio.argmax())
    return int(cuts[best]) if ratio[best] > np.log(3 * n**1.5 / (1 - confidence)) else None


def _divergence(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return kl(p, q) of Bernoulli rates in nats; 0 ln 0 is 0."""
    from scipy.special import rel_entr

    total: npt.NDArray[np.float64] = rel_entr(p, q) + rel_entr(1 - p, 1 - q)
    return total
