"""What a session knows: tables, figures and facts. `Session` inherits these; they change nothing.

Every method takes the session's lock only to copy, and computes without it.
"""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from al_widgets.errors import UnknownItemError
from al_widgets.pool import Pool
from al_widgets.records import Advice, Annotation, Budget, BudgetUse, Estimate, Forecast, Problem, Query, Round, Terms
from al_widgets.session import frames, measures, reviewing
from al_widgets.session.asking import Asking
from al_widgets.session.consensus import Agreed, Witnesses, agree, merged
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.label_export import export_labels
from al_widgets.session.ledger import Label, Ledger
from al_widgets.session.opinion import probabilities_of, reason_of
from al_widgets.session.queue import Pick, ServingQueue
from al_widgets.session.reviewing import Doubt
from al_widgets.session.rounds import Rounds
from al_widgets.session.snapshot import Snapshot
from al_widgets.store import Store
from al_widgets.task import Task

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.oracles.fatigue import BreakAdvice


WORTH_SAYING = 0.02
"""Difference that people's own errors make to the accuracy from which on it is said."""


class Readings(ABC):
    """The reading half of `Session`."""

    annotator: str
    target: float
    hourly_rate: float | None
    seed: int
    _pool: Pool
    _ids: Sequence[str]
    _row: dict[str, int]
    _store: Store
    _task: Task
    _ledger: Ledger
    _lock: threading.RLock
    _rounds: Rounds
    _past: list[Round]
    _problems: dict[str, Problem]
    _reserve_ids: set[str]
    _progress: tuple[int, int] | None
    _error: str
    _encoding: BackgroundEncoding
    _encoding_error: str
    _closed: str
    _queue: ServingQueue
    _asking: Asking
    _limits: Budget | None
    _use: tuple[int, BudgetUse | None] | None = None
    _merged: tuple[Agreed, int, dict[str, Label]] | None = None
    _alone: tuple[Agreed, int] | None = None
    _doubts: tuple[tuple[int, int, int, int], list[Doubt]] | None = None
    _hindsight: tuple[tuple[int, dict[str, Any]], list[Round]] | None = None
    _certification: tuple[tuple[int, list[tuple[str, Any]]], list[Estimate]] | None = None

    @abstractmethod
    def _sync(self) -> None:
        """Take in what others wrote to the store; the caller holds the lock."""

    @property
    def pool(self) -> Pool:
        """What is to be labelled."""
        return self._pool

    @property
    def task(self) -> Task:
        """What may be answered, classes that were added included."""
        return self._task

    @property
    def store(self) -> Store:
        """Where the answers are."""
        return self._store

    @property
    def strategy(self) -> str:
        """Name of the query strategy."""
        return self._rounds.strategy.name

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest model with its ranking; None before the first round."""
        return self._rounds.snapshot

    @property
    def ledger(self) -> Ledger:
        """What the events add up to; hold `lock` while reading it."""
        return self._ledger

    @property
    def lock(self) -> Any:
        """The session's one lock."""
        return self._lock

    @property
    def model(self) -> Any:
        """The fitted scikit-learn estimator on features; its classes are class names where it can be; None before."""
        snapshot = self._rounds.snapshot
        return None if snapshot is None or snapshot.learner is None else snapshot.learner.estimator

    @property
    def training(self) -> str:
        """``"idle"``, ``"running"`` or ``"failed"``."""
        return "running" if self._rounds.running else "failed" if self.last_error else "idle"

    @property
    def last_error(self) -> str:
        """What went wrong behind the scenes last, empty if nothing did since."""
        return self._encoding_error or self._error

    @property
    def encoding_progress(self) -> tuple[int, int] | None:
        """(encoded, all) while encoding runs, else None."""
        return self._progress

    @property
    def closed(self) -> str:
        """Why the session is closed; empty while it is open."""
        return self._closed

    def _ledger_of(self, item_id: str) -> Ledger:
        """Return the ledger that answers about an item belong to."""
        del item_id
        return self._ledger

    def _ledgers(self) -> tuple[Ledger, ...]:
        """Return all ledgers; the first is that of labels."""
        return (self._ledger,)

    def _row_of(self, item_id: str) -> int:
        row = self._row.get(item_id)
        if row is None:
            raise UnknownItemError(item_id)
        return row

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

    def labels(self) -> pd.DataFrame:
        """One row an item that has a label: item_id, label, confidence, n_annotations, audit."""
        with self._lock:
            self._sync()
            return frames.labels_frame(self._labels(), self._ids, self._reserve_ids)

    def export(self, path: str | Path, format: str | None = None) -> Path:  # noqa: A002 - the word users look for
        """Write the labels for other programs; `al_widgets.export` reads them back.

        Parameters
        ----------
        path : path
            A ``.csv`` file, or a folder.
        format : {"csv", "folders"}, optional
            Default: by the suffix. ``"csv"``: the table of `labels`. ``"folders"``: the labelled pictures, copied into one folder
            a class; the folder must be new or empty.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        SessionError
            If the format is not known.
        TaskError
            If the folder holds something.
        """
        return export_labels(path, self.labels(), self._pool, format)

    def consensus(self) -> pd.DataFrame:
        """Return what the annotations add up to: item_id, label, confidence, n_annotations, then one column a class.

        Several annotators are weighed by their reliability, and where the model is sure it has a say; audit items are judged by
        people alone. Answers newer than the last training count as votes. See `al_widgets.oracles.consensus`.
        """
        with self._lock:
            self._sync()
            labels, result = self._labels(), self._rounds.agreed.result
        return frames.consensus_frame(labels, result, self._task.classes)

    def reliability(self, level: float = 0.9) -> pd.DataFrame:
        """Return how accurate each annotator was at each answer, and now: annotator, n, answered_at, accuracy, low, high.

        A single annotator whom nothing checks is judged by a model that never saw the answer in question.

        Parameters
        ----------
        level : float
            Of the interval from low to high.
        """
        from al_widgets.oracles import reliability_frame

        result = self._judged().result
        return frames.reliability_frame(None if result is None else reliability_frame(result, level))

    def review(self) -> pd.DataFrame:
        """One row a label in question, worst first: item_id, label, confidence, n_annotations, agreement, predicted, p_label, doubt, why.

        In question is where annotators contradict each other, or where a model that never saw the label is rather sure of another
        class; about audit items the model has no say. An answer given in review settles an item.
        """
        return reviewing.frame(self.doubts())

    def doubts(self) -> list[Doubt]:
        """Return the rows of `review` as records; none for tasks without one class an item."""
        if self._task.kind != "classification":
            return []
        features = self._rounds.features
        rows, matrix = (np.empty(0, np.intp), np.empty((0, 0))) if features is None else features
        with self._lock:
            self._sync()
            key = (len(self._ledger), self._rounds.agreed.version, len(rows), len(self._problems))
            if self._doubts is not None and self._doubts[0] == key:
                return self._doubts[1]
            labels = {i: v for i, v in self._labels().items() if i in self._row and i not in self._problems}
            answers = {i: self._ledger.witnesses(i) for i in labels}
            row = {i: self._row[i] for i in labels}
        found = reviewing.doubtful(
            labels,
            answers,
            classes=self._task.classes,
            reserve=frozenset(self._reserve_ids),
            row=row,
            rows=rows,
            features=matrix,
        )
        self._doubts = (key, found)
        return found

    def breaks(self) -> list[BreakAdvice]:
        """Return, for each annotator, whether a break would do good: accuracy or pace that turned, and the figures."""
        from al_widgets.oracles import advise_breaks

        result = self._judged().result
        return [] if result is None else list(advise_breaks(result))

    def uninformative_annotators(self) -> dict[str, str]:
        """Return annotator → why their answers teach nothing: one class for everything, or no better than chance; else empty."""
        return _idle(self._judged())

    def _labels(self) -> dict[str, Label]:
        """Return the label of every item that has one, not to be changed; the caller holds the lock."""
        agreed = self._rounds.agreed
        if agreed.result is None:
            return self._ledger.labels
        known = self._merged
        if known is None or known[0] is not agreed or known[1] != len(self._ledger):
            labels = merged(self._ledger.labels, self._ledger.witnesses, agreed)
            known = self._merged = (agreed, len(self._ledger), labels)
        return known[2]

    def _witnesses(self) -> Witnesses | None:
        """Return what a consensus is computed from, None for tasks that have none; the caller holds the lock."""
        if self._task.kind != "classification":
            return None
        answers = [e for item_id in self._ledger.answered() for e in self._ledger.witnesses(item_id)]
        answers.sort(key=lambda e: (e.answered_at, e.client, e.seq))
        row = {e.item_id: self._row[e.item_id] for e in answers if e.item_id in self._row}
        return Witnesses(
            len(self._ledger),
            tuple(e for e in answers if e.kind != "skip"),
            self._task.classes,
            row,
            frozenset(i for i in row if i in self._reserve_ids),
            self._asking.gold,
        )

    def _judged(self) -> Agreed:
        """Return the newest fit, made now where the trainer had no reason to make one; the caller must not hold the lock."""
        agreed = self._rounds.agreed
        if agreed.result is not None:
            return agreed
        features = self._rounds.features
        rows, matrix = (np.empty(0, np.intp), np.empty((0, 0))) if features is None else features
        with self._lock:
            self._sync()
            known, witnesses = self._alone, self._witnesses()
        if witnesses is None:
            return agreed
        if known is None or known[0].version != witnesses.version or known[1] != len(rows):
            found = agree(witnesses, rows, matrix, None if known is None else known[0], always=True)
            known = self._alone = (found, len(rows))
        return known[0]

    def annotations(self) -> pd.DataFrame:
        """One row an event, in the order in which they became durable; nothing is ever overwritten."""
        if self._closed:
            with self._lock:
                return frames.annotations_frame(itertools.chain(*self._ledgers()))
        return frames.annotations_frame(event for _, event in self._store.events())

    def predictions(self) -> pd.DataFrame:
        """Every item of the pool: item_id, predicted, confidence, then one column a class; NaN before there is a model."""
        return frames.predictions_frame(self._rounds.snapshot, self._ids, self._task.classes)

    def history(self) -> pd.DataFrame:
        """One row a training round: labels, accuracy with its interval, seconds and money spent.

        `low` and `high` bound the accuracy at one look, by `method`; `certified_low` and `certified_high` hold together however
        often somebody looks, see `certified`.
        """
        return frames.history_frame(self.rounds(), self._certified_path())

    def rounds(self) -> list[Round]:
        """Return the training rounds as records, oldest first, each measured on all audit items answered by now."""
        with self._lock:
            past, labels = tuple(self._past), self._labels()
            truth = {i: labels[i].label for i in self._reserve_ids if i in labels}
        known = self._hindsight
        if known is None or known[0] != (len(past), truth):
            known = self._hindsight = ((len(past), truth), measures.in_hindsight(past, truth))
        return known[1]

    def problem_list(self) -> list[Problem]:
        """Return the items that were set aside, as records."""
        with self._lock:
            return list(self._problems.values())

    def problems(self) -> pd.DataFrame:
        """One row an item that was set aside: item_id, reason."""
        with self._lock:
            return frames.problems_frame(self._problems.values())

    @property
    def accuracy(self) -> Estimate:
        """Accuracy of the present model, on the audit items answered so far."""
        with self._lock:
            found = measures.accuracy(self._rounds.snapshot, self._labels(), self._row, self._reserve_ids)
        if self._rounds.snapshot is None and self.last_error:
            return replace(found, why=f"There is no model: {self.last_error}")
        return found

    @property
    def corrected_accuracy(self) -> Estimate:
        """Accuracy with people's own errors in the audit answers taken out, as far as they are known.

        `accuracy` is agreement with the audit answers: where people err, a perfect model disagrees with them. How often those answers
        are right is what the consensus believes of them without asking the model. The correction (agreement = θa + (1 - θ)e, solved for
        θ) takes the model's errors and people's to be independent, so it stands beside `accuracy`, never in its place.
        """
        with self._lock:
            agreement, labels, agreed = self.accuracy, self._labels(), self._rounds.agreed
            return measures.corrected(agreement, labels, self._reserve_ids, agreed, len(self._task.classes))

    @property
    def certified(self) -> Estimate:
        """What is certified of the accuracy: bounds that hold, all together with 95 %, for whoever watches all the time.

        Clopper-Pearson intervals that share the error among ten looks, made when the audit reaches 30 answers and whenever it has
        grown by 30 % since; between looks the last one stands, unless the model stands too: then it is watched after every answer
        (prior-posterior ratio). `method` says which. The interval of `accuracy` is narrower and valid at one look only.
        """
        from al_widgets.evaluation import certified_estimate

        path = self._certified_path()
        return path[-1] if path else certified_estimate(())

    def _certified_path(self) -> list[Estimate]:
        """Return what was certified after each round."""
        with self._lock:
            past, labels = list(self._past), self._labels()
            audited = [i for i in self._reserve_ids if i in labels]
            first = {i: min((e.answered_at for e in self._ledger.witnesses(i)), default=0.0) for i in audited}
        audited.sort(key=lambda i: (first[i], i))
        answers = [(i, labels[i].label) for i in audited]
        known = self._certification
        if known is None or known[0] != (len(past), answers):
            known = self._certification = ((len(past), answers), measures.certified_path(past, answers))
        return known[1]

    def spent(self) -> tuple[float, float | None]:
        """Return seconds and money spent on all answers of this store."""
        seconds = measures.spent_seconds(self._answers())
        return seconds, None if self.hourly_rate is None else seconds / 3600 * self.hourly_rate

    @property
    def budget(self) -> BudgetUse | None:
        """How much of the budget is spent; None where none was given."""
        if self._limits is None:
            return None
        with self._lock:
            version, known = len(self._ledger), self._use
            labels = sum(label.n_annotations for label in self._ledger.labels.values())
        if known is None or known[0] != version:
            use = measures.use_of(self._limits, self._answers(), labels, self.hourly_rate)
            known = self._use = (version, use)
        return known[1]

    def forecast(self) -> Forecast:
        """Labels, seconds and money still needed to reach `target`, with 80 % intervals."""
        return self._forecast_to(self.target)

    def _forecast_to(self, target: float) -> Forecast:
        with self._lock:
            rounds, labels = list(self._past), self._labels()
        return measures.forecast(
            rounds,
            labels,
            self._answers(),
            self._reserve_ids,
            target,
            self.hourly_rate,
            self.seed,
            self._expected_seconds(),
        )

    def _expected_seconds(self) -> float | None:
        """Return the expected seconds of this annotator's answers to what would be asked next; None where nothing tells."""
        timing, snapshot = self._rounds.timing, self._rounds.snapshot
        if timing is None or snapshot is None or not snapshot.ranking:
            return None
        rows = np.array([ranked.row for ranked in snapshot.ranking], np.intp)
        return float(timing.seconds(rows, "new", self.annotator).mean())

    def advice(self) -> Advice:
        """Whether to stop, and why, with all reasons; and whether this annotator should take a break.

        A session never stops by itself, but for a budget that is spent.
        """
        with self._lock:
            rounds = list(self._past)
            left = self._left()
            agreed = self._rounds.agreed
        return measures.advice(
            rounds,
            self.target,
            left,
            certified=self.certified,
            forecast=self.forecast(),
            next_point=self._next_point(),
            use=self.budget,
            pause=self.pause,
            idle=tuple(_idle(agreed).values()),
        )

    def _left(self) -> int:
        """Return how many items have no label yet; the caller holds the lock."""
        return len(self._ids) - len(self._problems) - len(self._ledger.labels)

    def _next_point(self) -> Forecast | None:
        """Forecast one percentage point more than the present accuracy."""
        now = self.accuracy.value
        return None if now is None or now >= 0.99 else self._forecast_to(now + 0.01)

    @property
    def pause(self) -> str:
        """Why this annotator should take a break, by the newest look at their answers; empty if they need none."""
        return self._rounds.pauses.get(self.annotator, "")

    def notices(self) -> tuple[str, ...]:
        """Return what an annotator should be told now: that a break would do good, that the budget is near its end."""
        use = self.budget
        pause = f"{self.pause[0].upper()}{self.pause[1:]}." if self.pause else ""
        return tuple(text for text in (pause, "" if use is None else use.message) if text)

    def pace(self) -> tuple[float | None, float | None]:
        """Return this annotator's median seconds an answer and answers a minute, of the newest answers; None before one."""
        return measures.pace(self._answers(self.annotator))

    def _answers(self, annotator: str | None = None) -> list[Annotation]:
        with self._lock:
            return [e for e in self._ledger if e.kind != "undo" and annotator in (None, e.annotator)]

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
        shown, corrected = self.accuracy, self.corrected_accuracy
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
                "pool": f"{self._pool.name}, {len(self._ids)} items",
                "classes": ", ".join(self._task.classes),
                "labelled": f"{counts['labelled']} of {counts['total']}",
                "strategy": self.strategy,
                "accuracy": figure,
                **({"encoder": described} if described else {}),
                "store": self._store.location,
                **{name.lower(): f"{value} {note}" for name, value, note in self.facts()},
                **({"closed": self._closed} if self._closed else {}),
            }
        )


def _idle(agreed: Agreed) -> dict[str, str]:
    from al_widgets.oracles import uninformative_annotators

    return {} if agreed.result is None else uninformative_annotators(agreed.result)
