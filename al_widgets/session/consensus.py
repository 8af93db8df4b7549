"""What the answers of several annotators add up to, and how reliable each annotator is; on the trainer's thread.

The model is `al_widgets.oracles`': a classifier that never saw an item's own answers is the prior of the items that are trained
on; audit items are judged by people alone, or the accuracy would confirm itself. One annotator whom nothing checks is believed:
the labels are the answers, and nothing is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Annotation
from al_widgets.session.ledger import REVIEW, Label

if TYPE_CHECKING:
    from al_widgets.oracles.answers import Answers
    from al_widgets.oracles.dawid_skene import Consensus, Scores

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]

MOST_JUDGED = 3000
"""Items that the classifier of the consensus is trained on at most; the others are left to people."""


@dataclass(frozen=True)
class Witnesses:
    """Everything a consensus is computed from.

    Attributes
    ----------
    version : int
        Number of the ledger's state.
    answers : tuple of Annotation
        That count, in the order in which they were given.
    classes : tuple of str
    row : mapping of str to int
        Pool rows of the items.
    reserve : frozenset of str
        Audit items: the classifier is neither trained on them nor may it judge them.
    known : mapping of str to str
        Item id → class of items whose class is known beforehand.
    """

    version: int
    answers: tuple[Annotation, ...]
    classes: tuple[str, ...]
    row: Mapping[str, int]
    reserve: frozenset[str]
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def settled(self) -> dict[str, str]:
        """Item id → class of the items that need no judging: known beforehand, or answered in review."""
        reviewed = {e.item_id: e.value for e in self.answers if e.strategy == REVIEW and e.kind == "label"}
        return reviewed | dict(self.known)

    @property
    def checked(self) -> bool:
        """Whether any answer is checked by another: two annotators, an item asked again, a known class."""
        labels = [e for e in self.answers if e.kind == "label"]
        if len({e.annotator for e in labels}) > 1 or len({e.item_id for e in labels}) < len(labels):
            return True
        known = self.settled
        return any(e.item_id in known for e in labels)


@dataclass(frozen=True)
class Agreed:
    """Labels that annotators agreed on.

    Attributes
    ----------
    version : int
        Of the ledger behind it.
    labels : mapping of str to Label
    seen : mapping of str to tuple of str
        Item id → ids of the answers behind its label: a label is out of date when others count.
    result : oracles.Consensus or None
        The fit; None where nothing was computed, because nothing checks the one annotator.
    """

    version: int
    labels: Mapping[str, Label] = field(default_factory=dict)
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    result: Consensus | None = None

    def accuracy_of(self, annotator: str) -> float | None:
        """Return the expected accuracy of an annotator's next answer; None where nothing is known of them."""
        if self.result is None or annotator not in self.result.answers.annotators:
            return None
        return float(self.result.next_accuracy[self.result.answers.annotators.index(annotator)])


def agree(
    given: Witnesses,
    rows: IntArray,
    features: FloatArray,
    before: Agreed | None = None,
    *,
    always: bool = False,
    jump: float = 0.002,
) -> Agreed:
    """Work out labels and reliability.

    Parameters
    ----------
    given : Witnesses
    rows : ndarray (R,)
        Pool rows that have features, ascending.
    features : ndarray (R, d)
    before : Agreed, optional
        The last result, to start from.
    always : bool
        Compute although nothing checks the only annotator; the classifier then judges alone.
    jump : float
        See `al_widgets.oracles.aggregate`.
    """
    if not (always or given.checked):
        return Agreed(given.version)
    from al_widgets.oracles import dawid_skene
    from al_widgets.oracles.aggregation import WARM_FROM
    from al_widgets.oracles.answers import answers_of

    answers = answers_of(given.answers, given.classes)
    if len(answers) == 0 or len(answers.classes) < 2:
        return Agreed(given.version)
    unjudged = np.array([n for n, item_id in enumerate(answers.items) if item_id in given.reserve], np.intp)
    known = {i: c for i, c in given.settled.items() if c in given.classes}
    warm = before is not None and before.result is not None and len(answers) >= WARM_FROM
    result = dawid_skene.fit(
        answers,
        _scores(answers, given, rows, features),
        gold=answers.class_numbers(known),
        unjudged=unjudged,
        rounds=2 if warm else 4,
        jump=jump,
        start=before.result if warm and before is not None else None,
    )
    return Agreed(given.version, _labels(result, known), _seen(given.answers), result)


def _scores(answers: Answers, given: Witnesses, rows: IntArray, features: FloatArray) -> Scores | None:
    """Return what computes the classifier's out-of-sample scores; items it may not judge have none."""
    from al_widgets.oracles.kernel_ridge import KernelRidge

    row = np.array([-1 if i in given.reserve else given.row.get(i, -1) for i in answers.items], np.intp)
    at = np.searchsorted(rows, row)
    at[at == len(rows)] = 0
    judged = np.flatnonzero((row >= 0) & (rows[at] == row)) if len(rows) else np.empty(0, np.intp)
    judged = judged[-MOST_JUDGED:]
    if len(judged) < 2:
        return None
    ridge = KernelRidge(features[at[judged]])

    def scores(posterior: FloatArray) -> npt.NDArray[np.float64]:
        found = np.zeros((len(ridge.regularisations), *posterior.shape))
        found[:, judged] = ridge.leave_one_out(posterior[judged])
        return found

    return scores


def _labels(result: Consensus, known: Mapping[str, str]) -> dict[str, Label]:
    """Return the labels of a fit; items in `known` have their known class.

    A lone annotator is not overruled by a model: an item they never contradicted themselves on keeps its answer, with the little
    confidence that is left of it. It then hardly counts in training, is asked again first, and stands first in review.
    """
    answers = result.answers
    counts = answers.labels_per_item()
    best = result.posterior.argmax(1)
    if len(answers.annotators) == 1:
        given = np.zeros((len(answers.items), len(answers.classes)), np.intp)
        np.add.at(given, (answers.item[answers.is_label], answers.value[answers.is_label]), 1)
        open_ = np.array([item_id not in known for item_id in answers.items])
        best = np.where(open_ & ((given > 0).sum(1) == 1), given.argmax(1), best)
    return {
        item_id: Label(item_id, answers.classes[best[n]], float(result.posterior[n, best[n]]), int(counts[n]))
        for n, item_id in enumerate(answers.items)
        if counts[n]
    }


def _seen(answers: tuple[Annotation, ...]) -> dict[str, tuple[str, ...]]:
    seen: dict[str, list[str]] = {}
    for event in answers:
        seen.setdefault(event.item_id, []).append(event.event_id)
    return {item_id: tuple(ids) for item_id, ids in seen.items()}


def merged(votes: Mapping[str, Label], witnesses: Any, agreed: Agreed) -> dict[str, Label]:
    """Return the labels of now: agreed ones where nothing has changed since, votes elsewhere.

    Parameters
    ----------
    votes : mapping of str to Label
    witnesses : callable
        Item id → answers that count now.
    agreed : Agreed
    """
    found = dict(votes)
    for item_id, label in agreed.labels.items():
        vote = found.get(item_id)
        if vote is None:
            continue
        if tuple(e.event_id for e in witnesses(item_id) if e.kind != "skip") == agreed.seen[item_id]:
            found[item_id] = replace(label, n_annotations=vote.n_annotations)
    return found
