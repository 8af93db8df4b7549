"""Open sessions of this process, so that running a cell again takes the place of the session it made before."""

from __future__ import annotations

import threading
import weakref
from typing import Protocol

_lock = threading.Lock()


class _Closable(Protocol):
    def close(self, why: str = ...) -> None: ...


_open: dict[tuple[str, str], weakref.ref[_Closable]] = {}


def supersede(store: str, annotator: str, session: _Closable) -> None:
    """Register a session; close the one the same annotator had open on the same store."""
    with _lock:
        ref = _open.get((store, annotator))
        _open[(store, annotator)] = weakref.ref(session)
    old = ref() if ref is not None else None
    if old is not None and old is not session:
        old.close("The cell was run again: labeling goes on there. Everything that was saved is kept.")
