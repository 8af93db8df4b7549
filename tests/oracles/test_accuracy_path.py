import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.oracles import accuracy_path
from al_widgets.oracles.accuracy_path import accuracy_model, forward_backward, lay_out_chains, quantiles


def by_enumeration(emission, model):
    """Sum over all paths."""
    n, G = emission.shape
    smoothed, coming = np.zeros((n, G)), np.zeros(G)
    for path in itertools.product(range(G), repeat=n):
        p = model.prior[path[0]]
        for t in range(n):
            p *= np.exp(emission[t, path[t]])
            if t:
                p *= model.transition[path[t - 1], path[t]]
        for t in range(n):
            smoothed[t, path[t]] += p
        coming += p * model.transition[path[-1]]
    return smoothed / smoothed.sum(1, keepdims=True), coming / coming.sum()


def test_forward_backward_agrees_with_the_sum_over_all_paths_when_chains_differ_in_length():
    rng = np.random.default_rng(0)
    model = accuracy_model(3, 0.8, 0.05, size=5)
    annotator = np.array([0, 1, 0, 0, 1, 0])
    chains = lay_out_chains(annotator, 3)
    emission = rng.normal(size=(6, 5))
    smoothed, coming = forward_backward(emission, chains, model)
    for j, steps in ((0, slice(0, 4)), (1, slice(4, 6))):
        expected, ahead = by_enumeration(emission[steps], model)
        np.testing.assert_allclose(smoothed[steps], expected, atol=1e-12)
        np.testing.assert_allclose(coming[j], ahead, atol=1e-12)
    np.testing.assert_allclose(coming[2], model.prior)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_lay_out_chains_puts_every_answer_into_one_step_of_its_annotator(annotators):
    annotator = np.array(annotators)
    chains = lay_out_chains(annotator, 4)
    assert sorted(chains.order) == list(range(len(annotators)))
    assert (chains.annotator[chains.of_answer] == annotator).all()
    for j in range(4):
        assert (np.diff(chains.step[chains.of_answer[annotator == j]]) >= 0).all()


def test_lay_out_chains_shares_steps_when_a_chain_would_be_too_long(monkeypatch):
    monkeypatch.setattr(accuracy_path, "MAX_STEPS", 4)
    chains = lay_out_chains(np.zeros(10, int), 1)
    assert chains.block == 3
    assert chains.of_answer.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert chains.lengths.tolist() == [4]


@settings(max_examples=30)
@given(st.integers(2, 20), st.floats(0.0, 0.3), st.floats(0.0, 0.1))
def test_accuracy_model_is_a_distribution_at_every_step(n_classes, drift, jump):
    model = accuracy_model(n_classes, drift, jump)
    np.testing.assert_allclose(model.transition.sum(1), 1)
    assert model.prior.sum() == pytest.approx(1)
    assert (np.diff(model.accuracy) > 0).all()
    assert model.accuracy[0] == pytest.approx(1 / n_classes)


def test_quantiles_find_the_middle_of_a_narrow_distribution():
    model = accuracy_model(4)
    weights = np.zeros((1, 40))
    weights[0, 25] = 1.0
    low, middle, high = quantiles(weights, model.accuracy, (0.05, 0.5, 0.95))[0]
    assert middle == pytest.approx(model.accuracy[25])
    assert model.accuracy[24] < low < middle < high < model.accuracy[26]
