"""`plot_curves`: learning curves of a simulation, in a notebook with bqplot, elsewhere with matplotlib.

Both show the same: medians and quartiles over seeds, the target, and a table of areas and labels to the target.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from al_widgets.errors import CurveError, MissingExtraError
from al_widgets.evaluation import Band, bands, compare_curves

if TYPE_CHECKING:
    import pandas as pd

Against = Literal["n_labels", "cost_s"]

#: Colours that people who see few colours tell apart (Okabe and Ito 2008), and dashes for the same reason.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f7f7f", "#a08000")
DASHES = ("solid", "dashed", "dash_dotted", "dotted")
_MATPLOTLIB = {"solid": "-", "dashed": "--", "dash_dotted": "-.", "dotted": ":"}
_LABELS = {"n_labels": "labels", "cost_s": "seconds of the annotator"}


def plot_curves(
    curves: pd.DataFrame,
    *,
    target: float | None = None,
    against: Against = "n_labels",
    backend: Literal["bqplot", "matplotlib"] | None = None,
) -> Any:
    """Plot what `al_widgets.simulate` returned: accuracy against labels or seconds, a median and quartiles a strategy.

    Parameters
    ----------
    curves : DataFrame
    target : float, optional
        Accuracy to reach; default: 95 % of the best median final accuracy.
    against : {"n_labels", "cost_s"}
    backend : {"bqplot", "matplotlib"}, optional
        Default: bqplot in a notebook, matplotlib elsewhere.

    Returns
    -------
    ipywidgets.VBox or matplotlib.figure.Figure
        Show the last line of a cell, or ``figure.savefig("curves.svg")``. The table by itself: `al_widgets.compare_curves`.

    Raises
    ------
    MissingExtraError
        Outside a notebook without matplotlib.
    """
    if backend not in {None, "bqplot", "matplotlib"}:
        raise CurveError(f"backend must be 'bqplot' or 'matplotlib', not {backend!r}")
    table = compare_curves(curves, target, against)
    lines = bands(curves, against)
    if backend == "bqplot" or (backend is None and _in_notebook()):
        return _widget(lines, table, against)
    return _figure(lines, table, against)


def summary_rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the table as text: strategy, seeds, area, labels to the target with quartiles, ratio to random."""
    bound = "≤ " if np.isinf(table.to_target[table.strategy == "random"]).any() else ""
    found: list[tuple[str, ...]] = []
    for row in table.to_dict("records"):
        met = f"{_count(row['to_target'])} [{_count(row['low'])}–{_count(row['high'])}]"
        most = "" if row["strategy"] == "random" else bound
        ratio = "" if np.isnan(row["ratio_to_random"]) else _ratio(row["ratio_to_random"], most)
        found.append((str(row["strategy"]), str(row["seeds"]), f"{row['area']:.3f}", met, ratio))
    return found


def _count(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else "never"


def _ratio(value: float, most: str) -> str:
    return f"{most}{value:.2f}" if np.isfinite(value) else "never"


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return False
    shell: Any = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    return shell is not None and getattr(shell, "kernel", None) is not None


def _head(table: pd.DataFrame, against: Against) -> list[str]:
    unit = "labels" if against == "n_labels" else "seconds"
    goal = table.target.iloc[0]
    return ["strategy", "seeds", "mean accuracy", f"{unit} to {goal:.1%} [quartiles]", "÷ random"]


def _widget(lines: list[Band], table: pd.DataFrame, against: Against) -> Any:
    """Return figure and table as widgets."""
    import bqplot as bq
    import ipywidgets

    from al_widgets.widgets.dashboard_figures import QUIET, TEXT

    end = max(float(b.x[-1]) for b in lines)
    bottom = max(0.0, min(float(b.low.min()) for b in lines) - 0.03)
    x, y = bq.LinearScale(min=0.0, max=end), bq.LinearScale(min=bottom, max=1.0)
    scales, goal = {"x": x, "y": y}, float(table.target.iloc[0])
    marks = [bq.Lines(x=[0.0, end], y=[goal, goal], scales=scales, colors=[QUIET], line_style="dotted", stroke_width=1)]
    for i, band in enumerate(lines):
        color = COLORS[i % len(COLORS)]
        marks.append(
            bq.Lines(
                x=band.x,
                y=np.array([band.low, band.high]),
                scales=scales,
                fill="between",
                colors=[color, color],
                opacities=[0.0, 0.0],
                fill_colors=[color],
                fill_opacities=[0.15],
            )
        )
        marks.append(
            bq.Lines(
                x=band.x,
                y=band.middle,
                scales=scales,
                colors=[color],
                line_style=DASHES[i % len(DASHES)],
                stroke_width=2,
                labels=[band.strategy],
                display_legend=True,
            )
        )
    axes = [
        bq.Axis(scale=x, label=_LABELS[against], color=QUIET, label_color=TEXT, grid_lines="none"),
        bq.Axis(
            scale=y,
            label="accuracy on what was held out",
            side="left",
            tick_format=".0%",
            color=QUIET,
            label_color=TEXT,
            label_offset="42px",
            grid_lines="none",
        ),
    ]
    figure = bq.Figure(
        marks=marks,
        axes=axes,
        legend_location="bottom-right",
        legend_text={"fill": TEXT, "font-size": "12px"},
        animation_duration=0,
        layout={"width": "100%", "max_width": "760px", "height": "340px"},
        fig_margin={"top": 12, "bottom": 44, "left": 62, "right": 16},
    )
    return ipywidgets.VBox([figure, ipywidgets.HTML(_html(table, against))])


def _html(table: pd.DataFrame, against: Against) -> str:
    def row(cells: list[str], tag: str) -> str:
        style = "padding:2px 12px 2px 0;text-align:left"
        return "<tr>" + "".join(f'<{tag} style="{style}">{html.escape(c)}</{tag}>' for c in cells) + "</tr>"

    body = "".join(row(list(cells), "td") for cells in summary_rows(table))
    return f"<table>{row(_head(table, against), 'th')}{body}</table>"


def _figure(lines: list[Band], table: pd.DataFrame, against: Against) -> Any:
    """Return the same as a matplotlib figure that no window owns."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("plotting outside a notebook", "matplotlib", "plot") from error
    figure = Figure(figsize=(7.6, 4.2 + 0.26 * len(table)), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=[4.0, 0.4 + 0.26 * len(table)])
    for i, band in enumerate(lines):
        color = COLORS[i % len(COLORS)]
        style = _MATPLOTLIB[DASHES[i % len(DASHES)]]
        above.plot(band.x, band.middle, color=color, linestyle=style, linewidth=2, label=band.strategy)
        above.fill_between(band.x, band.low, band.high, color=color, alpha=0.15, linewidth=0)
    above.axhline(float(table.target.iloc[0]), color="0.5", linestyle=":", linewidth=1)
    above.set(xlabel=_LABELS[against], ylabel="accuracy on what was held out")
    above.yaxis.set_major_formatter("{x:.0%}")
    above.legend(frameon=False)
    above.spines[["top", "right"]].set_visible(False)
    below.axis("off")
    grid = below.table(
        cellText=summary_rows(table),
        colLabels=_head(table, against),
        loc="center",
        cellLoc="left",
        colLoc="left",
        edges="horizontal",
        colWidths=[0.24, 0.09, 0.17, 0.36, 0.14],
    )
    grid.auto_set_font_size(False)
    grid.set_fontsize(9)
    return figure
