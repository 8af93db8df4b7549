"""Who does not know the class of an item guesses, and guesses have a taste of their own (Hovy et al. 2013, MACE).

Whoever presses one key whatever they see is right wherever that happens to be true, and teaches nothing. Who may import it:
`al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

import numpy as np

from al_widgets.oracles.answers import FloatArray, IntArray
from al_widgets.oracles.confusion import concentration
from al_widgets.oracles.hard_classes import class_accuracy


def class_knowledge(accuracy: FloatArray, ease: FloatArray) -> FloatArray:
    """Return the chance of knowing, not guessing, an item of each class, (K, G), for annotators with an accuracy (G,).

    Who knows nothing is as good as chance; nobody is taken to be worse.
    """
    chance = 1 / len(ease)
    return np.clip((class_accuracy(accuracy, ease) - chance) / (1 - chance), 0.0, 1.0)


def right_answers(knowing: FloatArray, guesses: FloatArray) -> FloatArray:
    """Return the chance of a right answer to each class, (J, K, G): known, or guessed with the annotator's taste (J, K)."""
    return np.asarray(knowing + (1 - knowing) * guesses[:, :, None], np.float64)


def learn_guesses(annotator: IntArray, value: IntArray, guessed: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Estimate what each annotator says when they do not know, (J, K), drawn towards even as far as all are (M step).

    Parameters
    ----------
    annotator, value : ndarray (n,) of int
        The labels.
    guessed : ndarray (n,)
        Chance that each was a guess, times how much others know of its item: one whom nobody checked may well have seen one class only.
    shape : (int, int)
        Annotators and classes.
    """
    counts = np.zeros(shape)
    np.add.at(counts, (annotator, value), guessed)
    even = np.full(shape, 1 / shape[1])
    weight = concentration(counts, even)
    return np.asarray((counts + weight * even) / (counts.sum(1, keepdims=True) + weight), np.float64)


def by_annotator(rows: FloatArray, matrices: FloatArray, annotator: IntArray) -> FloatArray:
    """Multiply each row (n, p) by the matrix (J, p, q) of its annotator."""
    found = np.empty((len(rows), matrices.shape[2]))
    for number in np.unique(annotator):
        own = annotator == number
        found[own] = rows[own] @ matrices[number]
    return found
