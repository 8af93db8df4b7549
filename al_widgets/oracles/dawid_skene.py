"""Dawid-Skene with a classifier as the items' prior and with accuracies that change over time.

An answer names the item's true class with the annotator's accuracy at that moment; otherwise it falls on a
wrong class as that annotator's confusion says::

    P(answer l | truth k, annotator j, j's t-th label) = a_jt                  l = k
                                                       = (1 - a_jt) c_j[k, l]  l ≠ k

The accuracies are hidden Markov chains (`accuracy_path`). Who does not know the class guesses, and guesses have a taste of their own
(Hovy et al. 2013, MACE): whoever presses one key whatever they see is right wherever that happens to be true, and teaches nothing.
So with the share of an accuracy that is above chance, q, and the annotator's guesses g, a_jt = q + (1 - q) g_j[k] for class k, and
wrong answers fall as g_j does before anything else is known of them. Nobody is taken to be worse than chance.

What annotators have in common is estimated from all of them: some classes are harder than others (the log odds of an accuracy are
shifted for everybody), and each annotator's confusion is drawn towards everybody's, which is drawn towards even. How strongly, the
answers decide: people who err at random are left alone. Who may import it: `al_widgets.oracles` and above. Any thread.

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
import numpy.typing as npt

from al_widgets.oracles.accuracy_path import (
    PRIOR,
    AccuracyModel,
    Chains,
    accuracy_model,
    forward_backward,
    lay_out_chains,
)
from al_widgets.oracles.answers import Answers, FloatArray, IntArray
from al_widgets.oracles.evidence import choose_prior, log_softmax

Scores = FloatArray | Callable[[FloatArray], FloatArray]
"""Out-of-sample scores of the items, or what computes them from the items' posterior (n_items, K)."""

CONFUSION_WEIGHT, CONFUSION_WEIGHTS = 2.0, (0.5, 50.0)
"""Pseudo-counts of each wrong class before anything is known of the confusions, and the least and the most of them after."""

MOST_EASE = 4.0
"""Largest log odds by which a class is taken to be easier or harder than others."""

UNSURE_WEIGHT = 20.0
"""Pseudo-answers that tie the rate of "I cannot tell" of each class to the annotator's overall rate."""

DAMPING = 0.5
"""Share of the old message that is kept; without it, pairs of answers of one annotator swing to and fro."""

NEARLY_CERTAIN = 1e-9
"""Probability left to the other classes of a gold item."""


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

    @property
    def next_accuracy(self) -> FloatArray:
        """Expected accuracy of each annotator's next answer, shape (J,)."""
        return np.asarray(self.coming @ self.model.accuracy, np.float64)


