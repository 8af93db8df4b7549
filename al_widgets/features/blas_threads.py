"""Hold linear algebra to one thread while features are made, so that the kernel stays responsive.

The number of BLAS threads belongs to the whole process: the first to enter saves it, the last to leave restores it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

_LOCK = threading.Lock()
_INSIDE: list[Any] = []


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread inside; safe to nest and to overlap between threads."""
    from threadpoolctl import threadpool_limits

    with _LOCK:
        # Only the first limit knows the number to go back to.
        _INSIDE.append(None if _INSIDE else threadpool_limits(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            if len(_INSIDE) == 1:
                _restore(_INSIDE.pop())
            else:
                _INSIDE.pop()


def _restore(limits: Any) -> None:
    """Give back the number of threads, also on another thread than the one that set the limit."""
    import threadpoolctl

    # From 3.8 on only the thread that set a limit may lift it, unless it is told that this thread is done.
    openblas = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(openblas, "clear_controlling_thread", lambda *, force: force)
    clear(force=True)
    limits.restore_original_limits()
    clear(force=True)
