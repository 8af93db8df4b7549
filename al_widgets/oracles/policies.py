"""A new item or the same again: relabelling policies as pure functions.

A policy sees beliefs about items, the annotator's accuracy and expected seconds, and decides whether the next
query is the new item that the strategy chose or one that already has a label. It knows no storage and draws
no random numbers. Who may import it: the session and above. Any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.oracles.answers import FloatArray, IntArray

MAX_LABELS = 5
"""Labels of an item after which `auto` never asks again."""

LEAST_GAIN = 0.03
"""Nats that one more answer must be expected to tell for `auto` to ask again when no new item is left."""

NEW_ITEM_BONUS, BONUS_HALVES = 0.5, 200.0
"""What a new item's label is worth beyond what it tells of its item, for `auto`, at the first answer; labels after which it is half."""


@dataclass(frozen=True)
class Situation:
    """What a policy may look at; n items have a label, K classes.

    Attributes
    ----------
    beliefs : ndarray (n, K)
        Posterior of the items that have a label.
    counts : ndarray (n,) of int
        Labels of each.
    allowed : ndarray (n,) of bool
        Items that this annotator may be asked; see `repeatable`.
    accuracy : float
        Expected accuracy of this annotator's next answer.
    new_belief : ndarray (K,) or None
        Classifier's opinion of the new item that the strategy chose; None before there is a classifier.
    has_new : bool
        Whether there is a new item left.
    seconds : ndarray (n,), optional
        Expected seconds of asking each item again. Default 1 each.
    new_seconds : float
        Expected seconds of the new item.
    weights : ndarray (n,), optional
        For ActiveLab: summed weights of the annotators who labelled each item. Default: `counts`.
    mean_weight, model_weight : float
        For ActiveLab: mean annotator's weight and the classifier's; see `activelab_weights`.
    """

    beliefs: FloatArray
    counts: IntArray
    allowed: npt.NDArray[np.bool_]
    accuracy: float
    new_belief: FloatArray | None = None
    has_new: bool = True
    seconds: FloatArray | None = None
    new_seconds: float = 1.0
    weights: FloatArray | None = None
    mean_weight: float = 1.0
    model_weight: float = 1.0


@dataclass(frozen=True)
class Decision:
    """What to ask next.

    Attributes
    ----------
    repeat : int or None
        Row of `Situation.beliefs` to ask again; None for the new item.
    why : str
        One sentence.
    utilities : ndarray (n,)
        Score of repeating each item, -inf where not allowed; empty if the policy has no score.
    new_utility : float
        Score of the new item on the same scale; NaN if the policy has no score.
    """

    repeat: int | None
    why: str
    utilities: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    new_utility: float = float("nan")


Policy = Callable[[Situation], Decision]


def mutual_information(beliefs: npt.ArrayLike, accuracy: float) -> FloatArray:
    """Return what one more answer is expected to tell about an item's class, in nats.

    Parameters
    ----------
    beliefs : array_like (..., K)
        Class probabilities before the answer.
    accuracy : float
        Of the annotator; wrong answers fall evenly on the other classes.

    Returns
    -------
    ndarray (...)
        H(answer) - H(answer | class): 0 for an annotator at chance level (accuracy 1 / K) and for a certain
        item.
    """
    p = np.asarray(beliefs, np.float64)
    others = p.shape[-1] - 1
    if others < 1:
        return np.zeros(p.shape[:-1])
    a = min(max(float(accuracy), 1e-9), 1 - 1e-9)
    answer = a * p + (1 - a) * (1 - p) / others
    noise = -a * np.log(a) - (1 - a) * np.log((1 - a) / others)
    surprise = -(answer * np.log(np.maximum(answer, 1e-300))).sum(-1)
    return np.asarray(np.maximum(surprise - noise, 0.0), np.float64)


def activelab_weights(
    accuracies: npt.ArrayLike, model_accuracy: float, majority_share: float, labels_per_item: float
) -> tuple[FloatArray, float]:
    """Return the weights of annotators and classifier (Goh & Mueller 2023, ActiveLab).

    Parameters
    ----------
    accuracies : array_like (J,)
        Of the annotators.
    model_accuracy : float
        Of the classifier, out of sample.
    majority_share : float
        Accuracy of always answering the most frequent class.
    labels_per_item : float
        Mean over the items that have a label.
    """
    guessing = max(1.0 - majority_share, 1e-6)
    weights = np.maximum(1e-6, 1 - (1 - np.asarray(accuracies, np.float64)) / guessing)
    model = max(1e-6, 1 - (1 - model_accuracy) / guessing) * np.sqrt(labels_per_item)
    return weights, float(model)


def activelab_scores(situation: Situation) -> tuple[FloatArray, float]:
    """Return ActiveLab's scores of the labelled items and of the new item; the lowest is to be asked."""
    n_classes = situation.beliefs.shape[1]
    mean, model = situation.mean_weight, situation.model_weight
    given = situation.counts * mean if situation.weights is None else situation.weights
    quality = situation.beliefs.max(1, initial=0.0)
    old = ((given + model) * quality + mean / n_classes) / (given + model + mean)
    top = 1 / n_classes if situation.new_belief is None else float(situation.new_belief.max())
    return np.asarray(old, np.float64), float((model * top + mean / n_classes) / (model + mean))


def never(situation: Situation) -> Decision:
    """Ask new items as long as there are any."""
    if situation.has_new:
        return Decision(None, "items are asked once")
    return Decision(None, "no new item is left, and items are asked once")


