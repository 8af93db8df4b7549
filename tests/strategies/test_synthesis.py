"""Bisection, hill-climbing and blends, without a session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.errors import StrategyError
from al_widgets.strategies.synthesis import (
    answerability,
    bisection,
    blends,
    closest_opposites,
    hill_climb,
    novelty,
    opposite_neighbours,
)


@settings(max_examples=50, deadline=None)
@given(threshold=st.floats(0.001, 0.999), answers=st.integers(1, 40))
def test_bisection_halves_the_interval_with_every_answer(threshold: float, answers: int) -> None:
    points, labels = np.array([[0.0], [1.0]]), np.array([0, 1])
    for _ in range(answers):
        pair = bisection(points, labels, 1e-15, np.zeros(len(points), np.intp))
        assert pair is not None
        points = np.vstack([points, pair.middle])
        labels = np.append(labels, int(pair.middle[0] > threshold))
    low, high = points[labels == 0].max(), points[labels == 1].min()
    assert low <= threshold < high
    assert high - low == pytest.approx(2.0**-answers)


def test_bisection_ends_at_its_precision_and_without_opposites() -> None:
    points, labels = np.array([[0.0], [1.0], [0.5]]), np.array([0, 1, 1])
    assert bisection(points, labels, 0.5, np.zeros(3, np.intp)) is None
    assert bisection(points, np.zeros(3, np.intp), 0.1, np.zeros(3, np.intp)) is None
    assert closest_opposites(points, np.zeros(3, np.intp)) is None
    pair = closest_opposites(points, labels)
    assert pair is not None
    assert pair.distance == 0.5


@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_hill_climbing_finds_the_top_of_a_smooth_hill(dimension: int) -> None:
    top = np.linspace(0.2, 0.8, dimension)
    point, height = hill_climb(
        lambda p: -np.square(p - top).sum(axis=1), dimension, np.random.default_rng(0), steps=120
    )
    assert np.abs(point - top).max() < 0.03
    assert height == pytest.approx(-np.square(point - top).sum())
    assert ((point >= 0) & (point <= 1)).all()


def test_hill_climbing_refuses_a_utility_that_is_not_finite() -> None:
    with pytest.raises(StrategyError, match="finite"):
        hill_climb(lambda p: np.full(len(p), np.nan), 2, np.random.default_rng(0))


def test_answerability_is_small_near_what_could_not_be_told_and_comes_back_with_answers() -> None:
    points, nobody = np.array([[0.5, 0.5], [0.0, 0.0]]), np.empty((0, 2))
    near, far = answerability(points, np.array([[0.5, 0.52]]), nobody)
    assert near < 0.3
    assert far > 0.95
    assert answerability(points, np.array([[0.5, 0.52]]), np.full((4, 2), 0.5))[0] > 0.5
    assert answerability(points, nobody, nobody).tolist() == [1, 1]


def test_novelty_is_nothing_where_was_asked_and_all_far_away() -> None:
    here, far = novelty(np.array([[0.5], [0.0]]), np.array([[0.5]]))
    assert here == 0
    assert far > 0.99
    assert novelty(np.zeros((2, 1)), np.empty((0, 1))).tolist() == [1, 1]


def test_opposite_neighbours_are_nearest_of_another_class_closest_first() -> None:
    features = np.array([[0.0], [1.0], [1.2], [5.0]])
    pairs = opposite_neighbours(features, np.array([0, 0, 1, 1]))
    assert pairs.tolist() == [[1, 2], [2, 1], [0, 2], [3, 1]]
    assert len(opposite_neighbours(features, np.zeros(4, np.intp))) == 0


def test_blends_mix_by_share_and_stop_at_the_middle() -> None:
    assert blends(np.zeros(2), np.full(2, 8.0), 0.25).tolist() == [2.0, 2.0]
    with pytest.raises(StrategyError, match=r"between 0 and 0\.5"):
        blends(np.zeros(2), np.ones(2), 0.6)
