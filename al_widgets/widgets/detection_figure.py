"""The annotator page's figure of injected targets. See `dashboard_figures` for the manner."""

from __future__ import annotations

import bqplot as bq
import numpy as np

from al_widgets.widgets.annotator_figures import COLOURS, DASHES, spread_out
from al_widgets.widgets.dashboard_figures import TEXT, make_axis, make_figure, make_note, say, set_traits
from al_widgets.widgets.dashboard_text import ticks
from al_widgets.widgets.detection_data import MOST_SHOWN, DetectionPlot

ROOM = 0.12
"""Above 100 % and below 0 %, for the marks of single targets."""


class DetectionFigure:
    """Chance of seeing a target over its strength: a curve with its band for each annotator, threshold and answers marked."""

    def __init__(self) -> None:
        self._x, self._y = bq.LinearScale(min=-12.0, max=24.0), bq.LinearScale(min=-ROOM, max=1 + ROOM)
        scales = {"x": self._x, "y": self._y}
        none = np.empty(0)
        colours = COLOURS[:MOST_SHOWN]
        self._bands = [
            bq.Lines(
                x=none, y=np.empty((2, 0)), scales=scales, fill="between", colors=[colour, colour], opacities=[0.0, 0.0],
                fill_colors=[colour], fill_opacities=[0.12],
            )
            for colour in colours
        ]  # fmt: skip
        self._lines = [
            bq.Lines(x=none, y=none, scales=scales, colors=[colour], line_style=style, stroke_width=2)
            for colour, style in zip(colours, DASHES, strict=False)
        ]
        self._thresholds = [
            bq.Lines(x=none, y=none, scales=scales, colors=[colour], stroke_width=6, opacities=[0.5])
            for colour in colours
        ]
        self._answers = [
            bq.Scatter(x=none, y=none, scales=scales, colors=[colour], default_size=24, opacities=[0.6])
            for colour in colours
        ]
        self._names = bq.Label(
            x=none, y=none, text=[], scales=scales, align="end", default_size=11, font_weight="bold", colors=[TEXT],
            y_offset=-6,
        )  # fmt: skip
        self._note = make_note(scales)
        self._bottom = make_axis(self._x, "echo over clutter, dB")
        left = make_axis(self._y, vertical=True, form=".0%")
        left.tick_values = ticks(1.0)
        marks = [*self._bands, *self._thresholds, *self._lines, *self._answers, self._names, self._note]
        self.figure = make_figure("Chance of seeing a target", marks, [self._bottom, left], left=44)

    def show(self, data: DetectionPlot) -> None:
        """Set curves, bands, thresholds and answers."""
        strengths = np.array(data.strengths)
        low, high = float(strengths[0]), float(strengths[-1])
        set_traits(self._x, min=low, max=high)
        set_traits(self._bottom, tick_values=np.arange(np.ceil(low / 6) * 6, high + 0.1, 6))
        for i, (line, band) in enumerate(zip(self._lines, self._bands, strict=True)):
            curve = data.curves[i] if i < len(data.curves) else None
            x = np.empty(0) if curve is None else strengths
            set_traits(line, x=x, y=np.array(() if curve is None else curve.chance))
            set_traits(band, x=x, y=np.empty((2, 0)) if curve is None else np.array([curve.low, curve.high]))
            threshold = () if curve is None else curve.threshold[1:]
            set_traits(self._thresholds[i], x=np.array(threshold), y=np.full(len(threshold), 0.5))
            seen, missed = ((), ()) if curve is None else (curve.seen, curve.missed)
            shift = ROOM * (i + 1) / (MOST_SHOWN + 1)
            at = np.array([*np.full(len(seen), 1 + shift), *np.full(len(missed), -shift)])
            set_traits(self._answers[i], x=np.array([*seen, *missed]), y=at)
        heights = spread_out([c.chance[-1] - 0.28 for c in data.curves], 1.0 + 2 * ROOM)
        set_traits(self._names, x=np.full(len(heights), high), y=np.array(heights), text=[c.name for c in data.curves])
        say(self._note, data.why, (low + high) / 2, 0.5)
