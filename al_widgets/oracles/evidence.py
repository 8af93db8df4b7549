"""How far to trust a classifier that was trained on the very answers it is to judge.

The classifier's scores become the items' class prior, softmax(temperature · score). Calibrating the
temperature to the answers leaves the prior as unsure as the answers are noisy; the marginal likelihood of the
answers does not have that fault, because it allows the answers to be wrong (measured on digits, one answer an
item: .76 by calibration, .97 by evidence). Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.accuracy_path import PRIOR
from al_widgets.oracles.answers import Answers, FloatArray, IntArray

TEMPERATURES = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
"""What is tried; 0 ignores the classifier."""

BLOCK = 150
"""Answers of one annotator that share one accuracy here, so that drift does not bend the temperature."""


FULL_SAY = (100, 12)
"""Items, and items a class, from which on the classifier has its full say; before, its log odds count in proportion.

Few items overrate a classifier: with perfect annotators 5 to 9 % of 20 digits were overruled without this, none with it.
"""


@dataclass(frozen=True)
class PriorChoice:
    """The class prior that explains the answers best.

    Attributes
    ----------
    log_prior : ndarray (n_items, K)
        Normalised.
    temperature : float
    slice : int
        Which of the score matrices (which regularisation) it came from.
    evidence : float
        Log marginal likelihood of the answers, accuracies at their posterior mode.
    """

    log_prior: FloatArray
    temperature: float
    slice: int
    evidence: float


def log_softmax(scores: FloatArray) -> FloatArray:
    """Normalise log weights along the last axis."""
    shifted = scores - scores.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), np.float64)


def choose_prior(
    scores: npt.ArrayLike,
    answers: Answers,
    fixed: FloatArray | None = None,
    near: tuple[int, float] | None = None,
    iterations: int = 15,
) -> PriorChoice:
    """Choose regularisation and temperature by the evidence of the answers.

    Parameters
    ----------
    scores : array_like (n_items, K) or (L, n_items, K)
        Out-of-sample scores of the items, one matrix a regularisation.
    answers : Answers
    fixed : ndarray (n_items, K), optional
        Log prior that overrides the classifier's where it is not NaN (gold items, items the classifier may
        not judge).
    near : (int, float), optional
        An earlier choice (slice, temperature): only its neighbours are tried.
    iterations : int
        EM steps for the accuracies.

    Returns
    -------
    PriorChoice

    Notes
    -----
    evidence = Σ_i log Σ_k π_i(k) Π_e P(l_e | k), one accuracy an annotator and block of 150 own labels, wrong answers
    uniform, plus the log Beta(4, 1.5) prior of the accuracies.
    """
    stack = np.asarray(scores, np.float64)
    stack = stack[None] if stack.ndim == 2 else stack
    is_label = answers.is_label
    item, value = answers.item[is_label], answers.value[is_label]
    block = _blocks(answers.annotator[is_label])
    best: PriorChoice | None = None
    for number, matrix in enumerate(stack):
        if near is not None and abs(number - near[0]) > 1:
            continue
        accuracy = np.full(int(block.max(initial=0)) + 1, 0.7)
        for temperature in TEMPERATURES:
            if near is not None and abs(TEMPERATURES.index(temperature) - TEMPERATURES.index(near[1])) > 1:
                continue
            log_prior = log_softmax(temperature * matrix)
            # A floor keeps one confident mistake from vetoing any number of answers.
            log_prior = log_softmax(np.log(np.exp(log_prior) + 1e-6))
            if fixed is not None:
                log_prior = np.where(np.isnan(fixed), log_prior, fixed)
            evidence, accuracy = _log_evidence(log_prior, item, value, block, accuracy, iterations)
            if best is None or evidence > best.evidence:
                best = PriorChoice(log_prior, temperature, number, evidence)
    if best is None:
        raise AssertionError("no temperature was tried")
    say = len(answers.items) / max(FULL_SAY[0], FULL_SAY[1] * stack.shape[-1])
    if say >= 1:
        return best
    log_prior = log_softmax(say * best.log_prior)
    return replace(best, log_prior=log_prior if fixed is None else np.where(np.isnan(fixed), log_prior, fixed))


def _blocks(annotator: IntArray) -> IntArray:
    """Give numbers to the blocks of `BLOCK` consecutive labels of each annotator."""
    counts = np.bincount(annotator)
    order = np.argsort(annotator, kind="stable")
    own = np.arange(len(annotator)) - np.repeat(np.cumsum(counts) - counts, counts)
    blocks = -(-counts // BLOCK)
    found = np.empty(len(annotator), np.intp)
    found[order] = np.repeat(np.cumsum(blocks) - blocks, counts) + own // BLOCK
    return found


def _log_evidence(
    log_prior: FloatArray,
    item: IntArray,
    value: IntArray,
    block: IntArray,
    start: FloatArray,
    iterations: int,
) -> tuple[float, FloatArray]:
    """Run EM for the accuracies of the blocks under one prior; return the log evidence and the accuracies."""
    n_items, n_classes = log_prior.shape
    a0, b0 = PRIOR[0] - 1, PRIOR[1] - 1
    sizes = np.bincount(block, minlength=len(start))
    # Only classes that somebody named differ from one to the next: sums over the others follow from the prior's sum of 1.
    cells, cell = np.unique(item * n_classes + value, return_inverse=True)
    item_of_cell = cells // n_classes
    first = np.flatnonzero(np.diff(item_of_cell, prepend=-1))
    row_of_cell = np.cumsum(np.diff(item_of_cell, prepend=-1) > 0) - 1
    log_prior_of_cell = log_prior.ravel()[cells]
    prior_of_cell = np.exp(log_prior_of_cell)
    accuracy = start
    posterior_at = prior_of_cell[cell]
    evidence = 0.0
    for _ in range(iterations):
        before = accuracy
        accuracy = (np.bincount(block, posterior_at, len(start)) + a0) / (sizes + a0 + b0)
        wrong = np.log((1 - accuracy) / (n_classes - 1))
        odds = np.bincount(cell, (np.log(accuracy) - wrong)[block], len(cells))
        top = np.maximum(np.maximum.reduceat(odds, first), 0.0)[row_of_cell]
        named = prior_of_cell * (np.exp(odds - top) - np.exp(-top))
        total = (np.log(np.exp(-top[first]) + np.add.reduceat(named, first)) + top[first])[row_of_cell]
        posterior_at = np.exp(log_prior_of_cell + odds - total)[cell]
        evidence = total[first].sum() + sizes @ wrong
        if np.abs(accuracy - before).max() < 1e-3:
            break
    return float(evidence + (a0 * np.log(accuracy) + b0 * np.log(1 - accuracy)).sum()), accuracy
