"""The annotator page: how reliable and how fast each annotator is, what it costs, and what a further point would cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets

from al_widgets.records import Forecast
from al_widgets.session import Session, VolumeSession
from al_widgets.task import isolated
from al_widgets.widgets.annotator_data import (
    CostPlot,
    PathPlot,
    agreement_plot,
    cost_plot,
    cost_tiles,
    pace_plot,
    reliability_plot,
)
from al_widgets.widgets.dashboard_data import Tile
from al_widgets.widgets.dashboard_text import percent
from al_widgets.widgets.dashboard_text_widget import DashboardHead
from al_widgets.widgets.detection_data import DetectionPlot, detection_plot
from al_widgets.widgets.live_page import LivePage

if TYPE_CHECKING:
    import pandas as pd

INTERVAL_S = 1.0
"""Least time between two refreshes: reliability is a fit over all answers."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the page shows at one moment."""

    tiles: tuple[Tile, ...]
    advice: str
    plots: Mapping[str, PathPlot | CostPlot | DetectionPlot]


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
            advice=" ".join(
                [f"{isolated(b.annotator)}: {b.why}." for b in session.breaks() if b.suggested]
                + [f"{why}." for why in session.uninformative_annotators().values()]
            ),
            plots={
                **self._trust(annotations),
                "Pace": pace_plot(annotations),
                "Cost": cost_plot(
                    history,
                    seconds,
                    session.hourly_rate,
                    session.target,
                    self._forecast,
                    self._chosen if self.teaching else (),
                    measure=session.terms.measure,
                ),
                **self._detection(),
            },
        )

    def _trust(self, annotations: pd.DataFrame) -> dict[str, PathPlot]:
        """Return how reliable annotators are; of masks no answer is right or wrong as a whole, so how far they agree."""
        session = self._session
        if isinstance(session, VolumeSession):
            several = len(annotations["annotator"].unique()) > 1
            return {"Agreement": agreement_plot(session.mask_agreement())} if several else {}
        return {"Reliability": reliability_plot(session.reliability())}

    def _detection(self) -> dict[str, DetectionPlot]:
        """Return what injected targets tell, nothing where there are none."""
        session = self._session
        if not isinstance(session, VolumeSession) or session.injected is None:
            return {}
        return {"Detection": detection_plot(session.detections(), session.injected.strength_db)}

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


class AnnotatorPage(LivePage):
    """Reliability and pace of every annotator over time, advice to take a break, and what accuracy costs.

    Of masks, how far each annotator agrees with the others takes the place of reliability. Where targets are injected, also the chance of seeing one over its strength. A switch shows, for teaching, what cross-validation on the chosen items would have said, beside the audit.

    Parameters
    ----------
    session : Session
        What is watched. It is not closed with the page.

    Examples
    --------
    >>> import al_widgets as al  # doctest: +SKIP
    >>> al.AnnotatorPage(session)  # doctest: +SKIP
    """

    _called = "the annotator page"

    def __init__(self, session: Session) -> None:
        from al_widgets.widgets.annotator_figures import CostFigure, PathFigure
        from al_widgets.widgets.detection_figure import DetectionFigure

        self._reader = Reader(session)
        self._teaching = ipywidgets.Checkbox(
            description="Teaching: how far off is cross-validation?",
            indent=False,
            layout={"width": "auto", "max_width": "100%"},
        )
        self._teaching.observe(self._on_teaching, "value")
        figures = {
            "Reliability": PathFigure("Reliability, 90 % interval", share=True),
            "Agreement": PathFigure("Dice with the others", share=True, along="sections that others finished too"),
            "Pace": PathFigure("Seconds an answer", share=False),
            "Cost": CostFigure(),
            "Detection": DetectionFigure(),
        }
        head = DashboardHead(hook="annotators", label="Annotators and cost")
        super().__init__(session, head, figures, INTERVAL_S, below=(self._teaching,))

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

    def _read(self) -> Reading:
        return self._reader.read()