@dataclass
class _State:
    """What the iterations carry along."""

    messages: FloatArray  # (n, K) log P(answer | class), own accuracy message marginalised
    confusion: FloatArray
    wrong: FloatArray  # (J, K, K) expected counts of wrong answers
    known: FloatArray  # (labels,) how much others know of the item
    concentrations: tuple[float, float]  # pseudo-counts a row: of everybody's confusion, of each annotator's around it
    ease: FloatArray  # (K,) log odds by which a class is easier to name than others, for everybody
    guesses: FloatArray  # (J, K) what each annotator says when they guess
    unsure_rate: FloatArray
    posterior: FloatArray
    smoothed: FloatArray
    emission: FloatArray
    coming: FloatArray


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

    Without a classifier, the frequencies of the classes are the prior of items whose answers differ; that of the others is flat,
    so a single answer is never overruled by how rare its class is.
    """
    n_classes = len(answers.classes)
    if n_classes < 2 or len(answers) == 0:
        return _trivial(answers, drift, jump)
    model = accuracy_model(n_classes, drift, jump)
    chains = lay_out_chains(answers.annotator[answers.is_label], len(answers.annotators))
    fixed = _fixed_prior(answers, gold, unjudged)
    flat = np.full((len(answers.items), n_classes), -np.log(n_classes))
    base = flat if fixed is None else np.where(np.isnan(fixed), flat, fixed)
    weight = _label_weight(answers)
    state = _first_state(answers, model, chains)
    temperature, regularisation = float("nan"), 0
    if scores is None:
        state = _iterate(
            state, answers, base, weight, model, chains, iterations, frequent=np.zeros(len(base), np.bool_)
        )
        disputed = _disputed(answers) & (base == flat).all(1)
        if disputed.any():
            other = _first_state(answers, model, chains)
            other = _iterate(other, answers, base, weight, model, chains, iterations, frequent=disputed)
            if _frequencies_win(state, other, answers, weight):
                state = other
    else:
        posterior, near = _starting_point(answers, base, start)
        for _ in range(rounds if callable(scores) else 1):
            matrix = scores(posterior) if callable(scores) else scores
            choice = choose_prior(matrix, answers, fixed, near)
            temperature, regularisation, log_prior = choice.temperature, choice.slice, choice.log_prior
            near = (regularisation, temperature)
            # The classifier, not the votes, judges the annotators first.
            state.posterior = np.exp(log_prior)
            state.messages[:] = 0.0
            state = _iterate(state, answers, log_prior, weight, model, chains, iterations)
            posterior = state.posterior
    likelihood = np.exp(log_softmax(_gather(state.messages, answers, weight)))
    is_label = answers.is_label
    accuracy = state.smoothed @ model.accuracy
    at_answer = np.full(len(answers), np.nan)
    at_answer[is_label] = accuracy[chains.of_answer]
    return Consensus(
        answers, state.posterior, at_answer, state.smoothed, state.emission, state.coming, state.confusion, state.unsure_rate, likelihood,
        temperature, regularisation, model, chains,
    )  # fmt: skip


def _iterate(
    state: _State,
    answers: Answers,
    log_prior: FloatArray,
    weight: FloatArray,
    model: AccuracyModel,
    chains: Chains,
    iterations: int,
    *,
    frequent: npt.NDArray[np.bool_] | None = None,
) -> _State:
    """Pass messages between items and annotators until the posterior stands still.

    With a classifier its prior judges the annotators first. Without one the answers do, and `frequent` are the items whose prior
    are the frequencies of the classes.
    """
    n_classes = len(answers.classes)
    is_label = answers.is_label
    item, annotator, value = answers.item[is_label], answers.annotator[is_label], answers.value[is_label]
    rows = np.arange(len(item))
    started = frequent is not None
    for _ in range(iterations):
        before = state.posterior
        # Item without this answer -> annotator.
        own = state.messages[is_label] * weight[item][:, None]
        cavity = np.exp(log_softmax(np.log(before[item] + 1e-300) - own))
        spread = _confusion_without_self(state, item, annotator, value)
        state.known = _certainty(cavity)
        knowing = class_knowledge(model.accuracy, state.ease)
        right = right_answers(knowing, state.guesses)
        wrong = _by_annotator(cavity * spread, 1 - right, annotator)
        likelihood = cavity[rows, value, None] * right[annotator, value] + wrong + 1e-300
        state.emission = np.add.reduceat(np.log(likelihood)[chains.order], chains.starts, axis=0)
        state.smoothed, state.coming = forward_backward(state.emission, chains, model)
        # Annotator without this answer -> item.
        rest = state.smoothed[chains.of_answer] / likelihood
        mean = _by_annotator(rest / rest.sum(1, keepdims=True), right.swapaxes(1, 2), annotator)
        message = np.log(np.maximum((1 - mean) * spread, 1e-300))
        message[rows, value] = np.log(mean[rows, value])
        if frequent is not None:  # only a classifier can tell that an answer means another class
            message = np.minimum(message, message[rows, value, None])
        message += np.log1p(-state.unsure_rate)[annotator]
        damping = DAMPING if started else 0.0
        state.messages[is_label] = damping * state.messages[is_label] + (1 - damping) * message
        started = True
        unsure = ~is_label
        if unsure.any():
            state.messages[unsure] = np.log(state.unsure_rate[answers.annotator[unsure]])
        if frequent is not None:
            log_prior = np.where(frequent[:, None], _log_frequencies(before), log_prior)
        state.posterior = np.exp(log_softmax(log_prior + _gather(state.messages, answers, weight)))
        _update_confusion(state, answers, n_classes)
        known = cavity[rows, value, None] * knowing[value] / likelihood
        _update_guesses(state, annotator, value, 1 - (state.smoothed[chains.of_answer] * known).sum(1))
        _update_ease(state, item, annotator, value, chains, model)
        if np.abs(state.posterior - before).max() < 1e-3:
            break
    return state


def _confusion_without_self(state: _State, item: IntArray, annotator: IntArray, value: IntArray) -> FloatArray:
    """Return P(answer | class, it is wrong) of each answer, from all other answers; (n, K), 0 at the answer."""
    n_classes = state.posterior.shape[1]
    own = state.posterior[item] * state.known[:, None]
    everybody, weight, own_weight = state.wrong.sum(0), *state.concentrations
    uniform = weight / (n_classes - 1)
    pooled = (np.maximum(everybody.T[value] - own, 0) + uniform) / (np.maximum(everybody.sum(1) - own, 0) + weight)
    pooled *= state.guesses[annotator, value, None] / _guessed_wrong(state)[annotator]
    counts, totals = state.wrong[annotator, :, value], state.wrong.sum(2)[annotator]
    spread = (np.maximum(counts - own, 0) + own_weight * pooled) / (np.maximum(totals - own, 0) + own_weight)
    spread[np.arange(len(item)), value] = 0.0
    return np.asarray(spread, np.float64)


def _guessed_wrong(state: _State) -> FloatArray:
    """Return how much of everybody's wrong answers to each class an annotator's guesses make likely, (J, K)."""
    everybody, weight = state.wrong.sum(0), state.concentrations[0]
    n_classes = len(everybody)
    even = (1 - np.eye(n_classes)) / max(n_classes - 1, 1)
    pooled = (everybody + weight * even) / (everybody.sum(1, keepdims=True) + weight)
    return np.asarray(state.guesses @ pooled.T, np.float64)


def _by_annotator(rows: FloatArray, matrices: FloatArray, annotator: IntArray) -> FloatArray:
    """Multiply each row (n, p) by the matrix (J, p, q) of its annotator."""
    found = np.empty((len(rows), matrices.shape[2]))
    for number in np.unique(annotator):
        own = annotator == number
        found[own] = rows[own] @ matrices[number]
    return found


def _frequencies_win(even: _State, frequent: _State, answers: Answers, weight: FloatArray) -> bool:
    """Say whether the answers speak for classes of different frequencies: log likelihoods and the price of K - 1 shares (BIC).

    Each answer is judged by a fit that did not see it. Either way of fitting may stand still far from the truth: even frequencies
    where a rare class is taken to be hard, estimated ones where a class that is hard is taken to be rare.
    """
    n_items, n_classes = even.posterior.shape
    alike, shares = (_gather(state.messages, answers, weight) for state in (even, frequent))
    gain = np.logaddexp.reduce(shares + _log_frequencies(frequent.posterior), axis=1).sum()
    gain -= np.logaddexp.reduce(alike - np.log(n_classes), axis=1).sum()
    return bool(gain > 0.5 * (n_classes - 1) * np.log(n_items))


def _disputed(answers: Answers) -> npt.NDArray[np.bool_]:
    """Return the items whose labels differ, (n_items,)."""
    labels = answers.is_label
    first = np.full(len(answers.items), -1)
    first[answers.item[labels][::-1]] = answers.value[labels][::-1]
    other = answers.value[labels] != first[answers.item[labels]]
    return np.bincount(answers.item[labels][other], minlength=len(answers.items)) > 0


def _log_frequencies(posterior: FloatArray) -> FloatArray:
    """Return the log of how frequent each class is, (K,), one item of each class added."""
    return np.asarray(np.log(posterior.sum(0) + 1) - np.log(len(posterior) + posterior.shape[1]), np.float64)


def _certainty(belief: FloatArray) -> FloatArray:
    """Return how much is known of each item: 1 for a certain class, 0 for all classes alike (1 - entropy / log K)."""
    entropy = -(belief * np.log(np.maximum(belief, 1e-300))).sum(1)
    return np.asarray(np.clip(1 - entropy / np.log(belief.shape[1]), 0.0, 1.0), np.float64)


def _gather(messages: FloatArray, answers: Answers, weight: FloatArray) -> FloatArray:
    """Sum the messages of each item, (n_items, K); labels count with the item's weight."""
    n_items, n_classes = len(answers.items), len(answers.classes)
    scale = np.where(answers.is_label, weight[answers.item], 1.0)
    cell = answers.item[:, None] * n_classes + np.arange(n_classes)
    total = np.bincount(cell.ravel(), (messages * scale[:, None]).ravel(), n_items * n_classes)
    return np.asarray(total.reshape(n_items, n_classes), np.float64)


