"""Learning curves compared, on curves small enough to do by hand."""

import numpy as np
import pandas as pd
import pytest

import al_widgets as al
from al_widgets.errors import CurveError
from al_widgets.evaluation import bands, default_target


def table(**strategies):
    rows = [
        (strategy, seed, n, accuracy, 2.0 * n)
        for strategy, runs in strategies.items()
        for seed, run in enumerate(runs)
        for n, accuracy in run
    ]
    return pd.DataFrame(rows, columns=["strategy", "seed", "n_labels", "accuracy", "cost_s"])


CURVES = table(
    auto=[[(10, 0.5), (20, 0.8), (30, 0.9)], [(10, 0.7), (20, 0.9), (30, 0.9)], [(10, 0.6), (20, 0.7), (30, 0.9)]],
    random=[[(10, 0.4), (20, 0.6), (30, 0.8)], [(10, 0.4), (20, 0.5), (30, 0.6)], [(10, 0.4), (20, 0.6), (30, 0.8)]],
)


def test_labels_to_a_target_area_and_ratio_are_those_of_the_hand():
    compared = al.compare_curves(CURVES, target=0.8).set_index("strategy")
    assert compared.to_target.to_dict() == {"auto": 20, "random": 30}
    assert (compared.low["auto"], compared.high["auto"]) == (20, 30)
    assert compared.ratio_to_random.to_dict() == {"auto": pytest.approx(2 / 3), "random": 1.0}
    assert compared.reached.to_dict() == {"auto": 1.0, "random": pytest.approx(2 / 3)}
    # Trapezia: (.5 + .8) / 2 · 10 + (.8 + .9) / 2 · 10 over 20 labels, and so on: .75, .85, .725.
    assert compared.area["auto"] == pytest.approx(0.75)


def test_quartiles_lie_around_the_median_also_of_two_seeds():
    two = table(auto=[[(10, 0.5), (20, 0.8), (30, 0.9)], [(10, 0.8), (20, 0.9), (30, 0.9)]])
    (row,) = al.compare_curves(two, target=0.8).itertuples()
    assert (row.low, row.to_target, row.high) == (10, 15, 20)


def test_a_target_that_is_never_met_is_infinite_and_random_counts_as_its_last_point():
    compared = al.compare_curves(CURVES, target=0.9).set_index("strategy")
    assert compared.to_target["random"] == np.inf
    assert compared.ratio_to_random["auto"] == pytest.approx(30 / 30)
    assert np.isnan(al.compare_curves(CURVES[CURVES.strategy == "auto"]).ratio_to_random).all()


def test_the_default_target_is_near_the_best_end_and_seconds_count_too():
    assert default_target(CURVES) == pytest.approx(0.95 * 0.9)
    assert al.compare_curves(CURVES, target=0.8, against="cost_s").to_target.tolist() == [40, 60]


def test_bands_are_medians_and_quartiles_where_every_seed_has_a_curve():
    ragged = table(auto=[[(10, 0.2), (30, 0.6)], [(20, 0.5), (40, 0.9)], [(10, 0.4), (40, 1.0)]])
    (band,) = bands(ragged)
    assert band.x.tolist() == [20, 30]
    np.testing.assert_allclose(band.middle, [0.5, 0.7])  # of .4, .5, .6 and .6, .7, .8: straight between points
    np.testing.assert_allclose(band.low, [0.45, 0.65])
    np.testing.assert_allclose(band.high, [0.55, 0.75])


@pytest.mark.parametrize(
    ("curves", "options", "message"),
    [
        (CURVES.drop(columns="seed"), {}, "lack the column 'seed'"),
        (CURVES.iloc[:0], {}, "empty"),
        (CURVES, {"target": 80}, "between 0 and 1"),
        (CURVES, {"against": "labels"}, "n_labels"),
    ],
)
def test_what_is_no_curve_is_refused(curves, options, message):
    with pytest.raises(CurveError, match=message):
        al.compare_curves(curves, **options)
