"""One worker thread a widget that turns changes of the session into pushes, at most a few a second."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable

_log = logging.getLogger(__name__)
INTERVAL_S = 0.2


class Pusher:
    """Calls ``push(changes)`` with everything that changed since the last call.

    Parameters
    ----------
    push : bound method
        Held weakly: a widget that is gone ends the thread.
    interval_s : float
        Least time between two calls.
    """

    def __init__(self, push: Callable[[set[str]], None], interval_s: float = INTERVAL_S) -> None:
        self._push = weakref.WeakMethod(push)
        self._interval_s = interval_s
        self._changes: set[str] = set()
        self._lock = threading.Lock()
        self._wake, self._hurry, self._closed = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self, change: str, *, hurry: bool = False) -> None:
        """Take note of a change; returns at once.

        Parameters
        ----------
        change : str
        hurry : bool
            Somebody is waiting for it: push now, however short ago the last time was.
        """
        with self._lock:
            self._changes.add(change)
            if sys.platform != "emscripten" and self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._loop, name="al_widgets-push", daemon=True)
                self._thread.start()
        self._wake.set()
        if hurry:
            self._hurry.set()
        if sys.platform == "emscripten":
            self._once()

    def close(self) -> None:
        """Push no more."""
        if sys.is_finalizing():  # the thread was killed as it stood, and may have held what is waited for below
            return
        self._closed.set()
        self._wake.set()
        self._hurry.set()

    def _loop(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self._hurry.clear()
            if self._closed.is_set() or not self._once():
                return
            self._hurry.wait(self._interval_s)

    def _once(self) -> bool:
        with self._lock:
            changes, self._changes = self._changes, set()
        push = self._push()
        if push is None:
            return False
        try:
            push(changes)
        except Exception:
            _log.exception("a push to the page failed")
        return True
