"""Learning: learners, and the trainer that fits them behind the scenes.

Exports are loaded when asked for, so that importing the package loads no scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from al_widgets.learning.base import Learner

if TYPE_CHECKING:
    from al_widgets.learning.adapter import SklearnLearner, as_learner
    from al_widgets.learning.ensemble import CommitteeLearner
    from al_widgets.learning.graph import GraphLearner
    from al_widgets.learning.linear import logistic_learner
    from al_widgets.learning.selection import default_learner

__all__ = [
    "CommitteeLearner",
    "GraphLearner",
    "Learner",
    "SklearnLearner",
    "as_learner",
    "default_learner",
    "logistic_learner",
]

_LAZY = {
    "CommitteeLearner": "ensemble",
    "GraphLearner": "graph",
    "SklearnLearner": "adapter",
    "as_learner": "adapter",
    "default_learner": "selection",
    "logistic_learner": "linear",
}


def __getattr__(name: str) -> Any:
    """Import an export when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
