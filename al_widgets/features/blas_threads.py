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
                _INSIDE.pop().restore_original_limits()
            else:
                _INSIDE.pop()
