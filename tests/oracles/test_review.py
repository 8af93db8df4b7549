"""Finding wrong labels: the scores rank them first, measured on digits."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from al_widgets.oracles import doubts, out_of_sample


def noisy_digits(share: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    digits = load_digits()
    rows = rng.choice(len(digits.target), 300, replace=False)
    truth = digits.target[rows]
    wrong = rng.random(300) < share
    return digits.data[rows] / 16, truth, np.where(wrong, (truth + rng.integers(1, 10, 300)) % 10, truth)


def test_out_of_sample_contradicts_wrong_labels_that_it_has_not_seen() -> None:
    features, truth, given = noisy_digits(0.1, 0)
    opinion = out_of_sample(features, np.eye(10)[given])
    assert np.allclose(opinion.sum(1), 1)
    wrong = given != truth
    assert (opinion.argmax(1)[wrong] == truth[wrong]).mean() > 0.85
    assert average_precision_score(wrong, 1 - opinion[np.arange(300), given]) > 0.9


def test_doubts_rank_wrong_labels_before_right_ones_better_than_votes_or_model_alone() -> None:
    scores = {"all": [], "votes": [], "model": []}
    for seed in range(4):
        features, truth, first = noisy_digits(0.1, seed)
        rng = np.random.default_rng(seed)
        second = np.where(rng.random(300) < 0.25, (truth + rng.integers(1, 10, 300)) % 10, truth)
        label = np.where(rng.random(300) < 0.5, first, second)  # a vote that is tied falls on either
        agreement = ((first == label) * 1.0 + (second == label)) / 2
        opinion = out_of_sample(features, np.eye(10)[label])[np.arange(300), label]
        wrong = label != truth
        scores["all"].append(average_precision_score(wrong, doubts(agreement, opinion, agreement)))
        scores["votes"].append(average_precision_score(wrong, 1 - agreement))
        scores["model"].append(average_precision_score(wrong, 1 - opinion))
    means = {name: np.mean(values) for name, values in scores.items()}
    assert means["all"] > 0.95
    assert means["all"] > means["model"]
    assert means["all"] > means["votes"] + 0.3


def test_doubts_leave_the_model_out_where_it_has_no_say() -> None:
    assert doubts([0.8], [np.nan], [0.6]).round(6).tolist() == [0.3]
    assert doubts([1.0, 0.4], [1.0, 0.1], [1.0, 0.5]).round(6).tolist() == [0.0, round(2 / 3, 6)]