def always(situation: Situation, k: int = 3) -> Decision:
    """Ask every item `k` times before the next new one (as far as this annotator may)."""
    waiting = situation.allowed & (situation.counts < k)
    if waiting.any():
        row = int(np.flatnonzero(waiting)[situation.counts[waiting].argmax()])
        return Decision(row, f"every item gets {k} labels, this one has {situation.counts[row]}")
    return Decision(None, f"every item this annotator may be asked has {k} labels")


def activelab(situation: Situation) -> Decision:
    """Ask whatever has the lowest ActiveLab score."""
    scores, new = activelab_scores(situation)
    utilities = np.where(situation.allowed, -scores, -np.inf)
    return _best(utilities, -new, situation.has_new, "its label is worth less than that of a new item")


def information(situation: Situation) -> Decision:
    """Ask what tells most a second: noise-aware mutual information over expected seconds."""
    gain, new = _rates(situation)
    why = f"another answer tells more a second (annotator's accuracy now {situation.accuracy:.2f})"
    return _best(np.where(situation.allowed, gain, -np.inf), new, situation.has_new, why)


def auto(situation: Situation) -> Decision:
    """Decide as `information` does, in favour of new items, and within limits.

    What a new item's answer tells counts 1.5 times at first, and less and less so (`NEW_ITEM_BONUS`). While little is known of the
    annotators every label looks doubtful; without this the first thirty answers of annotators who never err hold repeats. Later it
    would cost labels where the classifier is poor.

    An item gets at most `MAX_LABELS` labels, however hard it is, and an annotator who is at chance
    level is asked new items only: their answer would not settle anything. When no new item is left, items are asked again
    while an answer still tells `LEAST_GAIN`.
    """
    chance = 1 / max(situation.beliefs.shape[1], 1)
    useful = situation.accuracy > chance + 0.05
    gain, new = _rates(situation)
    new *= 1 + NEW_ITEM_BONUS * 2 ** (-float(situation.counts.sum()) / BONUS_HALVES)
    possible = situation.allowed & (situation.counts < MAX_LABELS) & useful
    if not situation.has_new:
        possible &= mutual_information(situation.beliefs, situation.accuracy) >= LEAST_GAIN
    why = f"another answer tells more a second (annotator's accuracy now {situation.accuracy:.2f})"
    return _best(np.where(possible, gain, -np.inf), new, situation.has_new, why)


POLICIES: dict[str, Policy] = {
    "auto": auto,
    "never": never,
    "always-3": always,
    "activelab": activelab,
    "mi": information,
}
"""Policies by name; ``auto`` is the default, ``always-2`` to ``always-9`` choose the number of labels."""


def get(name: str | Policy) -> Policy:
    """Return the policy of a name; ``"always-2"`` … ``"always-9"`` choose the number of labels.

    Raises
    ------
    StrategyError
        If there is none of that name.
    """
    if callable(name):
        return name
    if name in POLICIES:
        return POLICIES[name]
    head, _, number = name.partition("-")
    if head == "always" and number.isdecimal() and 1 < int(number) < 10:
        times = int(number)
        return lambda situation: always(situation, times)
    raise StrategyError(f"no relabelling policy {name!r}; there are: {', '.join(names())}, always-2 … always-9")


def names() -> list[str]:
    """Return the names of the policies."""
    return list(POLICIES)


def repeatable(
    item: IntArray, annotator: IntArray, who: int, n_items: int, busy: IntArray | None = None, gap: int | None = None
) -> npt.NDArray[np.bool_]:
    """Return which items an annotator may be asked again.

    Parameters
    ----------
    item, annotator : ndarray (n,) of int
        Of all labels so far, in time order.
    who : int
        The annotator.
    n_items : int
    busy : ndarray of int, optional
        Items that somebody holds right now.
    gap : int, optional
        For an annotator who works alone: their own items may come again after so many other answers (50 is
        enough to forget; how often the two answers agree then tells the accuracy). Default: never their own.

    Returns
    -------
    ndarray (n_items,) of bool
        False for items without a label.
    """
    allowed = np.zeros(n_items, np.bool_)
    allowed[item] = True
    own = item[annotator == who]
    if gap is None:
        allowed[own] = False
    else:
        allowed[own[max(len(own) - gap, 0) :]] = False
        again, counts = np.unique(own, return_counts=True)
        # A third answer of the same person adds little: what they do not see they will not see again.
        allowed[again[counts > 1]] = False
    if busy is not None:
        allowed[busy] = False
    return allowed


def _rates(situation: Situation) -> tuple[FloatArray, float]:
    """Return nats a second of repeating each item and of the new one."""
    n_classes = situation.beliefs.shape[1]
    belief = np.full(n_classes, 1 / n_classes) if situation.new_belief is None else situation.new_belief
    seconds = np.ones(len(situation.beliefs)) if situation.seconds is None else situation.seconds
    gain = mutual_information(situation.beliefs, situation.accuracy) / np.maximum(seconds, 1e-6)
    new = float(mutual_information(belief, situation.accuracy)) / max(situation.new_seconds, 1e-6)
    return gain, new


def _best(utilities: FloatArray, new: float, has_new: bool, why: str) -> Decision:
    """Repeat the best item if it beats the new one."""
    row = int(utilities.argmax()) if len(utilities) else -1
    possible = row >= 0 and np.isfinite(utilities[row])
    if possible and (not has_new or utilities[row] > new):
        return Decision(row, why if has_new else "no new item is left", utilities, new)
    return Decision(None, "a new item tells more" if has_new else "nothing is left to ask", utilities, new)
