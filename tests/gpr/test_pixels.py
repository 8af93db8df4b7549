"""Anomaly maps, pixel features, the pixel learner, choice of sections and regions, and the pool of sections."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from al_widgets.errors import LearnerError, PoolError, UnknownItemError
from al_widgets.features import pixels
from al_widgets.features.anomaly import anomaly_map, whiten
from al_widgets.features.gpr_synthesis import Scene, synthesize
from al_widgets.features.pixels import PixelFeatures, section_features
from al_widgets.learning.pixels import UNLABELLED, PixelLearner, region_outline
from al_widgets.learning.tree_threads import grow, mean_probability
from al_widgets.pool.base import Pool
from al_widgets.pool.slices import SlicePool
from al_widgets.readers import Volume
from al_widgets.strategies.section_coverage import coverage_order
from al_widgets.strategies.slices import (
    distance_factor,
    interval_sections,
    margin_uncertainty,
    next_regions,
    next_sections,
    random_sections,
    section_utilities,
    top_mean,
)


@pytest.fixture(scope="module")
def survey():
    return synthesize(Scene(lines=12, samples=128, traces=96, n_targets=3, n_clutter=80), seed=3)


@pytest.fixture(scope="module")
def features(survey):
    return PixelFeatures(survey.array)


def stroke(labels, index, rng):
    mask = np.full(labels.shape[1:], UNLABELLED, np.uint8)
    truth = labels[index] > 0
    for value, n in ((False, 150), (True, 60)):
        at = np.flatnonzero(truth.ravel() == value)
        mask.ravel()[rng.choice(at, min(n, len(at)), replace=False)] = int(value)
    return mask


def test_anomaly_map_ranks_targets_above_soil_without_a_label(survey):
    from sklearn.metrics import average_precision_score

    found = average_precision_score((survey.labels > 0).ravel(), anomaly_map(survey.array).ravel())
    assert found > 8 * (survey.labels > 0).mean()


def test_anomaly_map_of_a_picture_finds_the_odd_spot():
    volume = np.random.default_rng(0).normal(1000, 10, (5, 40, 40))
    volume[2, 10:14, 20:24] += 200
    index = np.unravel_index(anomaly_map(volume, "picture").argmax(), volume.shape)
    assert index[0] == 2
    assert abs(index[1] - 12) < 4
    assert abs(index[2] - 22) < 4


@pytest.mark.parametrize("kind", ["radar", "picture"])
@pytest.mark.parametrize("array", [np.zeros((3, 10, 8), np.int16), np.full((2, 9, 9), np.nan), np.ones((1, 5, 1))])
def test_features_stay_finite_on_degenerate_volumes(kind, array):
    found = PixelFeatures(array, kind)
    for i in range(len(array)):
        assert np.isfinite(found.section(i)).all()
        assert found.section(i).shape == (array[0].size, len(found.names))
    assert np.isfinite(found.anomaly).all()


def test_whiten_keeps_padding_silent():
    volume = np.random.default_rng(0).standard_normal((3, 50, 30))
    valid = np.ones((3, 30), bool)
    valid[1, 20:] = False
    volume[1, :, 20:] = 0
    assert not whiten(volume, "radar", valid)[1, :, 20:].any()
    assert not anomaly_map(volume, valid=valid)[1, :, 20:].any()


def test_section_features_shift_with_the_section():
    section = np.random.default_rng(0).standard_normal((60, 60))
    one, two = section_features(section), section_features(np.roll(section, 5, axis=1))
    assert np.allclose(one[:, 28:32], two[:, 33:37], atol=1e-3)


def test_pixel_features_cache_stays_within_its_bytes_and_serves_threads(survey):
    small = PixelFeatures(survey.array, cache_bytes=2_500_000)
    first = small.section(0)
    results = {}
    threads = [threading.Thread(target=lambda i=i: results.__setitem__(i, small.section(i % 12))) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(small.section(0), first)
    assert all(np.array_equal(results[i], results[i + 12]) for i in range(12))
    assert len(small._cache) * first.nbytes / 2 <= 2_500_000
    assert np.array_equal(small.pixels(5, np.array([3, 99])), small.section(5)[[3, 99]])


def test_features_that_were_left_off_are_computed_anew(survey, features):
    fresh, steps = PixelFeatures(survey.array), iter(range(3))

    def between():
        if next(steps, None) is None:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fresh.section(4, between)
    assert np.array_equal(fresh.section(4), features.section(4))
    assert np.array_equal(fresh.section(4, between), features.section(4))  # nothing is left to be left off


def test_trees_grown_by_threads_are_those_of_the_forest():
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 5)).astype(np.float32)
    labels = np.where(rows[:, 0] + rng.normal(size=400) > 1, 3, rng.integers(0, 2, 400))
    forest = ExtraTreesClassifier(9, max_features=0.5, max_depth=6, class_weight="balanced", random_state=4)
    grown = grow(clone(forest), rows, labels)
    forest.fit(rows, labels)
    assert np.array_equal(grown.classes_, [0, 1, 3])
    assert np.array_equal(grown.predict_proba(rows), forest.predict_proba(rows))
    assert np.allclose(mean_probability(grown, rows), forest.predict_proba(rows), atol=1e-6)


def test_pixel_learner_beats_the_map_without_labels(survey, features):
    from sklearn.metrics import average_precision_score

    truth = survey.labels > 0
    rng = np.random.default_rng(0)
    lines = coverage_order(features.anomaly, 3)
    learner = PixelLearner().fit(features, {int(i): stroke(survey.labels, i, rng) for i in lines}, 2)
    scores = np.stack([learner.probabilities(features, i) for i in range(12)])
    assert scores.shape == (*survey.array.shape, 2)
    assert scores.sum(axis=-1) == pytest.approx(1, abs=1e-5)
    rest = np.setdiff1d(np.arange(12), lines)
    learned = average_precision_score(truth[rest].ravel(), scores[rest, ..., 1].ravel())
    assert learned > average_precision_score(truth[rest].ravel(), features.anomaly[rest].ravel())


def test_pixel_learner_takes_any_classifier_and_is_reproducible(survey, features):
    from sklearn.naive_bayes import GaussianNB

    masks = {5: stroke(survey.labels, 5, np.random.default_rng(1))}
    masks[5][:, :2] = 2
    naive = PixelLearner(GaussianNB()).fit(features, masks, 4)
    assert naive.probabilities(features, 0).shape[-1] == 4
    assert not naive.probabilities(features, 0)[..., 3].any()
    one, two = (PixelLearner().fit(features, masks, 3).probabilities(features, 7) for _ in range(2))
    assert np.array_equal(one, two)
    with pytest.raises(LearnerError, match="not been fitted"):
        naive.clone().probabilities(features, 0)


def test_pixel_learner_refuses_masks_that_do_not_fit(features):
    empty = np.full((128, 96), UNLABELLED, np.uint8)
    with pytest.raises(LearnerError, match="no labelled pixel"):
        PixelLearner().fit(features, {0: empty}, 2)
    with pytest.raises(LearnerError, match="does not fit"):
        PixelLearner().fit(features, {99: empty}, 2)
    with pytest.raises(LearnerError, match="holds class 7"):
        PixelLearner().fit(features, {0: np.full((128, 96), 7, np.uint8)}, 2)


@given(n=st.integers(1, 40), k=st.integers(0, 50))
def test_interval_sections_are_even_and_distinct(n, k):
    chosen = interval_sections(n, k)
    assert len(set(chosen.tolist())) == len(chosen) == min(n, k)
    assert all(0 <= i < n for i in chosen)
    if len(chosen) > 1:
        assert np.ptp(np.diff(chosen)) <= 1


@given(n=st.integers(2, 40), labelled=st.sets(st.integers(0, 39), max_size=5), seed=st.integers(0, 9))
def test_section_utilities_are_zero_on_labelled_and_never_negative(n, labelled, seed):
    rng = np.random.default_rng(seed)
    done = np.array([i for i in labelled if i < n], np.intp)
    utilities = section_utilities(rng.random(n), done, foreground=rng.random(n))
    assert np.isfinite(utilities).all()
    assert (utilities >= 0).all()
    assert not utilities[done].any()
    left = np.setdiff1d(np.arange(n), done)
    chosen = next_sections(utilities, left, 3, reach=2)
    assert len(set(chosen.tolist())) == min(3, len(left))
    assert set(chosen) <= set(left)
    assert set(random_sections(left, 3, rng)) <= set(left)


def test_section_utilities_prefer_cheap_sections_at_equal_doubt():
    utilities = section_utilities(np.ones(20), np.array([10]), foreground=np.linspace(0, 1, 20), reach=1)
    assert utilities[2] > utilities[18]
    assert distance_factor(5, np.array([], np.intp), 1).tolist() == [1] * 5


def test_top_mean_sees_what_an_average_hides():
    flat, spot = np.full((50, 50), 0.2), np.zeros((50, 50))
    spot[:5, :5] = 1
    assert flat.mean() > spot.mean()
    assert top_mean(spot) > top_mean(flat)
    assert margin_uncertainty(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])).tolist() == [1, 0]


def test_next_regions_asks_about_the_doubtful_blob_and_never_twice():
    p = np.zeros((8, 30, 30), np.float32)
    p[2:4, 5:10, 5:10] = 0.95
    p[5:7, 20:25, 20:25] = 0.6
    p[0, 0, 0] = 0.9  # a speck
    asked = np.zeros(p.shape, bool)
    first, second = next_regions(p, asked, 5)
    assert first.box == (5, 20, 20, 7, 25, 25)
    assert first.section in (5, 6)
    assert first.probability == pytest.approx(0.6)
    assert second.box == (2, 5, 5, 4, 10, 10)
    asked[first.voxels] = True
    assert [r.box for r in next_regions(p, asked, 5)] == [second.box]
    assert next_regions(np.zeros_like(p), asked) == []


def test_next_regions_splits_what_covers_everything():
    p = np.full((10, 40, 40), 0.55, np.float32)
    p[2:4, 5:9, 5:9] = 0.8
    regions = next_regions(p, np.zeros(p.shape, bool), 3)
    assert [r.box for r in regions] == [(2, 5, 5, 4, 9, 9)]


def test_next_regions_cuts_a_large_blob_without_raising_the_threshold_of_the_others():
    p = np.zeros((10, 40, 40), np.float32)
    p[:, :20] = 0.7  # more than a hundredth of the volume, of one piece to the end
    p[4:6, 30:35, 30:35] = 0.4
    asked = np.zeros(p.shape, bool)
    assert (4, 30, 30, 6, 35, 35) in [r.box for r in next_regions(p, asked, 9, threshold=0.3)]
    asked[0, 0, 0] = True  # somebody judged the large one
    assert [r.box for r in next_regions(p, asked, 9, threshold=0.3)] == [(4, 30, 30, 6, 35, 35)]


def test_the_learner_takes_more_background_than_pixels_of_an_object(features):
    class Counting:
        classes_ = np.array([0, 1])

        def get_params(self, deep=True):
            return {}

        def fit(self, x, y):
            self.counts = np.bincount(y)
            return self

        def predict_proba(self, x):
            return np.full((len(x), 2), 0.5)

    mask = np.zeros(features.shape[1:], np.uint8)
    mask[:40] = 1
    learner = PixelLearner(Counting(), max_pixels=100, max_background=300).fit(features, {2: mask}, 2)
    assert learner.estimator.counts.tolist() == [300, 100]
    assert learner.clone().fit(features, {2: mask}, 2).estimator.counts.tolist() == [300, 100]


def test_the_mask_is_nearer_the_truth_than_at_even_odds(survey, features):
    rng = np.random.default_rng(0)
    lines = coverage_order(features.anomaly, 3)
    learner = PixelLearner().fit(features, {int(i): stroke(survey.labels, i, rng) for i in lines}, 2)
    rest = np.setdiff1d(np.arange(12), lines)
    p = np.stack([learner.probabilities(features, i)[..., 1] for i in rest])
    truth = survey.labels[rest] > 0
    shown, even = (
        2 * (mask & truth).sum() / (mask.sum() + truth.sum()) for mask in (p > 0.5, p > 1 / (1 + np.exp(learner.shift)))
    )
    assert learner.shift > 0
    assert shown > even
    assert learner.expect(features.section(0))[:, 1] == pytest.approx(
        learner.probabilities(features, 0)[..., 1].ravel()
    )


def test_the_outline_of_a_region_holds_the_object_and_never_leaves_the_box_of_the_blob():
    strength = np.full((5, 40, 40), 0.05)
    strength[1:4, 18:23, 18:23] = 1.0
    strength[:, :8] = 3.0  # a direct wave, tied to the object
    strength[:, 8:18, 20] = 0.6
    blob = tuple(a.astype(np.intp) for a in np.nonzero(strength[:, 16:21, :21] > 0.5))
    blob = (blob[0], blob[1] + 16, blob[2])
    inside = np.zeros(strength.shape, bool)
    inside[region_outline(strength, blob)] = True
    assert inside[1:4, 18:21, 18:21].all()
    inside[tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in blob)] = False
    assert not inside.any()
    nothing = region_outline(np.zeros_like(strength), blob)
    assert all(np.array_equal(a, b) for a, b in zip(nothing, blob, strict=True))


def test_slice_pool_serves_sections_under_stable_ids():
    array = (np.arange(3 * 6 * 8).reshape(3, 6, 8) - 60).astype(np.int16)
    volume = Volume(
        array, [("line", "m", 0.2), ("time", "ns", 0.5), ("distance", "m", 0.1)], name="L1", lengths=(8, 5, 8)
    )
    pool = SlicePool(volume)
    assert isinstance(pool, Pool)
    assert list(pool.item_ids) == ["L1/0", "L1/1", "L1/2"]
    assert (len(pool), pool.name, pool.index("L1/2")) == (3, "L1", 2)
    assert np.array_equal(pool.image("L1/1"), array[1, :, :5])
    payload = pool.payload("L1/0")
    assert (payload.dtype, payload.width, payload.height, payload.low) == ("int16", 8, 6, -payload.high)
    assert np.array_equal(np.frombuffer(payload.data, "<i2").reshape(6, 8), array[0])
    again = SlicePool(Volume(array.copy(), volume.axes, name="L1", lengths=(8, 5, 8)))
    assert again.identity() == pool.identity()
    changed = array.copy()
    changed[0, 0, 0] += 1
    assert SlicePool(Volume(changed, volume.axes, name="L1")).content_key("L1/0") != pool.content_key("L1/0")
    with pytest.raises(UnknownItemError):
        pool.image("L1/3")
    with pytest.raises(PoolError, match="needs a Volume"):
        SlicePool(array)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100))
def test_labels_stay_where_they_are_whatever_is_shown(seed):
    from al_widgets.features.gpr_processing import Recipe

    section = np.random.default_rng(seed).integers(-500, 500, (60, 20)).astype(np.int16)
    volume = Volume(section, name="v")
    pool = SlicePool(volume)
    key = pool.content_key("v/0")
    Recipe(dewow_ns=1, gain="agc", velocity_m_per_ns=0.1).apply(pool.image("v/0"), 0.1, 0.02, seed % 50)
    assert pool.content_key("v/0") == key
    moved = volume.with_axes(None, type(volume.axes[1])("time", "ns", 0.1, -2.0))
    assert SlicePool(moved).content_key("v/0") == key


def test_the_maps_of_a_large_picture_are_those_of_a_small_one(monkeypatch):
    rng = np.random.default_rng(0)
    volume = rng.normal(size=(6, 61, 75)).astype(np.float32)
    volume[2:4, 20:34, 30:45] += 6
    small = PixelFeatures(volume, "picture")
    monkeypatch.setattr(pixels, "LARGE_VOXELS", 1000)
    large = PixelFeatures(volume, "picture")
    steps = []
    large.prepare(lambda done, total: steps.append((done, total)))
    assert steps == [(i, 4) for i in range(5)]
    assert large.overview.size < small.overview.size / 10
    assert large.section(3).shape == small.section(3).shape
    assert large.anomaly.shape == volume.shape
    names = small.names
    for at in range(len(names) - 3, len(names)):
        one, other = small.section(3)[:, at], large.section(3)[:, at]
        assert np.corrcoef(one, other)[0, 1] > 0.97, names[at]
        assert np.median(np.abs(one - other)) < 0.2, names[at]
    assert np.array_equal(large.section_anomaly(3), large.anomaly[3])


@pytest.mark.parametrize("kind", ["radar", "picture"])
def test_strength_of_a_box_is_that_of_the_whole(kind):
    volume = np.random.default_rng(0).normal(size=(9, 80, 40)).astype(np.float32)
    strength = PixelFeatures(volume, kind).strength
    whole = strength[:, :, :]
    assert whole.shape == strength.shape == volume.shape
    assert (whole >= 0).all()
    for box in (np.s_[0:2, 30:40, 5:9], np.s_[6:9, 70:80, 0:40], np.s_[2:3, 0:80, 39:40]):
        assert np.allclose(strength[box], whole[box], atol=1e-5)
