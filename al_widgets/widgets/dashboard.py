"""The dashboard: accuracy, classes, time and money of a session, live."""

from __future__ import annotations

from al_widgets.widgets.dashboard_source import Reader, Reading, Watched
from al_widgets.widgets.dashboard_text_widget import DashboardHead
from al_widgets.widgets.live_page import LivePage

INTERVAL_S = 0.35
"""Least time between two refreshes."""


class Dashboard(LivePage):
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

    _called = "the dashboard"

    def __init__(self, session: Watched) -> None:
        from al_widgets.widgets.dashboard_figures import AccuracyFigure, ClassFigure, TimeFigure

        self._reader = Reader(session)
        terms = session.terms
        self._accuracy, self._classes, self._times = AccuracyFigure(terms), ClassFigure(terms), TimeFigure(terms)
        figures = {"Accuracy": self._accuracy, "Labels": self._classes, "Time": self._times}
        super().__init__(session, DashboardHead(), figures, INTERVAL_S)

    def _read(self) -> Reading:
        return self._reader.read()
