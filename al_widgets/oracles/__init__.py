"""Oracles: what annotators' answers add up to, how reliable each is, whom to ask again, simulated ones.

Names are resolved when they are first used, so that importing the package loads neither pandas nor SciPy.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Consensus": "dawid_skene",
    "KernelRidge": "kernel_ridge",
    "aggregate": "aggregation",
    "consensus": "aggregation",
    "consensus_multilabel": "aggregation",
    "label_frame": "aggregation",
    "reliability": "aggregation",
    "reliability_frame": "aggregation",
}

__all__ = sorted(_HOME)  # noqa: PLE0605  # one list, not two


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'al_widgets.oracles' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"al_widgets.oracles.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
