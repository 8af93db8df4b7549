"""The thread that pulls a stream's items while a person answers, and pauses while enough of them wait."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks for something new."""


class Feeder:
    """Calls `step` again and again on a daemon thread.

    Parameters
    ----------
    step : callable
        Takes in one item; returns "more", "nothing" (look again later) or "end".
    full : callable
        Whether to pause.
    room : threading.Event
        Set whenever there may be room again.
    on_error : callable
        Takes what `step` raised; the feeder ends then.
    """

    def __init__(
        self,
        step: Callable[[], str],
        full: Callable[[], bool],
        room: threading.Event,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._step, self._full, self._room, self._on_error = step, full, room, on_error
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it pulls, or waits for room or for something new."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start, once; returns at once."""
        if sys.platform == "emscripten":  # no threads: what there is room for is pulled now
            while not self._stop.is_set() and not self._full() and self._step() == "more":
                pass
            return
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="al_widgets-stream", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Pull no more; a pull that blocks is not waited for."""
        self._stop.set()
        self._room.set()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._room.clear()
                if self._full():
                    self._room.wait(LOOK_S)
                    continue
                outcome = self._step()
                if outcome == "end":
                    return
                if outcome == "nothing":
                    self._stop.wait(LOOK_S)
        except Exception as error:
            if not self._stop.is_set():
                _log.exception("the stream failed")
                self._on_error(error)
