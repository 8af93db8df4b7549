"""What a session knows: tables, figures and facts. `Session` inherits these; they change nothing.

Every method takes the session's lock only to copy, and computes without it.
"""

from __future__ import annotations

import itertools
from math import inf
from typing import TYPE_CHECKING, Literal

from al_widgets.records import Problem, Query, Terms
from al_widgets.session import frames
from al_widgets.session.figure_readings import FigureReadings
from al_widgets.session.opinion import probabilities_of, reason_of
from al_widgets.session.queue import Pick

if TYPE_CHECKING:
    import pandas as pd


WORTH_SAYING = 0.02
"""Difference that people's own errors make to the accuracy from which on it is said."""


class Readings(FigureReadings):
    """The reading half of `Session`."""

    def query(self, item_id: str) -> Query:
        """Return one item as a query, to look at it again or to relabel it."""
        with self._lock:
            row = self._row_of(item_id)
            return self._query(Pick(row, "revisit", None, None, "audit" if row in self._queue.in_reserve else "new"))

    def _query(self, pick: Pick) -> Query:
        snapshot = self._rounds.snapshot
        probabilities = () if snapshot is None else probabilities_of(snapshot.opinion(pick.row), snapshot.classes)
        return Query(
            item_id=self._ids[pick.row],
            strategy=pick.strategy,
            utility=pick.utility,
            propensity=pick.propensity,
            round=0 if snapshot is None else snapshot.round,
            kind=pick.kind,
            reason=reason_of(
                probabilities,
                0 if snapshot is None else snapshot.n_trained,
                resumed=snapshot is None and bool(self._past),
            ),
            probabilities=probabilities,
        )

    def annotations(self) -> pd.DataFrame:
        """One row an event, in the order in which they became durable; nothing is ever overwritten."""
        if self._closed:
            with self._lock:
                return frames.annotations_frame(itertools.chain(*self._ledgers()))
        return frames.annotations_frame(event for _, event in self._store.events())

    def predictions(self) -> pd.DataFrame:
        """Every item of the pool: item_id, predicted, confidence, then one column a class; NaN before there is a model."""
        return frames.predictions_frame(self._rounds.snapshot, self._ids, self._task.classes)

    def problem_list(self) -> list[Problem]:
        """Return the items that were set aside, as records."""
        with self._lock:
            return list(self._problems.values())

    def problems(self) -> pd.DataFrame:
        """One row an item that was set aside: item_id, reason."""
        with self._lock:
            return frames.problems_frame(self._problems.values())

    def counts(self) -> dict[str, int]:
        """Items in all, with a label, skipped, unsure, set aside; and answered by this annotator."""
        with self._lock:
            self._sync()
            labels = self._ledger.labels
            kinds = {"skip": 0, "unsure": 0}
            mine = 0
            for item_id in self._ledger.answered():
                if item_id not in self._row or item_id in self._problems:
                    continue
                answers = self._ledger.answers(item_id)
                mine += self.annotator in answers
                if item_id not in labels:
                    kinds[max(answers.values(), key=lambda e: e.answered_at).kind] += 1
            return {
                "total": len(self._ids) - len(self._problems),
                "labelled": sum(1 for i in labels if i in self._row and i not in self._problems),
                "skipped": kinds["skip"],
                "unsure": kinds["unsure"],
                "problems": len(self._problems),
                "mine": mine,
            }

    def idle(self) -> tuple[Literal["waiting", "done"], str]:
        """Return what a page says when it has nothing to show: whether more may come, and why."""
        use = self.budget
        if use is not None and use.spent:
            return "done", use.message
        counts = self.counts()
        if counts["total"] == 0:
            return "done", "Nothing is left to show: every item was set aside, session.problems() says why."
        if counts["labelled"] + counts["skipped"] + counts["unsure"] >= counts["total"]:
            return "done", f"All {counts['total']} items are answered."
        room = inf if use is None else use.room(self.pace()[0])
        if len(self._store.leased()) >= room:
            return "waiting", f"The last {room:.0f} answers of the budget are asked for on other pages."
        return "waiting", "Other annotators hold the items that are left."

    @property
    def terms(self) -> Terms:
        """What this kind of session calls its figures."""
        return Terms()

    @property
    def cold_start(self) -> str:
        """What is said while there is no model yet."""
        return "The model starts when two classes have labels."

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return (name, value, note) of what there is to say of this kind of session beyond the usual."""
        shown = self.accuracy
        corrected = self._corrected(shown)
        if shown.value is None or corrected.value is None or abs(corrected.value - shown.value) < WORTH_SAYING:
            return ()
        low, high = corrected.low or 0.0, corrected.high or 0.0
        note = f"{low:.0%} to {high:.0%} ({corrected.method}): an error of a person counts as one of the model above"
        return (("Without people's errors", f"{corrected.value:.1%}", note),)

    def __repr__(self) -> str:
        accuracy = self.accuracy
        counts = self.counts() if not self._closed else {"labelled": len(self._ledger.labels), "total": len(self._ids)}
        described = self._encoding.described_by
        figure = accuracy.why or f"{accuracy.value:.1%} [{accuracy.low:.1%}, {accuracy.high:.1%}] ({accuracy.method})"
        return frames.summary(
            {
                "pool": f"{self._pool.name}, {sum(map(bool, self._ids))} items",
                "classes": ", ".join(self._task.classes),
                "labelled": f"{counts['labelled']} of {counts['total']}",
                "strategy": self.strategy,
                "accuracy": figure,
                **({"encoder": described} if described else {}),
                "store": self._store.location,
                **{name.lower(): f"{value} ({note})" if note else value for name, value, note in self.facts()},
                **({"closed": self._closed} if self._closed else {}),
            }
        )
