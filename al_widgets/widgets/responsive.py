"""Short turns for the interpreter's lock while an answer is dealt with.

A cell that computes in pure Python hands the lock over every 5 ms only. Dealing with an answer takes the lock some dozens of times
(every statement of the store gives it away), so that it would wait hundreds of milliseconds. While a message is being dealt with
the turns are a tenth of that; afterwards they are what they were.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN_S = 0.0005

_lock = threading.Lock()
_inside = 0
_before = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """Shorten the turns inside; safe to nest and to overlap between threads."""
    global _inside, _before  # noqa: PLW0603  # the interval is the process' own, so is its count
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(min(TURN_S, _before))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                sys.setswitchinterval(_before)
