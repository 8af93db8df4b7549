"""Dawid-Skene with a classifier as the items' prior and with accuracies that change over time.

An answer names the item's true class with the annotator's accuracy at that moment; otherwise it falls on a
wrong class as that annotator's confusion says::

    P(answer l | truth k, annotator j, j's t-th label) = a_jt                  l = k
                                                       = (1 - a_jt) c_j[k, l]  l ≠ k

The accuracies are hidden Markov chains (`accuracy_path`). Who does not know the class guesses, with a taste of their own (`guessing`):
with the share q of an accuracy that is above chance, and the annotator's guesses g, a_jt = q + (1 - q) g_j[k] for class k, and wrong
answers fall as g_j does before anything else is known of them. Nobody is taken to be worse than chance.

What annotators have in common is estimated from all of them: some classes are harder than others (`hard_classes`: the log odds of an
accuracy are shifted for everybody), and each annotator's `confusion` is drawn towards everybody's. How strongly, the answers decide:
people who err at random are left alone. Who may import it: `al_widgets.oracles` and above. Any thread.

Measured on ten people's answers to 160 silhouettes, where half of the errors lie with three of 16 classes: against one coin an
annotator with confusion of their own, labels are right .010 more often at three answers an item and .007 at five.

Messages, not averages: each answer is judged by the item's posterior *without that answer*, and each item by
the accuracy *without that answer* (belief propagation for crowdsourcing, Liu, Peng & Ihler 2012; confusion by
EM, Dawid & Skene 1979). So votes never confirm themselves: an annotator whom nobody checked keeps the prior's
accuracy and its wide interval.

The answer "I cannot tell" is information in two ways. It is an answer of its own, given at a rate that may
depend on annotator and true class, so it shifts the item towards classes that draw it; and it marks the item
as hard: the labels of an item with n labels and u such answers count n / (n + u) each. It says nothing about
the annotator's accuracy when they do answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from al_widgets.oracles.accuracy_path import (
    PRIOR,
    AccuracyModel,
    Chains,
    accuracy_model,
    lay_out_chains,
)
from al_widgets.oracles.answers import Answers, FloatArray, IntArray
from al_widgets.oracles.answers_alone import fit_alone
from al_widgets.oracles.dependence import error_correlation, tempered
from al_widgets.oracles.evidence import choose_prior, fixed_prior, log_softmax
from al_widgets.oracles.message_passing import first_state, gather, label_weight, pass_messages

Scores = FloatArray | Callable[[FloatArray], FloatArray]
"""Out-of-sample scores of the items, or what computes them from the items' posterior (n_items, K)."""


@dataclass(frozen=True)
class Consensus:
    """What the answers add up to.

    Attributes
    ----------
    answers : Answers
    posterior : ndarray (n_items, K)
        Probability of each class of each item.
    accuracy : ndarray (n,)
        Annotator's accuracy at each answer: posterior mean, from all answers.
    accuracy_weights : ndarray (s, G)
        Its distribution on `model.accuracy`, a row a step of `chains`.
    emission : ndarray (s, G)
        Log likelihood of the answers of each step, given the accuracy: what the answers of that step alone say of it.
    coming : ndarray (J, G)
        Distribution of each annotator's accuracy at their next answer.
    confusion : ndarray (J, K, K)
        Where wrong answers fall: row true class, column answer; diagonal 0, rows sum to 1.
    unsure_rate : ndarray (J, K)
        Rate of "I cannot tell" by true class.
    likelihood : ndarray (n_items, K)
        Posterior under equal class priors, without the classifier: what an audit may use.
    temperature : float
        Of the classifier; 0 means it was ignored, NaN that there was none.
    regularisation : int
        Which of the score matrices was chosen.
    model : AccuracyModel
    chains : Chains
    correlation : float
        Of the errors on one item, see `dependence`; estimated without a classifier only.
    """

    answers: Answers
    posterior: FloatArray
    accuracy: FloatArray
    accuracy_weights: FloatArray
    emission: FloatArray
    coming: FloatArray
    confusion: FloatArray
    unsure_rate: FloatArray
    likelihood: FloatArray
    temperature: float
    regularisation: int
    model: AccuracyModel
    chains: Chains
    correlation: float = 0.0

    @property
    def next_accuracy(self) -> FloatArray:
        """Expected accuracy of each annotator's next answer, shape (J,)."""
        return np.asarray(self.coming @ self.model.accuracy, np.float64)


