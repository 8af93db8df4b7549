"""Messages of widgets that show many items at once (batch grid, review gallery), in the manner of `al_widgets.widgets.wire`.

``python -m al_widgets.widgets.sheet_wire`` prints ``js/src/sheet-wire.ts``; a test compares the two. A sheet is what is on the
screen together; its answers travel as one `Batch`, which becomes durable as a whole or not at all.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, NotRequired, TypedDict

from al_widgets.widgets.wire import Acknowledged, BadImage, Entry, ErrorInfo, Queue, Status, StatusPush, typescript_of


class Said(TypedDict):
    """What one annotator has said of an item. `mine`: it was the annotator of this page."""

    annotator: str
    mine: bool
    kind: Literal["label", "skip", "unsure"]
    value: str | None


class Card(Entry):
    """One item of a sheet.

    `proposed` is the class that is confirmed by saying nothing: the model's in a grid, the stored label in a review.
    """

    proposed: str
    said: list[Said]


class Group(TypedDict):
    """How many open items the model takes for a class (grid), or how many cards a page has (review)."""

    name: str
    n: int


class Sheet(TypedDict):
    """What is on the screen together. `left` counts what is to be looked at, the cards included."""

    rev: int
    name: str
    cards: list[Card]
    groups: list[Group]
    left: int
    message: str


class GetSheet(TypedDict):
    """Ask for a sheet, of a class or page or of any; a page that has revision `known` with items `have` gets it only when it changed.

    `replaces` are clients of this tab that are gone. Items of `have` stay leased to the page.
    """

    kind: Literal["sheet"]
    rid: str
    client: str
    replaces: list[str]
    name: str | None
    known: int
    have: list[str]


class BatchEvent(TypedDict):
    """One answer, or the undo of one (`target`), in a batch. ``event_id`` is ``"<client>-<seq>"``."""

    seq: int
    event_id: str
    item_id: str
    answer: Literal["label", "skip", "unsure", "undo"]
    value: str | None
    note: str
    token: str
    target: str | None
    elapsed_ms: float


class Batch(TypedDict):
    """Answers given together, durable together. `seq` and ``event_id`` are those of its first event."""

    kind: Literal["batch"]
    rid: str
    client: str
    seq: int
    event_id: str
    shown_at_ms: float
    answered_at_ms: float
    model_shown: bool
    events: list[BatchEvent]


class SheetReply(TypedDict):
    """Answer to a request: sheet (where it changed), status; batch: ack, status. The cards' pixels are in the buffers."""

    kind: Literal["reply"]
    rid: str
    ok: bool
    ack: NotRequired[Acknowledged]
    sheet: NotRequired[Sheet]
    status: NotRequired[Status]
    error: NotRequired[ErrorInfo]


FROM_PAGE: tuple[Any, ...] = (GetSheet, Batch, BadImage)
FROM_KERNEL: tuple[Any, ...] = (SheetReply, Queue, StatusPush)
"""A `Queue` without entries says that the sheet is out of date."""


def typescript() -> str:
    """Return ``js/src/sheet-wire.ts``."""
    return typescript_of(globals(), "al_widgets.widgets.sheet_wire", FROM_PAGE, FROM_KERNEL)


if __name__ == "__main__":
    sys.stdout.write(typescript())
