"""The query widget: shows what is asked, takes answers; everything it knows comes from a session.

Messages arrive on ipykernel's subshell thread or on the main thread, possibly two at once and out of order; what they do
commutes. Pushes are sent from one worker thread a widget, never from the trainer's.
"""

from __future__ import annotations

import logging
import pathlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets as t

from al_widgets.errors import UnknownItemError
from al_widgets.session import Session
from al_widgets.session.session import LEASE_S
from al_widgets.widgets import entries, status
from al_widgets.widgets.comm import FollowFrontend
from al_widgets.widgets.conversation import Conversation
from al_widgets.widgets.pusher import Pusher
from al_widgets.widgets.wire import Entry, ImageInfo, ProblemInfo

_log = logging.getLogger(__name__)
_STATIC = pathlib.Path(__file__).parent.parent / "static"
MOST_PAGES = 8
"""Pages whose windows are remembered."""
FEW = 3
"""Problems that are named one by one."""
KEPT = 2
"""Items of the window that a new ranking leaves alone: the one on the screen and the next, which may be there already."""


class QueryWidget(Conversation, FollowFrontend, anywidget.AnyWidget):
    """Shows the next item to label and records the answers.

    Parameters
    ----------
    session : Session
        What asks and records.
    title : str, optional
        Default: the name of the pool.
    keys : dict of str to str, optional
        Class name → key, where another key than 1–9, 0, letters is wanted.
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

    store_id = t.Unicode(read_only=False).tag(sync=True)
    annotator = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    classes = t.List(t.Unicode()).tag(sync=True)
    class_keys = t.Dict(value_trait=t.Unicode(), key_trait=t.Unicode()).tag(sync=True)
    show_model = t.Bool(default_value=True).tag(sync=True)
    height = t.Int(420).tag(sync=True)

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
        super().__init__(
            store_id=session.store.store_id,
            annotator=session.annotator,
            title=session.pool.name if title is None else title,
            classes=list(session.task.classes),
            class_keys=dict(keys or {}),
            show_model=show_model,
            height=height,
            **kwargs,
        )
        self.session = session
        self._windows: dict[str, dict[str, ImageInfo]] = {}
        self._last_heard: dict[str, float] = {}
        self._windows_lock = threading.Lock()
        self._told: set[str] = set()
        self._told_problems = 0
        self._rev = 0
        self._pusher = Pusher(self._push)
        self._unsubscribe = session.subscribe(self._on_change)
        self.on_msg(self._on_message)

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
        with self._windows_lock:
            known = self._windows.get(message["client"], {}).pop(message["item_id"], None)
        # Else the page no longer had the picture: the item comes again, with its bytes.
        if known is not None and known["buffer"] != entries.PAGE_HAS_IT:
            self.session.set_aside(message["item_id"], f"the browser cannot show it: {message['reason'][:300]}")
        self._reply(message)

    def _acknowledge(self, message: Any, new: bool, began: float) -> None:
        ack = {
            "event_id": message["event_id"],
            "duplicate": not new,
            "durable_ms": (time.perf_counter() - began) * 1000,
        }
        self._reply(message, ack=ack)

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
        with self._windows_lock:
            self._rev += 1
            rev = self._rev
            held = [self._windows.get(client, {})] if client else list(self._windows.values())
        return status.status_of(self.session, rev, has_items=any(held))

    def _heard(self, client: str) -> None:
        """Take note that a page is there."""
        with self._windows_lock:
            self._last_heard[client] = time.monotonic()
        self.session.welcome(client)

    def _forget_gone(self) -> None:
        """Give back what pages hold that were replaced, or said nothing for as long as a lease lasts."""
        now, released = time.monotonic(), self.session.released
        with self._windows_lock:
            silent = {c for c, at in self._last_heard.items() if now - at > LEASE_S}
            for client in (silent | released) & self._windows.keys():
                del self._windows[client]
            for client in silent:
                del self._last_heard[client]
        for client in silent - released:
            self.session.release(client)

    def _remember(self, client: str, have: list[str], drawn: Sequence[Entry] = ()) -> None:
        """Take note of what a page holds: the items it named, and those that are on their way to it."""
        with self._windows_lock:
            known = self._windows.pop(client, {})
            window = {item_id: known[item_id] for item_id in have if item_id in known}
            window.update((entry["item_id"], entry["image"]) for entry in drawn)
            self._windows[client] = window
            while len(self._windows) > MOST_PAGES:  # pages that are gone without a word
                self._windows.pop(next(iter(self._windows)))

    def _send_queue(
        self, client: str, drawn: list[Any], buffers: list[bytes], *, keep: list[str], replace: bool
    ) -> None:
        with self._windows_lock:
            self._rev += 1
            rev = self._rev
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

    def _on_change(self, change: str) -> None:
        self._pusher.wake(change)

    def _push(self, changes: set[str]) -> None:
        """Tell the page what changed; on the pusher's thread."""
        if "closed" in changes:
            self._tell("info", self.session.closed)
            return
        if "round" in changes or "error" in changes:
            self._forget_gone()
            with self._windows_lock:
                windows = list(self._windows.items())
            for client, window in windows:
                have = list(window)
                drawn, buffers = entries.draw_entries(
                    self.session, client, have, max(len(have), KEPT + 1), keep=KEPT, there=window
                )
                self._remember(client, have[:KEPT], drawn)
                self._send_queue(client, drawn, buffers, keep=have[:KEPT], replace=True)
        if self.session.last_error:
            self._tell("error", self.session.last_error)
        self._tell_problems()
        self.send({"kind": "status", "status": self._status()})

    def _tell_problems(self) -> None:
        """Name the items that were set aside since the last time, one by one where they are few."""
        problems = self.session.problem_list()
        new = problems[self._told_problems :]
        self._told_problems = len(problems)
        if len(new) <= FEW:
            for problem in new:
                self._tell("warning", f"{problem.item_id} was set aside: {problem.reason}", problem.item_id)
            return
        first = new[0]
        self._tell(
            "warning",
            f"{len(new)} items were set aside, for example {first.item_id}: {first.reason}. "
            "session.problems() lists them all.",
        )

    def _tell(self, severity: Any, message: str, item_id: str = "") -> None:
        """Send a line for the strip, once."""
        if message in self._told:
            return
        self._told.add(message)
        problem: ProblemInfo = {"severity": severity, "message": message}
        if item_id:
            problem["item_id"] = item_id
        self.send({"kind": "status", "status": self._status(), "problem": problem})

    def close(self) -> None:
        """Take the widget off the page; the session goes on."""
        self._unsubscribe()
        self._pusher.close()
        super().close()
