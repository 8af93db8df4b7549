"""The annotator page's bqplot figures: made once, then only their data change. See `dashboard_figures` for the manner."""

from __future__ import annotations

import math
from itertools import pairwise

import bqplot as bq
import numpy as np

from al_widgets.widgets.annotator_data import MOST_SHOWN, CostPlot, PathPlot
from al_widgets.widgets.dashboard_figures import (
    ACCENT,
    QUIET,
    TEXT,
    make_axis,
    make_figure,
    make_note,
    say,
    set_traits,
)
from al_widgets.widgets.dashboard_text import ticks

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b05d8f")
"""Okabe and Ito's, darker where thin lines would be pale."""
DASHES = ("solid", "dashed", "dotted", "dash_dotted")


class PathFigure:
    """A line with a band for each annotator, its name at the end.

    Parameters
    ----------
    title : str
    share : bool
        Whether the vertical axis is a share, from 0 to 100 %.
    along : str
        What is counted along the horizontal axis.
    """

    def __init__(self, title: str, *, share: bool, along: str = "answers of the annotator") -> None:
        self._x, self._y = bq.LinearScale(min=0.0, max=20.0), bq.LinearScale(min=0.0, max=1.0)
        scales = {"x": self._x, "y": self._y}
        none = np.empty(0)
        self._bands = [
            bq.Lines(
                x=none, y=np.empty((2, 0)), scales=scales, fill="between", colors=[colour, colour], opacities=[0.0, 0.0],
                fill_colors=[colour], fill_opacities=[0.15],
            )
            for colour in COLOURS[:MOST_SHOWN]
        ]  # fmt: skip
        self._lines = [
            bq.Lines(x=none, y=none, scales=scales, colors=[colour], line_style=style, stroke_width=2)
            for colour, style in zip(COLOURS, DASHES, strict=True)
        ]
        self._names = bq.Label(
            x=none, y=none, text=[], scales=scales, align="end", default_size=11, font_weight="bold", colors=[TEXT],
            y_offset=-8,
        )  # fmt: skip
        self._note = make_note(scales)
        self._bottom = make_axis(self._x, along)
        self._left = make_axis(self._y, vertical=True, form=".0%" if share else None)
        marks = [*self._bands, *self._lines, self._names, self._note]
        self.figure = make_figure(title, marks, [self._bottom, self._left], left=44)

    def show(self, data: PathPlot) -> None:
        """Set lines and bands."""
        set_traits(self._x, max=data.end)
        set_traits(self._bottom, tick_values=ticks(data.end))
        set_traits(self._y, max=data.top)
        set_traits(self._left, tick_values=ticks(data.top))
        for i, (line, band) in enumerate(zip(self._lines, self._bands, strict=True)):
            path = data.paths[i] if i < len(data.paths) else None
            x = np.array([] if path is None else path.number, float)
            set_traits(line, x=x, y=np.array([] if path is None else path.value))
            bounded = path is not None and len(path.low) > 0
            set_traits(
                band,
                x=x if bounded else np.empty(0),
                y=np.array([path.low, path.high]) if bounded and path is not None else np.empty((2, 0)),
            )
        heights = spread_out([p.value[-1] for p in data.paths], data.top)
        set_traits(
            self._names,
            x=np.array([p.number[-1] for p in data.paths], float),
            y=np.array(heights),
            text=[p.name for p in data.paths],
        )
        say(self._note, data.why, data.end / 2, data.top / 2)


def spread_out(heights: list[float], top: float) -> list[float]:
    """Return heights of names at least a tenth of the axis apart, in the order given."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = list(heights)
    for before, at in pairwise(order):
        placed[at] = max(placed[at], placed[before] + 0.1 * top)
    return placed


class CostFigure:
    """Accuracy against what was spent; the forecast as a band at the target; on demand, what cross-validation would have said."""

    def __init__(self) -> None:
        self._x, self._y = bq.LinearScale(min=0.0, max=1.0), bq.LinearScale(min=0.0, max=1.0)
        scales = {"x": self._x, "y": self._y}
        none = np.empty(0)
        self._band = bq.Lines(
            x=none, y=np.empty((2, 0)), scales=scales, fill="between", colors=[ACCENT, ACCENT], opacities=[0.0, 0.0],
            fill_colors=[ACCENT], fill_opacities=[0.22],
        )  # fmt: skip
        self._curve = bq.Lines(
            x=none, y=none, scales=scales, colors=[ACCENT], stroke_width=2, marker="circle", marker_size=8
        )
        self._target = bq.Lines(
            x=none, y=none, scales=scales, colors=[QUIET], stroke_width=1.3, line_style="dash_dotted"
        )
        self._reach = bq.Lines(x=none, y=none, scales=scales, colors=[ACCENT], stroke_width=7, opacities=[0.45])
        self._chosen = bq.Lines(
            x=none, y=none, scales=scales, colors=["#d55e00"], stroke_width=1.6, line_style="dotted", marker="cross",
            marker_size=40,
        )  # fmt: skip
        self._names = bq.Label(
            x=none, y=none, text=[], scales=scales, align="end", default_size=11, font_weight="normal", colors=[TEXT],
            y_offset=-9,
        )  # fmt: skip
        self._note = make_note(scales)
        self._bottom = make_axis(self._x, "money")
        left = make_axis(self._y, vertical=True, form=".0%")
        left.tick_values = ticks(1.0)
        marks = [self._band, self._reach, self._target, self._curve, self._chosen, self._names, self._note]
        self.figure = make_figure("Accuracy and cost", marks, [self._bottom, left], left=44)

    def show(self, data: CostPlot) -> None:
        """Set curve, band and forecast."""
        end = data.end
        set_traits(self._x, max=end)
        set_traits(
            self._bottom, tick_values=ticks(end), label="minutes spent" if data.unit == "minutes" else "money spent"
        )
        x = np.array(data.spent)
        set_traits(self._band, x=x, y=np.array([data.low, data.high]))
        set_traits(self._curve, x=x, y=np.array(data.value))
        goal = [] if data.target is None else [data.target, data.target]
        set_traits(self._target, x=np.array([0.0, end] if goal else []), y=np.array(goal))
        shown = bool(data.reach) and bool(goal) and data.reach[0] < end
        reach = [data.reach[0], min(data.reach[1], end) if math.isfinite(data.reach[1]) else end] if shown else []
        set_traits(self._reach, x=np.array(reach), y=np.array(goal if shown else []))
        set_traits(self._chosen, x=np.array([s for s, _ in data.chosen]), y=np.array([v for _, v in data.chosen]))
        names: list[tuple[float, float, str]] = []
        if data.target is not None:
            names.append((0.42 * end, data.target - 0.1, f"target {data.target:.0%}"))
        if shown:
            names.append((end, (data.target or 0) + 0.02, "forecast, 80 %"))
        if data.chosen:
            names.append(
                (
                    max(data.chosen[-1][0], 0.75 * end),
                    max(0.04, data.chosen[-1][1] - 0.16),
                    "cross-validation: no accuracy",
                )
            )
        set_traits(
            self._names,
            x=np.array([n[0] for n in names]),
            y=np.array([n[1] for n in names]),
            text=[n[2] for n in names],
        )
        set_traits(self.figure, title=f"{data.measure} and cost")
        say(self._note, data.why, end / 2, 0.5)
