"""scikit-learn transformers as encoders, and the one door to all of them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from al_widgets.errors import EncoderError
from al_widgets.features import (
    DescriptionCache,
    Encoder,
    FeatureTable,
    HandcraftedEncoder,
    Precomputed,
    SklearnEncoder,
    open_encoder,
)
from al_widgets.pool import ArrayPool

RNG = np.random.default_rng(0)
IMAGES = load_digits().images[:120]


def means(images):
    return np.array([[np.mean(image), np.std(image)] for image in images])


def maxima(images):
    return np.array([[np.max(image)] for image in images])


class Flatten(TransformerMixin, BaseEstimator):
    """Wants images, learns their mean."""

    def fit(self, X, y=None):
        assert X.ndim == 3
        self.mean_ = X.mean(0)
        return self

    def transform(self, X):
        return (X - self.mean_).reshape(len(X), -1)


def encoded(encoder, images=IMAGES):
    table = FeatureTable(ArrayPool(images), encoder)
    assert table.run()
    return table.matrix()


def test_sklearn_encoder_fits_a_transformer_of_rows_on_flattened_images():
    matrix = encoded(SklearnEncoder(make_pipeline(StandardScaler(), PCA(10)), shape=(8, 8)))
    rows = IMAGES.reshape(120, -1)
    reference = PCA(10).fit_transform(StandardScaler().fit_transform(rows))
    np.testing.assert_allclose(np.abs(matrix), np.abs(reference), atol=1e-3)


def test_sklearn_encoder_fits_a_transformer_of_images_on_images():
    matrix = encoded(SklearnEncoder(Flatten(), shape=(8, 8)))
    np.testing.assert_allclose(matrix, (IMAGES - IMAGES.mean(0)).reshape(120, -1), atol=1e-4)


def test_sklearn_encoder_gives_images_as_they_are_to_a_transformer_that_needs_no_fit():
    np.testing.assert_allclose(encoded(SklearnEncoder(FunctionTransformer(means))), means(IMAGES), rtol=1e-5)
    mixed = [RNG.random((3, 4)), RNG.random((5, 6, 3))]
    np.testing.assert_allclose(SklearnEncoder(FunctionTransformer(means)).describe(mixed), means(mixed), rtol=1e-5)


def test_sklearn_encoder_uses_a_fitted_transformer_as_it_is():
    fitted = Flatten().fit(IMAGES[:10])
    np.testing.assert_allclose(
        encoded(SklearnEncoder(fitted)), (IMAGES - IMAGES[:10].mean(0)).reshape(120, -1), atol=1e-4
    )


def test_sklearn_encoder_leaves_the_given_transformer_unfitted():
    given = Flatten()
    encoded(SklearnEncoder(given, shape=(8, 8)))
    assert not hasattr(given, "mean_")


def test_sklearn_encoder_reduces_what_is_wide():
    wide = FunctionTransformer(lambda images: np.stack([np.resize(image, 400) for image in images]))
    assert encoded(SklearnEncoder(wide, dimension=20)).shape == (120, 20)
    assert encoded(SklearnEncoder(wide, dimension=None)).shape == (120, 400)


def test_sklearn_encoder_resizes_images_of_other_shapes_for_a_transformer_to_be_fitted():
    encoder = SklearnEncoder(PCA(2), shape=(6, 5, 3))
    described = encoder.describe([RNG.random((9, 9)), RNG.integers(0, 255, (6, 5, 3)), np.full((3, 3), np.nan)])
    assert described.shape == (3, 90)
    assert np.isfinite(described).all()


def test_fingerprint_follows_function_parameters_and_state():
    def fingerprint(transformer):
        return SklearnEncoder(transformer).fingerprint

    assert fingerprint(FunctionTransformer(means)) == fingerprint(FunctionTransformer(means))
    different = [
        FunctionTransformer(means),
        FunctionTransformer(maxima),
        FunctionTransformer(means, validate=True),
        Flatten().fit(IMAGES[:10]),
        Flatten().fit(IMAGES[:11]),
        Flatten(),
    ]
    assert len({fingerprint(transformer) for transformer in different}) == len(different)


def test_fingerprint_of_what_cannot_be_written_down_is_never_found_again():
    function = FunctionTransformer(lambda images: means(images))
    assert SklearnEncoder(function).fingerprint != SklearnEncoder(function).fingerprint


def test_two_transformers_to_be_fitted_share_descriptions_and_not_features(tmp_path):
    with DescriptionCache(tmp_path) as cache:
        tables = [FeatureTable(ArrayPool(IMAGES), SklearnEncoder(PCA(n), shape=(8, 8)), cache) for n in (3, 4)]
        assert all(table.run() for table in tables)
    assert [table.matrix().shape[1] for table in tables] == [3, 4]


def test_open_encoder_picks_by_type():
    assert isinstance(open_encoder("handcrafted"), HandcraftedEncoder)
    assert isinstance(open_encoder(PCA(3), (8, 8)), SklearnEncoder)
    assert isinstance(open_encoder(np.zeros((3, 4))), Precomputed)
    encoder = HandcraftedEncoder()
    assert open_encoder(encoder) is encoder
    assert all(isinstance(one, Encoder) for one in (encoder, SklearnEncoder(PCA(3)), Precomputed([[1.0]])))


def thirds(image):
    """Mean of three stripes."""
    return [part.mean() for part in np.array_split(np.asarray(image, float), 3)]


def halves(image):
    """Mean of two stripes."""
    return [part.mean() for part in np.array_split(np.asarray(image, float), 2)]


def test_a_function_of_one_image_is_an_encoder():
    encoder = open_encoder(thirds)
    assert isinstance(encoder, Encoder)
    table = FeatureTable(ArrayPool(IMAGES), encoder)
    assert table.run()
    np.testing.assert_allclose(table.matrix()[5], thirds(IMAGES[5]), rtol=1e-6)
    assert encoder.fingerprint == open_encoder(thirds).fingerprint != open_encoder(halves).fingerprint
    assert open_encoder(lambda i: i.mean()).fingerprint != open_encoder(lambda i: i.max()).fingerprint
    with pytest.raises(EncoderError, match="numbers for one image"):
        open_encoder(lambda i: i.ravel()).describe([np.zeros((2, 2)), np.zeros((3, 3))])


@pytest.mark.parametrize("wrong", ["resnet", 3, object(), HandcraftedEncoder])
def test_open_encoder_refuses_other_things(wrong):
    with pytest.raises(EncoderError):
        open_encoder(wrong)
