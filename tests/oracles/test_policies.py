from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import oracle_sessions as sim

from al_widgets.errors import StrategyError
from al_widgets.oracles import policies
from al_widgets.oracles.policies import Situation, activelab_scores, activelab_weights, mutual_information, repeatable


def situation(**changes):
    given_ = {
        "beliefs": np.array([[0.98, 0.01, 0.01], [0.4, 0.35, 0.25], [0.6, 0.3, 0.1]]),
        "counts": np.array([1, 2, 1]),
        "allowed": np.array([True, True, True]),
        "accuracy": 0.8,
        "new_belief": np.array([0.7, 0.2, 0.1]),
    }
    return Situation(**(given_ | changes))


def by_counting(p, a):
    """Mutual information from the joint table of class and answer."""
    K = len(p)
    joint = np.array([[p[k] * (a if k == l else (1 - a) / (K - 1)) for l in range(K)] for k in range(K)])
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return sum(
        joint[k, l] * np.log(joint[k, l] / independent[k, l]) for k in range(K) for l in range(K) if joint[k, l] > 0
    )


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6), st.floats(0.02, 0.98))
def test_mutual_information_equals_its_definition(weights, accuracy):
    p = np.array(weights) / np.sum(weights)
    assert mutual_information(p, accuracy) == pytest.approx(by_counting(p, accuracy), abs=1e-9)


def test_mutual_information_is_nothing_at_chance_level_and_for_a_certain_item():
    assert mutual_information([0.2, 0.3, 0.5], 1 / 3) == pytest.approx(0, abs=1e-12)
    assert mutual_information([1.0, 0.0, 0.0], 0.9) == pytest.approx(0, abs=1e-12)
    assert mutual_information([0.5, 0.5], 1.0) == pytest.approx(np.log(2), abs=1e-6)


def test_never_asks_new_items_only():
    assert policies.never(situation()).repeat is None


def test_always_finishes_an_item_before_it_begins_another():
    assert policies.always(situation(), 3).repeat == 1
    assert policies.always(situation(counts=np.array([3, 3, 3]))).repeat is None
    assert policies.get("always-2")(situation()).repeat == 0


def test_information_repeats_what_tells_most_a_second():
    assert policies.information(situation()).repeat == 1
    slow = np.array([1.0, 100.0, 1.0])
    assert policies.information(situation(seconds=slow)).repeat == 2
    assert policies.information(situation(new_belief=None)).repeat is None
    assert policies.information(situation(new_belief=None, new_seconds=50.0)).repeat == 1


def test_auto_stops_at_the_largest_number_of_labels_and_spares_annotators_at_chance_level():
    s = situation(new_belief=np.array([0.9, 0.05, 0.05]))
    assert policies.auto(s).repeat == 1
    assert policies.auto(replace(s, counts=np.array([1, policies.MAX_LABELS, 1]))).repeat == 2
    assert policies.auto(replace(s, accuracy=1 / 3)).repeat is None
    assert policies.auto(replace(s, allowed=np.zeros(3, bool))).repeat is None
    # A new item that tells nearly as much goes first: it also teaches the classifier.
    close = situation()
    assert policies.information(close).repeat == 1
    assert policies.auto(close).repeat is None


@pytest.mark.parametrize("name", ["auto", "mi", "activelab"])
def test_policies_repeat_the_best_item_when_no_new_one_is_left(name):
    decision = policies.get(name)(situation(has_new=False))
    assert decision.repeat == int(decision.utilities.argmax())


def test_auto_leaves_settled_items_alone_when_no_new_one_is_left():
    settled = situation(beliefs=np.array([[0.99, 0.005, 0.005]]), counts=np.ones(1, int), allowed=np.ones(1, bool))
    assert policies.information(replace(settled, has_new=False)).repeat == 0
    assert policies.auto(replace(settled, has_new=False)).repeat is None


@pytest.mark.parametrize("name", policies.names())
def test_policies_do_without_any_labelled_item(name):
    nothing = situation(beliefs=np.zeros((0, 3)), counts=np.zeros(0, int), allowed=np.zeros(0, bool))
    assert policies.get(name)(nothing).repeat is None


def test_activelab_scores_follow_the_paper():
    s = situation(weights=np.array([0.5, 1.0, 0.5]), mean_weight=0.5, model_weight=0.25)
    old, new = activelab_scores(s)
    assert old[1] == pytest.approx(((1.0 + 0.25) * 0.4 + 0.5 / 3) / (1.0 + 0.25 + 0.5))
    assert new == pytest.approx((0.25 * 0.7 + 0.5 / 3) / (0.25 + 0.5))
    weights, model = activelab_weights([0.9, 0.2], 0.8, 0.5, 4.0)
    np.testing.assert_allclose(weights, [0.8, 1e-6])
    assert model == pytest.approx(0.6 * 2)


def test_get_names_the_policies_there_are():
    with pytest.raises(StrategyError, match="always-2"):
        policies.get("sometimes")
    with pytest.raises(StrategyError, match="always-1"):
        policies.get("always-1")
    assert policies.get(policies.never) is policies.never


def test_repeatable_leaves_out_own_and_held_items():
    item, annotator = np.array([0, 1, 2, 3]), np.array([0, 1, 1, 0])
    assert repeatable(item, annotator, 0, 6).tolist() == [False, True, True, False, False, False]
    assert repeatable(item, annotator, 0, 6, busy=np.array([1])).tolist() == [False, False, True, False, False, False]


def test_repeatable_lets_a_lone_annotator_see_an_item_again_once_after_a_gap():
    item = np.array([0, 1, 0, 2, 3])
    alone = repeatable(item, np.zeros(5, int), 0, 4, gap=2)
    assert alone.tolist() == [False, True, False, False]


def test_relabelling_improves_the_stored_labels_over_always_three():
    # Smaller than the benchmark: 200 labels, two seeds.
    runs = {
        p: np.array([sim.relabel_session("digits", s, p, total=200, refit=20, marks=(200,)) for s in range(2)])
        for p in ("auto", "always-3")
    }
    assert runs["auto"][:, 0, 0].mean() > runs["always-3"][:, 0, 0].mean()
    assert 67 <= runs["always-3"][0, 0, 2] <= 80
    assert runs["always-3"][0, 0, 2] < runs["auto"][0, 0, 2] < 200
