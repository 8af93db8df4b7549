"""Features: encoders that turn images into vectors, their cache on disk, and the table that a session reads."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from al_widgets.features.base import Encoder

if TYPE_CHECKING:
    from al_widgets.features.cache import DescriptionCache
    from al_widgets.features.encoding import FeatureSnapshot, FeatureTable
    from al_widgets.features.handcrafted import HandcraftedEncoder
    from al_widgets.features.opening import encoder_title, open_encoder
    from al_widgets.features.precomputed import Precomputed
    from al_widgets.features.sklearn_encoder import SklearnEncoder

_HOME = {
    "DescriptionCache": "al_widgets.features.cache",
    "FeatureSnapshot": "al_widgets.features.encoding",
    "FeatureTable": "al_widgets.features.encoding",
    "HandcraftedEncoder": "al_widgets.features.handcrafted",
    "Precomputed": "al_widgets.features.precomputed",
    "SklearnEncoder": "al_widgets.features.sklearn_encoder",
    "encoder_title": "al_widgets.features.opening",
    "open_encoder": "al_widgets.features.opening",
}

__all__ = [
    "DescriptionCache",
    "Encoder",
    "FeatureSnapshot",
    "FeatureTable",
    "HandcraftedEncoder",
    "Precomputed",
    "SklearnEncoder",
    "encoder_title",
    "open_encoder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'al_widgets.features' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
