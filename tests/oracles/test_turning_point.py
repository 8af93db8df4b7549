import numpy as np
import pytest

from al_widgets.oracles.accuracy_path import accuracy_model
from al_widgets.oracles.turning_point import SETTLED, find_fall

MODEL = accuracy_model(5)


def judged(accuracies, rng, block=1):
    """Answers that are known to be right or wrong, as log likelihoods a step."""
    right = rng.random(len(accuracies)) < accuracies
    each = np.where(right[:, None], np.log(MODEL.accuracy), np.log1p(-MODEL.accuracy))
    return np.add.reduceat(each, np.arange(0, len(each), block), axis=0)


def test_a_fall_is_placed_and_measured():
    falls = [
        find_fall(judged(np.repeat([0.9, 0.4], [120, 40]), np.random.default_rng(seed)), 1, 0.15, MODEL)
        for seed in range(10)
    ]
    assert min(f.certainty for f in falls) > 0.99
    assert np.mean([f.before for f in falls]) == pytest.approx(0.9, abs=0.04)
    assert np.mean([f.after for f in falls]) == pytest.approx(0.4, abs=0.07)
    assert np.mean([f.since for f in falls]) == pytest.approx(40, abs=5)


@pytest.mark.parametrize("accuracy", [0.55, 0.75, 0.95])
def test_luck_is_no_fall_however_often_one_looks(accuracy):
    # The odds exceed 99 with probability below .01 · 150 / 99 each; six of 60 has a probability below .001.
    alarms = 0
    for seed in range(60):
        emission = judged(np.full(150, accuracy), np.random.default_rng(seed))
        alarms += any(find_fall(emission[:n], 1, 0.15, MODEL).certainty > 0.99 for n in range(30, 151, 10))
    assert alarms < 6


def test_answers_that_nobody_can_judge_say_nothing():
    found = find_fall(np.zeros((100, len(MODEL.accuracy))), 1, 0.15, MODEL)
    assert found.certainty < 0.5
    assert found.before > found.after + 0.15


def test_blocks_of_answers_tell_the_same():
    accuracies = np.repeat([0.9, 0.4], [120, 60])
    fine = find_fall(judged(accuracies, np.random.default_rng(1)), 1, 0.15, MODEL)
    coarse = find_fall(judged(accuracies, np.random.default_rng(1), block=4), 4, 0.15, MODEL)
    assert coarse.certainty > 0.99
    assert coarse.since == pytest.approx(fine.since, abs=6)
    assert coarse.after == pytest.approx(fine.after, abs=0.05)


def test_the_first_answers_are_practice():
    assert find_fall(judged(np.full(SETTLED, 0.9), np.random.default_rng(0)), 1, 0.15, MODEL) is None
