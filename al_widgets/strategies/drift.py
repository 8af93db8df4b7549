"""Has the stream changed? Adaptive windowing over the model's errors. Pure functions; any thread.

Reference: Bifet and Gavaldà, Learning from time-changing data with adaptive windowing, SDM 2007, equation 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST = 8
"""Answers needed on either side of a change."""


def change_point(errors: Sequence[float], confidence: float = 0.998) -> int | None:
    """Return from which answer on the model errs more often than before; None if nothing speaks for a change.

    Every cut of the sequence is looked at: at the true one the older mean and the newer mean differ by more than
    ``sqrt(2/m · v · ln(2/δ')) + 2/(3m) · ln(2/δ')``, where m is the harmonic mean of both lengths, v the variance of all and
    δ' the error probability divided by the number of cuts. Of the cuts that do, the one with the largest surplus is returned.

    Parameters
    ----------
    errors : sequence of float (n,)
        0 where the model's prediction made before the answer was right, 1 where it was wrong; oldest first.
    confidence : float
        Probability with which no change is reported where there is none.

    Examples
    --------
    >>> change_point([0] * 40 + [1] * 15)
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
    harmonic = 1 / (1 / cuts + 1 / (n - cuts))
    logarithm = np.log(2 * n / (1 - confidence))
    bound = np.sqrt(2 / harmonic * values.var() * logarithm) + 2 / (3 * harmonic) * logarithm
    surplus = newer - older - bound
    best = int(surplus.argmax())
    return int(cuts[best]) if surplus[best] > 0 else None
