"""Encoding behind the scenes: the pool's features grow while labeling goes on."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Problem

_log = logging.getLogger(__name__)


class BackgroundEncoding:
    """Runs a feature table on a daemon thread.

    Parameters
    ----------
    make_table : callable
        Makes the table; called on the thread, because it imports heavy libraries.
    order : sequence of str
        Item ids in the order of encoding.
    on_progress : callable
        (done, total).
    on_ready : callable
        (rows, features) whenever the table has grown enough: pool rows, ascending, and their features.
    on_problem, on_error : callable
    """

    def __init__(
        self,
        make_table: Callable[[], Any],
        order: Callable[[], list[str]],
        on_progress: Callable[[int, int], None],
        on_ready: Callable[[npt.NDArray[np.intp], npt.NDArray[Any]], None],
        on_problem: Callable[[Problem], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._make_table, self._order = make_table, order
        self._on_progress, self._on_ready = on_progress, on_ready
        self._on_problem, self._on_error = on_problem, on_error
        self._stop, self._finished = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._table: Any = None

    @property
    def encoder(self) -> Any:
        """The fitted encoder, or None while pictures are still being read."""
        return self._table.encoder if self.finished and self._table is not None else None

    @property
    def described_by(self) -> str:
        """What turns pictures into features, in words; empty before it was opened."""
        from al_widgets.features import encoder_title

        encoder = self._opened
        return "" if encoder is None else encoder_title(encoder)

    @property
    def _opened(self) -> Any:
        return None if self._table is None else self._table.encoder

    @property
    def finished(self) -> bool:
        """Whether everything that can be encoded is."""
        return self._finished.is_set()

    def start(self) -> None:
        """Start, once; returns at once (on Pyodide: when everything is encoded)."""
        with self._lock:
            if self._thread is not None or self._stop.is_set():
                return
            self._thread = threading.Thread(target=self._run, name="al_widgets-encoding", daemon=True)
        if sys.platform == "emscripten":
            self._run()
        else:
            self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until encoding has ended, well or not."""
        return self._finished.wait(timeout)

    def close(self) -> None:
        """Stop after the chunk that is being encoded."""
        self._stop.set()
        self._finished.set()

    def _run(self) -> None:
        try:
            table = self._table = self._make_table()

            def update(grown: Any) -> None:
                rows = grown.rows
                self._on_ready(rows, grown.matrix if len(rows) == len(grown.matrix) else grown.matrix[rows])

            table.run(
                order=self._order(),
                on_progress=self._on_progress,
                on_problem=self._on_problem,
                on_update=update,
                stop=self._stop,
            )
        except Exception as error:
            _log.exception("encoding failed")
            self._on_error(error)
        finally:
            self._finished.set()