def _update_confusion(state: _State, answers: Answers, n_classes: int) -> None:
    """Re-estimate where wrong answers fall and how often "I cannot tell" is said (M step).

    An answer teaches about confusion only as far as others know the item: otherwise an annotator whom nobody
    checked, with 9 of 10 answers the same, would seem to give that answer whatever they see.
    """
    n_annotators = len(answers.annotators)
    labels = answers.is_label
    counts = np.zeros((n_annotators, n_classes, n_classes))
    np.add.at(
        counts,
        (answers.annotator[labels, None], np.arange(n_classes), answers.value[labels, None]),
        state.posterior[answers.item[labels]] * state.known[:, None],
    )
    diagonal = np.arange(n_classes)
    answered = counts.sum(2)
    counts[:, diagonal, diagonal] = 0.0
    state.wrong = counts
    even = (1 - np.eye(n_classes)) / max(n_classes - 1, 1)
    everybody = counts.sum(0)
    weight = _concentration(everybody, even)
    pooled = (everybody + weight * even) / (everybody.sum(1, keepdims=True) + weight)
    guessed = state.guesses[:, None, :] * pooled
    guessed /= guessed.sum(2, keepdims=True)
    own_weight = _concentration(counts.reshape(-1, n_classes), guessed.reshape(-1, n_classes))
    state.concentrations = (weight, own_weight)
    state.confusion = (counts + own_weight * guessed) / (counts.sum(2, keepdims=True) + own_weight)
    if labels.all():
        return
    unsure = np.zeros((n_annotators, n_classes))
    belief = state.posterior[answers.item[~labels]]
    np.add.at(unsure, answers.annotator[~labels], belief * _certainty(belief)[:, None])
    said = np.bincount(answers.annotator[~labels], minlength=n_annotators)
    overall = (said + 0.5) / (np.bincount(answers.annotator, minlength=n_annotators) + 1.0)
    state.unsure_rate = (unsure + UNSURE_WEIGHT * overall[:, None]) / (unsure + answered + UNSURE_WEIGHT)


