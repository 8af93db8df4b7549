"""Sessions: the loop that ties pool, store, learner and strategy together, in the three scenarios of active learning.

Names are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from al_widgets.session.session import Session

if TYPE_CHECKING:
    from al_widgets.session.simulation import simulate
    from al_widgets.session.stream import StreamSession

_HOME = {
    "StreamSession": "al_widgets.session.stream",
    "simulate": "al_widgets.session.simulation",
}

__all__ = ["Session", "StreamSession", "simulate"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'al_widgets.session' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
