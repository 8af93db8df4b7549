import copy
import json

import numpy as np
import pandas as pd
import pytest
from oracles.held_out import PEOPLE, answers_of_people, distance, foretell, halves

from al_widgets.errors import TaskError, UnknownItemError
from al_widgets.oracles import ResponseTime, SimulatedOracle
from al_widgets.oracles.calibration import item_difficulty
from al_widgets.oracles.response_time import fit_response_time


def truth_of(n=400, classes="abcd", seed=0):
    return {f"i{k}": str(v) for k, v in enumerate(np.random.default_rng(seed).choice(list(classes), n))}


def hits(oracle, truth):
    return np.array([oracle(i) == t for i, t in truth.items()])


def test_answer_is_the_class_name_with_its_price():
    oracle = SimulatedOracle({"i": "cat", "j": "dog"}, 1.0, hourly_rate=3600.0, price=0.5)
    answer = oracle("i")
    assert answer == "cat"
    assert json.dumps(answer) == '"cat"'
    assert answer.cost == pytest.approx(answer.elapsed_s + 0.5)
    assert (oracle.answered, oracle.spent) == (1, answer.cost)
    assert copy.copy(answer).elapsed_s == answer.elapsed_s


@pytest.mark.parametrize("accuracy", [0.3, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("difficulty", [0.0, 2.0])
def test_accuracy_is_the_share_of_right_answers_however_items_differ(accuracy, difficulty):
    truth = truth_of(4000)
    found = hits(SimulatedOracle(truth, accuracy, difficulty=difficulty, seed=1), truth).mean()
    assert found == pytest.approx(accuracy, abs=4 * 0.5 / np.sqrt(4000) + 0.01)


def test_the_same_seed_answers_the_same_and_difficulty_belongs_to_the_item():
    truth = truth_of(100)
    first, second = (SimulatedOracle(truth, 0.6, difficulty=2.0, seed=3) for _ in range(2))
    assert [first(i) for i in truth] == [second(i) for i in truth]
    assert first("i5").accuracy == SimulatedOracle(truth, 0.6, difficulty=2.0, seed=3)("i5").accuracy


def test_accuracy_may_differ_by_class_and_wrong_answers_follow_the_confusion():
    truth = truth_of(3000, "abc")
    oracle = SimulatedOracle(truth, {"a": 0.5, "b": 1.0, "c": 0.8}, confusion={"a": {"b": 3, "c": 1}}, seed=2)
    answers = pd.Series({i: str(oracle(i)) for i in truth})
    table = pd.crosstab(pd.Series(truth), answers, normalize="index")
    assert table.loc["a", "a"] == pytest.approx(0.5, abs=0.06)
    assert table.loc["b", "b"] == 1.0
    assert table.loc["a", "b"] / table.loc["a", "c"] == pytest.approx(3, abs=0.8)


def test_fatigue_wears_accuracy_down_until_a_break():
    truth = truth_of(3)
    oracle = SimulatedOracle(truth, 0.9, classes=list("abcd"), fatigue=0.4)
    path = [oracle("i0").accuracy for _ in range(201)]
    assert path[0] == pytest.approx(0.9)
    assert path[100] == pytest.approx(0.25 + 0.65 * 0.6)
    assert path[200] == pytest.approx(0.25 + 0.65 * 0.36)
    oracle.rest()
    assert oracle("i0").accuracy == pytest.approx(0.9)
    resting = SimulatedOracle(truth, 0.9, classes=list("abcd"), fatigue=0.4, breaks=(50, 300.0))
    path = [resting("i0").accuracy for _ in range(120)]
    assert path[50] == path[100] == pytest.approx(0.9)
    assert resting.clock_s > 600


def test_drift_changes_accuracy_at_the_given_answer():
    oracle = SimulatedOracle(truth_of(3), 0.9, classes=list("abcd"), drift={10: 0.5, 20: 0.7})
    path = [oracle("i0").accuracy for _ in range(25)]
    np.testing.assert_allclose([path[9], path[10], path[19], path[20]], [0.9, 0.5, 0.5, 0.7])


def test_unsure_replaces_wrong_answers():
    truth = truth_of(2000)
    frame = SimulatedOracle(truth, 0.7, unsure=0.5, seed=5).frame(list(truth))
    kinds = frame["kind"].value_counts(normalize=True)
    assert kinds["unsure"] == pytest.approx(0.15, abs=0.03)
    labels = frame[frame["kind"] == "label"]
    assert (labels["value"] == labels["item_id"].map(truth)).mean() == pytest.approx(0.7 / 0.85, abs=0.03)
    assert frame.loc[frame["kind"] == "unsure", "value"].isna().all()


def test_truth_may_be_a_series_a_sequence_or_a_function():
    assert SimulatedOracle(pd.Series({"i": "u", "j": "v"}), 1.0)("j") == "v"
    assert SimulatedOracle(np.array([3, 7, 7]), 1.0)("0a1b2c3d/2") == "7"
    assert SimulatedOracle(lambda item_id: item_id[0], 1.0, classes=["u", "v"])("v7") == "v"


def test_oracle_refuses_what_cannot_be():
    truth = {"i": "u", "j": "v"}
    with pytest.raises(UnknownItemError, match="'z'"):
        SimulatedOracle(truth)("z")
    for options, message in (
        ({"accuracy": 1.2}, "accuracy"),
        ({"fatigue": -1}, "fatigue"),
        ({"breaks": (0, 1)}, "breaks"),
        ({"classes": ["u"]}, "two classes"),
        ({"confusion": {"u": {"w": 1}}}, "no classes"),
        ({"confusion": {"u": {"v": 0}}}, "positive"),
        ({"accuracy": {"u": 0.9}}, "a value for each class"),
        ({"accuracy": "high"}, "accuracy must be a number"),
        ({"drift": {"x": 0.5}}, "drift, by the number of an answer, must be"),
        ({"drift": {-1: 0.5}}, "drift"),
        ({"breaks": 5}, "answers, seconds"),
        ({"response_time": 2.0}, "ResponseTime"),
        ({"seed": -1}, "seed must be a whole number, 0 or more, not -1"),
        ({"hourly_rate": -3}, "hourly_rate"),
        ({"price": -3}, "price"),
        ({"difficulty": -1}, "difficulty"),
        ({"difficulty": 1e6}, "difficulty"),
    ):
        with pytest.raises(TaskError, match=message):
            SimulatedOracle(truth, **options)
    with pytest.raises(TaskError, match="1 of 2 items of the truth have no class"):
        SimulatedOracle({"i": "u", "j": None})
    with pytest.raises(TaskError, match="classes="):
        SimulatedOracle(lambda item_id: "u")
    with pytest.raises(TaskError, match="no class"):
        SimulatedOracle(lambda item_id: "w", classes=["u", "v"])("i")
    with pytest.raises(TaskError, match="shift_s"):
        ResponseTime(median_s=1.0, shift_s=2.0)


def test_fit_response_time_recovers_the_distribution_and_sets_pauses_apart():
    true = ResponseTime(median_s=2.0, spread=0.3, shift_s=0.5, wrong=0.4, practice=0.5, pause_share=0.03, pause_s=120.0)
    rng = np.random.default_rng(0)
    wrong = rng.random(3000) < 0.3
    seconds = [true.draw(rng, n, bool(w), 0.0) for n, w in enumerate(wrong)]
    found = fit_response_time(seconds, wrong, np.arange(3000), np.zeros(3000))
    assert found.median_s == pytest.approx(2.0, abs=0.05)
    assert found.spread == pytest.approx(0.3, abs=0.05)
    assert found.wrong == pytest.approx(0.4, abs=0.08)
    assert found.practice == pytest.approx(0.5, abs=0.25)
    assert found.difficulty == 0.0
    assert found.pause_share == pytest.approx(0.03, abs=0.015)
    with pytest.raises(TaskError, match="at least 20"):
        fit_response_time([1.0] * 5, [False] * 5, range(5), np.zeros(5))


def test_item_difficulty_orders_items_as_they_are():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 100)
    item, annotator = np.repeat(np.arange(100), 8), np.tile(np.arange(8), 100)
    right = rng.random(800) < 1 / (1 + np.exp(-(1.5 - true[item])))
    found = item_difficulty(item, annotator, right, 100, 8)
    assert np.corrcoef(found, true)[0, 1] > 0.8
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert not item_difficulty(np.arange(50), np.zeros(50, int), np.ones(50, bool), 50, 1).any()


def test_fit_recovers_a_simulated_annotator_who_tires():
    truth = truth_of(800, "abc")
    original = SimulatedOracle(
        truth, 0.95, fatigue=0.3, unsure=0.3, confusion={"a": {"b": 9, "c": 1}}, name="ann", seed=1
    )
    log = original.frame(list(truth))
    copied = SimulatedOracle.fit(log, truth, annotator="ann", seed=2)
    assert copied.fatigue == pytest.approx(0.3, abs=0.12)
    assert copied.unsure == pytest.approx(0.3, abs=0.08)
    again = copied.frame(list(truth))
    right = [(f["value"] == f["item_id"].map(truth)).mean() for f in (log, again)]
    assert right[0] == pytest.approx(right[1], abs=0.07)


def test_fit_refuses_too_little_and_unknown_names():
    truth = truth_of(30)
    log = SimulatedOracle(truth).frame(list(truth))
    with pytest.raises(TaskError, match="at least 20"):
        SimulatedOracle.fit(log.head(5), truth)
    with pytest.raises(TaskError, match="'bob'"):
        SimulatedOracle.fit(log, truth, annotator="bob")
    with pytest.raises(TaskError, match="lacks 29"):
        SimulatedOracle.fit(log, {"i0": "a"})


@pytest.mark.skipif(not PEOPLE.exists(), reason="needs the answers of people in ../shared/samples")
def test_fit_reproduces_people_in_accuracy_confusion_and_response_times():
    from scipy.stats import kstwobign

    raw, truth = answers_of_people()
    people = raw[raw["kind"] == "label"]
    copies, misses = [], 0
    for name, own in people.groupby("annotator"):
        oracle = SimulatedOracle.fit(raw, truth, annotator=name, seed=1)
        copy_ = pd.concat([oracle.frame(list(own["item_id"])) for _ in range(10)])
        right = (copy_["value"] == copy_["item_id"].map(truth)).mean()
        share = (own["value"] == own["category"]).mean()
        # Within the 99 % interval of the person's own accuracy.
        assert abs(right - share) < 2.58 * np.sqrt(share * (1 - share) / len(own))
        reach = kstwobign.ppf(0.99) / np.sqrt(len(own) * len(copy_) / (len(own) + len(copy_)))
        misses += distance(own["elapsed_s"], copy_["elapsed_s"]) > reach
        copies.append(copy_)
    # Kolmogorov-Smirnov at 1 % for each of ten people; one may miss by chance.
    assert misses <= 1
    copied = pd.concat(copies)
    ours = pd.crosstab(copied["item_id"].map(truth), copied["value"], normalize="index")
    theirs = pd.crosstab(people["category"], people["value"], normalize="index")
    difference = (ours.reindex_like(theirs).fillna(0.0) - theirs).abs().to_numpy()
    # 100 answers a row: a share of one half has a standard error of .05.
    assert difference.max() < 0.15
    assert difference.mean() < 0.01


def compared(log, truth, names, splits):
    """(fitted to the person, fitted to everybody) against answers held out, of each person and split."""
    found = []
    for name in names:
        for seed in range(splits):
            parts = halves(log, name, seed)
            found.append([foretell(parts, truth, who) for who in (name, None)])
    return found


def test_fit_foretells_the_half_it_has_not_seen_better_than_the_average_of_all():
    truth = truth_of(400)
    people = {
        "quick": (0.7, ResponseTime(median_s=1.2, spread=0.3, shift_s=0.5, wrong=0.1)),
        "usual": (0.85, ResponseTime(median_s=2.0, spread=0.5, shift_s=0.6, wrong=0.3)),
        "slow": (0.95, ResponseTime(median_s=4.0, spread=0.4, shift_s=1.5, wrong=0.5)),
    }
    log = pd.concat(
        SimulatedOracle(truth, a, response_time=t, difficulty=1.0, name=name, seed=3).frame(list(truth))
        for name, (a, t) in people.items()
    ).reset_index(drop=True)
    for own, pooled in compared(log, truth, people, splits=1):
        # 200 answers held out: the median has a standard error of 5 % at most, the accuracy one of .032.
        assert own.median_ratio == pytest.approx(1.0, abs=0.15)
        assert own.iqr_ratio == pytest.approx(1.0, abs=0.35)
        assert abs(own.accuracy_error) < 0.1
        assert own.distance < 0.12
        assert own.distance < pooled.distance


@pytest.mark.skipif(not PEOPLE.exists(), reason="needs the answers of people in ../shared/samples")
def test_fit_foretells_the_half_of_a_persons_answers_that_it_has_not_seen():
    log, truth = answers_of_people()
    own, pooled = zip(*compared(log, truth, sorted(log["annotator"].unique()), splits=1), strict=True)
    assert np.median([abs(np.log(h.median_ratio)) for h in own]) < 0.1
    assert np.mean([h.distance for h in own]) < 0.8 * np.mean([h.distance for h in pooled])
    assert np.mean([abs(h.accuracy_error) for h in own]) < 0.06
