"""One BLAS thread while we compute behind the scenes, so that a busy cell and the page's answers get their share.

BLAS threads that wait for each other on a busy machine spin: a first training on 900 rows took 19.6 s beside other work
with two threads, 4.9 s with one (imports included in both). The limit holds for the whole process, so it is counted: the first who enters sets it, the last
who leaves gives back what there was. Any layer above may use it, on any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_inside = 0
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread inside."""
    global _inside, _limits  # noqa: PLW0603  # the limit is the process' own, so is its count
    from threadpoolctl import threadpool_limits

    with _lock:
        _inside += 1
        if _inside == 1:
            _limits = threadpool_limits(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limits.restore_original_limits()
                _limits = None
