"""What widgets that show many items at once have in common: cards with small pictures, and answers that are durable together."""

from __future__ import annotations

import pathlib
import time
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from al_widgets.errors import ReadError, TaskError
from al_widgets.records import Annotation, Query
from al_widgets.session import Session
from al_widgets.widgets import entries, messages, sheet_wire, status
from al_widgets.widgets.session_widget import SessionWidget, acknowledged
from al_widgets.widgets.sheet_wire import Card, Group, Sheet
from al_widgets.widgets.wire import ImageInfo

STATIC = pathlib.Path(__file__).parent.parent / "static"
SIDE = 320
"""Pixels of the longer side of a card's picture at most."""
MOST_CARDS = 100


class SheetWidget(SessionWidget):
    """Shows a sheet of cards and records the answers to them.

    Parameters
    ----------
    session : Session
    n : int, optional
        Cards of a sheet at most; default: what suits the kind of sheet.
    title, keys
        As for `QueryWidget`.
    """

    _esm = STATIC / "sheet.js"
    _css = STATIC / "sheet.css"
    _shapes = messages.shapes_of(sheet_wire.FROM_PAGE)
    _usual_n: int

    def __init__(
        self,
        session: Session,
        n: int | None = None,
        *,
        title: str | None = None,
        keys: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        n = self._usual_n if n is None else n
        if session.task.kind != "classification":
            raise TaskError(f"{type(self).__name__} is for tasks with one class an item, not for {session.task.kind}")
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_CARDS:
            raise TaskError(f"a sheet has 1 to {MOST_CARDS} cards, not {n!r}")
        self.n = n
        super().__init__(session, title=title, keys=keys, **kwargs)

    # ---- what the kinds of sheets say -----------------------------------------------------------------------------------

    @abstractmethod
    def _version(self) -> int:
        """Return a number that changes when the sheet may have changed."""

    @abstractmethod
    def _sheet(self, client: str, name: str | None, have: list[str]) -> tuple[Sheet, list[bytes]]:
        """Return the sheet for a page, and its pictures."""

    # ---- from the page ----------------------------------------------------------------------------------------------------

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
        ack = acknowledged(message, new=any(new), began=began)
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "ack": ack, "status": self._status()})

    def _on_bad_image(self, message: dict[str, Any]) -> None:
        self.session.set_aside(message["item_id"], f"the browser cannot show it: {message['reason'][:300]}")
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "status": self._status()})

    # ---- to the page ------------------------------------------------------------------------------------------------------

    def _status(self, client: str | None = None) -> Any:  # noqa: ARG002
        return status.status_of(self.session, self._next_rev(), has_items=True)

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

    def _forget(self, client: str) -> None:
        """Nothing is remembered of a page but that it is there."""

    def _push_changes(self, changes: set[str]) -> None:
        self._forget_gone()
        if changes & {"round", "labels", "problem"}:
            rev = self._next_rev()
            self.send({"kind": "queue", "rev": rev, "replace": True, "keep": [], "drop": [], "entries": []})


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
