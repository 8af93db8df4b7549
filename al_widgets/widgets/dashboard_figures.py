"""The dashboard's three bqplot figures: made once, then only their data change, so that nothing flickers.

Importing this loads bqplot (about half a second), therefore `al_widgets.widgets.dashboard` does so when a
dashboard is made. Colours are JupyterLab's own variables: the figures follow its theme. No line is told by
colour alone: each has a style of its own and its name written on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Protocol

import bqplot as bq
import numpy as np

from al_widgets.records import Terms
from al_widgets.widgets.dashboard_data import AccuracyPlot, ClassPlot, TimePlot, axis_end
from al_widgets.widgets.dashboard_text import nice, ticks

ACCENT = "var(--jp-brand-color1, #1976d2)"
TEXT = "var(--jp-content-font-color1, #222222)"
QUIET = "var(--jp-content-font-color2, #666666)"
STYLES = {"chance": "dashed", "majority class": "dotted", "target": "dash_dotted"}
"""Dash style of each reference line."""
PLACES = {"target": 0.3, "majority class": 0.66, "chance": 1.0}
"""Where on the axis the name of a line ends: lines that lie close do not hide each other's name."""
TITLE_STYLE = {"font-size": "13px", "font-weight": "600", "fill": TEXT}


class Plot(Protocol):
    """One figure and how to bring it up to date."""

    figure: Any

    def show(self, data: Any) -> None:
        """Set the marks' data."""


def make_figure(title: str, marks: list[Any], axes: list[Any], left: int) -> Any:
    """Return a figure in the dashboard's dress."""
    return bq.Figure(
        title=title,
        title_style=TITLE_STYLE,
        marks=marks,
        axes=axes,
        fig_margin={"top": 34, "bottom": 38, "left": left, "right": 14},
        padding_x=0,
        padding_y=0,
        animation_duration=0,
        display_toolbar=False,
        layout={"width": "100%", "height": "210px", "min_width": "0px"},
    )


def make_axis(scale: Any, label: str = "", *, vertical: bool = False, form: str | None = None) -> Any:
    """Return an axis in the dashboard's dress."""
    options: dict[str, Any] = {"grid_lines": "none", "color": QUIET}
    if vertical:
        options["side"] = "left"
    if form is not None:
        options["tick_format"] = form
    return bq.Axis(scale=scale, label=label, label_color=TEXT, label_offset="28px", **options)


def make_note(scales: dict[str, Any]) -> Any:
    """Return the mark that says why a plot is empty, in its middle."""
    return bq.Label(
        x=np.empty(0),
        y=np.empty(0),
        text=[],
        scales=scales,
        align="middle",
        default_size=12,
        font_weight="normal",
        colors=[TEXT],
    )


def set_traits(widget: Any, **traits: Any) -> None:
    """Set traits in one message; equal ones are not sent again."""
    with widget.hold_sync():
        for name, value in traits.items():
            setattr(widget, name, value)


def say(note: Any, why: str, x: float, y: float, span: float | None = None) -> None:
    """Write why a plot is empty into it, around a height `y`, or nothing; `span` of the axis is twice that where it is the middle."""
    lines = _wrap(why) if why else []
    step = 0.11 * (2 * y if span is None else span)
    heights = [y + step * ((len(lines) - 1) / 2 - i) for i in range(len(lines))]
    set_traits(note, x=np.full(len(lines), x), y=np.array(heights), text=lines)


def _wrap(text: str, width: int = 34) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _free_height(lines: Iterable[float]) -> float:
    """Return the middle of the widest space between dashed lines with their names, which stand above them or, near 1, below."""
    taken = sorted([(-0.05, 0.05), (0.95, 1.0), *((v, v + 0.08) if v < 0.9 else (v - 0.16, v) for v in lines)])
    low, high = max(((b, c) for (_, b), (c, _) in itertools.pairwise(taken)), key=lambda gap: gap[1] - gap[0])
    return (low + high) / 2


