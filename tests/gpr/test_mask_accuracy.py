"""Dice, voxel average precision and detection curves against direct computation and published intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.evaluation.detection import detection_curve, peaks, poisson_rate, wilson
from al_widgets.evaluation.masks import average_precision, dice


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_dice_is_two_times_overlap_over_sizes(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 3, (2, 6, 5, 4))
    found = dice(a, b, 1, repeats=20)
    direct = 2 * ((a == 1) & (b == 1)).sum() / ((a == 1).sum() + (b == 1).sum())
    assert found.value == pytest.approx(direct)
    assert found.low <= found.value <= found.high


def test_dice_leaves_out_what_nobody_labelled_and_says_why_there_is_none():
    truth = np.zeros((6, 4, 4), np.uint8)
    truth[:, :2] = 255
    truth[:, 2] = 1
    predicted = np.ones_like(truth)
    assert dice(predicted, truth, 1).value == pytest.approx(2 * 24 / (24 + 48))
    assert dice(predicted, truth, 2).why == "the class occurs nowhere"


def test_dice_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(120):
        quality = rng.beta(8, 4, 30)  # sections differ, voxels within one go together
        truth = np.ones((30, 10, 10), np.uint8)
        predicted = (rng.random((30, 10, 10)) < quality[:, None, None]).astype(np.uint8)
        found = dice(predicted, truth, 1, repeats=200, seed=trial)
        covered += found.low <= 2 * (2 / 3) / (1 + 2 / 3) <= found.high
    assert 0.88 <= covered / 120 <= 0.99


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.01, 0.3]), rounded=st.booleans())
def test_average_precision_agrees_with_scikit_learn(seed, share, rounded):
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(seed)
    truth = (rng.random((6, 30, 30)) < share).astype(np.uint8)
    scores = rng.normal(truth * 1.5, 1)
    if rounded:
        scores = scores.round(1)
    found = average_precision(scores, truth, repeats=3)
    assert found.value == pytest.approx(average_precision_score(truth.ravel(), scores.ravel()), abs=0.001)
    assert found.low <= found.value <= found.high


def test_average_precision_says_why_there_is_none():
    assert average_precision(np.ones((5, 2, 2)), np.zeros((5, 2, 2))).why == "there is no foreground"
    with pytest.raises(ValueError, match="same shape"):
        average_precision(np.ones((5, 2, 2)), np.zeros((5, 2, 3)))


def test_detection_curve_counts_targets_once_and_false_alarms_outside_halos():
    targets = [(1, 1), (3, 3)]
    alarms = [(1.1, 1), (0.9, 1), (3.2, 3), (5, 5), (6, 6)]
    curve = detection_curve(alarms, [0.9, 0.8, 0.5, 0.7, 0.1], targets, area_m2=100, halo_m=0.25)
    assert curve.thresholds == (0.9, 0.8, 0.7, 0.5, 0.1)
    assert [d.value for d in curve.detection] == [0.5, 0.5, 0.5, 1, 1]
    free = 100 - 2 * np.pi * 0.25**2
    assert [f.value for f in curve.false_alarms_per_m2] == pytest.approx([0, 0, 1 / free, 1 / free, 2 / free])
    assert all(f.low <= f.value <= f.high for f in curve.false_alarms_per_m2)
    with pytest.raises(ValueError, match="as many finite confidences"):
        detection_curve(alarms, [1], targets, area_m2=1)


def test_detection_curve_without_alarms_or_targets():
    assert detection_curve([], [], [(0, 0)], area_m2=1).thresholds == ()
    assert detection_curve([(0, 0)], [1], [], area_m2=1).detection[0].why == "there are no targets"


def test_intervals_agree_with_published_values():
    found = wilson(15, 148)  # Newcombe 1998, table I
    assert (found.low, found.high) == (pytest.approx(0.0624, abs=1e-4), pytest.approx(0.1605, abs=1e-4))
    found = poisson_rate(3, 1.0)  # Garwood 1936
    assert (found.low, found.high) == (pytest.approx(0.6187, abs=1e-4), pytest.approx(8.7673, abs=1e-4))
    assert poisson_rate(0, 2.0).high == pytest.approx(3.6889 / 2, abs=1e-4)


def test_peaks_keeps_one_alarm_a_halo():
    scores = np.zeros((10, 4, 20))
    scores[2, 1, 5], scores[2, 3, 6], scores[8, 0, 15] = 1.0, 0.9, 0.5
    alarms = peaks(scores, dx_m=0.1, dy_m=0.1, halo_m=0.25, top=2)
    assert alarms == pytest.approx(np.array([[0.5, 0.2, 1.0], [1.5, 0.8, 0.5]]))


def test_each_section_is_a_strip_of_its_own():
    from al_widgets.evaluation.detection import section_detection

    scores = np.zeros((2, 4, 40))
    truth = np.zeros((2, 4, 40), bool)
    truth[0, 1:3, 10:13] = truth[0, 2, 30] = True  # two objects on the first section, none on the second
    scores[0, 1, 11], scores[0, 2, 20], scores[1, 1, 11] = 0.9, 0.4, 0.6
    curve = section_detection(list(zip(scores, truth, strict=True)), dx_m=0.1, line_m=0.5, halo_m=0.25, top=2)
    at = dict(zip(curve.thresholds, zip(curve.detection, curve.false_alarms_per_m2, strict=True), strict=True))
    free = 2 * 40 * 0.1 * 0.5 - 2 * np.pi * 0.25**2
    assert at[0.9][0].value == 0.5
    assert at[0.9][1].value == 0
    assert at[0.6][0].value == 0.5  # the same place on another section finds nothing
    assert at[0.6][1].value == pytest.approx(1 / free)
    assert at[0.4][1].value == pytest.approx(2 / free)
