"""What the dashboard and the annotator page have in common: figures with captions under a head line, kept up to date.

They show a session and change nothing of it. The session tells that something happened, from any thread; a refresh thread reads
it, not too often, and then, with no lock of the session held, sets the widgets' traits.
"""

from __future__ import annotations

import logging
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets

from al_widgets.errors import AlWidgetsError, SessionClosedError
from al_widgets.widgets.dashboard_refresh import Refresher
from al_widgets.widgets.dashboard_text_widget import DashboardCaption, DashboardHead

_log = logging.getLogger(__name__)


class Subscribable(Protocol):
    """What tells when there is something new; `al_widgets.Session` does."""

    def subscribe(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call back on every change; returns the function that ends it."""


class LivePage(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A head line, figures with a caption each, and whatever stands below.

    Parameters
    ----------
    session : Subscribable
        Is not closed with the page.
    head : DashboardHead
    figures : dict of str to object with ``figure`` and ``show``
        Caption's name → figure.
    interval_s : float
        Least time between two refreshes.
    below : sequence of widgets
    """

    _called = "the page"

    def __init__(
        self,
        session: Subscribable,
        head: DashboardHead,
        figures: dict[str, Any],
        interval_s: float,
        below: tuple[Any, ...] = (),
    ) -> None:
        self._showing = threading.Lock()
        self._head, self._figures, self._below = head, figures, below
        self._captions = {name: DashboardCaption(name=name) for name in figures}
        self._plots = {
            name: make_box([plot.figure, self._captions[name]], "al-dashboard-plot") for name, plot in figures.items()
        }
        super().__init__([head, make_box(list(self._plots.values()), "al-dashboard-plots"), *below])
        self.add_class("al-dashboard")
        self._refresher = Refresher(self.refresh, interval_s)
        self._unsubscribe = session.subscribe(_weakly(self._refresher))
        self.refresh()

    @abstractmethod
    def _read(self) -> Any:
        """Return what is to be shown: with ``tiles``, ``advice``, and ``plots`` by the captions' names. May take a while."""

    def refresh(self) -> None:
        """Read the session and show what it says now; where it cannot be read, say so above the figures."""
        with self._showing:
            try:
                self._show(self._read())
            except SessionClosedError:
                return  # what was shown last stays
            except AlWidgetsError as error:
                self._head.problem = f"The figures are not up to date: {error}"
            except Exception as error:  # a timer's thread has nobody to raise to
                _log.exception("%s could not read the session", self._called)
                self._head.problem = f"The figures are not up to date: {type(error).__name__}: {error}"

    def _show(self, reading: Any) -> None:
        with self._head.hold_sync():
            self._head.tiles = [[tile.name, tile.value, tile.note] for tile in reading.tiles]
            self._head.advice = reading.advice
            self._head.problem = ""
        for name, plot in self._figures.items():
            data = reading.plots.get(name)
            self._plots[name].layout.display = "none" if data is None else ""
            if data is not None:
                plot.show(data)
                self._captions[name].text = data.summary

    def close(self) -> None:
        """Stop watching the session and free the widgets; safe to call twice."""
        if "_refresher" in self.__dict__:
            self._unsubscribe()
            self._refresher.close()
            for plot in self._figures.values():
                for part in (*plot.figure.marks, *plot.figure.axes, plot.figure):
                    part.close()
            for widget in (self._head, *self._captions.values(), *self._below):
                widget.close()
        super().close()


def make_box(children: list[Any], name: str) -> Any:
    """Return a box with a class of the style sheet."""
    box = ipywidgets.VBox(children)
    box.add_class(name)
    return box


def _weakly(refresher: Refresher) -> Callable[[str], None]:
    """Return a subscriber that does not keep the page alive."""
    reference = weakref.ref(refresher)

    def changed(_change: str) -> None:
        alive = reference()
        if alive is not None:
            alive.request()

    return changed
