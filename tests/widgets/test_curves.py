"""Plots of learning curves: the same figures and numbers in a notebook and outside."""

import sys

import numpy as np
import pandas as pd
import pytest

import al_widgets as al
from al_widgets.errors import CurveError, MissingExtraError


@pytest.fixture
def curves():
    rows = [
        (strategy, seed, n, 1 - start * 10 / (n + seed), 1.5 * n)
        for strategy, start in (("auto", 0.5), ("random", 0.8))
        for seed in range(4)
        for n in (10, 20, 40, 80)
    ]
    return pd.DataFrame(rows, columns=["strategy", "seed", "n_labels", "accuracy", "cost_s"])


def test_in_a_notebook_it_is_a_bqplot_figure_with_the_table(curves):
    import bqplot as bq

    box = al.plot_curves(curves, target=0.8, backend="bqplot")
    figure, table = box.children
    named = {mark.labels[0]: mark for mark in figure.marks if mark.display_legend}
    assert list(named) == ["auto", "random"]
    assert all(isinstance(mark, bq.Lines) for mark in figure.marks)
    np.testing.assert_allclose(named["auto"].x, [10, 20, 40, 80])
    expected = curves[curves.strategy == "auto"].groupby("n_labels").accuracy.median()
    np.testing.assert_allclose(named["auto"].y, expected)
    assert "labels to 80.0%" in table.value
    assert table.value.count("<tr>") == 3


def test_elsewhere_it_is_a_matplotlib_figure_with_the_same_numbers(curves, tmp_path):
    figure = al.plot_curves(curves, target=0.8)  # no kernel here
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_allclose(
        lines["random"].get_ydata(), curves[curves.strategy == "random"].groupby("n_labels").accuracy.median()
    )
    compared = al.compare_curves(curves, target=0.8).set_index("strategy")
    cells = {cell.get_text().get_text() for cell in figure.axes[1].tables[0].get_celld().values()}
    assert f"{compared.ratio_to_random['auto']:.2f}" in cells
    figure.savefig(tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()[:2000]


def test_names_are_escaped_in_the_page(curves):
    curves["strategy"] = curves.strategy.replace("auto", "<b>mine</b>")
    assert "<b>mine" not in al.plot_curves(curves, backend="bqplot").children[1].value


def test_seconds_stand_for_labels_where_asked(curves):
    box = al.plot_curves(curves, target=0.8, against="cost_s", backend="bqplot")
    assert box.children[0].axes[0].label == "seconds of the annotator"
    assert "seconds to 80.0%" in box.children[1].value


def test_without_matplotlib_it_says_what_to_install(curves, monkeypatch):
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"al-widgets\[plot\]"):
        al.plot_curves(curves, backend="matplotlib")


def test_another_backend_is_refused(curves):
    with pytest.raises(CurveError, match="plotly"):
        al.plot_curves(curves, backend="plotly")
