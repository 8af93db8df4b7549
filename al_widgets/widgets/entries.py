"""Queries as the page needs them: an entry of the window, its pixels as a message buffer, and the token of the query.

The token carries what must be recorded with the answer; it goes to the page and comes back, so that an answer given to a kernel
that died is still recorded whole by the next one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from al_widgets.errors import ReadError
from al_widgets.records import Annotation, Payload, Query, QueryKind
from al_widgets.session import Session
from al_widgets.widgets.wire import Answer, Entry, HistoryRow, ImageInfo, Undo

MAX_SIDE = 1600
"""Pixels of the longer side that travel at most."""
MAX_WINDOW = 50
"""Items a page may hold."""
PAGE_HAS_IT = -1
"""Number of a buffer that does not travel, because the page holds the picture."""


def entry_of(query: Query, image: ImageInfo, shown_strategy: str) -> Entry:
    """Return the entry of a query."""
    return {
        "item_id": query.item_id,
        "token": token_of(query),
        "strategy": shown_strategy,  # the session's, also for audit items: they are served unmarked
        "reason": query.reason,
        "round": query.round,
        "probabilities": [{"name": name, "p": p} for name, p in query.probabilities],
        "image": image,
    }


def image_of(payload: Payload, buffer: int) -> ImageInfo:
    """Return how to show a payload whose bytes are in the given buffer."""
    return {
        "buffer": buffer,
        "encoding": payload.encoding,
        "mime": payload.mime,
        "dtype": payload.dtype,
        "width": payload.width,
        "height": payload.height,
        "channels": payload.channels,
        "native_width": payload.native_width,
        "native_height": payload.native_height,
        "low": payload.low,
        "high": payload.high,
    }


def entries_of(
    session: Session, queries: Iterable[Query], there: Mapping[str, ImageInfo], first_buffer: int = 0
) -> tuple[list[Entry], list[bytes]]:
    """Return entries and buffers; an item whose picture cannot be read is set aside and left out.

    Parameters
    ----------
    there : mapping of str to ImageInfo
        Pictures that the page has: their bytes do not travel again.
    first_buffer : int
        Number of buffers that come before these.
    """
    entries: list[Entry] = []
    buffers: list[bytes] = []
    for query in queries:
        image = there.get(query.item_id)
        if image is not None:
            image = {**image, "buffer": PAGE_HAS_IT}
        else:
            try:
                payload = session.pool.payload(query.item_id, MAX_SIDE)
            except ReadError as error:
                session.set_aside(query.item_id, error.reason)
                continue
            image = image_of(payload, first_buffer + len(buffers))
            buffers.append(payload.data)
        entries.append(entry_of(query, image, session.strategy))
    return entries, buffers


def draw_entries(
    session: Session,
    client: str,
    have: list[str],
    want: int,
    *,
    keep: int | None = None,
    there: Mapping[str, ImageInfo],
) -> tuple[list[Entry], list[bytes]]:
    """Draw until the page has what it wants or nothing is left; unreadable pictures are replaced by others.

    With `keep` the page's items beyond the first `keep` are given back first; `there` as for `entries_of`.
    """
    held = have if keep is None else have[:keep]
    want = min(want, MAX_WINDOW)
    entries: list[Entry] = []
    buffers: list[bytes] = []
    queries = session.draw(client, want - len(held), have=have, keep=keep)
    while queries:
        more, pixels = entries_of(session, queries, there, len(buffers))
        entries += more
        buffers += pixels
        missing = want - len(held) - len(entries)
        if missing <= 0:
            break
        queries = session.draw(client, missing, have=[*held, *(e["item_id"] for e in entries)])
    return entries, buffers


def token_of(query: Query) -> str:
    """Return what the page sends back with the answer."""
    fields = [query.strategy, query.utility, query.propensity, query.round, query.kind]
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


def query_of_token(token: str) -> dict[str, Any]:
    """Return the fields of a token; a token that was not made here gives the fields of an unasked answer."""
    unasked = {"strategy": "unknown", "query_kind": "new"}
    try:
        strategy, utility, propensity, round_, kind = json.loads(base64.urlsafe_b64decode(token.encode()))
        if kind not in get_args(QueryKind):
            return unasked
        return {
            "strategy": str(strategy)[:100],
            "utility": None if utility is None else float(utility),
            "propensity": None if propensity is None else float(propensity),
            "round": int(round_),
            "query_kind": kind,
        }
    except (ValueError, TypeError, binascii.Error):
        return unasked


def annotation_of(message: Answer, annotator: str) -> Annotation:
    """Return the event of an answer."""
    return Annotation(
        event_id=message["event_id"],
        item_id=message["item_id"],
        annotator=annotator,
        kind=message["answer"],
        value=message["value"] if message["answer"] == "label" else None,
        client=message["client"],
        seq=message["seq"],
        elapsed_s=max(0.0, message["elapsed_ms"] / 1000),
        shown_at=message["shown_at_ms"] / 1000,
        answered_at=message["answered_at_ms"] / 1000,
        model_shown=message["model_shown"],
        note=message["note"],
        **query_of_token(message["token"]),
    )


def undo_of(message: Undo, annotator: str) -> Annotation:
    """Return the event of an undo."""
    return Annotation(
        event_id=message["event_id"],
        item_id=message["item_id"],
        annotator=annotator,
        kind="undo",
        value=None,
        client=message["client"],
        seq=message["seq"],
        target=message["target"],
        answered_at=message["answered_at_ms"] / 1000,
    )


def history_of(session: Session, limit: int) -> list[HistoryRow]:
    """Return the annotator's newest answers, newest last."""
    with session.lock:
        events = session.ledger.history(session.annotator)[-max(0, limit) :] if limit else []
        return [
            {
                "event_id": e.event_id,
                "item_id": e.item_id,
                "kind": e.kind,  # type: ignore[typeddict-item]  # history holds no undo
                "value": e.value if isinstance(e.value, str) else None,
                "note": e.note,
                "answered_at_ms": e.answered_at * 1000,
                "undone": not session.ledger.stands(e.event_id),
            }
            for e in events
        ]
