"""Readers: files → arrays with axes and units.

Names are loaded when they are first used, so that importing costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from al_widgets.readers.dispatch import formats as formats
    from al_widgets.readers.dispatch import read as read
    from al_widgets.readers.survey import stack_lines as stack_lines
    from al_widgets.readers.volume import Axis as Axis
    from al_widgets.readers.volume import Image as Image
    from al_widgets.readers.volume import Volume as Volume

_WHERE = {
    "Axis": "volume",
    "Image": "volume",
    "Volume": "volume",
    "formats": "dispatch",
    "read": "dispatch",
    "stack_lines": "survey",
}

__all__ = ["Axis", "Image", "Volume", "formats", "read", "stack_lines"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"al_widgets.readers.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
