"""The dashboard: accuracy, classes, time and money of a session, live.

It shows and changes nothing of the session. The session tells that something happened, from any thread; a
refresh thread reads the session (at most three times a second), and then, with no lock of the session held,
sets the widgets' traits.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import ipywidgets

from al_widgets.errors import AlWidgetsError, SessionClosedError
from al_widgets.widgets.dashboard_refresh import Refresher
from al_widgets.widgets.dashboard_source import Reader, Reading, Watched
from al_widgets.widgets.dashboard_text_widget import DashboardCaption, DashboardHead

_log = logging.getLogger(__name__)

INTERVAL_S = 0.35
"""Least time between two refreshes."""


class Dashboard(ipywidgets.VBox):  # type: ignore[misc]
    """Live plots of a session: accuracy against labels, labels of each class, time of each label, its cost.

    Parameters
    ----------
    session : Session
        What is watched. It is not closed with the dashboard.

    Examples
    --------
    >>> import al_widgets as al  # doctest: +SKIP
    >>> al.Dashboard(session)  # doctest: +SKIP
    """

    def __init__(self, session: Watched) -> None:
        from al_widgets.widgets.dashboard_figures import AccuracyFigure, ClassFigure, TimeFigure

        self._reader = Reader(session)
        self._showing = threading.Lock()
        self._head = DashboardHead()
        terms = session.terms
        self._accuracy, self._classes, self._times = AccuracyFigure(terms), ClassFigure(terms), TimeFigure(terms)
        self._captions = {name: DashboardCaption(name=name) for name in ("Accuracy", "Labels", "Time")}
        figures = (self._accuracy.figure, self._classes.figure, self._times.figure)
        plots = [
            make_box([figure, caption], "al-dashboard-plot")
            for figure, caption in zip(figures, self._captions.values(), strict=True)
        ]
        super().__init__([self._head, make_box(plots, "al-dashboard-plots")])
        self.add_class("al-dashboard")
        self._refresher = Refresher(self.refresh, INTERVAL_S)
        self._unsubscribe = session.subscribe(_weakly(self))
        self.refresh()

    def refresh(self) -> None:
        """Read the session and show what it says now; where it cannot be read, say so above the figures."""
        with self._showing:
            try:
                self._show(self._reader.read())
            except SessionClosedError:
                return  # what was shown last stays
            except AlWidgetsError as error:
                self._head.problem = f"The figures are not up to date: {error}"
                return
            except Exception as error:  # a timer's thread has nobody to raise to
                _log.exception("the dashboard could not read the session")
                self._head.problem = f"The figures are not up to date: {type(error).__name__}: {error}"

    def _show(self, reading: Reading) -> None:
        with self._head.hold_sync():
            self._head.tiles = [[tile.name, tile.value, tile.note] for tile in reading.tiles]
            self._head.advice = reading.advice
            self._head.problem = ""
        self._accuracy.show(reading.accuracy)
        self._classes.show(reading.classes)
        self._times.show(reading.times)
        self._captions["Accuracy"].text = reading.accuracy.summary
        self._captions["Labels"].text = reading.classes.summary
        self._captions["Time"].text = reading.times.summary

    def close(self) -> None:
        """Stop watching the session and free the widgets; safe to call twice."""
        if "_refresher" in self.__dict__:
            self._unsubscribe()
            self._refresher.close()
            for figure in (self._accuracy.figure, self._classes.figure, self._times.figure):
                for part in (*figure.marks, *figure.axes, figure):
                    part.close()
            for text in (self._head, *self._captions.values()):
                text.close()
        super().close()


def make_box(children: list[Any], name: str) -> Any:
    """Return a box with a class of the style sheet."""
    box = ipywidgets.VBox(children)
    box.add_class(name)
    return box


def _weakly(dashboard: Dashboard) -> Callable[[str], None]:
    """Return a subscriber that does not keep the dashboard alive."""
    reference = weakref.ref(dashboard)

    def changed(_change: str) -> None:
        alive = reference()
        if alive is not None:
            alive._refresher.request()  # noqa: SLF001

    return changed
