"""How far to trust a classifier that was trained on the very answers it is to judge.

The classifier's scores become the items' class prior, softmax(temperature · score). Calibrating the
temperature to the answers leaves the prior as unsure as the answers are noisy; the marginal likelihood of the
answers does not have that fault, because it allows the answers to be wrong (measured on digits, one answer an
item: .76 by calibration, .97 by evidence). Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
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

NEARLY_CERTAIN = 1e-9
"""Probability left to the other classes of a gold item."""


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
    guesses: FloatArray | None = None,
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
    guesses : ndarray (J, K), optional
        What each annotator says when they do not know; default even.

    Returns
    -------
    PriorChoice

    Notes
    -----
    evidence = Σ_i log Σ_k π_i(k) Π_e P(l_e | k), one accuracy an annotator and block of 150 own labels, what is not known guessed,
    plus the log Beta(4, 1.5) prior of the accuracies. Were guesses taken to be even, two annotators who always press one key would
    be explained best by a classifier that says the same.
    """
    stack = np.asarray(scores, np.float64)
    stack = stack[None] if stack.ndim == 2 else stack
    is_label = answers.is_label
    item, value = answers.item[is_label], answers.value[is_label]
    block = _blocks(answers.annotator[is_label])
    n_classes = stack.shape[-1]
    guess = np.full(len(item), 1 / n_classes) if guesses is None else guesses[answers.annotator[is_label], value]
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
            evidence, accuracy = _log_evidence(log_prior, item, value, guess, block, accuracy, iterations)
            if best is None or evidence > best.evidence:
                best = PriorChoice(log_prior, temperature, number, evidence)
    if best is None:
        raise AssertionError("no temperature was tried")
    say = len(answers.items) / max(FULL_SAY[0], FULL_SAY[1] * stack.shape[-1])
    if say >= 1:
        return best
    log_prior = log_softmax(say * best.log_prior)
    return replace(best, log_prior=log_prior if fixed is None else np.where(np.isnan(fixed), log_prior, fixed))


def fixed_prior(answers: Answers, gold: Mapping[int, int] | None, unjudged: IntArray | None) -> FloatArray | None:
    """Return log priors that override the classifier's, NaN elsewhere; None if there are none."""
    if not gold and (unjudged is None or len(unjudged) == 0):
        return None
    n_classes = len(answers.classes)
    fixed = np.full((len(answers.items), n_classes), np.nan)
    if unjudged is not None:
        fixed[unjudged] = -np.log(n_classes)
    for item, truth in (gold or {}).items():
        fixed[item] = np.log(NEARLY_CERTAIN)
        fixed[item, truth] = np.log1p(-(n_classes - 1) * NEARLY_CERTAIN)
    return fixed


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
    guess: FloatArray,
    block: IntArray,
    start: FloatArray,
    iterations: int,
) -> tuple[float, FloatArray]:
    """Run EM for the accuracies of the blocks under one prior; return the log evidence and the accuracies."""
    n_classes = log_prior.shape[1]
    a0, b0 = PRIOR[0] - 1, PRIOR[1] - 1
    sizes = np.bincount(block, minlength=len(start))
    # Only classes that somebody named differ from one to the next: sums over the others follow from the prior's sum of 1.
    cells, cell = np.unique(item * n_classes + value, return_inverse=True)
    item_of_cell = cells // n_classes
    first = np.flatnonzero(np.diff(item_of_cell, prepend=-1))
    row_of_cell = np.cumsum(np.diff(item_of_cell, prepend=-1) > 0) - 1
    log_prior_of_cell = log_prior.ravel()[cells]
    prior_of_cell = np.exp(log_prior_of_cell)
    chance = 1 / n_classes
    accuracy = start
    knowing = ((accuracy - chance) / (1 - chance))[block]
    posterior_at = prior_of_cell[cell]
    evidence = 0.0
    for _ in range(iterations):
        before = accuracy
        # What was not known was guessed, and of even guesses one in K is right.
        copied = posterior_at * knowing / (knowing + (1 - knowing) * guess)
        accuracy = (np.bincount(block, copied + (1 - copied) * chance, len(start)) + a0) / (sizes + a0 + b0)
        known = (accuracy - chance) / (1 - chance)
        knowing = known[block]
        odds = np.bincount(cell, np.log1p(knowing / ((1 - knowing) * guess)), len(cells))
        top = np.maximum(np.maximum.reduceat(odds, first), 0.0)[row_of_cell]
        named = prior_of_cell * (np.exp(odds - top) - np.exp(-top))
        total = (np.log(np.exp(-top[first]) + np.add.reduceat(named, first)) + top[first])[row_of_cell]
        posterior_at = np.exp(log_prior_of_cell + odds - total)[cell]
        evidence = total[first].sum() + sizes @ np.log(1 - known) + np.log(guess).sum()
        if np.abs(accuracy - before).max() < 1e-3:
            break
    return float(evidence + (a0 * np.log(accuracy) + b0 * np.log(1 - accuracy)).sum()), accuracy
