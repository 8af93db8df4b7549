"""Learning curves of strategies on known labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import al_widgets as al
from al_widgets.errors import SessionError
from al_widgets.session import simulation
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


@pytest.mark.parametrize(
    "options",
    [
        {"strategies": []},
        {"holdout": 0},
        {"holdout": 1},
        {"seeds": 0},
        {"seeds": -1},
        {"seeds": [1, 1]},
        {"limit": 0},
        {"seconds_per_label": -4},
        {"jobs": 0},
        {"resume": "."},
        {"truth": [float("nan")] * 300},
    ],
    ids=str,
)
def test_an_experiment_in_which_nothing_can_be_measured_is_refused(
    rows: np.ndarray, digits: Digits, options: dict[str, Any]
) -> None:
    with pytest.raises(SessionError, match=f"{next(iter(options)).removesuffix('s')[:5]}"):
        al.simulate(rows, **({"truth": digits.targets, "progress": False} | options))


def test_one_strategy_may_be_named_alone(rows: np.ndarray, digits: Digits) -> None:
    options = {"seeds": 1, "limit": 20, "batch_size": 20, "progress": False}
    assert set(al.simulate(rows, digits.targets, strategies="random", **options).strategy) == {"random"}


def test_processes_change_nothing_but_the_time(rows: np.ndarray, digits: Digits) -> None:
    def run(jobs: int) -> Any:
        options = {"strategies": ["random", "k_center"], "seeds": 2, "limit": 40, "batch_size": 20, "progress": False}
        return al.simulate(rows, digits.targets, learner=LogisticRegression(max_iter=300), jobs=jobs, **options)

    assert run(2).equals(run(1))


def test_a_simulation_goes_on_where_it_was_killed(
    rows: np.ndarray, digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.jsonl"
    options = {
        "seeds": 2,
        "limit": 40,
        "batch_size": 20,
        "progress": False,
        "learner": LogisticRegression(max_iter=300),
    }
    whole = al.simulate(rows, digits.targets, strategies=["random", "margin"], **options)
    ran: list[tuple[str, int]] = []
    curve = simulation._Experiment.curve

    def killed(self: Any, strategy: Any, learner: Any, seed: int) -> Any:
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append((strategy.name, seed))
        return curve(self, strategy, learner, seed)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(simulation._Experiment, "curve", killed)
        al.simulate(rows, digits.targets, strategies=["random", "margin"], resume=path, **options)
    assert ran == [("random", 0), ("random", 1)]
    with path.open("a") as file:
        file.write('{"experiment": "half a li')  # the line that was being written
    ran.clear()
    monkeypatch.setattr(
        simulation._Experiment,
        "curve",
        lambda self, strategy, learner, seed: (ran.append((strategy.name, seed)), curve(self, strategy, learner, seed))[
            1
        ],
    )
    resumed = al.simulate(rows, digits.targets, strategies=["random", "margin"], resume=path, **options)
    assert ran == [("margin", 0), ("margin", 1)]
    assert resumed.equals(whole)
    ran.clear()
    assert al.simulate(rows, digits.targets, strategies=["random", "margin"], resume=path, **options).equals(whole)
    assert not ran


def test_curves_of_other_settings_data_or_learners_are_not_taken_for_done(
    rows: np.ndarray, digits: Digits, tmp_path: Path
) -> None:
    path = tmp_path / "curves.jsonl"
    base = {"strategies": ["random"], "seeds": 1, "limit": 20, "batch_size": 20, "progress": False, "resume": path}
    logistic = LogisticRegression(max_iter=300)
    al.simulate(rows, digits.targets, learner=logistic, **base)
    al.simulate(rows, digits.targets, learner=LogisticRegression(max_iter=300, C=9.0), **base)
    al.simulate(rows + 1, digits.targets, learner=logistic, **base)
    al.simulate(rows, digits.targets, learner=logistic, **{**base, "batch_size": 10})
    al.simulate(rows, digits.targets, learner=logistic, **base)
    assert len(path.read_text().splitlines()) == 4


def test_a_file_that_holds_something_else_is_refused(rows: np.ndarray, digits: Digits, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n")
    with pytest.raises(SessionError, match="holds no curves"):
        al.simulate(rows, digits.targets, resume=path, progress=False)
    assert path.read_text() == "buy milk\n"
