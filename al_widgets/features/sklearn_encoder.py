"""Any scikit-learn transformer as an encoder. Imported by `al_widgets.features` only when asked for."""

from __future__ import annotations

import copy
import hashlib
import inspect
import sys
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import EncoderError
from al_widgets.features.canvas import eight_bits
from al_widgets.features.reduction import BalancedPCA

FloatArray = npt.NDArray[np.float32]

_DEFAULT_SHAPE = (64, 64, 3)
_LARGEST = 128 * 128 * 3


class SklearnEncoder:
    """Features by a transformer with ``transform``, and ``fit`` if it needs it.

    A transformer that is fitted already, or needs no fit, gets the images as they are: an array (n, h, w[, c]) if all have one
    shape and dtype, else a list. One that has to be fitted is cloned and fitted on a sample of the pool's images, resized to
    `shape` as an array (n, *shape) of float32; if it refuses that, as scikit-learn's own transformers do, on rows of pixels
    (n, h · w · c). What it gives is reduced to 256 balanced principal components if it has more columns.

    Parameters
    ----------
    transformer : object
    shape : tuple of int, optional
        (h, w) or (h, w, c) that images have for a transformer that is fitted here; default (64, 64, 3).
    dimension : int or None
        Columns kept at most; None keeps all.

    Raises
    ------
    EncoderError
        If the object has no ``transform``.
    """

    def __init__(self, transformer: Any, shape: tuple[int, ...] | None = None, dimension: int | None = 256) -> None:
        if not callable(getattr(transformer, "transform", None)):
            raise EncoderError(f"a {type(transformer).__name__} has no transform method and cannot be an encoder")
        self._given = transformer
        self._ready = _needs_no_fit(transformer)
        self._shape = _DEFAULT_SHAPE if shape is None or np.prod(shape) > _LARGEST else tuple(shape)
        self._dimension = dimension
        self._fitted: Any = None
        self._flat = False
        self._reduction: BalancedPCA | None = None
        self._fingerprint = f"sklearn-{_state_digest(transformer)}" if self._ready else f"images-{self._shape}"

    @property
    def fingerprint(self) -> str:
        """Of a fitted transformer: class, parameters, state and code; of others: the shape of the images."""
        return self._fingerprint

    def describe(self, images: Sequence[npt.NDArray[Any]]) -> FloatArray:
        """Return what the transformer gives, or the images themselves as rows if it is still to be fitted."""
        if not self._ready:
            return np.stack([_resized(image, self._shape) for image in images])
        same = len({(image.shape, image.dtype.str) for image in images}) == 1
        return _matrix(self._given.transform(np.stack(images) if same else list(images)), len(images))

    def fit(self, descriptions: FloatArray) -> Self:
        """Fit the transformer, where it is to be fitted, and the reduction."""
        rows = descriptions
        if not self._ready:
            self._fitted, self._flat = self._fit_transformer(descriptions)
            rows = self._transform(descriptions)
        wide = self._dimension is not None and rows.shape[1] > self._dimension
        self._reduction = BalancedPCA([rows.shape[1]], self._dimension or 1).fit(rows) if wide else None
        return self

    def reduce(self, descriptions: FloatArray) -> FloatArray:
        """Return features, shape (n, d), float32."""
        rows = descriptions if self._ready else self._transform(descriptions)
        return rows if self._reduction is None else self._reduction.reduce(rows)

    def _fit_transformer(self, descriptions: FloatArray) -> tuple[Any, bool]:
        images = descriptions.reshape(-1, *self._shape)
        try:
            fitted = _copy(self._given).fit(images)
            fitted.transform(images[:1])
        except (ValueError, TypeError, IndexError):
            # scikit-learn's own transformers want rows; what is wrong beyond that shows in this second try.
            return _copy(self._given).fit(descriptions), True
        return fitted, False

    def _transform(self, descriptions: FloatArray) -> FloatArray:
        if self._fitted is None:
            raise EncoderError("the transformer has not been fitted; call fit(descriptions) first")
        images = descriptions if self._flat else descriptions.reshape(-1, *self._shape)
        return _matrix(self._fitted.transform(images), len(descriptions))


class ImageFunction:
    """A function of one image, with the face of a transformer that needs no fit.

    Parameters
    ----------
    function : callable
        Image (h, w[, c]) → numbers, as many for every image.
    """

    def __init__(self, function: Callable[[npt.NDArray[Any]], Any]) -> None:
        self.function = function

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - the name is scikit-learn's
        """Return the function: what it computes is part of the fingerprint."""
        return {"function": self.function}

    def transform(self, images: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return one row an image."""
        rows = [np.asarray(self.function(image), np.float32).reshape(-1) for image in images]
        if len({len(row) for row in rows}) > 1:
            raise EncoderError(f"the encoder gave {len(rows[0])} numbers for one image and other numbers for others")
        return np.stack(rows)


def _needs_no_fit(transformer: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not hasattr(transformer, "fit"):
        return True
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        return False
    except (TypeError, AttributeError):
        return False
    return True


def _copy(transformer: Any) -> Any:
    from sklearn.base import clone

    return clone(transformer) if hasattr(transformer, "get_params") else copy.deepcopy(transformer)


def _resized(image: npt.NDArray[Any], shape: tuple[int, ...]) -> FloatArray:
    """Return the image as one row of its values; resized and brought to 0 … 255 only if its shape is another."""
    if image.shape != shape:
        from PIL import Image

        mode = "RGB" if len(shape) == 3 and shape[2] >= 3 else "L"
        picture = Image.fromarray(eight_bits(image)).convert(mode)
        image = np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
        if image.ndim < len(shape):
            image = image[:, :, None]
        image = np.resize(image, shape) if image.shape != shape else image
    values = np.asarray(image, np.float32).reshape(-1)
    finite = np.isfinite(values)
    return (
        values if finite.all() else np.where(finite, values, values[finite].mean() if finite.any() else np.float32(0))
    )


def _matrix(values: Any, n: int) -> FloatArray:
    if hasattr(values, "toarray"):
        values = values.toarray()
    matrix = np.asarray(values, np.float32)
    if matrix.ndim > 2:
        matrix = matrix.reshape(len(matrix), -1)
    if matrix.ndim != 2 or len(matrix) != n:
        raise EncoderError(f"the transformer gave shape {matrix.shape} for {n} images, not ({n}, d)")
    return matrix


def _state_digest(transformer: Any) -> str:
    """Digest of what a transformer computes: state, and code that lives in the user's own files or cells.

    Something that cannot be written down gets a random one: its descriptions are not found again by the next session.
    """
    import joblib

    try:
        parts = [joblib.hash(transformer), *_code(transformer)]
    except Exception:  # pickling runs the objects' own code
        return uuid.uuid4().hex
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _code(transformer: Any) -> list[str]:
    things = [transformer, *(transformer.get_params(deep=True).values() if hasattr(transformer, "get_params") else ())]
    code = []
    for thing in things:
        definition = thing if inspect.isroutine(thing) or inspect.isclass(thing) else type(thing)
        package = sys.modules.get((definition.__module__ or "builtins").partition(".")[0])
        version = getattr(package, "__version__", None)
        if version is not None:
            code.append(f"{definition.__module__}.{definition.__qualname__} {version}")
        elif definition.__module__ != "builtins":
            code.append(inspect.getsource(definition))  # raises if it has none: then nothing can be said of it
    return code
