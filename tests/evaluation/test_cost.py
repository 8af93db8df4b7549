"""Time, money, forecasts and advice: closed forms, and simulations with known truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.evaluation import (
    advise,
    change_bound,
    cohen_kappa,
    effort,
    fence,
    fit_time_model,
    forecast_to_target,
    spent,
    stability,
    timing_features,
)
from al_widgets.evaluation.error_decay import labels_to_target
from al_widgets.evaluation.stopping import STABLE_KAPPA
from al_widgets.records import Annotation, Estimate, Forecast
from tests.evaluation.simulated_sessions import KernelRidge, digits, run_session


def answer(seq, seconds, kind="label", annotator="ann", query_kind="new", strategy=""):
    value = "cat" if kind == "label" else None
    target = "x" if kind == "undo" else None
    return Annotation(
        f"e{seq}",
        f"i{seq}",
        annotator,
        kind,
        value,
        "page",
        seq,
        target,
        seconds,
        query_kind=query_kind,
        strategy=strategy,
    )


def test_effort_adds_up_what_was_spent():
    events = [
        answer(0, 2.0),
        answer(1, 4.0, "skip"),
        answer(2, None),
        answer(3, 9.0, "undo"),
        answer(4, 6.0, annotator="bob"),
    ]
    total = effort(events, hourly_rate=300.0)
    assert (total.seconds, total.money, total.n_answers, total.n_fenced) == (12.0, 1.0, 3, 0)
    assert (total.median_s, total.labels_per_minute) == (4.0, 10.0)
    nothing = effort([], hourly_rate=300.0)
    assert (nothing.seconds, nothing.money, nothing.median_s, nothing.labels_per_minute) == (0.0, 0.0, None, None)
    assert effort(events).money is None


def test_fence_replaces_a_pause_by_the_typical_time():
    times = [2.0] * 6 + [2.2] * 5 + [90.0]
    fenced, pause = fence(times)
    assert pause.tolist() == [False] * 11 + [True]
    assert fenced[-1] == pytest.approx(np.exp(np.median(np.log(times))))
    assert fence([2.0] * 5 + [90.0])[1].sum() == 0  # too few to say what is typical


def test_a_pause_on_a_rare_kind_of_item_is_fenced_by_the_times_of_the_others():
    events = [answer(i, 2.0) for i in range(30)] + [answer(30, 600.0, query_kind="audit")]
    assert spent(events) == pytest.approx(62.0)
    assert (
        spent([answer(i, 2.0) for i in range(5)] + [answer(5, 600.0, query_kind="audit")]) == 610.0
    )  # nothing to go by


def test_rows_of_a_grid_make_no_pauses_of_ordinary_answers():
    single = [answer(i, 5.0 + 0.1 * (i % 7)) for i in range(30)]
    grid = [answer(100 + i, 0.25, strategy="grid") for i in range(240)]
    assert spent([*single, *grid]) == pytest.approx(spent(single) + 60.0)


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 1e4), max_size=40))
def test_fence_never_adds_time(times):
    fenced, pause = fence(times)
    assert np.all(fenced <= np.array(times) + 1e-9)
    assert np.array_equal(fenced[~pause], np.array(times)[~pause])


def test_spent_is_within_five_percent_when_one_answer_in_twenty_holds_a_pause():
    bias, wall = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = rng.lognormal(1, 0.6, 400)
        measured = true + np.where(rng.random(400) < 0.05, rng.exponential(90, 400), 0)
        events = [answer(i, float(t), annotator=f"ann{i % 2}") for i, t in enumerate(measured)]
        bias.append(spent(events) / true.sum() - 1)
        wall.append(measured.sum() / true.sum() - 1)
    assert abs(np.mean(bias)) <= 0.05
    assert np.mean(wall) > 0.5


def simulate_times(rng, n):
    who, item = rng.integers(0, 2, n), rng.normal(size=(n, 2))
    features = timing_features(
        np.array(["ann", "bob"])[who],
        ["new"] * n,
        np.arange(n) // 2,
        rng.random(n) * 30,
        item,
        annotators=("ann", "bob"),
    )
    log_mean = 1.0 + 0.5 * who + 0.4 * item[:, 0] + 0.2 * item[:, 1] + 0.5 * np.exp(-np.arange(n) / 80)
    return features, log_mean, np.exp(log_mean + 0.5 * rng.normal(size=n))


def test_time_model_finds_what_makes_items_slow_after_100_answers():
    correlations = []
    for seed in range(10):
        features, log_mean, seconds = simulate_times(np.random.default_rng(seed), 1100)
        seconds[:100:20] += 120  # pauses
        model = fit_time_model(features[:100], seconds[:100])
        predicted = np.log(model.predict(features[100:]))
        # The spread of the items, not the fading practice, is what a strategy chooses by.
        correlations.append(np.corrcoef(predicted, log_mean[100:])[0, 1])
    assert np.mean(correlations) >= 0.9


def test_time_model_predicts_the_mean_of_a_log_normal():
    rng = np.random.default_rng(1)
    seconds = rng.lognormal(1.0, 0.5, 4000)
    predicted = fit_time_model(rng.normal(size=(4000, 3)), seconds).predict(np.zeros((1, 3)))
    assert predicted[0] == pytest.approx(math.exp(1.0 + 0.125), rel=0.06)


def test_time_model_predicts_the_median_when_answers_are_few():
    model = fit_time_model(np.zeros((3, 2)), [1.0, 2.0, 9.0])
    assert model.predict(np.ones((4, 2))) == pytest.approx(2.0)
    assert np.isnan(fit_time_model(np.zeros((0, 2)), []).predict(np.zeros((1, 2)))).all()
    with pytest.raises(ValueError, match="rows of features"):
        fit_time_model(np.zeros((3, 2)), [1.0])


def curve_matrix(rng, n_labels, error, items=300, luck=0.3):
    difficulty = rng.random((items, 1))
    fresh = rng.random((items, n_labels.size))
    return 1.0 - (np.where(rng.random(fresh.shape) < luck, fresh, difficulty) < error(n_labels))


@pytest.mark.parametrize(
    "error",
    [lambda n: 2.2 * n**-0.5, lambda n: np.minimum(0.04 + 7.0 * n**-0.8, 0.8)],
    ids=["usual", "steep with a floor"],
)
def test_forecast_covers_the_truth_when_the_curve_is_known(error):
    n = np.arange(20, 201, 10).astype(float)
    target_error = 0.75 * error(200.0)
    grid = np.arange(200, 5000)
    actual = grid[np.flatnonzero(error(grid) <= target_error)[0]] - 200
    covered, medians = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = forecast_to_target(
            curve_matrix(rng, n, error), n, 1 - target_error, seconds_per_label=3.0, hourly_rate=60.0, rng=rng
        )
        if found.labels.n == 0:
            continue
        low = np.inf if found.labels.low is None else found.labels.low
        covered.append(low <= actual <= found.labels.high)
        if found.labels.value is not None:
            medians.append((found.labels.value + 200) / (actual + 200))
            assert found.seconds.value == pytest.approx(3 * found.labels.value)
            assert found.money.value == pytest.approx(found.labels.value / 20)
    assert len(covered) >= 30
    assert np.mean(covered) >= 0.75
    assert 0.66 <= np.median(medians) <= 1.5


def test_forecast_says_too_early_when_errors_or_trainings_are_few():
    rng = np.random.default_rng(0)
    n = np.arange(20, 201, 20).astype(float)
    good = curve_matrix(rng, n, lambda k: 0.03 + 0 * k)
    few = forecast_to_target(good[:100], n, 0.98, seconds_per_label=2.0, rng=rng)
    assert "of 100 audit labels; a forecast takes 10 errors" in few.why
    assert few.labels.value is few.seconds.value is few.money.value is few.never is None
    poor = curve_matrix(rng, n, lambda k: 0.3 + 0 * k)
    assert "cannot" in forecast_to_target(poor, n, 0.95, seconds_per_label=2.0, rng=rng).why
    assert "trainings" in forecast_to_target(poor[:, :2], n[:2], 0.75, seconds_per_label=2.0, rng=rng).why
    assert "trainings" in forecast_to_target(np.empty((0, 0)), [], 0.75, seconds_per_label=2.0, rng=rng).why


def test_forecast_of_a_target_that_is_reached_is_nothing_more():
    n = np.arange(20, 201, 20).astype(float)
    right = np.ones((80, n.size))
    rng = np.random.default_rng(0)
    found = forecast_to_target(right, n, 0.95, seconds_per_label=2.0, hourly_rate=20.0, rng=rng)
    assert (found.labels.value, found.seconds.value, found.money.value, found.why) == (0.0, 0.0, 0.0, "")
    few = forecast_to_target(right[:15], n, 0.95, seconds_per_label=2.0, rng=rng)
    assert few.labels.value is None
    assert "errs on 0 of 15" in few.why


def test_forecast_says_never_when_the_curve_is_flat():
    rng = np.random.default_rng(0)
    n = np.arange(20, 1001, 20).astype(float)
    flat = curve_matrix(rng, n, lambda k: 0.3 + 0 * k, items=1000, luck=0.0)
    found = forecast_to_target(flat, n, 0.79, seconds_per_label=None, rng=rng)
    assert found.never > 0.5
    assert found.labels.value is None
    assert found.labels.high == math.inf
    assert "may never be reached" in found.why
    assert found.seconds.why == "no answer has been timed yet"


def test_forecast_is_the_same_for_the_same_seed_and_ignores_unanswered_items():
    n = np.arange(20, 201, 10).astype(float)
    matrix = curve_matrix(np.random.default_rng(0), n, lambda k: 2.2 * k**-0.5)
    padded = np.vstack([matrix, np.full((50, n.size), np.nan)])
    results = [
        forecast_to_target(m, n, 0.88, seconds_per_label=2.0, rng=np.random.default_rng(1))
        for m in (matrix, matrix, padded)
    ]
    assert results[0] == results[1] == results[2]
    assert results[0].labels.low <= results[0].labels.value <= results[0].labels.high
    with pytest.raises(ValueError, match="between 0 and 1"):
        forecast_to_target(matrix, n, 95.0, seconds_per_label=2.0, rng=np.random.default_rng(1))
    assert (
        "100.0% cannot" in forecast_to_target(matrix, n, 1.0, seconds_per_label=2.0, rng=np.random.default_rng(1)).why
    )


def test_labels_to_target_need_more_when_more_is_wanted():
    n = np.arange(20, 201, 10).astype(float)
    matrix = curve_matrix(np.random.default_rng(0), n, lambda k: 2.2 * k**-0.5)
    draws = [labels_to_target(matrix, n, e, np.random.default_rng(1)) for e in (0.14, 0.12, 0.1)]
    assert np.all(draws[0] <= draws[1])
    assert np.all(draws[1] <= draws[2])


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60))
def test_cohen_kappa_equals_scikit_learn(pairs):
    from sklearn.metrics import cohen_kappa_score

    a, b = map(list, zip(*pairs, strict=True))
    if len({*a, *b}) > 1:
        assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    else:
        assert cohen_kappa(a, b) == 1.0


def test_stability_waits_for_four_pairs_far_enough_apart():
    same = [np.arange(400) % 3] * 13
    assert stability(same[:3], [10, 40, 70]).value is None
    assert stability(same, list(range(0, 65, 5))).value is None
    assert stability(same[:12], list(range(0, 120, 10))).value is None  # three pairs
    assert stability(same, list(range(0, 130, 10))).value == 1.0
    assert "too few" in stability([p[:100] for p in same], list(range(0, 130, 10))).why
    assert stability([], []).value is None
    assert change_bound(0.99) == pytest.approx(0.0404, abs=1e-4)
    assert change_bound(0.0) == math.inf


def test_stability_stops_digits_by_250_labels_and_loses_at_most_one_point():
    X, y = digits()
    model = KernelRidge(X, 10)
    for seed in range(4):
        session = run_session(model, y, "margin", seed, 400)
        for r in range(1, session.n_labels.size + 1):
            estimate = stability(list(session.predictions[:r, session.fixed]), session.n_labels[:r])
            if estimate.value is not None and estimate.value >= STABLE_KAPPA:
                break
        assert session.n_labels[r - 1] <= 250
        assert session.truth[-5:].mean() - session.truth[r - 1] <= 0.01


def estimate(value, low, high):
    return Estimate(value, low, high, 100, "m")


def test_advise_stops_for_each_reason_and_goes_on_otherwise():
    met = advise(target=0.9, certified=estimate(0.95, 0.91, 0.98))
    assert met.stop
    assert "target is met" in met.why
    assert not advise(target=0.9, certified=estimate(0.95, 0.89, 0.98)).stop
    assert not advise(target=0.9, certified=Estimate(None, None, None, 0, "m", "few")).stop
    assert advise(stable=estimate(0.995, 0.99, 1.0)).stop
    assert not advise(stable=estimate(0.985, 0.98, 0.99)).stop
    needed = Forecast(0.95, estimate(1, 1, 1), estimate(1, 1, 1), estimate(80.0, 50.0, math.inf))
    assert advise(forecast=needed, budget_left=40.0).stop
    assert not advise(forecast=needed, budget_left=60.0).stop
    assert advise(budget_left=0.0).stop
    assert not advise().stop
    assert "κ = 0.985" in advise(stable=estimate(0.985, 0.98, 0.99)).why
