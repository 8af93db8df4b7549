"""What people have in common: classes that are hard for everybody, and what they are taken for."""

import numpy as np
import pytest
from oracles.oracle_sessions import majority, to_answers

from al_widgets.oracles.dawid_skene import fit


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
    assert min(gains) > 0
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
