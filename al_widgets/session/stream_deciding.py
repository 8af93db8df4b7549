"""What a stream session does with each item: recognise, describe, judge, and hold or let go.

The deciding half of `StreamSession`, which inherits it. One item at a time, under the lock of the stream; the session's lock is taken
only to change what is held.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.pool.growing import Arrival, GrowingPool
from al_widgets.session.growing import GrowingSession
from al_widgets.session.held import Held
from al_widgets.session.rounds import State
from al_widgets.session.snapshot import Snapshot
from al_widgets.session.stream_policy import StreamPolicy, Verdict
from al_widgets.strategies.drift import change_point
from al_widgets.strategies.stream import BudgetManager

LOOKED_BACK = 300
"""Answers that the search for a change looks at."""


class StreamDeciding(GrowingSession):
    """The deciding half of `StreamSession`."""

    _manager: BudgetManager
    _policy: StreamPolicy
    _offering: threading.RLock
    _most_waiting: int
    _keep: int | None
    _let_go: GrowingPool
    _let_go_ids: deque[str]
    _decisions: deque[tuple[int, str, str, float | None, float | None]]
    _errors: deque[tuple[str, int]]
    _changes: list[int]
    _look_for_changes: bool
    _model_version: int
    _training_version: int
    _held_version: int
    _cache: Any
    _recalled: bool

    def _decide(self, arrival: Arrival) -> bool:
        item_id = arrival.item_id
        self._features.open(arrival.pixels.shape)
        self._recall()
        with self._lock:
            known = item_id in self._held or bool(self._ledger.answers(item_id))
        if known:
            self._note(item_id, self._policy.known(), None)
            self._meet_again(arrival)
            return False
        description = self._features.describe(arrival.pixels)
        if self._features.take(description):
            self._refit()
        reduced = self._features.reduce([description])
        features = None if reduced is None else reduced[0]
        probabilities, snapshot = self._predict(features)
        verdict = self._policy.decide(probabilities, features, busy=self._is_full())
        utility = None if probabilities is None else 1.0 - float(probabilities.max())
        self._note(item_id, verdict, utility)
        kept = None if self._features.settled else description
        if not verdict.asked:
            with self._lock:
                self._remember_context(kept, features)
            self._keep_let_go(arrival)
            return False
        self._pool.hold(arrival)
        self._let_go.forget(item_id)
        self._save_description(arrival, description)
        with self._lock:
            self._hold(
                item_id,
                waiting=True,
                description=kept,
                features=features,
                kind="audit" if verdict.fate == "audit" else "new",
                strategy={"audit": "audit", "cold start": "cold start"}.get(verdict.fate, self._manager.name),
                utility=utility,
                propensity=verdict.propensity,
                probabilities=() if snapshot is None else self._opinion(probabilities, snapshot.classes),
                round=0 if snapshot is None else snapshot.round,
            )
        self._observers.notify("round")  # a page that has nothing to show draws again
        return True

    def _predict(self, features: npt.NDArray[np.float32] | None) -> tuple[npt.NDArray[Any] | None, Snapshot | None]:
        """Return the model's opinion of a new item, and the model; None where the features mean something else by now."""
        snapshot = self._rounds.snapshot
        if features is None or snapshot is None or snapshot.learner is None:
            return None, None
        if self._model_version != self._features.version:
            return None, None
        try:
            return np.asarray(snapshot.learner.predict_proba(features[None]))[0], snapshot
        except Exception as error:  # a user's estimator may raise anything; the stream goes on
            self._on_error(error)
            return None, None

    def _refit(self) -> None:
        """Make all features anew: the reduction means something else now. A round follows."""
        with self._lock:
            held = [h for h in self._held if h.description is not None]
            described = [h.description for h in held if h.description is not None]
            features = self._features.reduce(described)
            for h, row in zip(held, () if features is None else features, strict=True):
                h.features = row
            context = self._features.reduce([d for d, _ in self._context])
            rows = () if context is None else context
            keep = not self._features.settled
            self._context = [(d if keep else None, row) for (d, _), row in zip(self._context, rows, strict=True)]
            if not keep:
                for h in held:
                    h.description = None
            self._held_version = self._features.version
        self._rounds.request()

    # ---- earlier runs ---------------------------------------------------------------------------------------------------

    def _open_cache(self) -> Any:
        from al_widgets.features import DescriptionCache

        return DescriptionCache.in_memory() if self._store.location == ":memory:" else DescriptionCache()

    def _signature(self, item_id: str) -> str:
        return f"{self._store.store_id}:{item_id}"

    def _save_description(self, arrival: Arrival, description: npt.NDArray[np.float32]) -> None:
        self._cache.put(self._features.fingerprint, {arrival.content_key: description})
        self._cache.put_digests({self._signature(arrival.item_id): arrival.content_key})

    def _recall(self) -> None:
        """Bring back the newest labelled items of earlier runs, once, where the cache knows their descriptions."""
        if self._recalled:
            return
        self._recalled = True
        with self._lock:
            events = sorted((e for e in self._ledger if e.kind != "undo"), key=lambda e: e.answered_at)
            labels = self._ledger.labels
            ids = list(dict.fromkeys(e.item_id for e in reversed(events) if e.item_id in labels))
        ids = [i for i in ids[: self._window + self._audit_window] if i not in self._held][::-1]
        keys = self._cache.digests([self._signature(i) for i in ids])
        known = {i: keys[self._signature(i)] for i in ids if self._signature(i) in keys}
        descriptions = self._cache.get(self._features.fingerprint, list(known.values()))
        for item_id, key in known.items():
            if key in descriptions:
                self._adopt(item_id, descriptions[key])

    def _meet_again(self, arrival: Arrival) -> None:
        """Take in an item that was answered in an earlier run, for the model."""
        if arrival.item_id not in self._held:
            with self._lock:
                wanted = arrival.item_id in self._ledger.labels and arrival.item_id not in self._answered
                room = len(self._answered) < self._window
            if wanted and room:
                description = self._features.describe(arrival.pixels)
                self._adopt(arrival.item_id, description)
                self._save_description(arrival, description)

    def _adopt(self, item_id: str, description: npt.NDArray[np.float32]) -> None:
        refitted = self._features.take(description)
        features = self._features.reduce([description])
        with self._lock:
            answers = self._ledger.answers(item_id).values()
            audit = any(e.query_kind == "audit" for e in answers)
            self._hold(
                item_id,
                waiting=False,
                description=None if self._features.settled else description,
                features=None if features is None else features[0],
                kind="audit" if audit else "new",
            )
        if refitted:
            self._refit()
        else:
            self._rounds.request()

    # ---- what is let go, and what changes -----------------------------------------------------------------------------------

    def _keep_let_go(self, arrival: Arrival) -> None:
        if self._keep == 0 or arrival.item_id in self._let_go:
            return
        self._let_go.hold(arrival)
        if self._keep is not None:
            self._let_go_ids.append(arrival.item_id)
            if len(self._let_go_ids) > self._keep:
                self._let_go.forget(self._let_go_ids.popleft())

    def _note(self, item_id: str, verdict: Verdict, utility: float | None) -> None:
        self._decisions.append((self._policy.seen - 1, item_id, verdict.fate, utility, verdict.propensity))

    def _on_first_answer(self, held: Held) -> None:
        """Compare the answer with what the model said when the item came; look for a change."""
        label = self._ledger.labels.get(held.item_id)
        if label is None or not held.probabilities or not self._look_for_changes:
            return
        self._errors.append((held.item_id, int(held.probabilities[0][0] != label.label)))
        cut = change_point([error for _, error in self._errors])
        if cut is None:
            return
        newer = {item_id for item_id, _ in list(self._errors)[cut:]}
        self._errors = deque(list(self._errors)[cut:], maxlen=LOOKED_BACK)
        self._changes.append(len(self._ledger))
        for item_id in self._answered:
            older = self._held.get(item_id)
            if older is not None and item_id not in newer:
                older.stale = True
                self._reserve_ids.discard(item_id)  # it measured what is no more
        self._policy.changed()

    def _state(self) -> State:
        with self._lock:
            self._training_version = self._held_version
            return super()._state()

    def _on_round(self, snapshot: Snapshot) -> None:
        if not snapshot.errors:
            self._model_version = self._training_version
        super()._on_round(snapshot)

    def _is_full(self) -> bool:
        with self._lock:
            return self._queue.waiting >= self._most_waiting
