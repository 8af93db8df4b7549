"""al_widgets: active learning inside a Jupyter notebook.

Importing the package loads no widget machinery and no learner; names are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Boxes": "al_widgets.task",
    "Classification": "al_widgets.task",
    "Segmentation": "al_widgets.task",
    "Query": "al_widgets.records",
    "Estimate": "al_widgets.records",
    "Forecast": "al_widgets.records",
    "Advice": "al_widgets.records",
    "Budget": "al_widgets.records",
    "ArrayPool": "al_widgets.pool",
    "FolderPool": "al_widgets.pool",
    "FramePool": "al_widgets.pool",
    "PathsPool": "al_widgets.pool",
    "Pool": "al_widgets.pool",
    "SlicePool": "al_widgets.pool",
    "open_pool": "al_widgets.pool",
    "Axis": "al_widgets.readers",
    "Image": "al_widgets.readers",
    "Volume": "al_widgets.readers",
    "read": "al_widgets.readers",
    "Strategy": "al_widgets.strategies",
    "Learner": "al_widgets.learning",
    "Session": "al_widgets.session",
    "VolumeSession": "al_widgets.session",
    "StreamSession": "al_widgets.session",
    "SynthesisSession": "al_widgets.session",
    "simulate": "al_widgets.session",
    "compare_curves": "al_widgets.evaluation",
    "InjectedTargets": "al_widgets.oracles",
    "SimulatedOracle": "al_widgets.oracles",
    "QueryWidget": "al_widgets.widgets",
    "VolumeWidget": "al_widgets.widgets",
    "Dashboard": "al_widgets.widgets",
    "LabelingApp": "al_widgets.widgets",
    "AnnotatorPage": "al_widgets.widgets",
    "BatchGrid": "al_widgets.widgets",
    "ReviewGallery": "al_widgets.widgets",
    "plot_curves": "al_widgets.widgets",
}
_MODULES = (
    "datasets",
    "errors",
    "evaluation",
    "export",
    "features",
    "learning",
    "oracles",
    "pool",
    "readers",
    "session",
    "store",
    "strategies",
    "testing",
    "widgets",
)

__all__ = [*sorted(_HOME), "__version__", "datasets", "errors", "strategies"]  # noqa: PLE0604  # they are strings


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"al_widgets.{name}")
    elif name == "__version__":
        from importlib.metadata import version

        value = version("al-widgets")
    else:
        raise AttributeError(f"module 'al_widgets' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
