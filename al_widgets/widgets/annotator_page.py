"""The annotator page: how reliable and how fast each annotator is, what it costs, and what a further point would cost."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from al_widgets.errors import AlWidgetsError, SessionClosedError
from al_widgets.records import Forecast
from al_widgets.session import Session
from al_widgets.widgets.annotator_data import (
    CostPlot,
    PathPlot,
    cost_plot,
    cost_tiles,
    pace_plot,
    reliability_plot,
)
from al_widgets.widgets.dashboard import make_box
from al_widgets.widgets.dashboard_data import Tile
from al_widgets.widgets.dashboard_refresh import Refresher
from al_widgets.widgets.dashboard_text import percent
from al_widgets.widgets.dashboard_text_widget import DashboardCaption, DashboardHead

_log = logging.getLogger(__name__)
INTERVAL_S = 1.0
"""Least time between two refreshes: reliability is a fit over all answers."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the page shows at one moment."""

    tiles: tuple[Tile, ...]
    advice: str
    reliability: PathPlot
    pace: PathPlot
    cost: CostPlot


class Reader:
    """Read one session again and again; what is slow, only when there is something new.

    Attributes
    ----------
    teaching : bool
        Whether to compute what cross-validation would have said.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._round = -1
        self._forecast: Forecast | None = None
        self._chosen: list[tuple[float, float]] = []
        self._chosen_round = -1
        self.teaching = False

    def read(self) -> Reading:
        """Return what is to be shown now; raises what the session raises."""
        session = self._session
        history, annotations = session.history(), session.annotations()
        seconds, money = session.spent()
        if len(history) != self._round:
            self._forecast = session.forecast()
            self._round = len(history)
        if self.teaching and self._chosen_round != self._round:
            found = session.cross_validation()
            if found.value is not None:
                self._chosen.append((seconds, found.value))
            self._chosen_round = self._round
        return Reading(
            tiles=self._accuracies() + cost_tiles(history, seconds, money, session.accuracy, self._forecast),
            advice=" ".join(f"{b.annotator}: {b.why}." for b in session.breaks() if b.suggested),
            reliability=reliability_plot(session.reliability()),
            pace=pace_plot(annotations),
            cost=cost_plot(
                history,
                seconds,
                session.hourly_rate,
                session.target,
                self._forecast,
                self._chosen if self.teaching else (),
            ),
        )

    def _accuracies(self) -> tuple[Tile, ...]:
        """Return the honest accuracy and, while teaching, beside it the figure that is none."""
        if not self.teaching:
            return ()
        accuracy = self._session.accuracy
        honest = (
            Tile("Accuracy (audit)", "–", accuracy.why)
            if accuracy.value is None
            else Tile("Accuracy (audit)", percent(accuracy.value), accuracy.method)
        )
        if not self._chosen:
            return (honest, Tile("Cross-validation", "–", "too few labels"))
        value = self._chosen[-1][1]
        gap = "" if accuracy.value is None else f"off by {100 * (value - accuracy.value):+.1f} points; "
        return (honest, Tile("Cross-validation", percent(value), f"{gap}on chosen items, no accuracy"))


class AnnotatorPage(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Reliability and pace of every annotator over time, advice to take a break, and what accuracy costs.

    A switch shows, for teaching, what cross-validation on the chosen items would have said, beside the audit.

    Parameters
    ----------
    session : Session
        What is watched. It is not closed with the page.

    Examples
    --------
    >>> import al_widgets as al  # doctest: +SKIP
    >>> al.AnnotatorPage(session)  # doctest: +SKIP
    """

    def __init__(self, session: Session) -> None:
        from al_widgets.widgets.annotator_figures import CostFigure, PathFigure

        self._reader = Reader(session)
        self._showing = threading.Lock()
        self._head = DashboardHead(hook="annotators", label="Annotators and cost")
        self._reliability = PathFigure("Reliability, 90 % interval", share=True)
        self._pace = PathFigure("Seconds an answer", share=False)
        self._cost = CostFigure()
        self._captions = {name: DashboardCaption(name=name) for name in ("Reliability", "Pace", "Cost")}
        self._teaching = ipywidgets.Checkbox(
            description="Teaching: how far off is cross-validation?",
            indent=False,
            layout={"width": "auto", "max_width": "100%"},
        )
        self._teaching.observe(self._on_teaching, "value")
        figures = (self._reliability.figure, self._pace.figure, self._cost.figure)
        plots = [
            make_box([figure, caption], "al-dashboard-plot")
            for figure, caption in zip(figures, self._captions.values(), strict=True)
        ]
        super().__init__([self._head, make_box(plots, "al-dashboard-plots"), self._teaching])
        self.add_class("al-dashboard")
        self._refresher = Refresher(self.refresh, INTERVAL_S)
        self._unsubscribe = session.subscribe(_weakly(self))
        self.refresh()

    @property
    def teaching(self) -> bool:
        """Whether cross-validation on the chosen items is shown beside the audit."""
        return bool(self._teaching.value)

    @teaching.setter
    def teaching(self, on: bool) -> None:
        self._teaching.value = on

    def _on_teaching(self, change: Any) -> None:
        self._reader.teaching = bool(change["new"])
        self._refresher.request()

    def refresh(self) -> None:
        """Read the session and show what it says now; where it cannot be read, say so above the figures."""
        with self._showing:
            try:
                self._show(self._reader.read())
            except SessionClosedError:
                return  # what was shown last stays
            except AlWidgetsError as error:
                self._head.problem = f"The figures are not up to date: {error}"
            except Exception as error:  # a timer's thread has nobody to raise to
                _log.exception("the annotator page could not read the session")
                self._head.problem = f"The figures are not up to date: {type(error).__name__}: {error}"

    def _show(self, reading: Reading) -> None:
        with self._head.hold_sync():
            self._head.tiles = [[tile.name, tile.value, tile.note] for tile in reading.tiles]
            self._head.advice = reading.advice
            self._head.problem = ""
        self._reliability.show(reading.reliability)
        self._pace.show(reading.pace)
        self._cost.show(reading.cost)
        self._captions["Reliability"].text = reading.reliability.summary
        self._captions["Pace"].text = reading.pace.summary
        self._captions["Cost"].text = reading.cost.summary

    def close(self) -> None:
        """Stop watching the session and free the widgets; safe to call twice."""
        if "_refresher" in self.__dict__:
            from al_widgets.widgets.annotator_figures import parts_of

            self._unsubscribe()
            self._refresher.close()
            for figure in (self._reliability.figure, self._pace.figure, self._cost.figure):
                for part in parts_of(figure):
                    part.close()
            for text in (self._head, self._teaching, *self._captions.values()):
                text.close()
        super().close()


def _weakly(page: AnnotatorPage) -> Callable[[str], None]:
    """Return a subscriber that does not keep the page alive."""
    reference = weakref.ref(page)

    def changed(_change: str) -> None:
        alive = reference()
        if alive is not None:
            alive._refresher.request()  # noqa: SLF001

    return changed
