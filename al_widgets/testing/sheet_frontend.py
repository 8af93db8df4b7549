"""A frontend of a sheet (batch grid, review gallery) without a browser; see `al_widgets.testing.frontend`."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Mapping
from typing import Any

from al_widgets.testing.frontend import Message, listen
from al_widgets.widgets.sheet_wire import Batch, BatchEvent


class SheetFrontend:
    """One page.

    Parameters
    ----------
    widget : BatchGrid or ReviewGallery

    Attributes
    ----------
    cards : list of dict
        Of the newest sheet.
    pushes : list of dict
        Everything that was not a reply.
    buffers : dict of str to bytes
        Item id → picture.
    """

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self.client = f"page-{uuid.uuid4().hex[:8]}"
        self.cards: list[Message] = []
        self.pushes: list[Message] = []
        self.replies: dict[str, Message] = {}
        self.buffers: dict[str, bytes] = {}
        self._numbers, self._rids = itertools.count(), itertools.count()
        listen(widget, self._receive)

    def _receive(self, content: Message, buffers: list[bytes]) -> None:
        if content["kind"] != "reply":
            self.pushes.append(content)
            return
        for card in content.get("sheet", {}).get("cards", []):
            if card["image"]["buffer"] >= 0:
                self.buffers[card["item_id"]] = bytes(buffers[card["image"]["buffer"]])
        self.replies[content["rid"]] = content

    def send(self, kind: str, **fields: Any) -> Message:
        """Send one message and return the reply."""
        content = {"kind": kind, "rid": f"r{next(self._rids)}", "client": self.client, **fields}
        self.widget._handle_custom_msg(content, [])  # noqa: SLF001  # what ipywidgets calls for a message of the page
        return self.replies[content["rid"]]

    def ask(self, name: str | None = None, known: int = 0, have: tuple[str, ...] = ()) -> Message:
        """Ask for a sheet; return the reply."""
        reply = self.send("sheet", replaces=[], name=name, known=known, have=list(have))
        if "sheet" in reply:
            self.cards = reply["sheet"]["cards"]
        return reply

    def batch(
        self,
        cards: list[Message] | None = None,
        answers: Mapping[str, tuple[str, str | None]] | None = None,
        elapsed_ms: float = 24_000.0,
    ) -> Any:
        """Return a batch (without kind, rid and client): what is proposed, unless `answers` has (answer, value) of the item."""
        cards = self.cards if cards is None else cards
        given = {card["item_id"]: ("label", card["proposed"]) for card in cards} | dict(answers or {})
        tokens = {card["item_id"]: card["token"] for card in cards}
        return self._numbered(
            [(i, answer, value, tokens[i], None) for i, (answer, value) in given.items()], elapsed_ms / len(cards)
        )

    def undo(self, batch: Batch) -> Any:
        """Return the batch that takes back another."""
        return self._numbered([(e["item_id"], "undo", None, "", e["event_id"]) for e in batch["events"]], 0.0)

    def _numbered(self, rows: list[tuple[str, str, str | None, str, str | None]], elapsed_ms: float) -> Message:
        now_ms = time.time() * 1000
        events: list[BatchEvent] = []
        for item_id, answer, value, token, target in rows:
            seq = next(self._numbers)
            events.append(
                {
                    "seq": seq,
                    "event_id": f"{self.client}-{seq}",
                    "item_id": item_id,
                    "answer": answer,  # type: ignore[typeddict-item]  # as it may come from a page
                    "value": value,
                    "note": "",
                    "token": token,
                    "target": target,
                    "elapsed_ms": elapsed_ms,
                }
            )
        return {
            "seq": events[0]["seq"],
            "event_id": events[0]["event_id"],
            "shown_at_ms": now_ms - 1000,
            "answered_at_ms": now_ms,
            "model_shown": True,
            "events": events,
        }
