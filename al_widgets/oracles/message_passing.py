"""Messages between items and annotators: neither is judged by what it said itself.

The iterations of `dawid_skene`, under one prior of the items. Who may import it: `al_widgets.oracles`. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.oracles.accuracy_path import AccuracyModel, Chains, forward_backward
from al_widgets.oracles.answers import Answers, FloatArray
from al_widgets.oracles.confusion import (
    Confusion,
    certainty,
    confusion_without_self,
    even_confusion,
    learn_confusion,
)
from al_widgets.oracles.evidence import log_softmax
from al_widgets.oracles.guessing import by_annotator, class_knowledge, learn_guesses, right_answers
from al_widgets.oracles.hard_classes import learn_ease

DAMPING = 0.5
"""Share of the old message that is kept; without it, pairs of answers of one annotator swing to and fro."""


@dataclass
class State:
    """What the iterations carry along."""

    messages: FloatArray  # (n, K) log P(answer | class), own accuracy message marginalised
    confusion: Confusion
    guesses: FloatArray  # (J, K) what each annotator says when they do not know
    known: FloatArray  # (labels,) how much others know of the item
    ease: FloatArray  # (K,) log odds by which a class is easier to name than others, for everybody
    posterior: FloatArray
    smoothed: FloatArray
    emission: FloatArray
    coming: FloatArray


def first_state(answers: Answers, model: AccuracyModel, chains: Chains) -> State:
    """Start with annotators of the prior's accuracy who err evenly."""
    n_classes, n_annotators = len(answers.classes), len(answers.annotators)
    mean = float(model.prior @ model.accuracy)
    messages = np.zeros((len(answers), n_classes))
    labels = np.flatnonzero(answers.is_label)
    messages[labels] = np.log((1 - mean) / (n_classes - 1))
    messages[labels, answers.value[labels]] = np.log(mean)
    weight = label_weight(answers)
    posterior = np.exp(log_softmax(gather(messages, answers, weight)))
    smoothed = np.tile(model.prior, (len(chains.starts), 1))
    return State(
        messages,
        even_confusion(answers),
        np.full((n_annotators, n_classes), 1 / n_classes),
        np.zeros(len(labels)),
        np.zeros(n_classes),
        posterior,
        smoothed,
        np.zeros_like(smoothed),
        np.tile(model.prior, (n_annotators, 1)),
    )


def pass_messages(
    state: State,
    answers: Answers,
    log_prior: FloatArray,
    weight: FloatArray,
    model: AccuracyModel,
    chains: Chains,
    iterations: int,
    *,
    frequent: npt.NDArray[np.bool_] | None = None,
) -> State:
    """Pass messages between items and annotators until the posterior stands still.

    With a classifier its prior judges the annotators first. Without one the answers do, and `frequent` are the items whose prior
    are the frequencies of the classes.
    """
    is_label = answers.is_label
    item, annotator, value = answers.item[is_label], answers.annotator[is_label], answers.value[is_label]
    rows = np.arange(len(item))
    started = frequent is not None
    for _ in range(iterations):
        before = state.posterior
        # Item without this answer -> annotator.
        own = state.messages[is_label] * weight[item][:, None]
        cavity = np.exp(log_softmax(np.log(before[item] + 1e-300) - own))
        own_count = before[item] * state.known[:, None]
        spread = confusion_without_self(state.confusion, state.guesses, own_count, annotator, value)
        state.known = certainty(cavity)
        knowing = class_knowledge(model.accuracy, state.ease)
        right = right_answers(knowing, state.guesses)
        wrong = by_annotator(cavity * spread, 1 - right, annotator)
        likelihood = cavity[rows, value, None] * right[annotator, value] + wrong + 1e-300
        state.emission = np.add.reduceat(np.log(likelihood)[chains.order], chains.starts, axis=0)
        state.smoothed, state.coming = forward_backward(state.emission, chains, model)
        # Annotator without this answer -> item.
        rest = state.smoothed[chains.of_answer] / likelihood
        mean = by_annotator(rest / rest.sum(1, keepdims=True), right.swapaxes(1, 2), annotator)
        message = np.log(np.maximum((1 - mean) * spread, 1e-300))
        message[rows, value] = np.log(mean[rows, value])
        if frequent is not None:  # only a classifier can tell that an answer means another class
            message = np.minimum(message, message[rows, value, None])
            log_prior = np.where(frequent[:, None], log_frequencies(before), log_prior)
        message += np.log1p(-state.confusion.unsure_rate)[annotator]
        damping = DAMPING if started else 0.0
        state.messages[is_label] = damping * state.messages[is_label] + (1 - damping) * message
        started = True
        unsure = ~is_label
        if unsure.any():
            state.messages[unsure] = np.log(state.confusion.unsure_rate[answers.annotator[unsure]])
        state.posterior = np.exp(log_softmax(log_prior + gather(state.messages, answers, weight)))
        state.confusion = learn_confusion(state.confusion, state.guesses, answers, state.posterior, state.known)
        smoothed = state.smoothed[chains.of_answer]
        knew = (smoothed * cavity[rows, value, None] * knowing[value] / likelihood).sum(1)
        state.guesses = learn_guesses(annotator, value, (1 - knew) * state.known, state.guesses.shape)
        right = by_annotator(smoothed, right_answers(knowing, state.guesses).swapaxes(1, 2), annotator)
        share = state.posterior[item] * state.known[:, None]
        state.ease = learn_ease(state.ease, right, share, value, smoothed, model.accuracy)
        if np.abs(state.posterior - before).max() < 1e-3:
            break
    return state


def gather(messages: FloatArray, answers: Answers, weight: FloatArray) -> FloatArray:
    """Sum the messages of each item, (n_items, K); labels count with the item's weight."""
    n_items, n_classes = len(answers.items), len(answers.classes)
    scale = np.where(answers.is_label, weight[answers.item], 1.0)
    cell = answers.item[:, None] * n_classes + np.arange(n_classes)
    total = np.bincount(cell.ravel(), (messages * scale[:, None]).ravel(), n_items * n_classes)
    return np.asarray(total.reshape(n_items, n_classes), np.float64)


def log_frequencies(posterior: FloatArray) -> FloatArray:
    """Return the log of how frequent each class is, (K,), one item of each class added."""
    return np.asarray(np.log(posterior.sum(0) + 1) - np.log(len(posterior) + posterior.shape[1]), np.float64)


def label_weight(answers: Answers) -> FloatArray:
    """Weight of the labels of each item: n / (n + u) with u answers "I cannot tell"."""
    labels, unsure = answers.labels_per_item(), answers.unsure_per_item()
    return np.asarray(labels / np.maximum(labels + unsure, 1), np.float64)
