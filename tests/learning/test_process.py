"""Closed forms of the Gaussian process against what they stand for: refits."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from al_widgets.learning import GraphLearner
from al_widgets.learning.choosing import choose, leave_one_out
from al_widgets.learning.classifier import GraphClassifier
from al_widgets.learning.process import (
    Labelled,
    Settings,
    class_targets,
    solve,
    solve_subset,
    supervised_kernel,
)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return (X[order] / 16).astype(np.float32), y[order]


def test_leave_one_out_equals_refits_without_each_label():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((9, 3))
    kernel, targets = supervised_kernel(x, x, 1.0), class_targets(rng.integers(0, 3, 9), 3)
    noise = rng.uniform(0.05, 0.2, 9)
    closed = leave_one_out(kernel, targets, noise)
    for i in range(9):
        rest = np.delete(np.arange(9), i)
        alpha = solve(kernel[np.ix_(rest, rest)], targets[rest], noise[rest])
        np.testing.assert_allclose(closed[i], kernel[i, rest] @ alpha, atol=1e-10)


def test_subset_of_all_rows_equals_the_exact_solution():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((8, 3))
    kernel, targets, noise = supervised_kernel(x, x, 1.0), class_targets(rng.integers(0, 2, 8), 2), np.full(8, 0.1)
    halves = ((kernel[:, rows], targets[rows], noise[rows]) for rows in (np.arange(4), np.arange(4, 8)))
    np.testing.assert_allclose(kernel @ solve_subset(kernel, halves), kernel @ solve(kernel, targets, noise), atol=1e-5)


def test_choose_trusts_the_graph_when_it_knows_the_classes():
    assert _chosen(graph_helps=True).share >= 0.7


def test_choose_gives_the_graph_up_when_neighbours_do_not_share_labels():
    assert _chosen(graph_helps=False).share <= 0.1


def _chosen(graph_helps):
    rng = np.random.default_rng(3)
    classes = np.arange(60) % 2
    told = np.where(classes == 1, 1.0, -1.0)[:, None]
    noise = rng.standard_normal((60, 1))
    labelled = Labelled(
        (told if graph_helps else np.sign(noise)) * np.ones((1, 1)),
        (noise if graph_helps else told + 0.1 * noise) * np.ones((1, 1)),
        class_targets(classes, 2),
        classes,
        np.ones(60),
    )
    return choose(labelled, {1: np.ones(1)}, Settings(1), rng)


def test_expected_risk_equals_a_refit_for_each_class(digits):
    X, y = digits[0][:150], digits[1][:150] % 2
    rows = np.arange(14)
    learner = GraphLearner().fit(X, rows, y[rows], 2)
    references = np.arange(60, 100)
    risk = learner.expected_risk(np.array([30, 31]), references)
    solution, part = learner._solution, learner._part
    for found, row in zip(risk, (30, 31), strict=True):
        expected = 0.0
        chance = solution.probabilities(X[[row]], solution.graph.placement[[row]])[0]
        for c in (0, 1):
            after = _refit(learner, part, X, row, c, references)
            expected += chance[c] * (1 - after.max(axis=1)).sum()
        assert found == pytest.approx(expected, rel=1e-3)


def _refit(learner, part, X, row, c, references):
    """Probabilities of references with one label more and the same settings."""
    from al_widgets.learning.process import kernel_between, softmax

    solution = learner._solution
    settings, graph = solution.settings, solution.graph

    def seen(which, classes):
        scaled = (X[which].astype(float) - solution.centre) * float(solution.scale)
        return Labelled(
            graph.coordinates(np.array(which)).astype(float),
            scaled,
            class_targets(classes, 2),
            classes,
            np.ones(len(which)),
        )

    more = seen([*range(14), row], np.append(part.classes, c))
    asked = seen(list(references), np.zeros(len(references), int))
    weights = graph.weights(settings.dimension).astype(float)
    alpha = solve(kernel_between(more, more, weights, settings), more.targets, np.full(15, settings.noise))
    return softmax(settings.temperature * (kernel_between(asked, more, weights, settings) @ alpha))


def test_graph_learner_needs_few_labels(digits):
    X, y = digits
    pool, truth = X[:1200], y[:1200]
    learner = GraphLearner().fit(pool, np.arange(60), truth[:60], 10)
    supervised = GraphLearner().fit(pool[:60].copy(), np.arange(60), truth[:60], 10)
    with_pool = (learner.predict_proba(X[1200:]).argmax(axis=1) == y[1200:]).mean()
    without = (supervised.predict_proba(X[1200:]).argmax(axis=1) == y[1200:]).mean()
    assert with_pool > 0.87
    assert with_pool > without + 0.01


def test_graph_learner_keeps_its_accuracy_when_labels_outnumber_the_basis(digits, monkeypatch):
    from al_widgets.learning import graph

    X, y = digits
    exact = GraphLearner().fit(X[:1200], np.arange(600), y[:600], 10).predict_proba(X[1200:])
    monkeypatch.setattr(graph, "MAX_EXACT", 300)
    monkeypatch.setattr(graph, "MAX_BASIS", 300)
    subset = GraphLearner().fit(X[:1200], np.arange(600), y[:600], 10).predict_proba(X[1200:])
    assert (subset.argmax(axis=1) == y[1200:]).mean() > (exact.argmax(axis=1) == y[1200:]).mean() - 0.02


def test_graph_learner_resists_wrong_labels(digits):
    X, y = digits
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(200) < 0.2, rng.integers(0, 10, 200), y[:200])
    learner = GraphLearner().fit(X[:1200], np.arange(200), labels, 10)
    assert (learner.predict_proba(X[1200:]).argmax(axis=1) == y[1200:]).mean() > 0.88


def test_graph_classifier_takes_unlabelled_rows_and_names(digits):
    X, y = digits
    partly = y[:600].copy()
    partly[80:] = -1
    model = clone(GraphClassifier()).fit(X[:600], partly)
    assert (model.predict(X[600:900]) == y[600:900]).mean() > 0.85
    named = GraphClassifier().fit(X[:200], np.array(list("abcdefghij"))[y[:200]])
    assert named.predict(X[:5]).dtype.kind == "U"


@parametrize_with_checks(
    [GraphClassifier()],
    expected_failed_checks=lambda _: {
        "check_methods_subset_invariance": "single precision: products of other block sizes round otherwise",
    },
)
def test_graph_classifier_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)