def _concentration(counts: FloatArray, shares: FloatArray) -> float:
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


def class_accuracy(accuracy: FloatArray, ease: FloatArray) -> FloatArray:
    """Return the accuracy on items of each class, (K, G), of annotators with an overall accuracy (G,)."""
    odds = accuracy / (1 - accuracy) * np.exp(ease)[:, None]
    return np.asarray(odds / (1 + odds), np.float64)


def class_knowledge(accuracy: FloatArray, ease: FloatArray) -> FloatArray:
    """Return the chance of knowing, not guessing, an item of each class, (K, G), for annotators with an accuracy (G,).

    Who knows nothing is as good as chance; nobody is taken to be worse.
    """
    chance = 1 / len(ease)
    return np.clip((class_accuracy(accuracy, ease) - chance) / (1 - chance), 0.0, 1.0)


def right_answers(knowing: FloatArray, guesses: FloatArray) -> FloatArray:
    """Return the chance of a right answer to each class, (J, K, G): known, or guessed (Hovy et al. 2013, MACE).

    An answer is never less likely where it is true than where it is not, so without a classifier an answer never speaks against
    itself.
    """
    return np.asarray(knowing + (1 - knowing) * guesses[:, :, None], np.float64)


def _update_guesses(state: _State, annotator: IntArray, value: IntArray, guessed: FloatArray) -> None:
    """Re-estimate what each annotator says when they do not know, from the chance that each answer was a guess.

    Who always presses the same key does so then, too, and that key tells little from them. Answers count as far as others know the
    item: one whom nobody checked may well have seen one class only.
    """
    n_annotators, n_classes = state.guesses.shape
    cell = annotator * n_classes + value
    counts = np.zeros(n_annotators * n_classes)
    np.add.at(counts, cell, guessed * state.known)
    counts = counts.reshape(n_annotators, n_classes)
    even = np.full((n_annotators, n_classes), 1 / n_classes)
    weight = _concentration(counts, even)
    state.guesses = (counts + weight * even) / (counts.sum(1, keepdims=True) + weight)