class AccuracyFigure:
    """Accuracy against labels: curve, band, what is certified, and dashed lines to compare with."""

    def __init__(self, terms: Terms) -> None:
        self._measure = terms.measure
        self._x, self._y = bq.LinearScale(min=0.0, max=20.0), bq.LinearScale(min=0.0, max=1.0)
        scales = {"x": self._x, "y": self._y}
        none = np.empty(0)
        self._band = bq.Lines(
            x=none,
            y=np.empty((2, 0)),
            scales=scales,
            fill="between",
            colors=[ACCENT, ACCENT],
            opacities=[0.0, 0.0],
            fill_colors=[ACCENT],
            fill_opacities=[0.22],
        )
        self._curve = bq.Lines(
            x=none, y=none, scales=scales, colors=[ACCENT], stroke_width=2, marker="circle", marker_size=16
        )
        self._certified = bq.Lines(
            x=none, y=np.empty((2, 0)), scales=scales, fill="between", colors=[ACCENT, ACCENT], opacities=[0.9, 0.9],
            stroke_width=1, line_style="dotted", fill_colors=[ACCENT], fill_opacities=[0.09],
        )  # fmt: skip
        self._lines = {
            name: bq.Lines(x=none, y=none, scales=scales, colors=[QUIET], stroke_width=1.3, line_style=style)
            for name, style in STYLES.items()
        }
        self._names = bq.Label(
            x=none,
            y=none,
            text=[],
            scales=scales,
            align="end",
            default_size=11,
            font_weight="normal",
            colors=[TEXT],
            y_offset=-9,
        )
        self._note = make_note(scales)
        self._bottom, left = make_axis(self._x, f"{terms.answer}s"), make_axis(self._y, vertical=True, form=".0%")
        left.tick_values = ticks(1.0)
        self.figure = make_figure(
            terms.measure,
            [self._certified, self._band, *self._lines.values(), self._curve, self._names, self._note],
            [self._bottom, left],
            left=44,
        )

    def show(self, data: AccuracyPlot) -> None:
        """Set curve, band and lines."""
        end = axis_end(data.n_labels[-1] if data.n_labels else 0)
        set_traits(self._x, max=end)
        set_traits(self._bottom, tick_values=ticks(end))
        x = np.array(data.n_labels)
        set_traits(self._band, x=x, y=np.array([data.low, data.high]))
        set_traits(self._curve, x=x, y=np.array(data.value))
        certified = np.array(data.certified).reshape(-1, 3).T
        set_traits(self._certified, x=certified[0], y=certified[1:])
        known = {r.name: r.value for r in data.references}
        for name, line in self._lines.items():
            height = known.get(name)
            set_traits(
                line,
                x=np.array([] if height is None else [0.0, end]),
                y=np.array([] if height is None else [height, height]),
            )
        set_traits(
            self._names,
            x=np.array([PLACES[name] * end for name in known]),
            y=np.array([v + 0.03 if v < 0.9 else v - 0.11 for v in known.values()]),
            text=[f"{name} {value:.0%}" for name, value in known.items()],
        )
        bound = data.certified_method.replace(" 95 %", "")  # a narrow figure has no room to say it twice
        set_traits(self.figure, title=", ".join(filter(None, (self._measure, data.method, bound))))
        say(self._note, data.why, end / 2, _free_height(known.values()), span=1.0)


class ClassFigure:
    """Labels of each class as bars with their counts."""

    def __init__(self, terms: Terms) -> None:
        self._x, self._y = bq.OrdinalScale(reverse=True), bq.LinearScale(min=0.0, max=10.0)
        self._bars = bq.Bars(
            x=[],
            y=[],
            scales={"x": self._x, "y": self._y},
            orientation="horizontal",
            colors=[ACCENT],
            opacities=[0.75],
            padding=0.25,
            label_display=True,
            label_display_format="d",
            label_display_vertical_offset=14,
            label_font_style={"fill": TEXT, "font-size": "11px"},
        )
        self._bottom = make_axis(self._y, f"{terms.item}s" if not terms.chance else "labels", form="d")
        names = bq.Axis(scale=self._x, side="left", grid_lines="none", color=QUIET)
        self.figure = make_figure(
            "Labels of each class" if terms.chance else f"{terms.item.capitalize()}s with each class",
            [self._bars],
            [names, self._bottom],
            left=110,
        )

    def show(self, data: ClassPlot) -> None:
        """Set names and counts."""
        top = nice(1.15 * max(8, *data.counts, 0))
        set_traits(self._y, max=top)
        set_traits(self._bottom, tick_values=ticks(top))
        set_traits(self._bars, x=list(data.names), y=np.array(data.counts, dtype=float))


class TimeFigure:
    """Seconds of the last answers as points, their running median as a line."""

    def __init__(self, terms: Terms) -> None:
        self._x, self._y = bq.LinearScale(min=0.0, max=20.0), bq.LinearScale(min=0.0, max=1.0)
        scales = {"x": self._x, "y": self._y}
        none = np.empty(0)
        self._points = bq.Scatter(
            x=none,
            y=none,
            scales=scales,
            colors=[QUIET],
            default_size=9,
            opacities=[0.6],
            stroke=QUIET,
        )
        self._trend = bq.Lines(x=none, y=none, scales=scales, colors=[ACCENT], stroke_width=2)
        self._note = make_note(scales)
        self._bottom, self._left = make_axis(self._x, "answers"), make_axis(self._y, vertical=True)
        self.figure = make_figure(
            f"Seconds {'an answer' if terms.answer != 'label' else 'a label'}, running median",
            [self._points, self._trend, self._note],
            [self._bottom, self._left],
            left=44,
        )

    def show(self, data: TimePlot) -> None:
        """Set points and line."""
        first, last = (data.number[0] - 1, data.number[-1]) if data.number else (0, 0)
        steps = ticks(axis_end(last - first))
        end = first + steps[-1]
        set_traits(self._bottom, tick_values=first + steps)
        set_traits(self._left, tick_values=ticks(data.top))
        set_traits(self._x, min=float(first), max=float(end))
        set_traits(self._y, max=data.top)
        x = np.array(data.number, dtype=float)
        set_traits(self._points, x=x, y=np.array(data.seconds))
        set_traits(self._trend, x=x, y=np.array(data.trend))
        say(self._note, data.why, (first + end) / 2, data.top / 2)
