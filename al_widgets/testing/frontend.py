"""A frontend without a browser: talks to a query widget in its own protocol and remembers what it is told.

For tests of widgets and for scripts that want to see what a page would. It checks nothing of the page's side.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from typing import Any

Message = dict[str, Any]


class FakeFrontend:
    """One page.

    Parameters
    ----------
    widget : QueryWidget
        Outside a kernel, or inside one.
    client : str, optional
        Number of the page; another page of the same widget has another.
    want : int
        Items the page keeps in its window.

    Attributes
    ----------
    window : list of dict
        Entries in the order in which they would be shown.
    pushes : list of dict
        Everything that was not a reply.
    buffers : dict of str to bytes
        Item id → pixels that came last.
    """

    def __init__(self, widget: Any, client: str | None = None, want: int = 4) -> None:
        self.widget = widget
        self.client = client or f"page-{uuid.uuid4().hex[:8]}"
        self.want = want
        self.window: list[Message] = []
        self.pushes: list[Message] = []
        self.replies: dict[str, Message] = {}
        self.buffers: dict[str, bytes] = {}
        self._numbers, self._rids = itertools.count(), itertools.count()
        self._changed = threading.Condition()
        listen(widget, self._receive)

    def _receive(self, content: Message, buffers: list[bytes]) -> None:
        with self._changed:
            for entry in content.get("entries", []):
                if entry["image"]["buffer"] >= 0:
                    self.buffers[entry["item_id"]] = bytes(buffers[entry["image"]["buffer"]])
            if content["kind"] == "reply":
                self.replies[content["rid"]] = content
            else:
                self.pushes.append(content)
                if content["kind"] == "queue" and content["client"] == self.client:
                    kept = [e for e in self.window if not content["replace"] or e["item_id"] in content["keep"]]
                    have = {e["item_id"] for e in kept}
                    self.window = kept + [e for e in content["entries"] if e["item_id"] not in have]
            self._changed.notify_all()

    def send(self, kind: str, **fields: Any) -> Message:
        """Send one message and return the reply."""
        rid = fields.pop("rid", f"{self.client}-r{next(self._rids)}")
        content = {"kind": kind, "rid": rid, "client": self.client, **fields}
        self.widget._handle_custom_msg(content, [])  # noqa: SLF001  # what ipywidgets calls for a message of the page
        reply: Message = self.wait_for(f"a reply to {kind}", lambda: self.replies.get(rid))
        return reply

    def hello(self, replaces: tuple[str, ...] = ()) -> Message:
        """Say hello and take the first items."""
        have = [e["item_id"] for e in self.window]
        reply = self.send("hello", replaces=list(replaces), have=have, want=self.want)
        self.window += reply.get("entries", [])
        return reply

    def message(self, answer: str, value: str | None = None, **fields: Any) -> Message:
        """Return the message that answers the first item of the window, which leaves the window."""
        entry = self.window.pop(0)
        seq = next(self._numbers)
        now_ms = time.time() * 1000
        return {
            "seq": seq,
            "event_id": f"{self.client}-{seq}",
            "annotator": self.widget.annotator,
            "item_id": entry["item_id"],
            "answer": answer,
            "value": value,
            "note": "",
            "token": entry["token"],
            "elapsed_ms": 1000.0,
            "shown_at_ms": now_ms - 1000,
            "answered_at_ms": now_ms,
            "model_shown": True,
            "have": [e["item_id"] for e in self.window],
            "want": self.want,
            **fields,
        }

    def label(self, value: str, **fields: Any) -> Message:
        """Answer the first item of the window; return the reply."""
        return self.send("answer", **self.message("label", value, **fields))

    def undo(self, target: str, item_id: str) -> Message:
        """Take back an event; return the reply."""
        seq = next(self._numbers)
        return self.send(
            "undo",
            seq=seq,
            event_id=f"{self.client}-{seq}",
            annotator=self.widget.annotator,
            target=target,
            item_id=item_id,
            answered_at_ms=time.time() * 1000,
        )

    def wait_for(self, what: str, condition: Any, seconds: float = 30.0) -> Any:
        """Return the first true value of ``condition()``, looked at after every message; fail with `what` otherwise."""
        until = time.monotonic() + seconds
        with self._changed:
            while not (value := condition()):
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {seconds:.0f} s: {what}")
                self._changed.wait(min(left, 0.1))
        return value


def listen(widget: Any, receive: Any) -> None:
    """Call ``receive(content, buffers)`` with every custom message that a widget sends."""
    send = widget.send

    def both(content: Any, buffers: Any = None) -> None:
        send(content, buffers)
        receive(content, list(buffers or []))

    widget.send = both
