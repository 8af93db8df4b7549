"""What widgets that show many items at once have in common: cards with small pictures, and answers that are durable together."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets as t

from al_widgets.errors import ReadError, TaskError
from al_widgets.records import Annotation, Query
from al_widgets.session import Session
from al_widgets.session.drawing import LEASE_S
from al_widgets.widgets import entries, messages, sheet_wire, status
from al_widgets.widgets.comm import FollowFrontend
from al_widgets.widgets.conversation import Conversation
from al_widgets.widgets.pusher import Pusher
from al_widgets.widgets.sheet_wire import Card, Group, Sheet
from al_widgets.widgets.wire import ImageInfo

STATIC = pathlib.Path(__file__).parent.parent / "static"
SIDE = 320
"""Pixels of the longer side of a card's picture at most."""
MOST_CARDS = 100


class SheetWidget(Conversation, FollowFrontend, anywidget.AnyWidget):
    """Shows a sheet of cards and records the answers to them.

    Parameters
    ----------
    session : Session
    n : int
        Cards of a sheet at most.
    title : str, optional
        Default: the name of the pool.
    keys : dict of str to str, optional
        As for `QueryWidget`.
    """

    _esm = STATIC / "sheet.js"
    _css = STATIC / "sheet.css"
    _shapes = messages.shapes_of(sheet_wire.FROM_PAGE)

    store_id = t.Unicode().tag(sync=True)
    annotator = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    classes = t.List(t.Unicode()).tag(sync=True)
    class_keys = t.Dict(value_trait=t.Unicode(), key_trait=t.Unicode()).tag(sync=True)

    def __init__(
        self, session: Session, n: int, *, title: str | None = None, keys: dict[str, str] | None = None, **kwargs: Any
    ) -> None:
        if session.task.kind != "classification":
            raise TaskError(f"{type(self).__name__} is for tasks with one class an item, not for {session.task.kind}")
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_CARDS:
            raise TaskError(f"a sheet has 1 to {MOST_CARDS} cards, not {n!r}")
        super().__init__(
            store_id=session.store.store_id,
            annotator=session.annotator,
            title=session.pool.name if title is None else title,
            classes=list(session.task.classes),
            class_keys=dict(keys or {}),
            **kwargs,
        )
        self.session = session
        self.n = n
        self._rev = 0
        self._rev_lock = threading.Lock()
        self._last_heard: dict[str, float] = {}
        self._told = ""
        self._pusher = Pusher(self._push)
        self._unsubscribe = session.subscribe(self._pusher.wake)
        self.on_msg(self._on_message)

    # ---- what the kinds of sheets say -----------------------------------------------------------------------------------

    def _version(self) -> int:
        """Return a number that changes when the sheet may have changed."""
        raise NotImplementedError

    def _sheet(self, client: str, name: str | None, have: list[str]) -> tuple[Sheet, list[bytes]]:
        """Return the sheet for a page, and its pictures."""
        raise NotImplementedError

    # ---- from the page ----------------------------------------------------------------------------------------------------

    def _heard(self, client: str) -> None:
        with self._rev_lock:
            self._last_heard[client] = time.monotonic()
        self.session.welcome(client)

    def _forget_gone(self) -> None:
        """Give back what pages hold that said nothing for as long as a lease lasts."""
        now = time.monotonic()
        with self._rev_lock:
            silent = [c for c, at in self._last_heard.items() if now - at > LEASE_S]
            for client in silent:
                del self._last_heard[client]
        for client in silent:
            self.session.release(client)

    def _on_sheet(self, message: dict[str, Any]) -> None:
        for gone in message["replaces"]:
            self.session.release(gone)
        reply: dict[str, Any] = {"kind": "reply", "rid": message["rid"], "ok": True}
        buffers: list[bytes] = []
        client, have = message["client"], message["have"]
        if not have or message["known"] != self._version():
            reply["sheet"], buffers = self._sheet(client, message["name"], have)
        else:
            self._keep(client, have)
        reply["status"] = self._status()
        self.send(reply, buffers)

    def _keep(self, client: str, have: list[str]) -> None:
        """Take note that a page still shows what it has."""

    def _on_batch(self, message: Any) -> None:
        began = time.perf_counter()
        new = self.session.record_many(events_of(message, self.session.annotator))
        ack = {
            "event_id": message["event_id"],
            "duplicate": not any(new),
            "durable_ms": (time.perf_counter() - began) * 1000,
        }
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "ack": ack, "status": self._status()})

    def _on_bad_image(self, message: dict[str, Any]) -> None:
        self.session.set_aside(message["item_id"], f"the browser cannot show it: {message['reason'][:300]}")
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "status": self._status()})

    # ---- to the page ------------------------------------------------------------------------------------------------------

    def _status(self) -> Any:
        with self._rev_lock:
            self._rev += 1
            rev = self._rev
        return status.status_of(self.session, rev, has_items=True)

    def _cards(self, shown: Sequence[tuple[Query, str]], have: Collection[str]) -> tuple[list[Card], list[bytes]]:
        """Return cards and pictures of (query, proposed class); what cannot be read is set aside and left out.

        Pictures of items that the page has do not travel again.
        """
        cards: list[Card] = []
        buffers: list[bytes] = []
        with self.session.lock:
            answers = {query.item_id: dict(self.session.ledger.answers(query.item_id)) for query, _ in shown}
        for query, proposed in shown:
            try:
                payload = self.session.pool.payload(query.item_id, SIDE)
            except ReadError as error:
                self.session.set_aside(query.item_id, error.reason)
                continue
            known = query.item_id in have
            image = entries.image_of(payload, entries.PAGE_HAS_IT if known else len(buffers))
            if not known:
                buffers.append(payload.data)
            cards.append(card_of(query, image, proposed, answers[query.item_id], self.session.annotator))
        return cards, buffers

    def _push(self, changes: set[str]) -> None:
        """Tell the page what changed; on the pusher's thread."""
        if "closed" in changes:
            self.send(
                {
                    "kind": "status",
                    "status": self._status(),
                    "problem": {"severity": "info", "message": self.session.closed},
                }
            )
            return
        self._forget_gone()
        told, self._told = self._told, self.session.last_error
        push: dict[str, Any] = {"kind": "status", "status": self._status()}
        if self._told and self._told != told:
            push["problem"] = {"severity": "error", "message": self._told}
        self.send(push)
        if changes & {"round", "labels", "problem"}:
            with self._rev_lock:
                self._rev += 1
                rev = self._rev
            self.send({"kind": "queue", "rev": rev, "replace": True, "keep": [], "drop": [], "entries": []})

    def close(self) -> None:
        """Take the widget off the page; the session goes on."""
        if "_unsubscribe" in self.__dict__:  # a constructor that refused leaves it out
            self._unsubscribe()
            self._pusher.close()
        super().close()


