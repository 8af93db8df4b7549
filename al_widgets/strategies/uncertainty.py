"""Uncertainty of a prediction: least confidence, margin, ratio, entropy. Pure functions of probabilities.

References
----------
Lewis and Gale, A sequential algorithm for training text classifiers, SIGIR 1994 (least confidence);
Scheffer et al., Active hidden Markov models for information extraction, IDA 2001 (margin);
Settles, Active learning literature survey, 2009, §3.1 (ratio, entropy).
"""

from __future__ import annotations

import numpy as np

from al_widgets.strategies.base import FloatArray, IntArray


def two_largest(probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest and second largest of each row, shape (m,) each; the second is 0 for one class.

    One pass over the columns: for few classes much faster than sorting each row.
    """
    columns = np.ascontiguousarray(probabilities.T)
    first = columns[0].copy()
    second = np.zeros_like(first) if len(columns) == 1 else np.full_like(first, -np.inf)
    lower = np.empty_like(first)
    for column in columns[1:]:
        np.minimum(first, column, out=lower)
        np.maximum(second, lower, out=second)
        np.maximum(first, column, out=first)
    return first, second


def likeliest(probabilities: FloatArray) -> IntArray:
    """Return the first class of the largest probability of each row, shape (m,), as ``argmax(axis=1)`` but by columns."""
    columns = np.ascontiguousarray(probabilities.T)
    first = columns[0].copy()
    which = np.zeros(len(first), np.intp)
    for c, column in enumerate(columns[1:], start=1):
        np.copyto(which, c, where=column > first)
        np.maximum(first, column, out=first)
    return which


def largest(probabilities: FloatArray) -> FloatArray:
    """Return the largest probability of each row, shape (m,), as ``max(axis=1)`` but by columns."""
    columns: FloatArray = np.ascontiguousarray(probabilities.T)
    best: FloatArray = columns.max(axis=0)
    return best


def least_confidence(probabilities: FloatArray) -> FloatArray:
    """Return 1 − max p, between 0 and 1 − 1/K; shape (m,)."""
    return 1 - largest(probabilities)


def margin(probabilities: FloatArray) -> FloatArray:
    """Return 1 − (p₁ − p₂) of the two likeliest classes, between 0 and 1; shape (m,)."""
    first, second = two_largest(probabilities)
    uncertain: FloatArray = 1 - (first - second)
    return uncertain


def ratio(probabilities: FloatArray) -> FloatArray:
    """Return p₂ / p₁ of the two likeliest classes, between 0 and 1; shape (m,)."""
    first, second = two_largest(probabilities)
    tiny = np.finfo(first.dtype).tiny
    quotient: FloatArray = second / np.maximum(first, tiny)
    return quotient


def entropy(probabilities: FloatArray) -> FloatArray:
    """Return −Σ p ln p in nats, between 0 and ln K; 0 ln 0 is 0; shape (m,)."""
    tiny = np.finfo(probabilities.dtype).tiny
    logarithm = np.log(np.maximum(probabilities, tiny))
    total: FloatArray = -np.einsum("ij,ij->i", probabilities, logarithm)
    return total
