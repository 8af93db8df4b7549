"""The trainer: runs one job behind the scenes, again whenever it is asked to; the latest request wins.

A request that comes while the job runs makes it run once more afterwards, however many come: a training is never killed and
restarted, so that fast annotators get a model too. The job runs on a daemon thread of its own; where there are no threads
(Pyodide) it runs inline, at the request.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Trainer:
    """Coalescing background runner of one job.

    Parameters
    ----------
    job : callable
        Called without arguments. It must look up what is new itself.
    on_error : callable
        Called with the exception that left the job, on the trainer's thread.
    inline : bool, optional
        Run at the request, on the caller's thread; default: only where the platform has no threads.
    """

    def __init__(
        self,
        job: Callable[[], None],
        on_error: Callable[[Exception], None],
        *,
        inline: bool | None = None,
    ) -> None:
        self._job = job
        self._on_error = on_error
        self._inline = sys.platform == "emscripten" if inline is None else inline
        self._condition = threading.Condition()
        self._requested = self._serving = 0
        self._finished = 0
        self._running = False
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the job runs now."""
        return self._running

    @property
    def asked_again(self) -> bool:
        """Whether a run was asked for since the present one began: a job may leave off what the next one does anyway."""
        return self._requested > self._serving or self._closed

    def request(self) -> None:
        """Ask for one more run; returns at once."""
        with self._condition:
            if self._closed:
                return
            self._requested += 1
            if not self._inline and self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="al_widgets-trainer", daemon=True)
                self._thread.start()
            self._condition.notify_all()
        if self._inline:
            self._run_once()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all requests made before this call are served; False when the time-out came first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._condition:
            upto = self._requested
            while self._finished < upto and not self._closed:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._condition.wait(left)
        return True

    def close(self) -> None:
        """Take no more requests; a running job ends by itself and is not waited for."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _loop(self) -> None:
        while True:
            with self._condition:
                while self._finished >= self._requested and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
            self._run_once()

    def _run_once(self) -> None:
        with self._condition:
            serving = self._serving = self._requested
            self._running = True
        try:
            self._job()
        except Exception as error:
            _log.exception("background job failed")
            self._on_error(error)
        finally:
            with self._condition:
                self._running = False
                self._finished = max(self._finished, serving)
                self._condition.notify_all()
