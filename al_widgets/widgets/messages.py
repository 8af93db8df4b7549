"""Messages from the page, checked against `al_widgets.widgets.wire` before anything is done with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from al_widgets.errors import MessageError
from al_widgets.widgets import wire

MAX_TEXT = 10_000
"""Characters a text of the page may have."""
MAX_LIST = 1_000

LONGER = {
    "runs": 4_000_000,
    "token": 1_000_000,
    "parts": 10_000,
    "points": 100_000,
    "indices": 10_000,
    "item_ids": 10_000,
}
"""Fields of the volume widget that may be longer than the others."""

Shapes = Mapping[str, Any]
"""Kind of message → its TypedDict."""


def shapes_of(forms: Iterable[Any]) -> Shapes:
    """Return what messages of the given TypedDicts must look like, by their kind."""
    return {get_args(get_type_hints(form)["kind"])[0]: form for form in forms}


QUERY_SHAPES = shapes_of(wire.FROM_PAGE)


def parse(content: Any, shapes: Shapes = QUERY_SHAPES) -> dict[str, Any]:
    """Return the message with its documented fields only.

    Raises
    ------
    MessageError
        If it is no message of the page, lacks a field, or a field has another type; says which.
    """
    if not isinstance(content, dict):
        raise MessageError(f"a message must be an object, not {type(content).__name__}")
    kind = content.get("kind")
    form = shapes.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise MessageError(f"unknown kind of message {kind!r:.80}")
    return _record(content, form, str(kind))


def _record(content: dict[str, Any], form: Any, where: str) -> dict[str, Any]:
    fields, required = _fields(form)
    missing = sorted(required - set(content))
    if missing:
        raise MessageError(f"{where}: missing {', '.join(missing)}")
    return {n: _value(content[n], wanted, f"{where}.{n}") for n, wanted in fields.items() if n in content}


@cache
def _fields(form: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Return name → type of a form's fields, and the names of those that must be there."""
    hints = get_type_hints(form, include_extras=True)
    required = frozenset(n for n, hint in hints.items() if get_origin(hint) is not NotRequired)
    return get_type_hints(form), required


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
    longest = LONGER.get(where.rpartition(".")[2])
    if origin is list:
        most = longest or MAX_LIST
        if not isinstance(value, list) or len(value) > most:
            raise MessageError(f"{where}: not a list of at most {most}")
        return [_value(v, get_args(wanted)[0], where) for v in value]
    if is_typeddict(wanted):
        if not isinstance(value, dict):
            raise MessageError(f"{where}: {value!r:.80} is no object")
        return _record(value, wanted, where)
    if wanted is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise MessageError(f"{where}: {value!r:.80} is no finite number")
        return float(value)
    if wanted is int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise MessageError(f"{where}: {value!r:.80} is no count")
        return value
    if not isinstance(value, wanted) or (isinstance(value, str) and len(value) > (longest or MAX_TEXT)):
        raise MessageError(f"{where}: {value!r:.80} is no {wanted.__name__} of a usable length")
    return value