def fit(
    answers: Answers,
    scores: Scores | None = None,
    *,
    gold: Mapping[int, int] | None = None,
    unjudged: IntArray | None = None,
    rounds: int = 4,
    iterations: int = 8,
    drift: float = 0.06,
    jump: float = 0.002,
    start: Consensus | None = None,
) -> Consensus:
    """Fit the model.

    Parameters
    ----------
    answers : Answers
    scores : ndarray (n_items, K) or (L, n_items, K), or callable, optional
        Classifier's out-of-sample scores, rows as ``answers.items``; a callable gets the posterior (n_items,
        K) and is called once a round, for example `KernelRidge.leave_one_out`. Several slices are several
        regularisations.
    gold : mapping of int to int, optional
        Item number → true class number.
    unjudged : ndarray of int, optional
        Items that the classifier may not judge (audit items); their prior is flat.
    rounds : int
        Alternations between classifier and annotator model.
    iterations : int
        Message passes a round.
    drift, jump : float
        See `accuracy_model`.
    start : Consensus, optional
        An earlier fit to fewer answers of the same classes; saves time, 2 rounds then suffice.

    Returns
    -------
    Consensus

    Notes
    -----
    Few iterations are part of the method: with two annotators and no classifier only the product of their
    accuracies is determined, and long iteration drifts to one being right about everything (measured on
    answers of people: error of the accuracies .09 after 8 passes, .12 after 60). With three or more annotators
    the passes stand still earlier.

    Without a classifier, the frequencies of the classes are the prior of items whose answers differ, where the evidence speaks for
    that; that of the others is even, so a single answer is never overruled by how rare its class is.
    """
    n_classes = len(answers.classes)
    if n_classes < 2 or len(answers) == 0:
        return _trivial(answers, drift, jump)
    model = accuracy_model(n_classes, drift, jump)
    chains = lay_out_chains(answers.annotator[answers.is_label], len(answers.annotators))
    fixed = fixed_prior(answers, gold, unjudged)
    flat = np.full((len(answers.items), n_classes), -np.log(n_classes))
    base = flat if fixed is None else np.where(np.isnan(fixed), flat, fixed)
    weight = label_weight(answers)
    temperature, regularisation, correlation = float("nan"), 0, 0.0
    alone = fit_alone(answers, base, weight, model, chains, iterations)
    if scores is None:
        state = alone
        correlation = error_correlation(state.messages, answers, base, weight)
        posterior = tempered(state.posterior, answers.labels_per_item(), correlation)
        state.posterior = np.where((base == flat).all(1)[:, None], posterior, state.posterior)
    else:
        state = first_state(answers, model, chains)
        state.guesses = alone.guesses
        posterior, near = _starting_point(answers, alone.posterior, start)
        for _ in range(rounds if callable(scores) else 1):
            matrix = scores(posterior) if callable(scores) else scores
            choice = choose_prior(matrix, answers, fixed, near, guesses=alone.guesses)
            temperature, regularisation, log_prior = choice.temperature, choice.slice, choice.log_prior
            near = (regularisation, temperature)
            # The classifier, not the votes, judges the annotators first.
            state.posterior = np.exp(log_prior)
            state.messages[:] = 0.0
            state = pass_messages(state, answers, log_prior, weight, model, chains, iterations)
            posterior = state.posterior
    likelihood = np.exp(log_softmax(gather(state.messages, answers, weight)))
    is_label = answers.is_label
    accuracy = state.smoothed @ model.accuracy
    at_answer = np.full(len(answers), np.nan)
    at_answer[is_label] = accuracy[chains.of_answer]
    return Consensus(
        answers, state.posterior, at_answer, state.smoothed, state.emission, state.coming, state.confusion.shares, state.confusion.unsure_rate, likelihood,
        temperature, regularisation, model, chains, correlation,
    )  # fmt: skip


def _starting_point(
    answers: Answers, alone: FloatArray, start: Consensus | None
) -> tuple[FloatArray, tuple[int, float] | None]:
    """Soft labels for the classifier's first training: what the answers alone say, or an earlier fit where it knew the item."""
    posterior = alone.copy()
    if start is None or start.answers.classes != answers.classes:
        return posterior, None
    row = {name: i for i, name in enumerate(start.answers.items)}
    known = np.array([row.get(name, -1) for name in answers.items])
    posterior[known >= 0] = start.posterior[known[known >= 0]]
    near = None if np.isnan(start.temperature) else (start.regularisation, start.temperature)
    return posterior, near


def _trivial(answers: Answers, drift: float, jump: float) -> Consensus:
    """Answer for fewer than two classes, or no answers: nothing can be estimated."""
    n_classes, n_annotators = len(answers.classes), len(answers.annotators)
    model = accuracy_model(max(n_classes, 2), drift, jump)
    chains = lay_out_chains(answers.annotator[answers.is_label], n_annotators)
    posterior = np.full((len(answers.items), n_classes), 1 / max(n_classes, 1))
    smoothed = np.tile(model.prior, (len(chains.starts), 1))
    accuracy = np.where(answers.is_label, PRIOR[0] / sum(PRIOR), np.nan)
    return Consensus(
        answers, posterior, accuracy, smoothed, np.zeros_like(smoothed), np.tile(model.prior, (n_annotators, 1)),
        np.zeros((n_annotators, n_classes, n_classes)), np.zeros((n_annotators, n_classes)), posterior,
        float("nan"), 0, model, chains,
    )  # fmt: skip
