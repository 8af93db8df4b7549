"""A hidden Markov model of one number: how accurate an annotator is at each of their answers.

Accuracy lives on a grid that is even in log-odds. From answer to answer it takes a small random step
(fatigue, practice) and rarely jumps anywhere (a new person at the keyboard, a misread instruction). Who may
import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from al_widgets.oracles.answers import FloatArray, IntArray

PRIOR = (4.0, 1.5)
"""Beta prior of an unknown annotator's accuracy; its mean is .73."""

MAX_STEPS = 250
"""Longest chain; longer ones are cut into blocks of answers with one accuracy each."""

RESCALE_EVERY = 8
"""Steps after which the smoothing rescales its products: often enough that they never underflow, no oftener because it takes time."""


@dataclass(frozen=True)
class AccuracyModel:
    """Grid, prior and transition of the accuracy.

    Attributes
    ----------
    accuracy : ndarray (G,)
        From chance level to .995, even in log-odds.
    prior : ndarray (G,)
        Beta(4, 1.5) on the grid; sums to 1.
    transition : ndarray (G, G)
        From one answer to the next; rows sum to 1.
    """

    accuracy: FloatArray
    prior: FloatArray
    transition: FloatArray


@lru_cache(maxsize=64)
def accuracy_model(n_classes: int, drift: float = 0.06, jump: float = 0.002, size: int = 40) -> AccuracyModel:
    """Build the model.

    Parameters
    ----------
    n_classes : int
        At least 2; sets the lower end of the grid, 1 / n_classes.
    drift : float
        Standard deviation of the random step a label, in log-odds. 0 and ``jump=0``: accuracy never changes.
    jump : float
        Probability a label of a sudden change to anywhere. 0.01 finds a drop sooner, 0.002 gives smoother
        paths.
    size : int
        Points of the grid.
    """
    low = 1 / n_classes
    logit = np.linspace(np.log(low / (1 - low)), np.log(0.995 / 0.005), size)
    accuracy = 1 / (1 + np.exp(-logit))
    # d(accuracy) = a (1 - a) d(logit) turns the Beta density into weights on a grid that is even in log-odds.
    prior = accuracy ** PRIOR[0] * (1 - accuracy) ** PRIOR[1]
    prior /= prior.sum()
    step = np.eye(size)
    # Steps far below the grid's spacing never leave a point (and their square underflows).
    if drift > 1e-6:
        step = np.exp(-0.5 * ((logit[:, None] - logit[None, :]) / drift) ** 2)
        step /= step.sum(1, keepdims=True)
    return AccuracyModel(accuracy, prior, (1 - jump) * step + jump * prior[None, :])


@dataclass(frozen=True)
class Chains:
    """How answers are laid out as chains, one an annotator.

    Attributes
    ----------
    order : ndarray (n,) of int
        Answers sorted by annotator, then time.
    starts : ndarray (s,) of int
        Where in that order each step begins.
    annotator, step : ndarray (s,) of int
        Of each step.
    of_answer : ndarray (n,) of int
        Step of each answer, in the answers' own order.
    lengths : ndarray (J,) of int
        Steps of each annotator.
    block : int
        Answers a step.
    """

    order: IntArray
    starts: IntArray
    annotator: IntArray
    step: IntArray
    of_answer: IntArray
    lengths: IntArray
    block: int


def lay_out_chains(annotator: IntArray, n_annotators: int) -> Chains:
    """Lay out answers, given in time order, as chains of at most `MAX_STEPS` steps."""
    n = len(annotator)
    counts = np.bincount(annotator, minlength=n_annotators)
    block = max(1, -(-int(counts.max(initial=0)) // MAX_STEPS))
    order = np.argsort(annotator, kind="stable")
    own = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    step = own // block
    starts = np.flatnonzero(own % block == 0)
    of_answer = np.empty(n, np.intp)
    of_answer[order] = np.cumsum(own % block == 0) - 1
    return Chains(order, starts, annotator[order][starts], step[starts], of_answer, -(-counts // block), block)


def forward_backward(emission: FloatArray, chains: Chains, model: AccuracyModel) -> tuple[FloatArray, FloatArray]:
    """Smooth all annotators' chains at once (Rabiner 1989, eqs. 19-27).

    Parameters
    ----------
    emission : ndarray (s, G)
        Log likelihood of the answers of each step, given the accuracy.
    chains : Chains
    model : AccuracyModel

    Returns
    -------
    smoothed : ndarray (s, G)
        Posterior of the accuracy at each step, from all answers.
    coming : ndarray (J, G)
        Predicted accuracy at each annotator's next answer; the prior for one without answers.
    """
    n_chains, size = len(chains.lengths), len(model.accuracy)
    longest = int(chains.lengths.max(initial=0))
    transition = np.linalg.matrix_power(model.transition, chains.block) if chains.block > 1 else model.transition
    # Steps beyond the end of a chain say nothing (likelihood 1) and so change nothing before them.
    likelihood = np.ones((longest, n_chains, size))
    likelihood[chains.step, chains.annotator] = np.exp(emission - emission.max(1, keepdims=True))
    # Both directions are one recursion, the second through reversed time: ahead[t] is what all steps before t say of step t.
    both_ways = np.stack([likelihood, likelihood[::-1]], 1)
    steps = np.stack([transition, transition.T])
    ahead = np.ones((longest + 1, 2, n_chains, size))
    ahead[0, 0] = model.prior
    product = np.empty(ahead.shape[1:])
    for t in range(longest):
        np.multiply(ahead[t], both_ways[t], out=product)
        if t % RESCALE_EVERY == 0:
            product /= product.sum(2, keepdims=True)
        np.matmul(product, steps, out=ahead[t + 1])
    smoothed = ahead[:longest, 0] * likelihood * ahead[:longest, 1][::-1]
    smoothed /= smoothed.sum(2, keepdims=True)
    coming = ahead[chains.lengths, 0, np.arange(n_chains)]
    return smoothed[chains.step, chains.annotator], coming / coming.sum(1, keepdims=True)


def quantiles(weights: FloatArray, accuracy: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """Read quantiles off distributions on the grid, linear in log-odds within a cell.

    Parameters
    ----------
    weights : ndarray (n, G)
        Each row sums to 1.
    accuracy : ndarray (G,)
    levels : tuple of float

    Returns
    -------
    ndarray (n, len(levels))
    """
    logit = np.log(accuracy / (1 - accuracy))
    half = (logit[1] - logit[0]) / 2
    edges = np.concatenate([logit - half, [logit[-1] + half]])
    cumulative = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, 1)], 1)
    found = np.empty((len(weights), len(levels)))
    for column, level in enumerate(levels):
        right = np.clip((cumulative < level).sum(1), 1, len(accuracy))
        rows = np.arange(len(weights))
        below, above = cumulative[rows, right - 1], cumulative[rows, right]
        share = np.clip((level - below) / np.maximum(above - below, 1e-12), 0, 1)
        found[:, column] = edges[right - 1] + share * (edges[right] - edges[right - 1])
    return np.asarray(1 / (1 + np.exp(-found)), np.float64)
