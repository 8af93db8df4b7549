"""Bringing probabilities back towards how common the foreground is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_widgets.learning.prevalence import TEMPER, lower_foreground, prevalence_shift


def test_a_rare_foreground_is_believed_less_and_a_common_one_more():
    rng = np.random.default_rng(0)
    rare = np.concatenate([rng.uniform(0, 0.4, 980), rng.uniform(0.9, 1, 20)])
    common = 1 - rare
    assert prevalence_shift(rare, 0.5) == pytest.approx(TEMPER * np.log(0.98 / 0.02), abs=0.01)
    assert prevalence_shift(common, 0.5) == pytest.approx(-prevalence_shift(rare, 0.5), abs=0.01)


def test_nothing_changes_where_the_learner_was_told_the_truth():
    scores = np.array([0.1] * 70 + [0.9] * 30)
    assert prevalence_shift(scores, 0.3) == pytest.approx(0, abs=0.01)


@given(st.lists(st.floats(0, 1), max_size=50), st.floats(0.01, 0.99))
def test_the_shift_is_finite_whatever_is_expected(scores, even):
    assert abs(prevalence_shift(np.array(scores), even)) <= TEMPER * (np.log(999) + np.log(99)) + 0.01


@given(st.integers(0, 10**6), st.floats(-3, 3))
def test_lower_foreground_keeps_sums_order_and_the_proportions_of_classes(seed, shift):
    p = np.random.default_rng(seed).dirichlet([1, 1, 1], 40)
    lowered = lower_foreground(p, shift)
    assert lowered.sum(axis=-1) == pytest.approx(1)
    order = np.argsort(p[:, 0])
    assert (np.diff(lowered[order, 0]) >= 0).all()
    odds = lowered[:, 1:].sum(axis=-1) / lowered[:, 0]
    assert odds == pytest.approx(np.exp(-shift) * p[:, 1:].sum(axis=-1) / p[:, 0])
    assert lowered[:, 1] * p[:, 2] == pytest.approx(lowered[:, 2] * p[:, 1])


def test_lower_foreground_leaves_what_is_certain():
    p = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert lower_foreground(p, 2.0).tolist() == p.tolist()
