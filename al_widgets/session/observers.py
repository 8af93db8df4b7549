"""Who wants to know of changes: weakly held callbacks, called outside every lock."""

from __future__ import annotations

import inspect
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)
Callback = Callable[[str], None]


class Observers:
    """Callbacks ``callback(change)``; bound methods are held weakly, so that a forgotten view costs nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refs: list[Any] = []

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Add a callback and return a function that removes it.

        Plain functions and closures are held strongly: nobody else may hold them.
        """
        ref: Any = weakref.WeakMethod(callback) if inspect.ismethod(callback) else (lambda: callback)
        with self._lock:
            self._refs.append(ref)

        def unsubscribe() -> None:
            with self._lock:
                self._refs = [r for r in self._refs if r is not ref]

        return unsubscribe

    def notify(self, change: str) -> None:
        """Call everybody; one that fails is logged and does not stop the others."""
        with self._lock:
            callbacks = [(ref, ref()) for ref in self._refs]
            self._refs = [ref for ref, callback in callbacks if callback is not None]
        for _, callback in callbacks:
            if callback is None:
                continue
            try:
                callback(change)
            except Exception:
                _log.exception("an observer of the session failed on %r", change)
