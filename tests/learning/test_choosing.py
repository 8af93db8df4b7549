"""The hand-over: how much of the learner is graph, judged on labels that were left out."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from al_widgets.learning import GraphLearner
from al_widgets.learning.choosing import choose, leave_one_out
from al_widgets.learning.process import Labelled, Settings, class_targets, solve, supervised_kernel


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return (X[order] / 16).astype(np.float32), y[order]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_leave_one_out_of_some_rows_equals_refits_without_each(dtype, tolerance):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((12, 3)).astype(dtype)
    kernel = supervised_kernel(x, x, 1.0)
    targets, noise = class_targets(rng.integers(0, 3, 12), 3).astype(dtype), rng.uniform(0.05, 0.2, 12).astype(dtype)
    closed = leave_one_out(kernel, targets, noise, np.array([7, 2]))
    for found, i in zip(closed, (7, 2), strict=True):
        rest = np.delete(np.arange(12), i)
        alpha = solve(kernel[np.ix_(rest, rest)], targets[rest], noise[rest])
        np.testing.assert_allclose(found, kernel[i, rest] @ alpha, atol=tolerance)


def test_few_labels_lean_on_the_graph_and_many_hand_over(digits):
    X, y = digits
    pool = X[:1200]
    shares = [
        np.mean([GraphLearner().fit(pool, rows, y[rows], 10).graph_share for rows in drawn(n)]) for n in (80, 400, 1000)
    ]
    assert shares[0] >= 0.5
    assert shares[2] <= 0.15
    assert shares == sorted(shares, reverse=True)


def drawn(n):
    """Three random samples of n rows."""
    return [np.random.default_rng(seed).permutation(1200)[:n] for seed in range(3)]


def test_too_few_labels_to_judge_leave_the_default():
    rng = np.random.default_rng(0)
    classes = np.array([0, 0, 1])
    labelled = Labelled(
        rng.standard_normal((3, 1)), rng.standard_normal((3, 2)), class_targets(classes, 2), classes, np.ones(3)
    )
    default = Settings(1)
    assert choose(labelled, {1: np.ones(1)}, default, np.random.default_rng(0)) == default


def test_probabilities_do_not_jump_where_a_sample_begins_to_choose(digits):
    X, y = digits
    before, after = (GraphLearner().fit(X[:1200], np.arange(n), y[:n], 10).pool_probabilities() for n in (400, 401))
    assert np.abs(before - after).sum(axis=1).mean() / 2 < 0.02
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.99


def test_all_labels_are_learnt_as_well_as_a_support_vector_machine_learns_them(digits):
    X, y = digits
    pool = X[:1200]
    learner = GraphLearner().fit(pool, np.arange(1200), y[:1200], 10)
    ours = (learner.predict_proba(X[1200:]).argmax(axis=1) == y[1200:]).mean()
    theirs = (SVC(C=10).fit(pool, y[:1200]).predict(X[1200:]) == y[1200:]).mean()
    assert ours >= theirs - 0.005


def test_labels_of_little_weight_do_not_decide_the_hand_over(digits):
    X, y = digits
    rng = np.random.default_rng(0)
    told, weights = y[:500].copy(), np.ones(500)
    wrong = rng.random(500) < 0.3
    told[wrong], weights[wrong] = rng.integers(0, 10, wrong.sum()), 0.05
    weighed, blind = (
        GraphLearner().fit(X[:1200], np.arange(500), told, 10, given).predict_proba(X[1200:])
        for given in (weights, None)
    )
    right = [(p.argmax(axis=1) == y[1200:]).mean() for p in (weighed, blind)]
    assert right[0] > right[1]
    assert right[0] > 0.95
