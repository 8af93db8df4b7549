"""Records to rows and back; what cannot come back unchanged is refused before it reaches the database.

SQLite would store NaN as NULL and a NumPy scalar as bytes, both silently: hence the checks.
"""

from __future__ import annotations

import json
import math
import operator
from dataclasses import fields
from typing import Any, Final, get_args

from al_widgets.errors import StoreError
from al_widgets.records import Annotation, AnswerKind, Estimate, QueryKind, Round

EVENT_COLUMNS: Final = tuple(f.name for f in fields(Annotation))
"""Columns of an event, in the order of the fields of `Annotation`."""

_KINDS = frozenset(get_args(AnswerKind))
_QUERY_KINDS = frozenset(get_args(QueryKind))
_MAX_INT = 2**63 - 1


def to_json(value: Any, what: str) -> str:
    """Return strict JSON text (no NaN, no infinity), or raise `StoreError` naming `what`."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise StoreError(f"{what} holds a number that is not finite, or refers to itself ({error})") from error
    except TypeError as error:
        raise StoreError(f"{what} is no JSON value ({error}); use text, numbers, lists and dicts") from error


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise StoreError(f"{what} must be text, not {type(value).__name__} ({value!r})")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise StoreError(f"{what} {value!r} is no valid Unicode; rename the file or the class") from error
    return str(value)


def _integer(value: Any, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise StoreError(f"{what} must be a whole number, not {value!r}") from error
    if not 0 <= number <= _MAX_INT:
        raise StoreError(f"{what} must lie between 0 and 2^63 - 1, not {number}")
    return number


def _real(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{what} must be a number, not {value!r}") from error
    if not math.isfinite(number):
        raise StoreError(f"{what} must be finite, not {number}")
    return number


def _real_or_none(value: Any, what: str) -> float | None:
    return None if value is None else _real(value, what)


def event_to_row(event: Annotation) -> dict[str, Any]:
    """Return the columns of an event.

    Raises
    ------
    StoreError
        If a field could not be read back as it is: a wrong type, NaN, an unknown kind, an undo of nothing.
    """
    if event.kind not in _KINDS:
        raise StoreError(f"an event's kind is one of {sorted(_KINDS)}, not {event.kind!r}")
    if event.query_kind not in _QUERY_KINDS:
        raise StoreError(f"a query's kind is one of {sorted(_QUERY_KINDS)}, not {event.query_kind!r}")
    if (event.kind == "undo") != (event.target is not None):
        raise StoreError(
            f"an undo names the event it takes back, nothing else does; {event.kind!r} has {event.target!r}"
        )
    return {
        "event_id": _text(event.event_id, "event_id"),
        "item_id": _text(event.item_id, "item_id"),
        "annotator": _text(event.annotator, "annotator"),
        "kind": event.kind,
        "value": to_json(event.value, f"the answer to {event.item_id!r}"),
        "client": _text(event.client, "client"),
        "seq": _integer(event.seq, "seq"),
        "target": None if event.target is None else _text(event.target, "target"),
        "elapsed_s": _real_or_none(event.elapsed_s, "elapsed_s"),
        "shown_at": _real_or_none(event.shown_at, "shown_at"),
        "answered_at": _real(event.answered_at, "answered_at"),
        "strategy": _text(event.strategy, "strategy"),
        "utility": _real_or_none(event.utility, "utility"),
        "propensity": _real_or_none(event.propensity, "propensity"),
        "round": _integer(event.round, "round"),
        "query_kind": event.query_kind,
        "model_shown": bool(event.model_shown),
        "note": _text(event.note, "note"),
    }


def row_to_event(row: Any) -> Annotation:
    """Return the event of a row whose columns are `EVENT_COLUMNS`."""
    values: dict[str, Any] = dict(zip(EVENT_COLUMNS, row, strict=True))
    return Annotation(**values | {"value": json.loads(values["value"])})


def round_to_row(record: Round) -> dict[str, Any]:
    """Return the columns of a round; raises `StoreError` like `event_to_row`."""
    estimate = record.accuracy
    return {
        "round": _integer(record.round, "round"),
        "n_labels": _integer(record.n_labels, "n_labels"),
        "accuracy": _real_or_none(estimate.value, "accuracy"),
        "low": _real_or_none(estimate.low, "low"),
        "high": _real_or_none(estimate.high, "high"),
        "n": _integer(estimate.n, "n"),
        "method": _text(estimate.method, "method"),
        "why": _text(estimate.why, "why"),
        "seconds": _real(record.seconds, "seconds"),
        "money": _real_or_none(record.money, "money"),
        "strategy": _text(record.strategy, "strategy"),
        "trained_at": _real(record.trained_at, "trained_at"),
        "fit_s": _real(record.fit_s, "fit_s"),
        "reserve_predictions": to_json(record.reserve_predictions, "reserve_predictions"),
    }


def row_to_round(row: Any) -> Round:
    """Return the round of a row of the rounds table."""
    return Round(
        round=row.round,
        n_labels=row.n_labels,
        accuracy=Estimate(row.accuracy, row.low, row.high, row.n, row.method, row.why),
        seconds=row.seconds,
        money=row.money,
        strategy=row.strategy,
        trained_at=row.trained_at,
        fit_s=row.fit_s,
        reserve_predictions=tuple((item, name) for item, name in json.loads(row.reserve_predictions)),
    )