def _update_ease(
    state: _State, item: IntArray, annotator: IntArray, value: IntArray, chains: Chains, model: AccuracyModel
) -> None:
    """Re-estimate how much easier each class is than others, for everybody alike (one Newton step a pass).

    Log odds of a right answer = those of the annotator + ease of the class. How much classes differ is estimated, too (DerSimonian
    & Laird 1986): where they differ by no more than chance, all eases are 0. Answers count as far as others know the item. Eases
    are shifted such that an annotator's accuracy stays the one on items as they come.
    """
    n_classes = state.posterior.shape[1]
    share = state.posterior[item] * state.known[:, None]
    smoothed = state.smoothed[chains.of_answer]
    right = right_answers(class_knowledge(model.accuracy, state.ease), state.guesses)
    right = _by_annotator(smoothed, right.swapaxes(1, 2), annotator)
    slope = np.bincount(value, share[np.arange(len(item)), value], n_classes) - (share * right).sum(0)
    precision = (share * right * (1 - right)).sum(0)
    total = float(precision.sum())
    if total < 1e-6:
        return
    alone = np.clip(state.ease + slope / np.maximum(precision, 1e-9), -MOST_EASE, MOST_EASE)
    centred = alone - precision @ alone / total
    excess = float(precision @ centred**2) - (n_classes - 1)
    variance = max(excess, 0.0) / max(total - float(precision @ precision) / total, 1e-9)
    ease = centred * precision * variance / (precision * variance + 1)
    count = share.sum(0)
    middle = np.array([float((smoothed @ model.accuracy).mean())])
    for _ in range(3):
        level = class_accuracy(middle, ease)[:, 0]
        ease = ease - count @ (level - middle) / (count @ (level * (1 - level)))
    state.ease = ease


def _first_state(answers: Answers, model: AccuracyModel, chains: Chains) -> _State:
    """Start with annotators of the prior's accuracy who err evenly."""
    n_classes, n_annotators = len(answers.classes), len(answers.annotators)
    confusion = np.tile((1 - np.eye(n_classes)) / (n_classes - 1), (n_annotators, 1, 1))
    unsure_rate = np.full((n_annotators, n_classes), 0.0 if answers.is_label.all() else 0.05)
    mean = float(model.prior @ model.accuracy)
    messages = np.zeros((len(answers), n_classes))
    labels = np.flatnonzero(answers.is_label)
    messages[labels] = np.log((1 - mean) / (n_classes - 1))
    messages[labels, answers.value[labels]] = np.log(mean)
    weight = _label_weight(answers)
    posterior = np.exp(log_softmax(_gather(messages, answers, weight)))
    smoothed = np.tile(model.prior, (len(chains.starts), 1))
    return _State(
        messages,
        confusion,
        np.zeros_like(confusion),
        np.zeros(len(labels)),
        (CONFUSION_WEIGHT * (n_classes - 1), CONFUSION_WEIGHT * (n_classes - 1)),
        np.zeros(n_classes),
        np.full((n_annotators, n_classes), 1 / n_classes),
        unsure_rate,
        posterior,
        smoothed,
        np.zeros_like(smoothed),
        np.tile(model.prior, (n_annotators, 1)),
    )


def _starting_point(
    answers: Answers, base: FloatArray, start: Consensus | None
) -> tuple[FloatArray, tuple[int, float] | None]:
    """Soft labels for the classifier's first training: votes, or an earlier fit where it knew the item."""
    n_classes = len(answers.classes)
    votes = np.log(0.7 * (n_classes - 1) / 0.3)
    labels = answers.is_label
    counts = np.bincount(
        answers.item[labels] * n_classes + answers.value[labels], minlength=len(answers.items) * n_classes
    )
    posterior = np.exp(log_softmax(base + votes * counts.reshape(-1, n_classes)))
    if start is None or start.answers.classes != answers.classes:
        return posterior, None
    row = {name: i for i, name in enumerate(start.answers.items)}
    known = np.array([row.get(name, -1) for name in answers.items])
    posterior[known >= 0] = start.posterior[known[known >= 0]]
    near = None if np.isnan(start.temperature) else (start.regularisation, start.temperature)
    return posterior, near


def _fixed_prior(answers: Answers, gold: Mapping[int, int] | None, unjudged: IntArray | None) -> FloatArray | None:
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


def _label_weight(answers: Answers) -> FloatArray:
    """Weight of the labels of each item: n / (n + u) with u answers "I cannot tell"."""
    labels, unsure = answers.labels_per_item(), answers.unsure_per_item()
    return np.asarray(labels / np.maximum(labels + unsure, 1), np.float64)


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
