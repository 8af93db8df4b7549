"""What a pixel learner is fitted on: strokes whole, outlines thinned, background presumed where nobody has spoken."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.learning.pixels import UNLABELLED
from al_widgets.learning.training_masks import PER_OUTLINE, PRESUMED, training_masks
from al_widgets.strategies.slices import FIRST_REGIONS, wants_region

SHAPE = (4, 20, 30)


def mask(**boxes):
    found = np.full(SHAPE[1:], UNLABELLED, np.uint8)
    for value, rows in boxes.items():
        found[rows] = int(value[1:])
    return found


def masks_of(painted, outlined, doubtful=None, seed=0):
    doubtful = np.zeros(SHAPE) if doubtful is None else doubtful
    return training_masks(painted, outlined, doubtful, below=0.3, rng=np.random.default_rng(seed))


def test_strokes_count_whole_and_are_never_overwritten():
    stroke = mask(c1=slice(0, 3), c0=slice(10, 18))
    found = masks_of({2: stroke}, {2: mask(c0=slice(0, 20))})
    assert np.array_equal(found[2][stroke != UNLABELLED], stroke[stroke != UNLABELLED])
    assert (found[2][stroke == UNLABELLED] != 1).all()


def test_outlines_give_a_few_pixels_of_each_class():
    found = masks_of({}, {1: mask(c1=slice(0, 10), c0=slice(10, 20))})
    assert [(found[1] == value).sum() for value in (0, 1)] == [PER_OUTLINE, PER_OUTLINE]
    assert (found[1][10:] != 1).all()
    few = masks_of({0: mask(c1=slice(0, 1))}, {1: mask(c1=slice(0, 10)), 2: mask(c0=slice(0, 10))})
    made_up = sum((few[i] != UNLABELLED).sum() for i in (1, 2)) - 2 * PRESUMED
    assert 0 < made_up <= 30  # no more than the thirty that were painted, a section rounded up


def test_background_is_presumed_where_nothing_is_painted_and_nothing_conspicuous():
    doubtful = np.zeros(SHAPE)
    doubtful[0, :15] = 0.5
    found = masks_of({3: mask(c1=slice(0, 1))}, {1: mask(c1=slice(0, 20))}, doubtful)
    assert (found[0] == 0).sum() == PRESUMED
    assert (found[0][:15] == UNLABELLED).all()
    assert not (found[1] == 0).any()  # every pixel there was spoken of
    assert not (found[3] == 0).any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_value_appears_that_nobody_gave(seed):
    rng = np.random.default_rng(seed)
    draw = [
        {int(i): rng.choice([0, 1, 2, 255], SHAPE[1:]).astype(np.uint8) for i in rng.permutation(4)[:2]} for _ in "ab"
    ]
    before = [{i: m.copy() for i, m in d.items()} for d in draw]
    found = masks_of(*draw, rng.random(SHAPE), seed)
    assert set(found) == set(range(4))
    for index, result in found.items():
        given_here = [d[index] for d in draw if index in d]
        for value in (1, 2):
            assert all(any(g[at] == value for g in given_here) for at in zip(*np.nonzero(result == value), strict=True))
    assert all(np.array_equal(d[i], b[i]) for d, b in zip(draw, before, strict=True) for i in d)


def test_a_few_regions_come_first_and_then_sections():
    assert wants_region(0, 0)
    assert wants_region(FIRST_REGIONS - 1, 0)
    assert not wants_region(FIRST_REGIONS, 0)
    assert not wants_region(0, 1)
