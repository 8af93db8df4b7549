"""A session whose items are not there from the start: what streams and generators have in common.

Items get rows when they are asked and lose them again when they are old, so that memory stays bounded; answers are kept by the
store for good. The session's lock guards what is held.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.errors import UnknownItemError
from al_widgets.features.base import Encoder
from al_widgets.pool import Pool
from al_widgets.pool.growing import GrowingPool
from al_widgets.records import Annotation, Query
from al_widgets.session import frames
from al_widgets.session.arrival_features import ArrivalFeatures
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.held import ArrivalQueue, Held, HeldItems
from al_widgets.session.opinion import probabilities_of, reason_of
from al_widgets.session.queue import Pick, ServingQueue
from al_widgets.session.rounds import State
from al_widgets.session.session import Session
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

CONTEXT = 300
"""Items without a label that a learner sees beside the labelled ones."""
RECENT = 50
"""Answered items whose pixels are kept, to be looked at again."""
LONGEST_ID = 1000


class ArmedRounds(BackgroundEncoding):
    """Nothing to encode beforehand: rounds may begin at once, with the features the session brings."""

    features: ArrivalFeatures

    @property
    def encoder(self) -> Encoder | None:
        """What turns pictures into features; None before the first."""
        return self.features.encoder

    @property
    def _opened(self) -> Any:
        return self.features.opened

    def _run(self) -> None:
        self._on_ready(np.empty(0, np.intp), np.empty((0, 0), np.float32))
        self._finished.set()


class GrowingSession(Session):
    """The common part of `StreamSession` and `SynthesisSession`.

    Parameters
    ----------
    pool : GrowingPool
    task
        As for `Session`.
    window : int
        Newest labels that are trained on; older ones stay in the store.
    audit_window : int
        Newest audit items that measure.
    **options
        Of `Session`.
    """

    _pool: GrowingPool
    _queue: ArrivalQueue
    _ids: list[str]
    _features: ArrivalFeatures
    _kind = "stream"

    def __init__(self, pool: GrowingPool, task: Any, *, window: int, audit_window: int, **options: Any) -> None:
        self._window, self._audit_window = window, audit_window
        self._answered: dict[str, None] = {}
        self._after: frozenset[str] | None = None
        self._room = threading.Event()
        self._context: list[Any] = []
        self._context_at = 0
        # What came and went is not asked again: a stream's past is not there any more.
        super().__init__(pool, task, **{"policy": "never", **options})
        self._ids[:] = [""] * CONTEXT
        self._held = HeldItems(self._ids, self._row)
        self._store.keep_setting("scenario", self._scenario())

    # ---- hooks of Session ---------------------------------------------------------------------------------------------

    def _scenario(self) -> dict[str, str]:
        return {"kind": self._kind, "name": self._pool.name}

    def _make_pool(self, pool: Any) -> Pool:
        """Take the pool as it is: empty."""
        made: Pool = pool
        return made

    def _known_ids(self) -> Iterable[str]:
        """Return what was answered before: any item of an earlier run may come again."""
        if self._store.setting("scenario") != self._scenario():
            return ()
        return {event.item_id for _, event in self._store.events()}

    def _make_queue(self, audit: float) -> ServingQueue:
        del audit
        return ArrivalQueue(self.seed)

    def _make_encoding(self, encoder: Any) -> BackgroundEncoding:
        self._features = ArrivalFeatures(encoder)
        armed = ArmedRounds(
            make_table=lambda: None,
            order=list,
            on_progress=self._on_progress,
            on_ready=self._rounds.on_features,
            on_problem=lambda p: self.set_aside(p.item_id, p.reason),
            on_error=self._on_error,
        )
        armed.features = self._features
        return armed

    def _check_item(self, item_id: str) -> None:
        """Take answers about items of earlier runs too: a page may bring them after the kernel died."""
        if item_id not in self._row and not (item_id.startswith(f"{self._pool.name}/") and len(item_id) <= LONGEST_ID):
            raise UnknownItemError(item_id)

    def _recorded(self, event: Annotation) -> None:
        self._settle(event.item_id)
        self._evict()
        self._room.set()

    def set_aside(self, item_id: str, reason: str) -> None:
        """Take an item out of this session because it cannot be shown; it waits no longer."""
        super().set_aside(item_id, reason)
        with self._lock:
            self._queue.answered(self._row_of(item_id))
        self._room.set()

    def _on_round(self, snapshot: Snapshot) -> None:
        with self._lock:
            if not snapshot.errors:
                self._held.end_round()
        super()._on_round(snapshot)

    def _state(self) -> State:
        """Return what a round begins with; on the trainer's thread."""
        with self._lock:
            self._sync()
            self._held.begin_round()
            number = {name: i for i, name in enumerate(self._task.classes)}
            rows, labels, weights = [], [], []
            for held in self._trainable():
                label = self._ledger.labels[held.item_id].label
                if label in number:
                    rows.append(held.row)
                    labels.append(number[label])
                    weights.append(self._weight(held))
            known = {h.row: h.features for h in self._with_features() if h.features is not None}
            at = sorted(known)
            matrix = [known[row] for row in at]
            return State(
                version=len(self._ledger),
                n_labels=len(self._ledger.labels),
                classes=self._task.classes,
                pool_size=len(self._ids),
                labelled=np.asarray(rows, np.intp),
                labels=np.asarray(labels, np.intp),
                candidates=np.empty(0, np.intp),
                pending=np.empty(0, np.intp),
                features=(np.asarray(at, np.intp), np.stack(matrix) if matrix else np.empty((0, 0), np.float32)),
                weights=None if len(set(weights)) < 2 else np.asarray(weights),
                witnesses=self._witnesses(),
                timed=tuple(self._answers()),
                row=dict(self._row),
                annotator=self.annotator,
            )

    # ---- what is held ---------------------------------------------------------------------------------------------------

    def _weight(self, held: Held) -> float:
        """Return the weight of an item's label."""
        del held
        return 1.0

    def _with_features(self) -> list[Held]:
        """Return everything a learner may see: what is held, and the context."""
        context = [Held("", row, features=f) for row, (_, f) in enumerate(self._context) if f is not None]
        return context + [held for held in self._held if held.features is not None]

    def _trainable(self) -> list[Held]:
        """Return the held items whose label is trained on, oldest answer first."""
        labels = self._ledger.labels
        held = (self._held.get(item_id) for item_id in self._answered if item_id in labels)
        return [h for h in held if h is not None and h.kind != "audit" and not h.stale][-self._window :]

    def _remember_context(self, description: Any, features: Any) -> None:
        """Keep an item without a label for the learner, in place of the oldest."""
        if len(self._context) < CONTEXT:
            self._context.append((description, features))
        else:
            self._context[self._context_at % CONTEXT] = (description, features)
        self._context_at += 1

    def _hold(self, item_id: str, *, waiting: bool, **fields: Any) -> Held:
        """Give an item a row; it waits for an answer, or has one already."""
        held = self._held.add(item_id, **fields)
        self._queue.put(Pick(held.row, held.strategy, held.utility, held.propensity, held.kind), waiting=waiting)
        if held.kind == "audit":
            self._reserve_ids.add(item_id)
        if not waiting:
            self._answered[item_id] = None
        return held

    def _settle(self, item_id: str) -> None:
        """Take note that an item was answered, or that its answer was taken back."""
        held = self._held.get(item_id)
        if held is None:
            return
        if self._ledger.answers(item_id):
            self._queue.answered(held.row)
            first = item_id not in self._answered
            self._answered.setdefault(item_id)
            if first:
                self._on_first_answer(held)
        elif item_id in self._answered:
            del self._answered[item_id]
            self._queue.put(Pick(held.row, held.strategy, held.utility, held.propensity, held.kind))

    def _on_first_answer(self, held: Held) -> None:
        """Take note of an item's first answer; the caller holds the lock."""

    def _evict(self) -> None:
        """Forget the oldest answered items beyond the windows, and the pixels of all but the newest."""
        measured = [i for i in self._answered if i in self._reserve_ids]
        trained = [i for i in self._answered if i not in self._reserve_ids]
        visible = {i for ids in self._visible.values() for i in ids}
        for item_id in [*measured[: -self._audit_window], *trained[: -self._window]]:
            if item_id in visible:
                continue
            held = self._held.get(item_id)
            if held is not None:
                self._queue.drop(held.row)
            self._held.drop(item_id)
            self._answered.pop(item_id)
            self._reserve_ids.discard(item_id)
            self._pool.forget(item_id)
        for item_id in list(self._answered)[:-RECENT]:
            self._pool.forget(item_id)

    # ---- readings -------------------------------------------------------------------------------------------------------

    def _query(self, pick: Pick) -> Query:
        query = super()._query(pick)
        held = self._held.get(query.item_id)
        if held is None or query.probabilities or not held.probabilities:
            return query
        # The newest model does not know it yet: show the opinion that there was when it came.
        snapshot = self._rounds.snapshot
        trained = 0 if snapshot is None else snapshot.n_trained
        reason = reason_of(held.probabilities, trained)
        return replace(query, probabilities=held.probabilities, round=held.round, reason=reason)

    def _opinion(self, probabilities: Any, classes: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
        return () if probabilities is None else probabilities_of(np.asarray(probabilities), classes)

    def labels(self) -> pd.DataFrame:
        """One row an item that has a label, of earlier runs too; see `Session.labels`."""
        with self._lock:
            self._sync()
            audits = {e.item_id for e in self._ledger if e.query_kind == "audit"}
            return frames.labels_frame(self._labels(), [], audits)

    def predictions(self) -> pd.DataFrame:
        """One row an item that is held: the newest asked ones; see `Session.predictions`."""
        with self._lock:
            frame = frames.predictions_frame(self._rounds.snapshot, list(self._ids), self._task.classes)
        return frame[frame.item_id != ""].reset_index(drop=True)

    def counts(self) -> dict[str, int]:
        """Return as `Session.counts`; the total is what was asked, in earlier runs too."""
        with self._lock:
            self._sync()
            answered = list(self._ledger.answered())
            newest = [max(self._ledger.answers(i).values(), key=lambda e: e.answered_at) for i in answered]
            kinds = [e.kind for e in newest if e.item_id not in self._ledger.labels]
            return {
                "total": len(answered) + self._queue.waiting,
                "labelled": len(self._ledger.labels),
                "skipped": kinds.count("skip"),
                "unsure": kinds.count("unsure"),
                "problems": len(self._problems),
                "mine": sum(1 for i in answered if self.annotator in self._ledger.answers(i)),
            }

    def _left(self) -> int:
        return 1  # more items may always come
