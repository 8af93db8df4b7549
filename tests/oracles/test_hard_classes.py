"""What people have in common: classes that are hard for everybody, and what they are taken for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.oracle_sessions import majority, to_answers

from al_widgets.oracles.dawid_skene import fit
from al_widgets.oracles.kernel_ridge import KernelRidge


def answers_of_a_crowd(seed, hit, per_item=3, n_items=200, people=8):
    """Everybody knows class k with probability hit[k], and takes it for class k + 1 otherwise."""
    rng = np.random.default_rng(seed)
    K = len(hit)
    y = rng.integers(K, size=n_items)
    item = np.repeat(np.arange(n_items), per_item)
    who = np.concatenate([rng.choice(people, per_item, replace=False) for _ in range(n_items)])
    truth = y[item]
    right = rng.random(len(item)) < np.asarray(hit)[truth]
    order = rng.permutation(len(item))
    value = np.where(right, truth, (truth + 1) % K)
    return y, to_answers(item[order], who[order], value[order], n_items, K, people)


def test_what_is_hard_for_everybody_is_learned_from_everybody():
    gains = []
    for seed in range(4):
        y, answers = answers_of_a_crowd(seed, hit=(0.95, 0.95, 0.95, 0.45, 0.95, 0.45, 0.95, 0.95))
        ours = (fit(answers).posterior.argmax(1) == y).mean()
        gains.append(ours - (majority(answers, np.random.default_rng(seed)) == y).mean())
    # Now and then a class that is hard is taken for a rare one instead, and nothing is gained.
    assert min(gains) > -0.03
    assert np.mean(gains) > 0.05


def test_where_no_class_is_harder_nothing_is_read_into_chance():
    y, answers = answers_of_a_crowd(1, hit=(0.8,) * 6)
    ours = (fit(answers).posterior.argmax(1) == y).mean()
    assert ours >= (majority(answers, np.random.default_rng(1)) == y).mean()


def test_accuracy_is_that_on_items_as_they_come_though_classes_differ():
    hit = np.array([0.95, 0.95, 0.5, 0.95])
    y, answers = answers_of_a_crowd(3, hit, per_item=5, n_items=300)
    found = fit(answers).accuracy.mean()
    assert found == pytest.approx(hit[y].mean(), abs=0.04)


def lazy_crowd(seed, good, lazy, n_classes=3, n_items=200, shares=None):
    """Everybody answers everything: some are right so often, the others always say class 0."""
    rng = np.random.default_rng(seed)
    y = rng.choice(n_classes, n_items, p=shares)
    values = [np.where(rng.random(n_items) < p, y, (y + rng.integers(1, n_classes, n_items)) % n_classes) for p in good]
    values += [np.zeros(n_items, int)] * lazy
    people = len(values)
    item, who = np.tile(np.arange(n_items), people), np.repeat(np.arange(people), n_items)
    order = rng.permutation(len(item))
    return y, to_answers(item[order], who[order], np.concatenate(values)[order], n_items, n_classes, people)


@pytest.mark.parametrize("n_classes", [2, 3, 8])
@pytest.mark.parametrize("good", [(0.95, 0.9), (0.8, 0.8, 0.8)])
def test_who_always_presses_the_same_key_teaches_nothing(good, n_classes):
    for seed in range(2):
        y, answers = lazy_crowd(seed, good, lazy=2, n_classes=n_classes)
        found = fit(answers)
        votes = majority(answers, np.random.default_rng(seed))
        assert (found.posterior.argmax(1) == y).mean() > (votes == y).mean() - 0.01
        assert (found.next_accuracy[-2:] < 1 / n_classes + 0.1).all()
        assert (found.next_accuracy[: len(good)] > 0.65).all()


@pytest.mark.parametrize("shares", [(0.95, 0.05), (0.9, 0.05, 0.05)])
def test_a_rare_class_is_not_taken_for_a_hard_one(shares):
    for seed in range(3):
        y, answers = lazy_crowd(seed, (0.9, 0.9, 0.9), lazy=0, n_classes=len(shares), n_items=300, shares=shares)
        votes = majority(answers, np.random.default_rng(seed))
        assert (fit(answers).posterior.argmax(1) == y).mean() >= (votes == y).mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_without_a_classifier_no_label_is_one_that_all_its_answers_deny(n_classes, people, seed):
    rng = np.random.default_rng(seed)
    n_items, n = 25, 90
    item, who = rng.integers(n_items, size=n), rng.integers(people, size=n)
    taste = rng.dirichlet(np.full(n_classes, 0.4), size=people)
    value = np.array([rng.choice(n_classes, p=taste[j]) for j in who])
    answers = to_answers(item, who, value, n_items, n_classes, people)
    label = fit(answers).posterior.argmax(1)
    for i in range(n_items):
        said = set(answers.value[answers.item == i].tolist())
        assert len(said) != 1 or label[i] in said


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_is_not_taught_by_those_who_always_press_the_same_key(n_classes):
    for seed in range(2):
        y, answers = lazy_crowd(seed, (0.95, 0.9), lazy=2, n_classes=n_classes)
        centres = 3 * np.eye(n_classes)[y]
        features = centres + np.random.default_rng(seed).normal(size=centres.shape)
        found = fit(answers, KernelRidge(features).leave_one_out)
        assert (found.posterior.argmax(1) == y).mean() > 0.95
        assert (found.next_accuracy[-2:] < 1 / n_classes + 0.1).all()
