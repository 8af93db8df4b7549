"""The annotator page: what it draws and says, from tables, and from a session with two annotators."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import al_widgets as al
from al_widgets.oracles import Detection, Trial, TrialResult
from al_widgets.records import Estimate, Forecast
from al_widgets.widgets.annotator_data import cost_plot, cost_tiles, pace_plot, reliability_plot
from al_widgets.widgets.detection_data import detection_plot
from al_widgets.widgets.detection_figure import DetectionFigure

NONE = Estimate(None, None, None, 0, "")


def answers(**seconds: list[float]) -> pd.DataFrame:
    rows = [
        {"annotator": who, "kind": "label", "elapsed_s": s, "answered_at": float(i)}
        for who, times in seconds.items()
        for i, s in enumerate(times)
    ]
    return pd.DataFrame(rows, columns=["annotator", "kind", "elapsed_s", "answered_at"])


def history(accuracy: list[float], step_s: float = 10.0) -> pd.DataFrame:
    n = len(accuracy)
    table = {"accuracy": accuracy, "low": [a - 0.1 for a in accuracy], "high": [a + 0.05 for a in accuracy]}
    return pd.DataFrame({**table, "n_labels": np.arange(n) + 10, "seconds": step_s * (np.arange(n) + 1)})


def forecast(seconds: float, low: float, high: float) -> Forecast:
    part = Estimate(seconds, low, high, 30, "80 %")
    return Forecast(0.95, part, part, Estimate(seconds / 60, low / 60, high / 60, 30, "80 %"))


def test_pace_takes_pauses_out_and_shows_the_busiest_annotators() -> None:
    steady = [2.0 + 0.1 * (i % 5) for i in range(40)]
    found = pace_plot(answers(ann=[*steady[:20], 600.0, *steady[20:]], bob=[5.0] * 12, few=[1.0] * 3))
    assert [path.name for path in found.paths] == ["ann", "bob"]
    assert max(found.paths[0].value) < 3
    assert "1 pause taken out" in found.summary


def test_pace_says_why_it_is_empty() -> None:
    assert pace_plot(answers(ann=[1.0, 2.0])).why
    assert reliability_plot(pd.DataFrame(columns=["annotator", "n", "answered_at", "accuracy", "low", "high"])).why


def test_cost_plot_adds_the_forecast_to_what_was_spent() -> None:
    found = cost_plot(history([0.5, 0.6, 0.7]), 30.0, 3600.0, 0.95, forecast(60.0, 40.0, 90.0))
    assert found.unit == "money"
    assert found.spent == (10.0, 20.0, 30.0)
    assert found.reach == (70.0, 120.0)
    assert "95.0 % is forecast at 70.00 to 120" in found.summary
    open_end = cost_plot(history([0.5, 0.6, 0.7]), 30.0, None, 0.95, forecast(60.0, 40.0, math.inf))
    assert open_end.unit == "minutes"
    assert math.isinf(open_end.reach[1])
    assert "at least" in open_end.summary


def test_cost_plot_shows_cross_validation_only_on_demand_and_never_calls_it_an_accuracy() -> None:
    assert cost_plot(history([0.7]), 10.0, None, 0.9, None).chosen == ()
    shown = cost_plot(history([0.7]), 10.0, None, 0.9, None, [(10.0, 0.95)])
    assert "25.0 points above the audit: it is no accuracy" in shown.summary


def test_price_of_a_point_comes_from_the_forecast_or_from_the_last_rounds() -> None:
    estimate = Estimate(0.85, 0.8, 0.9, 40, "Wilson 95 %")
    by_forecast = cost_tiles(history([0.8, 0.85]), 20.0, 20.0, estimate, forecast(100.0, 50.0, 200.0))[2]
    assert (by_forecast.value, by_forecast.note) == ("about 10.00", "on the way to 95.0 %")
    rising = history([0.5 + 0.01 * i for i in range(12)])
    assert cost_tiles(rising, 120.0, None, estimate, None)[2].value == "about 10 s"
    assert cost_tiles(history([0.8] * 12), 120.0, None, estimate, None)[2].value == "no gain seen"
    assert cost_tiles(history([0.8] * 3), 30.0, None, NONE, None)[2].note == "too early to say"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[al.Session]:
    rng = np.random.default_rng(0)
    level = rng.choice([60, 190], (150, 1, 1))
    images = np.clip(level + rng.integers(-30, 30, (150, 12, 12)), 0, 255).astype(np.uint8)
    store = tmp_path / "labels.db"
    with (
        al.Session(images, ["dark", "bright"], store=store, annotator="ann", hourly_rate=60) as session,
        al.Session(images, ["dark", "bright"], store=store, annotator="bob") as bob,
    ):
        for n, query in enumerate(session.queries(limit=60, wait=False)):
            truth = "bright" if images[int(query.item_id.rsplit("/", 1)[1])].mean() > 125 else "dark"
            session.submit(query, truth, elapsed_s=1.0 + 0.1 * (n % 4))
            other = {"bright": "dark", "dark": "bright"}[truth]
            bob.submit(query.item_id, truth if n < 25 else other if n % 2 else truth, elapsed_s=2.0)
        session.wait()
        yield session


def test_page_shows_both_annotators_advises_a_break_and_teaches_on_demand(
    watched: al.Session, wait_until: Callable[..., None]
) -> None:
    page = al.AnnotatorPage(watched)
    names = page._figures["Reliability"]._names.text  # what bqplot draws
    assert sorted(names) == ["ann", "bob"]
    assert "less reliable than those before" in page._head.advice
    assert not any("Cross-validation" in tile[0] for tile in page._head.tiles)
    page.teaching = True
    wait_until(lambda: any("no accuracy" in tile[2] for tile in page._head.tiles))
    page.close()
    page.close()


def result(signal_db: float | None, seen: bool, *, elsewhere: bool = False, number: int = 0) -> TrialResult:
    trial = Trial(f"v/1~{number:08x}", "ann", number, "v/0", False, 64, 30.0, 20.0, 1, 1.5, 0.1, True, signal_db)
    return TrialResult(trial, "label", seen, elsewhere, float(number))


def test_detection_plot_tells_threshold_and_false_alarms() -> None:
    assert detection_plot([], (-12.0, 24.0)).why
    told = [result(s, s > 3, number=n) for n, s in enumerate([6, -2, 5, 1, 4, 2, 5, 0, 6, 2, 4])]
    catches = [result(None, False, number=20), result(None, False, elsewhere=True, number=21)]
    found = Detection.of("ann", [*told, *catches], (-12.0, 24.0))
    plot = detection_plot([found], (-12.0, 24.0))
    curve = plot.curves[0]
    assert curve.threshold[1] < curve.threshold[0] < curve.threshold[2]
    assert 1 < curve.threshold[0] < 5
    assert len(curve.seen) + len(curve.missed) == len(told)
    assert list(curve.chance) == sorted(curve.chance)
    assert all(low <= p <= high for low, p, high in zip(curve.low, curve.chance, curve.high, strict=True))
    assert "marked in 1 of 2 pictures without one" in plot.summary
    figure = DetectionFigure()
    figure.show(plot)
    assert list(figure._names.text) == ["ann"]
    assert len(figure._answers[0].x) == len(told)


def test_the_page_of_a_volume_shows_what_is_seen_and_no_reliability(tmp_path: Path) -> None:
    survey = al.datasets.gpr_survey(1, lines=4, samples=48, traces=32, n_targets=0, n_clutter=4)
    options = {"store": tmp_path / "v.db", "annotator": "ann"}
    with al.Session(
        al.SlicePool(survey.volume), al.Segmentation(["soil", "mine"]), injected=al.InjectedTargets(), **options
    ) as session:
        page = al.AnnotatorPage(session)
        assert page._plots["Reliability"].layout.display == "none"
        assert page._plots["Agreement"].layout.display == "none"  # there is nobody to agree with
        assert "no injected target" in page._captions["Detection"].text
        assert page._head.problem == ""
        page.close()


def test_the_page_of_a_volume_shows_how_far_annotators_agree(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(4, 40, 60)).astype(np.float32)
    axes = (al.Axis("line", "m", 0.5), al.Axis("time", "ns", 0.5), al.Axis("distance", "m", 0.1))
    task = al.Segmentation(["soil", "mine"])
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 10:20] = mask[10:20, 40:50] = 1
    with ExitStack() as stack:
        ann, bob, cat = (
            stack.enter_context(
                al.Session(al.Volume(array, axes=axes, name="v"), task, annotator=who, audit=0, store=tmp_path / "v.db")
            )
            for who in ("ann", "bob", "cat")
        )
        page = al.AnnotatorPage(ann)
        stack.callback(page.close)
        for index in (2, 0, 1):
            ann.submit(f"v/{index}", mask)
            bob.submit(f"v/{index}", mask)
        for index in (0, 1):
            cat.submit(f"v/{index}", np.roll(mask, 4, axis=1))
        found = ann.mask_agreement()
        rows = {(who, item): row for who, item, row in zip(found.annotator, found.item_id, found.index, strict=True)}
        assert found.item_id[found.annotator == "ann"].tolist() == ["v/2", "v/0", "v/1"]  # as they were answered
        assert found.n[found.annotator == "ann"].tolist() == [1, 2, 3]
        assert found.dice[rows["cat", "v/0"]] == pytest.approx(0.6)
        assert found.apex_m[rows["cat", "v/0"]] == pytest.approx(0.4)
        assert found.dice[rows["bob", "v/2"]] == 1
        page.refresh()
        assert page._plots["Agreement"].layout.display == ""
        assert "cat 60.0 % over 2 sections, apexes 0.40 m off" in page._captions["Agreement"].text
        assert page._head.problem == ""
