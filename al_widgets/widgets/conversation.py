"""A widget's half of a conversation: each message of the page is checked, handed on by its kind, and answered, also when it fails."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from al_widgets.errors import AlWidgetsError, MessageError, StoreConflictError, TaskError, UnknownItemError
from al_widgets.widgets import messages
from al_widgets.widgets.responsive import short_turns

_log = logging.getLogger(__name__)
FINAL = (MessageError, TaskError, UnknownItemError, StoreConflictError)
"""Errors that sending again cannot mend; after all others the page keeps the answer and sends it again."""


class Conversation:
    """Mix-in for widgets: ``self.on_msg(self._on_message)``, then a method ``_on_<kind>`` for each kind of message.

    Attributes
    ----------
    _shapes : messages.Shapes
        What the page may send.
    """

    _shapes: messages.Shapes = messages.QUERY_SHAPES

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        with short_turns():
            self._answer(content)

    def _answer(self, content: Any) -> None:
        rid = content.get("rid", "") if isinstance(content, dict) else ""

        def answer() -> None:
            message = messages.parse(content, self._shapes)
            self._heard(message["client"])
            getattr(self, f"_on_{message['kind']}")(message)

        self._replying(rid, answer)

    def _replying(self, rid: Any, answer: Callable[[], None]) -> None:
        """Call what replies to a message; when it fails, that is the reply."""
        try:
            answer()
        except Exception as error:
            ours = isinstance(error, AlWidgetsError)
            (_log.info if ours else _log.exception)("message refused: %s", error)
            text = str(error) if ours else f"{type(error).__name__}: {error}"
            info = {"type": type(error).__name__, "message": text, "retry": not isinstance(error, FINAL)}
            self.send({"kind": "reply", "rid": str(rid)[:200], "ok": False, "error": info})  # type: ignore[attr-defined]

    def _apart(self, message: Any, answer: Callable[[], None]) -> None:
        """Reply from a thread of its own: what takes long must not keep the answers behind it waiting."""
        if sys.platform == "emscripten":
            answer()
            return
        threading.Thread(
            target=self._replying, args=(message["rid"], answer), name="al_widgets-reply", daemon=True
        ).start()

    def _heard(self, client: str) -> None:
        """Take note that a page is there."""
