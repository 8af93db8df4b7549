"""What a session learns: the model's view of the answers, and what becomes of each round. `Session` inherits these.

Encoding and training run on threads of their own; what they bring is taken in under the lock and told to observers outside it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from al_widgets.errors import AlWidgetsError, SessionError
from al_widgets.records import Estimate, Round
from al_widgets.session import measures, new_pictures
from al_widgets.session.answers import Answers
from al_widgets.session.rounds import State, agreed_labels
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

Predictions: TypeAlias = tuple[tuple[str, str], ...]
"""Item ids with the class that a model predicts."""


class Training(Answers):
    """The learning part of `Session`."""

    batch_size: int

    def start(self) -> None:
        """Begin encoding and training behind the scenes; drawing a query does it too."""
        if not self._closed:
            self._encoding.start()

    def train(self) -> None:
        """Ask for a training now; it runs behind the scenes."""
        self._check_open()
        self.start()
        self._rounds.request()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything is encoded and the model has seen all answers; False when the time-out came first."""
        self._check_open()
        self.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._encoding.wait(timeout):
            return False
        self._rounds.request_if_behind(len(self._ledger))
        return self._rounds.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def predict(self, pictures: Any) -> pd.DataFrame:
        """Apply the newest model to pictures outside the pool: a folder, a list of paths, an array; waits for training.

        Returns the columns of `predictions`; NaN for pictures that cannot be read.

        Raises
        ------
        SessionError
            If there is no model yet, or the pool could not be read.
        """
        self.wait()  # encoder and model must be of the same reading
        encoder = getattr(self._encoding, "encoder", None)
        if encoder is None:
            raise SessionError(f"the pool's pictures were not read to the end. {self.last_error}".strip())
        return new_pictures.predict(pictures, encoder, self._rounds.snapshot)

    def cross_validation(self) -> Estimate:
        """Return how good the model looks on the items chosen for it, to be seen beside `accuracy`; never an accuracy itself.

        Fits five models, and takes as long. Where nothing can be computed, `why` of the estimate says so.
        """
        from al_widgets.session.crossvalidation import METHOD, cross_validate

        state, features, snapshot = self._state(), self._rounds.features, self._rounds.snapshot
        rows, matrix = state.features or features or (np.empty(0, np.intp), np.empty((0, 0)))
        if snapshot is None or snapshot.learner is None:
            return Estimate(None, None, None, 0, METHOD, "there is no model yet")
        seen = np.isin(state.labelled, rows)
        at = np.searchsorted(rows, state.labelled[seen])
        labels, _ = agreed_labels(state, self._rounds.agreed)
        return cross_validate(snapshot.learner, matrix, at, labels[seen], len(state.classes), self.seed)

    # ---- behind the scenes --------------------------------------------------------------------------------------------

    def _encoding_order(self) -> list[str]:
        """Labelled items first (the model needs them), then the others at random: every prefix is a fair sample."""
        with self._lock:
            first = [i for i in self._ledger.labels if i in self._row]
        rest = np.random.default_rng(self.seed).permutation(len(self._ids))
        have = set(first)
        return first + [self._ids[r] for r in rest if self._ids[r] not in have]

    def _state(self) -> State:
        """Return what a round of training begins with; on the trainer's thread."""
        with self._lock:
            self._sync()
            number = {name: i for i, name in enumerate(self._task.classes)}
            rows, labels = [], []
            for item_id, label in self._ledger.labels.items():
                row = self._row.get(item_id)
                if row is not None and row not in self._queue.in_reserve and label.label in number:
                    rows.append(row)
                    labels.append(number[label.label])
            answered = [self._row[i] for i in self._ledger.answered() if i in self._row]
            visible = [self._row[i] for ids in self._visible.values() for i in ids if i in self._row]
            open_ = np.ones(len(self._ids), bool)
            for taken in (
                answered,
                visible,
                list(self._queue.in_reserve),
                [self._row[i] for i in (*self._problems, *self._asking.gold) if i in self._row],
            ):
                open_[taken] = False
            pending = (set(answered) | set(visible)) - set(rows) - self._queue.in_reserve
            return State(
                version=len(self._ledger),
                n_labels=len(self._ledger.labels),
                classes=self._task.classes,
                pool_size=len(self._ids),
                labelled=np.asarray(rows, np.intp),
                labels=np.asarray(labels, np.intp),
                candidates=np.flatnonzero(open_),
                pending=np.asarray(sorted(pending), np.intp),
                witnesses=self._witnesses(),
                timed=tuple(self._answers()),
                row=dict(self._row),
                annotator=self.annotator,
            )

    def _on_round(self, snapshot: Snapshot) -> None:
        """Install a new model and its ranking; on the trainer's thread."""
        with self._lock:
            if self._closed:
                return
            self._queue.install(snapshot.ranking)
            self._error = "; ".join(str(error) for error in snapshot.errors)
            known = self._past[-1].n_labels if self._past else -1
            new = snapshot.learner is not None and not snapshot.errors and snapshot.n_labels != known
        if new:
            accuracy, predictions = self._judge(snapshot)  # may take a while: not under the lock
            with self._lock:
                if not self._closed:
                    self._remember_round(snapshot, accuracy, predictions)
        self._observers.notify("error" if self._error else "round")

    def _judge(self, snapshot: Snapshot) -> tuple[Estimate, Predictions]:
        """Return the accuracy of a new model, and what it predicts for a sample of the pool."""
        with self._lock:
            accuracy = measures.accuracy(snapshot, self._labels(), self._row, self._reserve_ids)
            sample = self._queue.sample(measures.KEPT_PREDICTIONS)
        return accuracy, measures.predictions_of(snapshot, sample, self._ids)

    def _remember_round(self, snapshot: Snapshot, accuracy: Estimate, predictions: Predictions) -> None:
        """Keep a round in the store; the caller holds the lock."""
        seconds, money = self.spent()
        record = Round(
            snapshot.round, snapshot.n_labels, accuracy, seconds, money, self.strategy, time.time(), snapshot.fit_s, predictions,
        )  # fmt: skip
        self._store.add_round(record)
        self._past.append(record)

    def _on_progress(self, done: int, total: int) -> None:
        self._progress = (done, total) if done < total else None
        self._observers.notify("progress")

    def _on_error(self, error: Exception) -> None:
        self._error = _told(error)
        self._observers.notify("error")

    def _on_encoding_error(self, error: Exception) -> None:
        self._encoding_error = _told(error)
        self._observers.notify("error")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, AlWidgetsError) else f"{type(error).__name__}: {error}"
