"""Messages from the page, checked against `al_widgets.widgets.wire` before anything is done with them."""

from __future__ import annotations

import math
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from al_widgets.errors import MessageError
from al_widgets.widgets import wire

MAX_TEXT = 10_000
"""Characters a text of the page may have."""
MAX_LIST = 1_000

_SHAPES: dict[str, dict[str, Any]] = {}
for _form in wire.FROM_PAGE:
    _hints = get_type_hints(_form)
    _SHAPES[get_args(_hints["kind"])[0]] = _hints


def parse(content: Any) -> dict[str, Any]:
    """Return the message with its documented fields only.

    Raises
    ------
    MessageError
        If it is no message of the page, lacks a field, or a field has another type; says which.
    """
    if not isinstance(content, dict):
        raise MessageError(f"a message must be an object, not {type(content).__name__}")
    kind = content.get("kind")
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise MessageError(f"unknown kind of message {kind!r:.80}")
    missing = sorted(set(shape) - set(content))
    if missing:
        raise MessageError(f"{kind}: missing {', '.join(missing)}")
    return {name: _value(content[name], wanted, f"{kind}.{name}") for name, wanted in shape.items()}


def _value(value: Any, wanted: Any, where: str) -> Any:
    origin = get_origin(wanted)
    if origin is Literal:
        if value not in get_args(wanted):
            raise MessageError(f"{where}: {value!r:.80} is none of {', '.join(map(str, get_args(wanted)))}")
        return value
    if origin is UnionType:
        options = get_args(wanted)
        if value is None and NoneType in options:
            return None
        return _value(value, next(o for o in options if o is not NoneType), where)
    if origin is list:
        if not isinstance(value, list) or len(value) > MAX_LIST:
            raise MessageError(f"{where}: not a list of at most {MAX_LIST}")
        return [_value(v, get_args(wanted)[0], where) for v in value]
    if wanted is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise MessageError(f"{where}: {value!r:.80} is no finite number")
        return float(value)
    if wanted is int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise MessageError(f"{where}: {value!r:.80} is no count")
        return value
    if not isinstance(value, wanted) or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise MessageError(f"{where}: {value!r:.80} is no {wanted.__name__} of a usable length")
    return value
