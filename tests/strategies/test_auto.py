"""The default strategy, on real digits and where its assumptions fail."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from al_widgets import strategies
from al_widgets.learning import default_learner, logistic_learner
from al_widgets.strategies import Context


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return (X[order] / 16).astype(np.float32), y[order]


def run(X, y, Xt, yt, name, batch, limit, learner=default_learner, seed=0):
    """Return the hold-out accuracy after each batch."""
    rng, n_classes = np.random.default_rng(seed), int(max(y.max(), yt.max())) + 1
    labelled, model, probabilities, accuracy = np.empty(0, np.intp), None, None, []
    while len(labelled) < limit:
        context = Context(
            X, np.setdiff1d(np.arange(len(X)), labelled), labelled, y[labelled], n_classes,
            probabilities=probabilities, model=model, rng=rng,
        )  # fmt: skip
        labelled = np.concatenate([labelled, strategies.get(name).query(context, batch).indices])
        model = learner().fit(X, labelled, y[labelled], n_classes)
        probabilities = model.pool_probabilities()
        accuracy.append(float((model.predict_proba(Xt).argmax(axis=1) == yt).mean()))
    return accuracy


def test_auto_learns_digits_from_twenty_and_thirty_labels_in_tens(digits):
    X, y = digits
    accuracy = run(X[:1200], y[:1200], X[1200:], y[1200:], "auto", 10, 30)
    assert accuracy[1] >= 0.9
    assert accuracy[2] >= 0.94


def test_auto_learns_digits_from_thirteen_labels_one_at_a_time(digits):
    X, y = digits
    accuracy = run(X[:1200], y[:1200], X[1200:], y[1200:], "auto", 1, 15)
    assert max(accuracy) >= 0.9


def test_first_batch_needs_no_labels_and_meets_most_classes(digits):
    X, y = digits
    empty = np.empty(0, np.intp)
    context = Context(X[:1200], np.arange(1200), empty, empty, 10)
    assert len(np.unique(y[strategies.get("auto").query(context, 10).indices])) >= 8


def test_auto_is_no_worse_than_random_where_there_are_no_clusters():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((900, 12)).astype(np.float32)
    y = (X @ rng.standard_normal(12) > 0).astype(int)
    ends = {
        name: np.mean([run(X[:600], y[:600], X[600:], y[600:], name, 5, 60, seed=s)[-1] for s in range(3)])
        for name in ("auto", "random")
    }
    assert ends["auto"] > ends["random"]


def test_auto_meets_a_rare_class_sooner_than_random(digits):
    X, y = digits
    keep = (y != 7) | (np.cumsum(y == 7) <= 12)
    X, y = X[keep], y[keep]
    labelled, model, probabilities, rng = np.empty(0, np.intp), None, None, np.random.default_rng(0)
    median_of_random = np.log(0.5) / np.log(1 - 12 / len(X))
    while not (y[labelled] == 7).any():
        context = Context(
            X, np.setdiff1d(np.arange(len(X)), labelled), labelled, y[labelled], 10,
            probabilities=probabilities, model=model, rng=rng,
        )  # fmt: skip
        labelled = np.concatenate([labelled, strategies.get("auto").query(context, 5).indices])
        assert len(labelled) < median_of_random
        model = default_learner().fit(X, labelled, y[labelled], 10)
        probabilities = model.pool_probabilities()


def test_auto_works_with_a_learner_that_knows_no_graph(digits):
    X, y = digits
    accuracy = run(X[:800], y[:800], X[800:], y[800:], "auto", 10, 40, learner=logistic_learner)
    assert accuracy[-1] > 0.8


def test_auto_herds_when_the_model_gave_the_graph_up(digits):
    X, y = digits
    labelled = np.arange(60)
    model = default_learner().fit(X, labelled, y[:60], 10)
    context = Context(
        X, np.arange(60, len(X)), labelled, y[:60], 10,
        probabilities=model.pool_probabilities(), model=model, rng=np.random.default_rng(0),
    )  # fmt: skip

    class GaveUp:
        graph_share = 0.0

    chosen = strategies.get("auto").query(replace(context, model=GaveUp()), 5)
    herded = strategies.get("herding").query(replace(context, rng=np.random.default_rng(0)), 5)
    assert chosen.indices.tolist() == herded.indices.tolist()


def asked(context, size):
    return strategies.get("auto").query(replace(context, rng=np.random.default_rng(0)), size).indices.tolist()


def test_auto_starts_cold_with_a_learner_that_is_not_fitted(digits):
    X, _ = digits
    empty = np.empty(0, np.intp)
    context = Context(X, np.arange(len(X)), empty, empty, 10)
    assert asked(replace(context, model=default_learner()), 5) == asked(context, 5)


def test_auto_counts_pending_rows_as_covered(digits):
    X = digits[0][:900]
    empty = np.empty(0, np.intp)
    context = Context(X, np.arange(len(X)), empty, empty, 10)
    first = asked(context, 5)
    rest = replace(context, candidates=np.setdiff1d(np.arange(len(X)), first), pending=np.array(first))
    assert [*first, *asked(rest, 5)] == asked(context, 10)


def test_auto_asks_the_most_uncertain_once_every_class_has_its_labels(digits):
    X, y = digits
    labelled = np.arange(60)
    model = default_learner().fit(X, labelled, y[:60], 10)
    chances = np.sort(model.pool_probabilities(), axis=1)
    doubt = 1 - (chances[:, -1] - chances[:, -2])
    context = Context(
        X, np.arange(60, len(X)), labelled, y[:60], 10,
        probabilities=model.pool_probabilities(), model=model, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert doubt[asked(context, 5)].min() > np.quantile(doubt[60:], 0.9)


def test_auto_meets_more_of_eighty_classes_and_learns_them_sooner_than_random():
    rng = np.random.default_rng(0)
    y = np.arange(1600) % 80
    X = (3 * rng.standard_normal((80, 10))[y] + rng.standard_normal((1600, 10))).astype(np.float32)
    ends = {name: run(X[:1200], y[:1200], X[1200:], y[1200:], name, 40, 120) for name in ("auto", "random")}
    assert all(a > r for a, r in zip(ends["auto"], ends["random"], strict=True))


def test_auto_stands_wrong_labels_no_worse_than_random(digits):
    X, y = digits
    rng = np.random.default_rng(0)
    told = np.where(rng.random(1200) < 0.15, rng.integers(10, size=1200), y[:1200])
    ends = {
        name: np.mean([run(X[:1200], told, X[1200:], y[1200:], name, 20, 100, seed=s)[-1] for s in range(2)])
        for name in ("auto", "random")
    }
    assert ends["auto"] > ends["random"]
