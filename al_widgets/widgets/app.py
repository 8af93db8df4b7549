"""The labeling app: query widget and dashboard of one session, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from al_widgets.session import Session, VolumeSession
from al_widgets.task import Task
from al_widgets.widgets.dashboard import Dashboard
from al_widgets.widgets.query import QueryWidget
from al_widgets.widgets.session_widget import SessionWidget
from al_widgets.widgets.volume import VolumeWidget


class LabelingApp(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Query widget, or volume widget, above live accuracy and cost plots.

    Parameters
    ----------
    pool : str, Path, list of paths, ndarray, DataFrame or Pool
        What is to be labelled.
    classes : list of str or Task
        What may be answered; with `al.Segmentation` or `al.Boxes` the sections of a volume are labelled.
    keys, show_model, height
        As for `QueryWidget`.
    **options
        As for `Session`: store, strategy, learner, encoder, annotator, audit, target, hourly_rate, batch_size, seed.

    Attributes
    ----------
    session : Session
    query : QueryWidget or VolumeWidget
    dashboard : Dashboard

    Examples
    --------
    >>> app = LabelingApp("xrays/", classes=["normal", "pneumonia"])  # doctest: +SKIP
    """

    def __init__(
        self,
        pool: Any,
        classes: Sequence[str] | Task,
        *,
        keys: dict[str, str] | None = None,
        show_model: bool = True,
        height: int | None = None,
        **options: Any,
    ) -> None:
        self.session = Session(pool, classes, **options)
        size: dict[str, Any] = {} if height is None else {"height": height}
        self.query: SessionWidget
        if isinstance(self.session, VolumeSession):
            self.query = VolumeWidget(self.session, keys=keys, show_model=show_model, **size)
        else:
            self.query = QueryWidget(self.session, keys=keys, show_model=show_model, **size)
        self.dashboard = Dashboard(self.session)
        super().__init__([self.query, self.dashboard], layout=ipywidgets.Layout(grid_gap="14px"))

    def close(self) -> None:
        """Take the app off the page and close the session; every answer is on the disk."""
        for part in ("query", "dashboard", "session"):  # a constructor that failed left some out
            if part in self.__dict__:
                self.__dict__[part].close()
        super().close()
