"""The query widget: shows what is asked, takes answers; everything it knows comes from a session.

Messages arrive on ipykernel's subshell thread or on the main thread, possibly two at once and out of order; what they do
commutes. Pushes are sent from one worker thread a widget, never from the trainer's.
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import Sequence
from typing import Any

from al_widgets.errors import TaskError, UnknownItemError
from al_widgets.session import Session
from al_widgets.widgets import entries, status
from al_widgets.widgets.session_widget import PictureWidget, acknowledged
from al_widgets.widgets.wire import Entry, ImageInfo

_STATIC = pathlib.Path(__file__).parent.parent / "static"
MOST_PAGES = 8
"""Pages whose windows are remembered."""
KEPT = 2
"""Items of the window that a new ranking leaves alone: the one on the screen and the next, which may be there already."""


class QueryWidget(PictureWidget):
    """Shows the next item to label and records the answers.

    Parameters
    ----------
    session : Session
        What asks and records.
    title : str, optional
        Default: the name of the pool.
    keys : dict of str to str, optional
        Class name → key, where another key is wanted than 1–9, 0, then letters; a class that is called like a digit has that key.
    show_model : bool
        Whether the model's opinion is visible at the start; the annotator can switch it.
    height : int
        Height of the picture, in CSS pixels.

    Examples
    --------
    >>> import al_widgets as al
    >>> widget = al.QueryWidget(session)  # doctest: +SKIP
    """

    _esm = _STATIC / "query.js"
    _css = _STATIC / "query.css"

    def __init__(
        self,
        session: Session,
        *,
        title: str | None = None,
        keys: dict[str, str] | None = None,
        show_model: bool = True,
        height: int = 420,
        **kwargs: Any,
    ) -> None:
        self._windows: dict[str, dict[str, ImageInfo]] = {}
        if session.task.kind != "classification":
            raise TaskError(
                "QueryWidget shows sessions whose task is al.Classification; "
                f"al.VolumeWidget(session) shows one whose task is al.{type(session.task).__name__}"
            )
        super().__init__(session, title=title, keys=keys, show_model=show_model, height=height, **kwargs)

    # ---- from the page ------------------------------------------------------------------------------------------------

    def _on_hello(self, message: dict[str, Any]) -> None:
        for gone in message["replaces"]:
            self.session.release(gone)
        self._reply(message, history=entries.history_of(self.session, 200), fill=True)

    def _on_refill(self, message: dict[str, Any]) -> None:
        self._reply(message, fill=True)

    def _on_answer(self, message: Any) -> None:
        began = time.perf_counter()
        new = self.session.record(entries.annotation_of(message, self.session.annotator))
        have, want = message["have"], message["want"]
        client = message["client"]
        self._remember(client, have)
        self._acknowledge(message, new, began)
        if len(have) < want:
            drawn, buffers = entries.draw_entries(self.session, client, have, want, there={})
            if drawn:
                self._remember(client, have, drawn)
                self._send_queue(client, drawn, buffers, keep=have, replace=False)

    def _on_undo(self, message: Any) -> None:
        began = time.perf_counter()
        new = self.session.record(entries.undo_of(message, self.session.annotator))
        self._acknowledge(message, new, began)

    def _on_show(self, message: dict[str, Any]) -> None:
        item_id = message["item_id"]
        shown, buffers = entries.entries_of(self.session, [self.session.query(item_id)], there={})
        if not shown:
            raise UnknownItemError(item_id)
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "entries": shown}, buffers)

    def _on_history(self, message: dict[str, Any]) -> None:
        rows = entries.history_of(self.session, message["limit"])
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, "history": rows})

    def _on_add_class(self, message: dict[str, Any]) -> None:
        self.session.add_class(message["name"])
        self._reply(message)

    def _on_bad_image(self, message: dict[str, Any]) -> None:
        with self._pages_lock:
            known = self._windows.get(message["client"], {}).pop(message["item_id"], None)
        # Else the page no longer had the picture: the item comes again, with its bytes.
        if known is not None and known["buffer"] != entries.PAGE_HAS_IT:
            self.session.set_aside(message["item_id"], f"the browser cannot show it: {message['reason'][:300]}")
        self._reply(message)

    def _acknowledge(self, message: Any, new: bool, began: float) -> None:
        self._reply(message, ack=acknowledged(message, new=new, began=began))

    def _reply(self, message: Any, *, fill: bool = False, **fields: Any) -> None:
        buffers: list[bytes] = []
        if fill:
            client, have = message["client"], message["have"]
            drawn, buffers = entries.draw_entries(self.session, client, have, message["want"], there={})
            self._remember(client, have, drawn)
            fields["entries"] = drawn
        fields["status"] = self._status(message["client"])
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, **fields}, buffers)

    # ---- to the page --------------------------------------------------------------------------------------------------

    def _status(self, client: str | None = None) -> Any:
        """Return the status for one page, or for all that are there."""
        self._forget_gone()
        with self._pages_lock:
            self._rev += 1
            rev = self._rev
            held = [self._windows.get(client, {})] if client else list(self._windows.values())
        return status.status_of(self.session, rev, has_items=any(held))

    def _forget(self, client: str) -> None:
        self._windows.pop(client, None)

    def _remember(self, client: str, have: list[str], drawn: Sequence[Entry] = ()) -> None:
        """Take note of what a page holds: the items it named, and those that are on their way to it."""
        with self._pages_lock:
            known = self._windows.pop(client, {})
            window = {item_id: known[item_id] for item_id in have if item_id in known}
            window.update((entry["item_id"], entry["image"]) for entry in drawn)
            self._windows[client] = window
            while len(self._windows) > MOST_PAGES:  # pages that are gone without a word
                self._windows.pop(next(iter(self._windows)))

    def _send_queue(
        self, client: str, drawn: list[Any], buffers: list[bytes], *, keep: list[str], replace: bool
    ) -> None:
        rev = self._next_rev()
        self.send(
            {
                "kind": "queue",
                "client": client,
                "rev": rev,
                "replace": replace,
                "keep": keep,
                "drop": [],
                "entries": drawn,
            },
            buffers,
        )

    def _push_changes(self, changes: set[str]) -> None:
        if "round" in changes or "error" in changes:
            self._forget_gone()
            with self._pages_lock:
                windows = list(self._windows.items())
            for client, window in windows:
                have = list(window)
                drawn, buffers = entries.draw_entries(
                    self.session, client, have, max(len(have), KEPT + 1), keep=KEPT, there=window
                )
                self._remember(client, have[:KEPT], drawn)
                self._send_queue(client, drawn, buffers, keep=have[:KEPT], replace=True)
