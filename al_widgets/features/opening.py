"""One door to all encoders: what was given decides which. Imported by `al_widgets.features` and sessions."""

from __future__ import annotations

from typing import Any

import numpy as np

from al_widgets.errors import EncoderError
from al_widgets.features.base import Encoder


def open_encoder(encoder: Any = None, item_shape: tuple[int, ...] | None = None) -> Encoder:
    """Return the encoder for what a user gave.

    Parameters
    ----------
    encoder : None, str, Encoder, transformer or array_like
        None or ``"handcrafted"``: the default; ``"pretrained"``: EfficientNet-Lite0; an `Encoder` is returned as it is; an object
        with ``transform`` becomes a `SklearnEncoder`; a matrix (N, d) a `Precomputed`.
    item_shape : tuple of int, optional
        Shape that all of the pool's images have, if they do (``pool.item_shape`` of an array pool).

    Raises
    ------
    EncoderError
        If it is none of these.
    MissingExtraError
        For ``"pretrained"`` without its extra.
    """
    if encoder is None or (isinstance(encoder, str) and encoder == "handcrafted"):
        from al_widgets.features.handcrafted import HandcraftedEncoder

        return HandcraftedEncoder()
    if isinstance(encoder, str):
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
    raise EncoderError(
        f"a {type(encoder).__name__} is no encoder; give a scikit-learn transformer, or a matrix of features"
    )
