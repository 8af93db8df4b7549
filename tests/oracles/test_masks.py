import numpy as np
import pytest

from al_widgets.errors import TaskError
from al_widgets.oracles import dice, mask_consensus, pairwise_dice


def disc(h=128, w=128, y=60, x=50, r=20):
    yy, xx = np.mgrid[:h, :w]
    return (yy - y) ** 2 + (xx - x) ** 2 < r**2


def noisy(truth, accuracies, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    masks = []
    for a in accuracies:
        mask = truth.astype(int).copy()
        slip = rng.random(truth.shape) > a
        mask[slip] = rng.integers(0, n_classes, slip.sum())
        masks.append(mask)
    return masks


def majority(masks, n_classes):
    return np.stack([(np.array(masks) == k).sum(0) for k in range(n_classes)]).argmax(0)


def test_mask_consensus_beats_the_majority_and_ranks_annotators_when_they_are_noisy():
    truth = disc().astype(int)
    truth[100:115, 80:110] = 2
    masks = noisy(truth, (0.95, 0.8, 0.7, 0.6, 0.9), 3)
    found = mask_consensus(masks, 3)
    missed = 1 - dice(found.label, truth, 3)
    assert (missed < 0.6 * (1 - dice(majority(masks, 3), truth, 3))).all()
    assert found.sensitivity.mean(1).argsort().tolist() == [3, 2, 1, 4, 0]
    np.testing.assert_allclose(found.probability.sum(0), 1)
    np.testing.assert_allclose(found.probability.max(0), found.confidence)


def test_mask_consensus_knows_who_paints_too_small_and_who_too_large():
    truth = disc()
    small, large = disc(r=15), disc(r=24)
    found = mask_consensus([truth, small, large, truth, truth])
    np.testing.assert_array_equal(found.label, truth)
    assert found.sensitivity[1, 1] < 0.7
    assert found.sensitivity[2, 1] > 0.95
    assert found.specificity[2, 1] < found.specificity[1, 1]


def test_mask_consensus_of_one_mask_is_the_mask():
    truth = disc()
    np.testing.assert_array_equal(mask_consensus([truth]).label, truth)
    np.testing.assert_array_equal(mask_consensus([np.zeros((4, 5), int)]).label, np.zeros((4, 5)))


def test_mask_consensus_leaves_unpainted_what_nobody_painted():
    one, other = np.full((6, 6), -1), np.full((6, 6), -1)
    one[:3], other[2:5] = 1, 0
    found = mask_consensus([one, other])
    assert (found.label[:2] == 1).all()
    assert (found.label[3:5] == 0).all()
    assert (found.label[5] == -1).all()


def test_mask_consensus_judges_the_same_however_much_background_surrounds_the_target():
    masks = [disc(), disc(r=16), disc(r=22)]
    found = mask_consensus(masks)
    wide = mask_consensus([np.pad(m, 300) for m in masks])
    np.testing.assert_allclose(found.confusion, wide.confusion)


def test_mask_consensus_takes_more_annotators_than_one_number_can_code():
    masks = [disc(40, 40, 20, 20, 8 + j % 3) for j in range(45)]
    np.testing.assert_array_equal(mask_consensus(masks).label, disc(40, 40, 20, 20, 9))


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([np.zeros((2, 2), int), np.zeros((3, 2), int)], "one shape"),
        ([], "one shape"),
        ([np.zeros((2, 2))], "whole numbers"),
        ([np.full((2, 2), -2)], "class numbers"),
    ],
)
def test_mask_consensus_says_what_is_wrong(masks, message):
    with pytest.raises(TaskError, match=message):
        mask_consensus(masks)
    with pytest.raises(TaskError, match="class numbers 0 to 1"):
        mask_consensus([np.full((2, 2), 3)], 2)


def test_dice_counts_overlap_for_each_class():
    a, b = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, -1]])
    np.testing.assert_allclose(dice(a, b, 3), [2 / 3, 2 / 3, np.nan])
    table = pairwise_dice([a, b, a])
    assert table[0, 2] == 1.0
    assert table[0, 1] == table[1, 0] == pytest.approx(2 / 3)
    with pytest.raises(TaskError, match="same shape"):
        dice(a, a.T)
