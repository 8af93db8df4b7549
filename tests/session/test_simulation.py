"""Learning curves of strategies on known labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import al_widgets as al
from al_widgets.errors import SessionError
from tests.session.conftest import CLASSES, Digits


@pytest.fixture
def rows(digits: Digits) -> np.ndarray:
    return digits.images.reshape(300, -1).astype(np.float32) / 16


def test_simulation_gives_a_curve_for_each_strategy_and_seed(rows: np.ndarray, digits: Digits) -> None:
    curves = al.simulate(
        rows, digits.targets, CLASSES, strategies=["auto", "random"], seeds=2, limit=30, batch_size=10, progress=False
    )
    assert curves.columns.tolist() == ["strategy", "seed", "n_labels", "accuracy", "cost_s"]
    assert curves.groupby(["strategy", "seed"]).n_labels.apply(list).tolist() == [[10, 20, 30]] * 4
    assert (curves.cost_s == curves.n_labels).all()
    assert curves.accuracy.between(0, 1).all()
    last = curves[curves.n_labels == 30].groupby("strategy").accuracy.mean()
    assert last["auto"] > last["random"] > 0.3


def test_simulation_is_the_same_every_time_and_differs_with_the_seed(rows: np.ndarray, digits: Digits) -> None:
    def run(seeds: Any) -> Any:
        options = {"strategies": ["random"], "limit": 20, "batch_size": 10, "progress": False}
        return al.simulate(rows, digits.targets, seeds=seeds, learner=LogisticRegression(max_iter=300), **options)

    assert run([3]).equals(run([3]))
    assert run([3]).accuracy.tolist() != run([4]).accuracy.tolist()


def test_what_measures_is_never_asked(rows: np.ndarray, digits: Digits) -> None:
    asked: set[str] = set()

    def oracle(item_id: str) -> str:
        asked.add(item_id)
        return digits.targets[int(item_id)]

    options = {
        "strategies": ["random"],
        "seeds": [0],
        "limit": 300,
        "batch_size": 100,
        "holdout": 0.3,
        "progress": False,
    }
    curves = al.simulate(rows, digits.targets, learner=LogisticRegression(max_iter=300), oracle=oracle, **options)
    assert len(asked) == curves.n_labels.max() == 210


def test_simulated_annotators_err_take_time_and_cannot_always_tell(rows: np.ndarray, digits: Digits) -> None:
    truth = {str(i): t for i, t in enumerate(digits.targets)}
    annotator = al.SimulatedOracle(truth, accuracy=0.7, unsure=0.5, classes=CLASSES)
    options = {"strategies": ["random"], "seeds": [0], "limit": 60, "batch_size": 20, "progress": False}
    curves = al.simulate(rows, digits.targets, CLASSES, oracle=annotator, **options)
    assert annotator.answered > curves.n_labels.max()  # "cannot tell" costs time and gives no label
    assert curves.cost_s.iloc[-1] == pytest.approx(annotator.clock_s, rel=0.35)
    assert curves.cost_s.is_monotonic_increasing


def test_simulation_encodes_pictures(digits: Digits) -> None:
    options = {"strategies": ["random"], "seeds": 1, "limit": 20, "batch_size": 20, "progress": False}
    curves = al.simulate(digits.images, digits.targets, **options)
    assert curves.accuracy.iloc[-1] > 0.25


def test_truth_that_does_not_fit_is_refused(rows: np.ndarray, digits: Digits) -> None:
    with pytest.raises(SessionError, match="3 classes for 300 items"):
        al.simulate(rows, ["1", "2", "3"])
    with pytest.raises(SessionError, match="truth lacks 299 items"):
        al.simulate(rows, {"0": "1"})
    with pytest.raises(SessionError, match="not in the task"):
        al.simulate(rows, digits.targets, ["1", "2"])
    with pytest.raises(SessionError, match="no class of the task"):
        al.simulate(rows, digits.targets, oracle=lambda _: "cow", strategies=["random"], seeds=1, progress=False)
