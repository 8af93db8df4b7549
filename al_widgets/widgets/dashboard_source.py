"""Read a session for the dashboard: what it must offer, and one consistent reading of it.

Runs on the dashboard's refresh thread; takes the session's lock only inside the session's own calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from al_widgets.records import Advice, Estimate, Forecast, Terms
from al_widgets.task import Task
from al_widgets.widgets.dashboard_data import (
    AccuracyPlot,
    ClassPlot,
    Tile,
    TimePlot,
    accuracy_plot,
    class_plot,
    tiles,
    time_plot,
)

if TYPE_CHECKING:
    import pandas as pd


class Watched(Protocol):
    """What the dashboard needs of a session; `al_widgets.Session` is one."""

    @property
    def pool(self) -> Sized:
        """What is labelled."""

    @property
    def task(self) -> Task:
        """The task, for its classes."""

    @property
    def target(self) -> float | None:
        """Accuracy that is wanted."""

    @property
    def accuracy(self) -> Estimate:
        """Honest accuracy of the present model."""

    def labels(self) -> pd.DataFrame:
        """One row an item: label, and whether it belongs to the audit reserve."""

    def annotations(self) -> pd.DataFrame:
        """One row an event: kind, elapsed_s."""

    def history(self) -> pd.DataFrame:
        """One row a round: n_labels, accuracy, low, high, method."""

    def spent(self) -> tuple[float, float | None]:
        """Seconds and money so far."""

    def forecast(self) -> Forecast:
        """Forecast what is needed to reach the target."""

    def advice(self) -> Advice:
        """Whether to stop."""

    @property
    def terms(self) -> Terms:
        """What this kind of session calls its figures."""

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, value and note of what this kind of session adds to the head line."""

    def subscribe(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call back after each change, from any thread; return what ends it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the dashboard shows at one moment."""

    tiles: tuple[Tile, ...]
    advice: str
    plots: Mapping[str, AccuracyPlot | ClassPlot | TimePlot]


class Reader:
    """Read one session again and again; the forecast, which is slow, only once a round."""

    def __init__(self, session: Watched) -> None:
        self._session = session
        self._round = -1
        self._forecast: Forecast | None = None
        self._advice: Advice | None = None

    def read(self) -> Reading:
        """Return what is to be shown now; raises what the session raises."""
        session = self._session
        history, labels, annotations = session.history(), session.labels(), session.annotations()
        estimate, classes = session.accuracy, session.task.classes
        if len(history) != self._round:
            self._forecast = session.forecast() if session.target is not None else None
            self._advice = session.advice()
            self._round = len(history)
        elapsed_s = annotations.loc[annotations["kind"] != "undo", "elapsed_s"].dropna().tolist()
        seconds, money = session.spent()
        # A section of a volume has several classes, each counts.
        said = labels["classes"].explode() if "classes" in labels else labels["label"]
        audited = Counter(labels.loc[labels["audit"].astype(bool), "label"].tolist())
        return Reading(
            tiles=tiles(
                n_labels=len(labels),
                n_items=len(session.pool),
                estimate=estimate,
                seconds=seconds,
                money=money,
                forecast=self._forecast,
                terms=session.terms,
            )
            + tuple(Tile(*fact) for fact in session.facts()),
            advice="" if self._advice is None else self._advice.why,
            plots={
                "Accuracy": accuracy_plot(history, estimate, classes, audited, session.target, session.terms),
                "Labels": class_plot(
                    said.dropna().tolist(), classes, "label" if session.terms.chance else "occurrence"
                ),
                "Time": time_plot(elapsed_s),
            },
        )
