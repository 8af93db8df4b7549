"""Which sections show most objects: checked on maps where one can count, and against trying all triples."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.errors import StrategyError
from al_widgets.features.anomaly import anomaly_map
from al_widgets.features.gpr_synthesis import Scene, synthesize
from al_widgets.strategies.section_coverage import _together, coverage_order, section_peaks


def blobs(n=20, *where):
    """A map with blobs: (first section, beyond the last, row, column, height) each."""
    anomaly = np.zeros((n, 60, 60), np.float32)
    for first, last, row, column, height in where:
        anomaly[first:last, row : row + 5, column : column + 5] = height
    return anomaly


def test_coverage_order_shows_different_objects_before_repeating_one():
    chosen = coverage_order(blobs(20, (3, 6, 5, 5, 5), (10, 13, 40, 40, 4), (15, 17, 20, 20, 3)), 3)
    assert [any(i in r for i in chosen) for r in (range(3, 6), range(10, 13), range(15, 17))] == [True] * 3


def test_coverage_order_takes_a_section_with_two_objects_before_those_with_stronger_ones():
    anomaly = blobs(20, (2, 5, 5, 5, 6), (4, 8, 40, 40, 4), (13, 14, 5, 5, 6), (13, 17, 40, 40, 4))
    assert {4, 13} <= set(coverage_order(anomaly, 3).tolist())


def test_coverage_order_spreads_sections_where_nothing_stands_out():
    chosen = np.sort(coverage_order(np.zeros((24, 20, 20), np.float32), 3))
    assert np.diff(chosen).min() >= 6
    assert abs(int(coverage_order(np.zeros((24, 20, 20), np.float32), 1, labelled=np.array([2, 21]))[0]) - 12) <= 2


def test_coverage_order_does_not_go_back_to_what_labelled_sections_show():
    anomaly = blobs(20, (3, 6, 5, 5, 6), (15, 18, 40, 40, 3))
    assert coverage_order(anomaly, 1, labelled=np.array([4]))[0] in range(15, 18)


def test_coverage_order_keeps_to_the_candidates():
    anomaly = blobs(20, (3, 6, 5, 5, 6), (15, 18, 40, 40, 3))
    candidates = np.array([0, 1, 5, 9, 12])
    order = coverage_order(anomaly, 99, candidates=candidates, labelled=np.array([9]))
    assert sorted(order) == [0, 1, 5, 12]
    assert order[0] == 5
    assert sorted(coverage_order(anomaly, 99)) == list(range(20))
    assert coverage_order(anomaly, 0).size == 0
    assert coverage_order(anomaly, 3, candidates=np.array([], np.intp)).size == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_coverage_order_of_few_sections_takes_them_all(n):
    assert sorted(coverage_order(np.zeros((n, 3, 2), np.float32), 5)) == list(range(n))


def test_coverage_order_refuses_what_is_no_number():
    with pytest.raises(StrategyError, match="finite"):
        coverage_order(np.full((3, 8, 8), np.nan), 1)


def test_section_peaks_ends_an_object_where_its_anomaly_fades():
    anomaly = blobs(12, (3, 6, 5, 5, 5), (9, 11, 5, 5, 5))
    heights, shown = section_peaks(anomaly, 2)
    assert heights.tolist() == [5, 5]
    assert {tuple(np.flatnonzero(row)) for row in shown} == {(3, 4, 5), (9, 10)}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_three_sections_are_about_the_best_three(seed):
    worth = np.random.default_rng(seed).random((12, 10)) ** 4
    best = max(worth[:, list(c)].max(axis=1).sum() for c in combinations(range(10), 3))
    assert worth[:, _together(worth, list(range(10)), [], 3)].max(axis=1).sum() >= 0.97 * best


def test_three_sections_find_more_objects_than_even_spacing():
    found, even = [], []
    for seed in range(300, 306):
        made = synthesize(Scene(), seed)
        shown = [set(np.unique(labels)) - {0} for labels in made.labels]
        lines = coverage_order(anomaly_map(made.array), 3)
        found.append(len(set().union(*(shown[i] for i in lines))))
        even.append(len(set().union(*(shown[i] for i in (4, 12, 20)))))
    assert np.mean(found) > np.mean(even)
    assert np.mean(found) >= 5
