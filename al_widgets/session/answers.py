"""What a session records: answers, skips, undos, new classes. `Session` inherits these.

An event is durable in the store before the call returns; who resends one changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from al_widgets.arguments import check_number
from al_widgets.errors import SessionClosedError, SessionError, TaskError
from al_widgets.records import Annotation, Problem, Query
from al_widgets.session.ledger import order_of
from al_widgets.session.observers import Observers
from al_widgets.session.readings import Readings

LONGEST_S = 86_400.0
"""Seconds that a script may say an answer took: a day. What took longer was counted in milliseconds."""


class Answers(Readings):
    """The recording half of `Session`."""

    _observers: Observers
    _visible: dict[str, list[str]]
    _client: str
    _seq: int

    def submit(self, query: Query | str, value: Any, *, elapsed_s: float | None = None) -> str:
        """Record the answer to a query (or to an item id); returns the id of the event, which is on the disk then.

        Raises
        ------
        TaskError
            If the answer does not fit the task; nothing is recorded.
        UnknownItemError, StoreError
        """
        return self._answer(query, "label", value, elapsed_s, "")

    def skip(self, query: Query | str, reason: str = "", *, elapsed_s: float | None = None) -> str:
        """Record that the item is left out, with a reason."""
        return self._answer(query, "skip", None, elapsed_s, reason)

    def unsure(self, query: Query | str, reason: str = "", *, elapsed_s: float | None = None) -> str:
        """Record that the annotator cannot tell."""
        return self._answer(query, "unsure", None, elapsed_s, reason)

    def undo(self, event_id: str | None = None) -> str | None:
        """Take back an event, by default this annotator's newest answer; returns its id, None if there is none."""
        with self._lock:
            if event_id:
                found = [ledger.event(event_id) for ledger in self._ledgers()]
            else:
                found = [ledger.newest(self.annotator) for ledger in self._ledgers()]
            target = max((event for event in found if event is not None), key=order_of, default=None)
            if event_id and target is None:
                raise SessionError(f"no event {event_id!r} in this session; see session.annotations()")
        if target is None:
            return None
        self.record(self._event(target.item_id, "undo", target=target.event_id))
        return target.event_id

    def redo(self) -> str | None:
        """Bring back the answer that was undone last; returns its id, None if there is none."""
        with self._lock:
            mine = ((e, ledger) for ledger in self._ledgers() for e in ledger if e.annotator == self.annotator)
            undos = [
                (e, ledger)
                for e, ledger in mine
                if e.kind == "undo" and ledger.stands(e.event_id) and _is_answer(ledger.event(e.target or ""))
            ]
            undo, ledger = max(undos, key=lambda u: (u[0].answered_at, u[0].seq), default=(None, self._ledger))
        if undo is None or undo.target is None:
            return None
        while (standing := ledger.newest_undo(undo.target)) is not None:  # it may have been undone twice
            self.record(self._event(undo.item_id, "undo", target=standing.event_id))
        return undo.target

    def record(self, event: Annotation) -> bool:
        """Record one event, as it came from a page; True if it was new.

        It is durable when this returns. The same event again changes nothing.

        Raises
        ------
        UnknownItemError, TaskError
            If it does not fit; nothing is recorded.
        StoreError, SessionClosedError
        """
        return self.record_many([event])[0]

    def record_many(self, events: Sequence[Annotation]) -> list[bool]:
        """Record several events in one durable transaction, all or none; True where one was new. Raises like `record`."""
        self._check_open()
        for event in events:
            self._check_event(event)
        with self._lock:
            acks = self._store.append_many(events)
            answered = {event.item_id for event in events}
            self._visible = {h: [i for i in ids if i not in answered] for h, ids in self._visible.items()}
            for event in events:
                self._ledger_of(event.item_id).add(event)
                self._recorded(event)
                self._rounds.answered()
        if not all(ack.duplicate for ack in acks):
            self._observers.notify("labels")
        return [not ack.duplicate for ack in acks]

    def _check_event(self, event: Annotation) -> None:
        if event.kind == "undo":
            if not event.target or event.target == event.event_id:
                raise TaskError(f"an undo must name another event, not {event.target!r}")
            return
        self._check_item(event.item_id)
        self._check_value(event)

    def _check_value(self, event: Annotation) -> None:
        """Raise `TaskError` if an answer does not fit the task."""
        if event.kind == "stroke":
            raise TaskError(f"strokes belong to masks; this is a {self._task.kind} task")
        if event.kind == "label":
            self._task.validate(event.value)

    def _recorded(self, event: Annotation) -> None:
        """Take note of an event that is durable now; the caller holds the lock."""

    def _check_item(self, item_id: str) -> None:
        """Raise `UnknownItemError` if no answer can be about this item."""
        self._row_of(item_id)

    def _answer(self, query: Query | str, kind: Any, value: Any, elapsed_s: float | None, note: str) -> str:
        asked = query if isinstance(query, Query) else self.query(query)
        if elapsed_s is not None:
            check_number(elapsed_s, "elapsed_s, the seconds an answer took", TaskError, 0, LONGEST_S)
        now = time.time()
        event = self._event(
            asked.item_id,
            kind,
            value=value,
            elapsed_s=elapsed_s,
            shown_at=None if elapsed_s is None else now - elapsed_s,
            strategy=asked.strategy,
            utility=asked.utility,
            propensity=asked.propensity,
            round=asked.round,
            query_kind=asked.kind,
            note=note,
        )
        self.record(event)
        return event.event_id

    def _event(self, item_id: str, kind: Any, **fields: Any) -> Annotation:
        with self._lock:
            seq, self._seq = self._seq, self._seq + 1
        return Annotation(
            event_id=f"{self._client}-{seq}",
            item_id=item_id,
            annotator=self.annotator,
            kind=kind,
            value=fields.pop("value", None),
            client=self._client,
            seq=seq,
            answered_at=time.time(),
            **fields,
        )

    def add_class(self, name: str) -> tuple[str, ...]:
        """Add a class while labeling; returns all classes."""
        self._check_open()
        with self._lock:
            task = self._task.with_class(name)
            if task.classes != self._task.classes:
                self._store.add_class(task.classes[-1])
                self._task = task
        self._observers.notify("classes")
        return self._task.classes

    def set_aside(self, item_id: str, reason: str) -> None:
        """Take an item out of this session because it cannot be shown or encoded; see `problems`."""
        self._row_of(item_id)
        with self._lock:
            if item_id in self._problems:
                return
            self._problems[item_id] = Problem(item_id, reason)
        self._observers.notify("problem")

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosedError(f"{self._closed} Make a new session with the same store to go on.")


def _is_answer(event: Annotation | None) -> bool:
    return event is not None and event.kind != "undo"
