"""Sessions: the loop that ties pool, store, learner and strategy together, in the three scenarios of active learning.

Names are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from al_widgets.session.session import Session

if TYPE_CHECKING:
    from al_widgets.session.echoes import Echoes
    from al_widgets.session.generators import Generator, Ranges
    from al_widgets.session.picture_generators import Blends, Midpoints, UniformPixels
    from al_widgets.session.reality import Reality, answerable_share
    from al_widgets.session.simulation import simulate
    from al_widgets.session.stream import StreamSession
    from al_widgets.session.synthesis import SynthesisSession
    from al_widgets.session.volume import VolumeSession

_HOME = {
    "Blends": "al_widgets.session.picture_generators",
    "Echoes": "al_widgets.session.echoes",
    "Generator": "al_widgets.session.generators",
    "Midpoints": "al_widgets.session.picture_generators",
    "Ranges": "al_widgets.session.generators",
    "Reality": "al_widgets.session.reality",
    "StreamSession": "al_widgets.session.stream",
    "SynthesisSession": "al_widgets.session.synthesis",
    "UniformPixels": "al_widgets.session.picture_generators",
    "VolumeSession": "al_widgets.session.volume",
    "answerable_share": "al_widgets.session.reality",
    "simulate": "al_widgets.session.simulation",
}

__all__ = [
    "Blends",
    "Echoes",
    "Generator",
    "Midpoints",
    "Ranges",
    "Reality",
    "Session",
    "StreamSession",
    "SynthesisSession",
    "UniformPixels",
    "VolumeSession",
    "answerable_share",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'al_widgets.session' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