def card_of(query: Query, image: ImageInfo, proposed: str, answers: Mapping[str, Annotation], annotator: str) -> Card:
    """Return the card of a query."""
    return {
        **entries.entry_of(query, image, query.strategy),
        "proposed": proposed,
        "said": [
            {
                "annotator": who,
                "mine": who == annotator,
                "kind": answer.kind,  # type: ignore[typeddict-item]  # the ledger's answers are no undos
                "value": answer.value if isinstance(answer.value, str) else None,
            }
            for who, answer in sorted(answers.items())
        ],
    }


def groups_of(groups: Iterable[tuple[str, int]]) -> list[Group]:
    """Return groups as they travel."""
    return [{"name": name, "n": n} for name, n in groups]


def events_of(message: sheet_wire.Batch, annotator: str) -> list[Annotation]:
    """Return the events of a batch.

    Raises
    ------
    TaskError
        If it is empty, or its numbers are not those that follow each other from its own.
    """
    events = message["events"]
    if not events or [e["seq"] for e in events] != list(range(message["seq"], message["seq"] + len(events))):
        raise TaskError("the events of a batch must be numbered one after the other, from the number of the batch")
    return [
        Annotation(
            event_id=event["event_id"],
            item_id=event["item_id"],
            annotator=annotator,
            kind=event["answer"],
            value=event["value"] if event["answer"] == "label" else None,
            client=message["client"],
            seq=event["seq"],
            answered_at=message["answered_at_ms"] / 1000,
            **(
                {"target": event["target"]}
                if event["answer"] == "undo"
                else {
                    "elapsed_s": max(0.0, event["elapsed_ms"] / 1000),
                    "shown_at": message["shown_at_ms"] / 1000,
                    "model_shown": message["model_shown"],
                    "note": event["note"],
                    **entries.query_of_token(event["token"]),
                }
            ),
        )
        for event in events
    ]
