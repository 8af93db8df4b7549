"""One training round as a pure function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from al_widgets.errors import LearnerError, StrategyError
from al_widgets.learning import as_learner, logistic_learner
from al_widgets.session.snapshot import TrainingInput, keep_model, train
from al_widgets.strategies import as_strategy


@pytest.fixture
def given() -> TrainingInput:
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(-2, 1, (40, 3)), rng.normal(2, 1, (40, 3))]).astype(np.float32)
    rows = np.arange(100)[rng.permutation(100) < 80]
    return TrainingInput(
        version=6,
        round=1,
        classes=("cat", "dog", "cow"),
        pool_size=100,
        rows=rows,
        features=features,
        labelled=rows[[0, 1, 50, 60]],
        labels=np.array([0, 0, 1, 1]),
        weights=None,
        candidates=np.setdiff1d(np.arange(100), rows[[0, 1, 50, 60, 5]]),
        pending=rows[[5]],
        n_labels=4,
        learner=logistic_learner(),
        strategy=as_strategy("margin"),
        cold_strategy=as_strategy("auto"),
        length=10,
        rng=np.random.default_rng(1),
    )


def test_train_ranks_candidates_with_features_only(given: TrainingInput) -> None:
    snapshot = train(given)
    chosen = [ranked.row for ranked in snapshot.ranking]
    assert len(chosen) == len(set(chosen)) == 10
    assert set(chosen) <= set(given.candidates) & set(given.rows)
    assert {ranked.strategy for ranked in snapshot.ranking} == {"margin"}
    assert snapshot.probabilities is not None
    assert snapshot.probabilities.shape == (80, 3)


def test_train_has_no_model_and_ranks_cold_when_one_class_has_labels(given: TrainingInput) -> None:
    snapshot = train(replace(given, labels=np.zeros(4, int)))
    assert snapshot.learner is None
    assert not snapshot.errors
    assert {ranked.strategy for ranked in snapshot.ranking} == {"auto"}


def test_train_ignores_labels_of_items_that_have_no_features_yet(given: TrainingInput) -> None:
    unseen = np.setdiff1d(np.arange(100), given.rows)[:2]
    snapshot = train(
        replace(given, labelled=np.concatenate([given.labelled, unseen]), labels=np.array([0, 0, 1, 1, 2, 2]))
    )
    assert snapshot.n_trained == 4


class Broken:
    classes_ = np.array([0, 1])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def set_params(self, **params: Any) -> Broken:
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Broken:
        raise RuntimeError("boom")

    def predict(self, X: Any) -> Any:
        raise RuntimeError("boom")

    def predict_proba(self, X: Any) -> Any:
        raise RuntimeError("boom")


def test_train_still_ranks_and_reports_when_the_learner_fails(given: TrainingInput) -> None:
    good = train(given)
    bad = train(replace(given, learner=as_learner(Broken())))
    assert isinstance(bad.errors[0], LearnerError)
    assert "boom" in str(bad.errors[0])
    assert bad.ranking
    assert keep_model(bad, good).learner is good.learner
    assert keep_model(good, bad) is good


def test_train_draws_at_random_and_reports_when_the_strategy_fails(given: TrainingInput) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("no")

    snapshot = train(replace(given, strategy=as_strategy(broken)))
    assert isinstance(snapshot.errors[0], StrategyError)
    assert len(snapshot.ranking) == 10
    assert all(ranked.propensity for ranked in snapshot.ranking)


def test_train_gives_the_same_ranking_for_the_same_seed(given: TrainingInput) -> None:
    again = replace(given, rng=np.random.default_rng(1))
    assert [r.row for r in train(given).ranking] == [r.row for r in train(again).ranking]
