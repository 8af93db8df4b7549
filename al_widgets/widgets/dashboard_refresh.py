"""Refresh at most a few times a second: many requests, few runs, and the last request is never forgotten.

Any thread may call `Refresher.request`, which returns at once; the action runs on a timer's thread, one run
at a time. Where there are no threads (Pyodide) it runs inline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SHARE = 8
"""A run that took t seconds is followed by SHARE × t of rest, so that a dashboard never takes the machine."""


class Refresher:
    """Run an action soon after it was requested.

    Parameters
    ----------
    action : callable
        Called without arguments; must not raise.
    interval_s : float
        Least time between the ends of two runs.
    """

    def __init__(self, action: Callable[[], None], interval_s: float) -> None:
        self._action = action
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._running = False
        self._again = False
        self._closed = False
        self._rest_until = 0.0

    def request(self) -> None:
        """Ask for a run; requests that come before it starts are served by the same one."""
        with self._lock:
            if self._closed or self._timer is not None:
                return
            if self._running:
                self._again = True
                return
            if self._schedule():
                return
        self._run()

    def _schedule(self) -> bool:
        timer = threading.Timer(max(0.0, self._rest_until - time.monotonic()), self._run)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no threads on this platform
            return False
        self._timer = timer
        return True

    def _run(self) -> None:
        with self._lock:
            self._timer = None
            if self._closed or self._running:
                return
            self._running, self._again = True, False
        began = time.monotonic()
        try:
            self._action()
        finally:
            ended = time.monotonic()
            with self._lock:
                self._running = False
                self._rest_until = ended + max(self._interval_s, SHARE * (ended - began))
                if self._again and not self._closed:
                    self._schedule()

    def close(self) -> None:
        """Start no more runs; one that is under way ends."""
        with self._lock:
            self._closed = True
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
