"""Pools: what is to be labelled, with stable ids, read one item at a time."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from al_widgets.pool.base import Pool

if TYPE_CHECKING:
    from al_widgets.pool.array import ArrayPool
    from al_widgets.pool.folder import FolderPool
    from al_widgets.pool.frame import FramePool
    from al_widgets.pool.opening import open_pool
    from al_widgets.pool.paths import PathsPool
    from al_widgets.pool.slices import SlicePool

_HOME = {
    "ArrayPool": "al_widgets.pool.array",
    "FolderPool": "al_widgets.pool.folder",
    "FramePool": "al_widgets.pool.frame",
    "PathsPool": "al_widgets.pool.paths",
    "SlicePool": "al_widgets.pool.slices",
    "open_pool": "al_widgets.pool.opening",
}

__all__ = ["ArrayPool", "FolderPool", "FramePool", "PathsPool", "Pool", "SlicePool", "open_pool"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'al_widgets.pool' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
