"""Labels that want a second look, worst first: pure functions of what a session knows.

An item is in question where annotators contradict each other, or where a model that never saw its label is rather sure of another
class. It is settled by an answer given in review, until somebody contradicts that. The model has no say about audit items, neither
here nor on the screen: a label that was looked at again because the model objected cannot measure the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Annotation
from al_widgets.session.ledger import REVIEW, Label
from al_widgets.session.opinion import probabilities_of
from al_widgets.task import isolated

if TYPE_CHECKING:
    import pandas as pd

SURE = 0.5
"""Probability of another class from which on the model contradicts a label."""
FEWEST_JUDGED = 10
"""Labels below which a model has no say."""
MOST_JUDGED = 3000
"""Labels that the model is made of at most: the newest."""

COLUMNS = (
    "item_id", "label", "confidence", "n_annotations", "agreement", "predicted", "p_label", "doubt", "why",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doubt:
    """One label in question; the fields are the columns of `Session.review`."""

    item_id: str
    label: str
    confidence: float
    n_annotations: int
    agreement: float
    predicted: str | None
    p_label: float | None
    doubt: float
    why: str
    probabilities: tuple[tuple[str, float], ...] = ()
    """What the model says without having seen the label, most probable class first."""


def doubtful(
    labels: Mapping[str, Label],
    answers: Mapping[str, Sequence[Annotation]],
    *,
    classes: Sequence[str],
    reserve: frozenset[str],
    row: Mapping[str, int],
    rows: npt.NDArray[np.intp],
    features: npt.NDArray[np.floating[Any]],
) -> list[Doubt]:
    """Return what is in question, worst first.

    Parameters
    ----------
    labels : mapping of str to Label
        Items of the pool that have one.
    answers : mapping of str to sequence of Annotation
        Those that count, of each item.
    classes : sequence of str
    reserve : frozenset of str
        Audit items.
    row : mapping of str to int
        Pool rows of the items.
    rows, features : ndarray (R,), (R, d)
        Pool rows that have features, ascending, and these.
    """
    from al_widgets.oracles import doubts

    ids = list(labels)
    if not ids:
        return []
    opinions = _opinions(labels, classes, reserve, row, rows, features)
    said = {i: [a.value for a in answers.get(i, ()) if a.kind == "label"] for i in ids}
    agreement = [said[i].count(labels[i].label) / len(said[i]) if said[i] else 1.0 for i in ids]
    p_label = [opinions[i][classes.index(labels[i].label)] if i in opinions else np.nan for i in ids]
    scores = doubts([labels[i].confidence for i in ids], p_label, agreement)
    found = []
    for n, item_id in enumerate(ids):
        label, opinion = labels[item_id], opinions.get(item_id)
        best = None if opinion is None else int(opinion.argmax())
        objects = best is not None and opinion is not None and classes[best] != label.label and opinion[best] > SURE
        if _is_settled(answers.get(item_id, ())) or not (objects or agreement[n] < 1):
            continue
        found.append(
            Doubt(
                item_id,
                label.label,
                label.confidence,
                len(said[item_id]),
                agreement[n],
                None if best is None else classes[best],
                None if opinion is None else float(p_label[n]),
                float(scores[n]),
                _why(said[item_id], label.label, None if best is None else classes[best], objects, p_label[n]),
                probabilities_of(opinion, tuple(classes)),
            )
        )
    return sorted(found, key=lambda d: -d.doubt)


def frame(found: Sequence[Doubt]) -> pd.DataFrame:
    """One row an item in question."""
    import pandas as pd

    made = pd.DataFrame([[getattr(d, c) for c in COLUMNS] for d in found], columns=list(COLUMNS))
    return made.astype(dict.fromkeys(("confidence", "agreement", "p_label", "doubt"), "float64"))


def _is_settled(answers: Sequence[Annotation]) -> bool:
    newest = max(answers, key=lambda e: (e.answered_at, e.client, e.seq), default=None)
    return newest is not None and newest.strategy == REVIEW


def _opinions(
    labels: Mapping[str, Label],
    classes: Sequence[str],
    reserve: frozenset[str],
    row: Mapping[str, int],
    rows: npt.NDArray[np.intp],
    features: npt.NDArray[np.floating[Any]],
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the out-of-sample probabilities of the items that a model may judge."""
    from al_widgets.oracles import out_of_sample

    known = set(rows.tolist())
    judged = [i for i in labels if i not in reserve and row[i] in known and labels[i].label in classes][-MOST_JUDGED:]
    given = np.array([classes.index(labels[i].label) for i in judged], np.intp)
    if len(judged) < FEWEST_JUDGED or len(np.unique(given)) < 2:
        return {}
    at = np.searchsorted(rows, [row[i] for i in judged])
    return dict(zip(judged, out_of_sample(features[at], np.eye(len(classes))[given]), strict=True))


def _why(said: Sequence[str], label: str, predicted: str | None, objects: bool, p_label: float) -> str:
    """Return the sentence for the annotator: what the people said, what the model says, what the label is if not that."""
    parts = []
    answers = {isolated(value): said.count(value) for value in dict.fromkeys(said)}
    overruled = label not in said
    if len(answers) > 1:
        parts.append("answers differ: " + ", ".join(f"{value} {n}" for value, n in answers.items()))
    elif overruled:
        who = {1: "the only answer is", 2: "both said"}.get(len(said), f"all {len(said)} said")
        parts.append(f"{who} {next(iter(answers), 'nothing')}")
    if predicted is not None and objects:
        parts.append(
            f"a model that did not see this label says {isolated(predicted)} (and {isolated(label)} with {p_label:.0%})"
        )
    elif predicted == label and overruled:
        parts.append(f"the model says {isolated(label)} ({p_label:.0%})")
    if overruled:
        parts.append(f"with what is known of the annotators the label is {isolated(label)}, which nobody said")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."
