"""What wrong answers are: where they fall by annotator and true class, and how often "I cannot tell" is said.

Each annotator's confusion is drawn towards everybody's, as their own guesses weigh it, and that is drawn towards even; how strongly,
the answers decide. Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from al_widgets.oracles.answers import Answers, FloatArray, IntArray

CONFUSION_WEIGHT, CONFUSION_WEIGHTS = 2.0, (0.5, 50.0)
"""Pseudo-counts of each wrong class before anything is known of the confusions, and the least and the most of them after."""

UNSURE_WEIGHT = 20.0
"""Pseudo-answers that tie the rate of "I cannot tell" of each class to the annotator's overall rate."""


@dataclass(frozen=True)
class Confusion:
    """What is known of the wrong answers.

    Attributes
    ----------
    shares : ndarray (J, K, K)
        Where wrong answers fall: row true class, column answer; diagonal 0, rows sum to 1.
    wrong : ndarray (J, K, K)
        Expected counts of wrong answers behind it.
    concentrations : (float, float)
        Pseudo-counts a row: of everybody's confusion around even, of each annotator's around everybody's.
    unsure_rate : ndarray (J, K)
        Rate of "I cannot tell" by true class.
    """

    shares: FloatArray
    wrong: FloatArray
    concentrations: tuple[float, float]
    unsure_rate: FloatArray


def even_confusion(answers: Answers) -> Confusion:
    """Return what is assumed before anything is known: wrong answers fall evenly."""
    n_classes, n_annotators = len(answers.classes), len(answers.annotators)
    shares = np.tile((1 - np.eye(n_classes)) / (n_classes - 1), (n_annotators, 1, 1))
    unsure_rate = np.full((n_annotators, n_classes), 0.0 if answers.is_label.all() else 0.05)
    weight = CONFUSION_WEIGHT * (n_classes - 1)
    return Confusion(shares, np.zeros_like(shares), (weight, weight), unsure_rate)


def confusion_without_self(
    confusion: Confusion, guesses: FloatArray, own: FloatArray, annotator: IntArray, value: IntArray
) -> FloatArray:
    """Return P(answer | class, it is wrong) of each answer, from all other answers; (n, K), 0 at the answer.

    `guesses` (J, K) is what annotators say when they do not know, `own` (n, K) what each answer itself added to the counts.
    """
    n_classes = own.shape[1]
    everybody, weight, own_weight = confusion.wrong.sum(0), *confusion.concentrations
    uniform = weight / (n_classes - 1)
    pooled = (np.maximum(everybody.T[value] - own, 0) + uniform) / (np.maximum(everybody.sum(1) - own, 0) + weight)
    pooled *= guesses[annotator, value, None] / (guesses @ _everybodys(everybody, weight).T)[annotator]
    counts, totals = confusion.wrong[annotator, :, value], confusion.wrong.sum(2)[annotator]
    spread = (np.maximum(counts - own, 0) + own_weight * pooled) / (np.maximum(totals - own, 0) + own_weight)
    spread[np.arange(len(value)), value] = 0.0
    return np.asarray(spread, np.float64)


def certainty(belief: FloatArray) -> FloatArray:
    """Return how much is known of each item: 1 for a certain class, 0 for all classes alike (1 - entropy / log K)."""
    entropy = -(belief * np.log(np.maximum(belief, 1e-300))).sum(1)
    return np.asarray(np.clip(1 - entropy / np.log(belief.shape[1]), 0.0, 1.0), np.float64)


def _everybodys(wrong: FloatArray, weight: float) -> FloatArray:
    """Return where everybody's wrong answers fall, (K, K), from their counts and the pseudo-counts of even ones."""
    even = (1 - np.eye(len(wrong))) / max(len(wrong) - 1, 1)
    return np.asarray((wrong + weight * even) / (wrong.sum(1, keepdims=True) + weight), np.float64)


def learn_confusion(
    before: Confusion, guesses: FloatArray, answers: Answers, posterior: FloatArray, known: FloatArray
) -> Confusion:
    """Re-estimate where wrong answers fall and how often "I cannot tell" is said (M step).

    An answer teaches about confusion only as far as others know the item: otherwise an annotator whom nobody
    checked, with 9 of 10 answers the same, would seem to give that answer whatever they see.
    """
    n_annotators, n_classes = len(answers.annotators), len(answers.classes)
    labels = answers.is_label
    counts = np.zeros((n_annotators, n_classes, n_classes))
    np.add.at(
        counts,
        (answers.annotator[labels, None], np.arange(n_classes), answers.value[labels, None]),
        posterior[answers.item[labels]] * known[:, None],
    )
    diagonal = np.arange(n_classes)
    answered = counts.sum(2)
    counts[:, diagonal, diagonal] = 0.0
    even = (1 - np.eye(n_classes)) / max(n_classes - 1, 1)
    everybody = counts.sum(0)
    weight = concentration(everybody, even)
    drawn_to = guesses[:, None, :] * _everybodys(everybody, weight)
    drawn_to /= drawn_to.sum(2, keepdims=True)
    own_weight = concentration(counts.reshape(-1, n_classes), drawn_to.reshape(-1, n_classes))
    shares = (counts + own_weight * drawn_to) / (counts.sum(2, keepdims=True) + own_weight)
    found = Confusion(shares, counts, (weight, own_weight), before.unsure_rate)
    if labels.all():
        return found
    unsure = np.zeros((n_annotators, n_classes))
    belief = posterior[answers.item[~labels]]
    np.add.at(unsure, answers.annotator[~labels], belief * certainty(belief)[:, None])
    said = np.bincount(answers.annotator[~labels], minlength=n_annotators)
    overall = (said + 0.5) / (np.bincount(answers.annotator, minlength=n_annotators) + 1.0)
    return replace(found, unsure_rate=(unsure + UNSURE_WEIGHT * overall[:, None]) / (unsure + answered + UNSURE_WEIGHT))


def concentration(counts: FloatArray, shares: FloatArray) -> float:
    """Return the pseudo-counts of a Dirichlet prior around expected shares, by how far rows of counts lie from them.

    Moments of the Dirichlet-multinomial: with m answers a row, χ² of a degree of freedom is 1 + (m - 1) / (1 + pseudo-counts).
    """
    wrong_classes = float(counts.shape[1] - 1)
    least, most = CONFUSION_WEIGHTS[0] * wrong_classes, CONFUSION_WEIGHTS[1] * wrong_classes
    totals = counts.sum(1)
    expected = totals[:, None] * shares
    cells, rows = expected > 0, totals > 0
    freedom = int(cells.sum() - rows.sum())
    if freedom < 1:
        return CONFUSION_WEIGHT * wrong_classes
    excess = float(((counts - expected)[cells] ** 2 / expected[cells]).sum()) / freedom - 1
    size = float(totals[rows].mean()) - 1
    return most if excess <= 0 else min(max((size - excess) / excess, least), most)
