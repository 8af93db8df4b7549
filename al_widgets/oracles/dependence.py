"""How far the answers to one item go wrong together: a hard item misleads everybody, so ten answers to it are not ten witnesses.

With errors that correlate by ρ within an item, n answers are worth n / (1 + (n - 1) ρ) independent ones (Kish's design effect). ρ is
the value with which the answers to an item foretell one more answer to it best: no truth is needed, and where people err
independently it is 0.

Measured on ten people's answers to 160 silhouettes, without a classifier: with all ten answers confidence .92 instead of .99 where
.84 of the labels are right (log loss .50 instead of 1.61; the best ρ in hindsight gives .45); with five, means of twelve draws, .93
instead of .97 where .84 are (.75 instead of 1.08); with three .91 instead of .94 where .81 are (.85 instead of .99). The fewer
answers, the less they can tell, and what *everybody* takes for the wrong class no answer can show.

Who may import it: `dawid_skene`. Any thread.
"""

from __future__ import annotations

import numpy as np

from al_widgets.oracles.answers import Answers, FloatArray, IntArray
from al_widgets.oracles.evidence import log_softmax

CORRELATIONS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)

LEAST_GAIN = 1.0
"""Log likelihood that a correlation must gain to be believed."""


def error_correlation(messages: FloatArray, answers: Answers, log_prior: FloatArray, weight: FloatArray) -> float:
    """Return the correlation ρ of the errors on an item.

    Parameters
    ----------
    messages : ndarray (n, K)
        log P(answer | class) of each answer.
    answers : Answers
    log_prior : ndarray (n_items, K)
    weight : ndarray (n_items,)
        What the labels of each item count.
    """
    counts = answers.labels_per_item()
    others = counts[answers.item] - answers.is_label
    foretold = answers.is_label & (others > 1)  # one other witness alone weighs the same whatever ρ is
    if not foretold.any():
        return 0.0
    item, own = answers.item[foretold], messages[foretold]
    scaled = messages * np.where(answers.is_label, weight[answers.item], 1.0)[:, None]
    total = np.array(log_prior)
    np.add.at(total, answers.item, scaled)
    rest = total[item] - scaled[foretold]
    gains = [
        float(np.logaddexp.reduce(log_softmax(rest * worth(others[foretold], rho)[:, None]) + own, axis=1).sum())
        for rho in CORRELATIONS
    ]
    best = int(np.argmax(gains))
    return CORRELATIONS[best] if gains[best] > gains[0] + LEAST_GAIN else 0.0


def worth(counts: IntArray, correlation: float) -> FloatArray:
    """Return what an answer is worth beside so many answers to the same item, 1 for an independent witness."""
    return np.asarray(1 / (1 + np.maximum(counts - 1, 0) * correlation), np.float64)


def tempered(posterior: FloatArray, counts: IntArray, correlation: float) -> FloatArray:
    """Return the posterior of items with so many correlated answers: no class changes place, all are less sure."""
    if correlation == 0:
        return posterior
    log_p = np.log(np.maximum(posterior, 1e-300))
    return np.asarray(np.exp(log_softmax(log_p * worth(counts, correlation)[:, None])), np.float64)
