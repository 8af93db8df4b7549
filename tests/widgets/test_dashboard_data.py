"""What the dashboard shows, from tables alone: no browser, no widget."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_widgets.records import Estimate, Forecast
from al_widgets.widgets.dashboard_data import (
    FEWEST_FOR_MAJORITY,
    LAST_ANSWERS,
    MOST_BARS,
    accuracy_plot,
    axis_end,
    class_plot,
    short_names,
    tiles,
    time_plot,
)
from al_widgets.widgets.dashboard_text import duration, nice, ticks

NOTHING = Estimate(None, None, None, 3, "Wilson 95 %", "3 audit labels: too few")


def history(*rows: tuple[float, float | None]) -> pd.DataFrame:
    """Rounds with (labels, accuracy)."""
    values = [(n, a, None if a is None else a - 0.1, None if a is None else a + 0.05, "Wilson 95 %") for n, a in rows]
    frame = pd.DataFrame(values, columns=["n_labels", "accuracy", "low", "high", "method"])
    return frame.astype(dict.fromkeys(("accuracy", "low", "high"), "float64"))


def test_accuracy_plot_leaves_out_rounds_without_a_figure():
    plot = accuracy_plot(history((5, None), (10, 0.6), (20, 0.8)), NOTHING, ["a", "b"], {}, 0.95)
    assert plot.n_labels == (10, 20)
    assert plot.value == (0.6, 0.8)
    assert plot.low == pytest.approx((0.5, 0.7))
    assert plot.why == ""
    assert "80.0 %" in plot.summary
    assert "Wilson 95 %" in plot.summary


def test_accuracy_plot_says_why_when_no_round_has_a_figure():
    for table in (history(), history((5, None))):
        plot = accuracy_plot(table, NOTHING, ["a", "b"], {}, None)
        assert plot.value == ()
        assert plot.why == "3 audit labels: too few"
        assert "3 audit labels: too few" in plot.summary


def test_accuracy_plot_names_chance_majority_and_target():
    counts = {"a": FEWEST_FOR_MAJORITY - 4, "b": 4}
    plot = accuracy_plot(history((10, 0.6)), NOTHING, ["a", "b", "c", "d"], counts, 0.9)
    assert {r.name: r.value for r in plot.references} == {"chance": 0.25, "majority class": 0.6, "target": 0.9}


def test_accuracy_plot_draws_no_majority_from_few_audit_answers():
    plot = accuracy_plot(history((10, 0.6)), NOTHING, ["a", "b"], {"a": FEWEST_FOR_MAJORITY - 1}, None)
    assert [r.name for r in plot.references] == ["chance"]


def test_accuracy_plot_draws_no_chance_for_one_class():
    assert accuracy_plot(history(), NOTHING, ["a"], {}, None).references == ()


def test_class_plot_counts_in_the_order_of_the_task():
    plot = class_plot(["b", "a", "b"], ["a", "b", "c"])
    assert plot.names == ("a", "b", "c")
    assert plot.counts == (1, 2, 0)
    assert plot.summary == "3 labels: a 1, b 2, c 0. 1 of 3 classes without a label."


@given(st.lists(st.sampled_from([f"class {i}" for i in range(40)]), max_size=200), st.integers(1, 40))
def test_class_plot_loses_no_label_however_many_classes(labels, n_classes):
    plot = class_plot(labels, [f"class {i}" for i in range(n_classes)])
    assert sum(plot.counts) == len(labels)
    assert len(plot.names) == len(plot.counts) <= MOST_BARS


@given(st.lists(st.text(alphabet="ab …·2", min_size=1, max_size=30), max_size=40, unique=True))
def test_short_names_stay_different_and_short(names):
    short = short_names(names)
    assert len(set(short)) == len(names)
    assert all(len(name) <= 18 for name in short)


def test_short_names_of_wide_letters_are_shorter():
    names = ["normal tissue", "<b>bold</b><img>", "肺炎の疑いがある画像", "WWWWMMMMWWWWMM"]
    assert short_names(names) == ("normal tissue", "<b>bold</b>…", "肺炎の疑いが…", "WWWWMMMMW…")


def test_time_plot_says_why_when_there_are_few():
    plot = time_plot([1.0, 2.0])
    assert plot.number == ()
    assert plot.why == "2 timed answers: too few for a trend"


def test_time_plot_cuts_pauses_and_says_so():
    plot = time_plot([2.0] * 30 + [600.0])
    assert plot.seconds[-1] == plot.top < 600
    assert plot.trend[-1] == 2.0
    assert "1 pause longer than" in plot.summary


@given(st.lists(st.floats(0, 1e5), min_size=5, max_size=2 * LAST_ANSWERS + 20))
def test_time_plot_shows_the_newest_answers_with_a_trend_inside_their_range(times):
    plot = time_plot(times)
    assert len(plot.number) == len(plot.seconds) == len(plot.trend) == min(len(times), LAST_ANSWERS)
    assert plot.number[-1] == len(times)
    assert min(times) <= min(plot.trend)
    assert max(plot.trend) <= max(times)
    assert all(s <= plot.top for s in (*plot.seconds, *plot.trend))


def test_time_plot_trend_does_not_depend_on_what_was_cut_off():
    times = np.random.default_rng(0).lognormal(size=LAST_ANSWERS + 50).tolist()
    whole, cut = time_plot(times), time_plot(times[50 - 20 :])
    assert whole.trend == cut.trend


def test_tiles_say_why_instead_of_a_figure():
    none = Estimate(None, None, None, 0, "")
    early = Forecast(0.95, none, none, none, why="too early to say")
    head = {t.name: t for t in tiles(n_labels=3, n_items=10, estimate=NOTHING, seconds=9, money=None, forecast=early)}
    assert head["Accuracy"].value == "–"
    assert head["Accuracy"].note == "3 audit labels: too few"
    assert head["To 95.0 %"].value == "–"
    assert head["To 95.0 %"].note == "too early to say"
    assert "costs" not in head["Spent"].note


def test_tiles_say_that_a_target_is_reached():
    nothing_more = Estimate(0.0, 0.0, 0.0, 80, "Wilson 80 %")
    done = Forecast(0.95, nothing_more, nothing_more, nothing_more, 0.0)
    head = {t.name: t for t in tiles(n_labels=300, n_items=700, estimate=NOTHING, seconds=9, money=None, forecast=done)}
    assert head["To 95.0 %"].value == "reached"


def test_tiles_give_interval_money_and_an_open_end():
    estimate = Estimate(0.9, 0.8, 0.95, 40, "Wilson 95 %")
    money = Estimate(30.0, 9.0, math.inf, 40, "80 %")
    forecast = Forecast(
        0.95, Estimate(80.0, 30.0, math.inf, 40, "80 %"), Estimate(300.0, 90.0, math.inf, 40, ""), money, 0.12
    )
    head = {
        t.name: t
        for t in tiles(n_labels=150, n_items=900, estimate=estimate, seconds=450, money=18.0, forecast=forecast)
    }
    assert head["Accuracy"].value == "90.0 %"
    assert head["Accuracy"].note == "80.0 % to 95.0 % (Wilson 95 %), 40 audit labels"
    assert head["Spent"].note == "costs 18.00"
    assert head["To 95.0 %"].value == "80 more labels"
    assert head["To 95.0 %"].note.startswith("at least 30 (80 %), 5 min, costs 30.00")


def test_tiles_say_that_a_target_may_never_be_reached():
    never = Estimate(math.inf, 40.0, math.inf, 40, "80 %")
    head = tiles(
        n_labels=1,
        n_items=2,
        estimate=NOTHING,
        seconds=1,
        money=None,
        forecast=Forecast(0.99, never, never, never, 0.7),
    )
    assert head[-1].value == "may never be reached"


@given(st.floats(1e-6, 1e9))
def test_nice_is_no_smaller_and_not_much_larger(value):
    assert value * (1 - 1e-6) <= nice(value) <= 2.01 * value


@given(st.integers(0, 100_000))
def test_axis_end_holds_the_labels_and_has_round_ticks(n):
    end = axis_end(n)
    assert max(n, 20) <= end <= max(20, 2.6 * n)
    marks = ticks(end)
    assert marks[0] == 0
    assert marks[-1] == end
    assert np.allclose(np.round(marks), marks)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59.6, "60 s"), (3599, "1 h 00 min"), (7290, "2 h 02 min")])
def test_duration_reads_as_people_say_it(seconds, text):
    assert duration(seconds) == text
