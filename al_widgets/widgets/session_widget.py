"""What the widgets on a session have in common: messages in, errors back, problems told once, pushes from a thread of their own.

Messages arrive on ipykernel's subshell thread or on the main thread, possibly two at once and out of order; what they do
commutes. Pushes are sent from one worker thread a widget, never from the trainer's.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets as t

from al_widgets.errors import TaskError
from al_widgets.session import Session
from al_widgets.session.drawing import LEASE_S
from al_widgets.widgets.comm import FollowFrontend
from al_widgets.widgets.conversation import Conversation
from al_widgets.widgets.pusher import Pusher
from al_widgets.widgets.wire import Acknowledged, ProblemInfo

FEW = 3
"""Problems that are named one by one."""


class SessionWidget(Conversation, FollowFrontend, anywidget.AnyWidget):
    """A widget that shows a session and takes answers; each message of the page has a method ``_on_<kind>``.

    Parameters
    ----------
    session : Session
    title : str, optional
        Default: the name of the pool.
    keys : dict of str to str, optional
        Class name → key.
    **traits
        Of the widget.
    """

    _hurried: frozenset[str] = frozenset()
    """Changes that somebody at a page is waiting for."""

    store_id = t.Unicode(read_only=False).tag(sync=True)
    annotator = t.Unicode().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    classes = t.List(t.Unicode()).tag(sync=True)
    class_keys = t.Dict(value_trait=t.Unicode(), key_trait=t.Unicode()).tag(sync=True)

    def __init__(
        self, session: Session, *, title: str | None = None, keys: dict[str, str] | None = None, **traits: Any
    ) -> None:
        _check_keys(keys or {}, session.task.classes)
        super().__init__(
            store_id=session.store.store_id,
            annotator=session.annotator,
            title=session.pool.name if title is None else title,
            classes=list(session.task.classes),
            class_keys=dict(keys or {}),
            **traits,
        )
        self.session = session
        self._last_heard: dict[str, float] = {}
        self._pages_lock = threading.Lock()
        self._told: set[str] = set()
        self._told_problems = 0
        self._rev = 0
        self._pusher = Pusher(self._push)
        self._unsubscribe = session.subscribe(self._on_change)
        self.on_msg(self._on_message)

    # ---- pages --------------------------------------------------------------------------------------------------------

    def _heard(self, client: str) -> None:
        """Take note that a page is there."""
        with self._pages_lock:
            self._last_heard[client] = time.monotonic()
        self.session.welcome(client)

    def _forget_gone(self) -> None:
        """Give back what pages hold that were replaced, or said nothing for as long as a lease lasts."""
        now, released = time.monotonic(), self.session.released
        with self._pages_lock:
            silent = {c for c, at in self._last_heard.items() if now - at > LEASE_S}
            for client in silent | released:
                self._forget(client)
            for client in silent:
                del self._last_heard[client]
        for client in silent - released:
            self.session.release(client)

    @abstractmethod
    def _forget(self, client: str) -> None:
        """Forget what a page holds; the caller holds the lock."""

    # ---- to the page --------------------------------------------------------------------------------------------------

    @abstractmethod
    def _status(self, client: str | None = None) -> Any:
        """Return the status for one page, or for all that are there."""

    @abstractmethod
    def _push_changes(self, changes: set[str]) -> None:
        """Send what changed, beside problems and status."""

    def _next_rev(self) -> int:
        with self._pages_lock:
            self._rev += 1
            return self._rev

    def _on_change(self, change: str) -> None:
        self._pusher.wake(change, hurry=change in self._hurried)

    def _push(self, changes: set[str]) -> None:
        """Tell the page what changed; on the pusher's thread."""
        if "closed" in changes:
            self._tell("info", self.session.closed)
            return
        self._push_changes(changes)
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
        if "_pusher" in self.__dict__:  # a constructor that failed left it out
            self._unsubscribe()
            self._pusher.close()
        super().close()


class PictureWidget(SessionWidget):
    """A session's widget that shows one picture at a time."""

    show_model = t.Bool(default_value=True).tag(sync=True)
    height = t.Int(420).tag(sync=True)


def acknowledged(message: Any, *, new: bool, began: float) -> Acknowledged:
    """Return what a page is told of an event that is on the disk; `began` is when it came, by ``time.perf_counter``."""
    return {
        "event_id": message["event_id"],
        "duplicate": not new,
        "durable_ms": (time.perf_counter() - began) * 1000,
    }


def _check_keys(keys: Mapping[str, str], classes: Sequence[str]) -> None:
    """Raise `TaskError` unless each key is one character, for one class that there is."""
    for name, key in keys.items():
        if name not in classes:
            raise TaskError(f"keys names {name!r}, which is no class; there are: {', '.join(map(repr, classes))}")
        if not (isinstance(key, str) and len(key) == 1 and key.isprintable() and not key.isspace()):
            raise TaskError(f"the key of class {name!r} must be one character, not {key!r}")
        if list(keys.values()).count(key) > 1:
            raise TaskError(f"key {key!r} is given to more than one class")
