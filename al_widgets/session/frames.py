"""The session's tables: records to pandas DataFrames with the documented columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.records import Annotation, Estimate, Problem, Round
from al_widgets.session.ledger import Label
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.oracles.dawid_skene import Consensus

ANNOTATION_COLUMNS = (
    "event_id", "item_id", "annotator", "kind", "value", "elapsed_s", "strategy", "utility", "propensity", "round",
    "shown_at", "answered_at", "query_kind", "model_shown", "note", "target", "client", "seq",
)  # fmt: skip


def annotations_frame(events: Iterable[Annotation]) -> pd.DataFrame:
    """One row an event, nothing ever overwritten; undone answers are there, and so are the undos."""
    import pandas as pd

    return pd.DataFrame([[getattr(e, c) for c in ANNOTATION_COLUMNS] for e in events], columns=list(ANNOTATION_COLUMNS))


def labels_frame(labels: Mapping[str, Label], order: Sequence[str], audited: set[str]) -> pd.DataFrame:
    """One row an item that has a label, in the pool's order; items that left the pool come last."""
    import pandas as pd

    known = set(order)
    ids = [i for i in order if i in labels] + [i for i in labels if i not in known]
    rows = [(i, labels[i].label, labels[i].confidence, labels[i].n_annotations, i in audited) for i in ids]
    return pd.DataFrame(rows, columns=["item_id", "label", "confidence", "n_annotations", "audit"])


def consensus_frame(labels: Mapping[str, Label], result: Consensus | None, classes: Sequence[str]) -> pd.DataFrame:
    """One row an item that has a label, and the probability of each class; what has no fit yet is as certain as its votes."""
    import pandas as pd

    number = {name: k for k, name in enumerate(classes)}
    position = {} if result is None else {item_id: n for n, item_id in enumerate(result.answers.items)}
    table = np.zeros((len(labels), len(classes)))
    for row, label in enumerate(labels.values()):
        at, k = position.get(label.item_id), number.get(label.label, len(classes))
        belief = None if result is None or at is None else result.posterior[at]
        if belief is not None and k < len(belief) and belief[k] == label.confidence:  # a vote is newer than the fit
            table[row, : len(belief)] = belief
        elif label.label in number:
            table[row] = (1 - label.confidence) / max(len(classes) - 1, 1)
            table[row, number[label.label]] = label.confidence
    rows = [(v.item_id, v.label, v.confidence, v.n_annotations) for v in labels.values()]
    frame = pd.DataFrame(rows, columns=["item_id", "label", "confidence", "n_annotations"])
    return pd.concat([frame, pd.DataFrame(table, columns=list(classes))], axis=1)


def reliability_frame(found: pd.DataFrame | None) -> pd.DataFrame:
    """One row an answer: how accurate its annotator was; empty where nothing is known."""
    import pandas as pd

    columns = ["annotator", "n", "answered_at", "accuracy", "low", "high"]
    if found is None:
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(("accuracy", "low", "high"), "float64"))
    return found[columns]


def predictions_frame(snapshot: Snapshot | None, order: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """One row an item of the pool: predicted class, its probability, then a column a class; NaN where there is none."""
    import pandas as pd

    table = np.full((len(order), len(classes)), np.nan)
    if snapshot is not None and snapshot.probabilities is not None:
        column = {name: i for i, name in enumerate(classes)}
        for i, name in enumerate(snapshot.classes):
            if name in column:
                table[snapshot.rows, column[name]] = snapshot.probabilities[:, i]
        known = np.zeros(len(order), bool)
        known[snapshot.rows] = True
        table[known] = np.nan_to_num(table[known])  # a class that was added after the training
    has = np.isfinite(table).any(axis=1) if len(classes) else np.zeros(len(order), bool)
    best = np.where(has[:, None], np.nan_to_num(table, nan=-1.0), -1.0).argmax(axis=1)
    predicted = [classes[b] if ok else None for b, ok in zip(best, has, strict=True)]
    confidence = np.where(has, table[np.arange(len(order)), best], np.nan)
    frame = pd.DataFrame({"item_id": list(order), "predicted": predicted, "confidence": confidence})
    # Classes may be called like our own columns: they come last and are joined by position, not by name.
    return pd.concat([frame, pd.DataFrame(table, columns=list(classes))], axis=1)


def history_frame(rounds: Sequence[Round], certified: Sequence[Estimate]) -> pd.DataFrame:
    """One row a training round; `certified` is what was certified after each."""
    import pandas as pd

    rows = [
        (r.round, r.n_labels, r.accuracy.value, r.accuracy.low, r.accuracy.high, r.accuracy.method, r.seconds, r.money,
         r.strategy, r.accuracy.n, r.accuracy.why, r.fit_s, r.trained_at, c.low, c.high, c.method)
        for r, c in zip(rounds, certified, strict=False)
    ]  # fmt: skip
    columns = [
        "round", "n_labels", "accuracy", "low", "high", "method", "seconds", "money", "strategy", "n_audit", "why",
        "fit_s", "trained_at", "certified_low", "certified_high", "certified_method",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    numbers = ("accuracy", "low", "high", "seconds", "money", "certified_low", "certified_high")
    return frame.astype(dict.fromkeys(numbers, "float64"))


def problems_frame(problems: Iterable[Problem]) -> pd.DataFrame:
    """One row an item that was set aside."""
    import pandas as pd

    return pd.DataFrame([(p.item_id, p.reason) for p in problems], columns=["item_id", "reason"])


def summary(facts: Mapping[str, Any]) -> str:
    """Text that a bare session shows in a notebook."""
    width = max(len(k) for k in facts)
    return "\n".join(["al_widgets session", *(f"  {k:<{width}}  {v}" for k, v in facts.items())])
