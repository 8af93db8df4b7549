"""Widgets: the only layer that knows anywidget, ipywidgets and bqplot. It never trains, scores or writes a row."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from al_widgets.widgets.annotator_page import AnnotatorPage
    from al_widgets.widgets.app import LabelingApp
    from al_widgets.widgets.batch_grid import BatchGrid
    from al_widgets.widgets.curves import plot_curves
    from al_widgets.widgets.dashboard import Dashboard
    from al_widgets.widgets.query import QueryWidget
    from al_widgets.widgets.review_gallery import ReviewGallery
    from al_widgets.widgets.volume import VolumeWidget

__all__ = [
    "AnnotatorPage",
    "BatchGrid",
    "Dashboard",
    "LabelingApp",
    "QueryWidget",
    "ReviewGallery",
    "VolumeWidget",
    "plot_curves",
]

_HOME = {
    "AnnotatorPage": "annotator_page",
    "BatchGrid": "batch_grid",
    "LabelingApp": "app",
    "Dashboard": "dashboard",
    "QueryWidget": "query",
    "ReviewGallery": "review_gallery",
    "VolumeWidget": "volume",
    "plot_curves": "curves",
}


def __getattr__(name: str) -> Any:
    # One widget must not pay for the import of another: bqplot alone takes longer than a page may wait for its first picture.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
