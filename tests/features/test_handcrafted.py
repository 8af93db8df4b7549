"""The default encoder: finite for anything, the same alone and in company, and better than pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.feature import hog as reference_hog
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from al_widgets.errors import EncoderError
from al_widgets.features import Encoder, HandcraftedEncoder
from al_widgets.features.binary_patterns import lbp
from al_widgets.features.canvas import canvases, eight_bits
from al_widgets.features.colour import hsv_histogram
from al_widgets.features.gradients import hog
from al_widgets.features.patches import filter_bank, learn_filter_bank
from al_widgets.features.reduction import BalancedPCA, principal_axes

RNG = np.random.default_rng(0)

any_image = hnp.arrays(
    st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(endianness="?"),
        hnp.unsigned_integer_dtypes(),
        hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?"),
    ),
    hnp.array_shapes(min_dims=2, max_dims=3, max_side=9),
)


@settings(max_examples=150, deadline=None)
@given(any_image)
def test_describe_is_finite_for_any_shape_and_dtype(image):
    described = HandcraftedEncoder().describe([image])
    assert described.shape == (1, 4348)
    assert described.dtype == np.float32
    assert np.isfinite(described).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(any_image, min_size=2, max_size=5))
def test_describe_gives_an_image_the_same_alone_and_in_company(images):
    encoder = HandcraftedEncoder()
    together = encoder.describe(images)
    alone = np.concatenate([encoder.describe([image]) for image in images])
    # The order of a sum in a matrix product may differ by a unit of float16, which values are rounded to.
    np.testing.assert_allclose(together, alone, rtol=2e-3, atol=2e-3)


def test_describe_is_held_exactly_by_float16():
    described = HandcraftedEncoder().describe([RNG.random((20, 30))])
    np.testing.assert_array_equal(described, described.astype(np.float16).astype(np.float32))


def test_describe_gives_what_its_fingerprint_promises():
    """Change the version in the fingerprint when this fails: caches hold the old values."""
    image = (np.indices((40, 50)).sum(0) % 17 * 15).astype(np.uint8)
    described = HandcraftedEncoder().describe([np.stack([image, image[::-1], image[:, ::-1]], -1)])
    assert HandcraftedEncoder().fingerprint == "handcrafted-1"
    np.testing.assert_allclose(
        [block.sum() for block in np.split(described[0], [1764, 2236, 2748])], [209.12, 33.71, 29.91, 901.77], rtol=1e-3
    )


def test_describe_takes_no_images_and_refuses_what_is_none():
    assert HandcraftedEncoder().describe([]).shape == (0, 4348)
    for wrong in (np.zeros(3), np.zeros((0, 4)), np.zeros((2, 2), complex), np.array([["a"]])):
        with pytest.raises(EncoderError):
            HandcraftedEncoder().describe([wrong])


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e300])
def test_eight_bits_stretches_values_of_any_size(scale):
    ramp = np.linspace(-1, 1, 400).reshape(20, 20) * scale
    levels = eight_bits(ramp)
    assert levels.min() == 0
    assert levels.max() == 255
    assert (np.diff(levels.reshape(-1).astype(int)) >= 0).all()


def test_eight_bits_keeps_bytes_and_unit_floats():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(eight_bits(grey), grey)
    np.testing.assert_array_equal(eight_bits(grey / 255 * 0.5), np.rint(grey * 0.5))
    np.testing.assert_array_equal(eight_bits(grey > 100), (grey > 100) * 255)
    holes = np.full((4, 4), np.nan)
    assert (eight_bits(holes) == 128).all()


def test_canvases_show_transparency_on_grey():
    clear = np.zeros((4, 4, 4), np.uint8)
    assert (canvases([clear], 8) == 128).all()


def test_hog_agrees_with_scikit_image_where_orientations_are_clear():
    """Both put a gradient that lies in the middle of a bin into that bin; here gradients are horizontal or vertical."""
    step = np.zeros((64, 64), np.float32)
    step[:, 29:] = 1
    ours = hog(step[None]).reshape(7, 7, 4, 9)
    theirs = reference_hog(step, 9, (8, 8), (2, 2), feature_vector=False).transpose(0, 1, 3, 2, 4).reshape(7, 7, 4, 9)
    np.testing.assert_allclose(ours[..., 0], theirs[..., 0], atol=0.02)
    assert not ours[..., 1:].any()


def test_hog_splits_a_vote_between_neighbouring_bins():
    y, x = np.mgrid[:64, :64] / 64.0
    angle = np.deg2rad(30)  # between bins 1 (20°) and 2 (40°)
    blocks = hog((x * np.cos(angle) + y * np.sin(angle))[None].astype(np.float32)).reshape(7, 7, 4, 9)
    np.testing.assert_allclose(blocks[3, 3, :, 1], blocks[3, 3, :, 2], rtol=1e-3)
    assert blocks[3, 3, :, [0, 3, 4, 5, 6, 7, 8]].max() < 1e-3


def test_lbp_counts_flat_pictures_as_one_pattern_and_ignores_brightness():
    flat = np.full((1, 16, 16), 7, np.uint8)
    assert (np.sort(lbp(flat).reshape(4, 59), axis=1)[:, -1] == 1).all()
    noise = RNG.integers(0, 100, (2, 32, 32), dtype=np.uint8)
    np.testing.assert_array_equal(lbp(noise, 2), lbp(noise + np.uint8(50), 2))
    np.testing.assert_allclose(np.square(lbp(noise)).reshape(2, 4, 59).sum(-1), 1, rtol=1e-5)


def test_hsv_histogram_tells_hues_apart():
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]], np.uint8)
    pictures = np.broadcast_to(colours[:, None, None], (5, 8, 8, 3))
    histogram = hsv_histogram(np.ascontiguousarray(pictures))
    assert len(np.unique(histogram.argmax(axis=1))) == 5
    np.testing.assert_allclose(np.square(histogram).sum(axis=1), 4)


def test_learn_filter_bank_is_reproducible_and_whitens():
    pictures = [RNG.integers(0, 255, (150, 150, 3), dtype=np.uint8)]
    first = learn_filter_bank(pictures, n_filters=20, n_patches=2000)
    second = learn_filter_bank(pictures, n_filters=20, n_patches=2000)
    np.testing.assert_array_equal(first[0], second[0])
    assert first[0].shape == (108, 20)
    assert filter_bank()[0].shape == (108, 400)


def test_principal_axes_agree_with_scikit_learn():
    rows = (RNG.standard_normal((300, 5)) * [9, 7, 5, 3, 1]) @ RNG.standard_normal((5, 40))
    rows = (rows - rows.mean(0) + RNG.standard_normal((300, 40)) * 1e-3).astype(np.float32)
    rows -= rows.mean(0)
    ours, theirs = principal_axes(rows, 5), PCA(5).fit(rows).components_
    np.testing.assert_allclose(np.abs(np.sum(ours * theirs, axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(ours @ ours.T, np.eye(5), atol=1e-5)


def test_balanced_pca_weighs_blocks_alike_whatever_their_width_and_scale():
    wide, narrow = RNG.standard_normal((500, 90)) * 1e3, RNG.standard_normal((500, 10)) * 1e-3
    rows = np.concatenate([wide, narrow, np.ones((500, 3))], axis=1).astype(np.float32)
    pca = BalancedPCA([90, 10, 3], 100).fit(rows)
    full = np.square(pca.reduce(rows)).sum(axis=1).mean()
    without = rows.copy()
    without[:, :90] = wide.mean(axis=0)
    assert np.square(pca.reduce(without)).sum(axis=1).mean() == pytest.approx(full / 2, rel=0.02)
    assert full == pytest.approx(64, rel=1e-3)


def test_balanced_pca_takes_few_and_equal_rows():
    for rows in (np.ones((1, 7)), np.ones((5, 7)), RNG.random((3, 7))):
        reduced = BalancedPCA([3, 4]).fit(rows.astype(np.float32)).reduce(rows.astype(np.float32))
        assert reduced.shape[0] == len(rows)
        assert np.isfinite(reduced).all()
    with pytest.raises(EncoderError, match="fit"):
        BalancedPCA([3]).reduce(np.ones((1, 3), np.float32))
    with pytest.raises(EncoderError, match="do not fit 3 columns"):
        BalancedPCA([3]).fit(np.ones((2, 4), np.float32))


def test_features_tell_digits_apart_with_100_labels_better_than_pixels():
    digits = load_digits()
    images, target = digits.images[:700], digits.target[:700]
    encoder = HandcraftedEncoder()
    described = np.concatenate([encoder.describe(list(images[i : i + 50])) for i in range(0, 700, 50)])
    features = encoder.fit(described).reduce(described)
    assert features.shape == (700, 256)
    assert isinstance(encoder, Encoder)
    pixels = digits.data[:700] / 16
    chosen = RNG.permutation(700)
    train, test = chosen[:100], chosen[100:]

    def accuracy(rows):
        return LogisticRegression(max_iter=1000).fit(rows[train], target[train]).score(rows[test], target[test])

    assert accuracy(features) > max(0.9, accuracy(pixels))
