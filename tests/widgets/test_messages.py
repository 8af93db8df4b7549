"""Messages of the page are checked before anything is done with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_widgets.errors import MessageError
from al_widgets.widgets import sheet_wire
from al_widgets.widgets.messages import parse, shapes_of

ANSWER: dict[str, Any] = {
    "kind": "answer", "rid": "r1", "client": "c", "seq": 0, "event_id": "c-0", "item_id": "a.png", "answer": "label",
    "value": "cat", "note": "", "token": "", "elapsed_ms": 1200, "shown_at_ms": 1e12, "answered_at_ms": 1e12,
    "model_shown": True, "have": ["b.png"], "want": 4,
}  # fmt: skip

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def test_parse_gives_the_documented_fields_only() -> None:
    assert parse({**ANSWER, "id": "x", "extra": 1}) == ANSWER


@given(json)
def test_parse_raises_nothing_but_message_errors_for_any_json(content: Any) -> None:
    with pytest.raises(MessageError):
        parse(content)


@given(st.sampled_from(sorted(ANSWER)), json)
def test_parse_raises_nothing_but_message_errors_when_a_field_is_anything(field: str, value: Any) -> None:
    try:
        parsed = parse({**ANSWER, field: value})
    except MessageError:
        return
    assert parsed["kind"] == "answer"


@pytest.mark.parametrize(
    ("field", "value"),
    [("seq", -1), ("seq", True), ("seq", 1.5), ("seq", 2**60), ("elapsed_ms", float("nan")), ("answer", "yes"),
     ("have", [1]), ("have", ["x"] * 2000), ("value", 3), ("item_id", None), ("note", "x" * 20_000), ("model_shown", 1)],
)  # fmt: skip
def test_parse_names_the_field_when_it_has_another_type(field: str, value: Any) -> None:
    with pytest.raises(MessageError, match=field):
        parse({**ANSWER, field: value})


@pytest.mark.parametrize("field", sorted(set(ANSWER) - {"kind"}))
def test_parse_names_the_field_when_it_is_missing(field: str) -> None:
    with pytest.raises(MessageError, match=field):
        parse({k: v for k, v in ANSWER.items() if k != field})


BATCH: dict[str, Any] = {
    "kind": "batch", "rid": "c-0", "client": "c", "seq": 0, "event_id": "c-0", "shown_at_ms": 1e12, "answered_at_ms": 1e12,
    "model_shown": True,
    "events": [
        {"seq": 0, "event_id": "c-0", "item_id": "a.png", "answer": "label", "value": "cat", "note": "", "token": "",
         "target": None, "elapsed_ms": 12.5}
    ],
}  # fmt: skip


def test_parse_looks_into_the_events_of_a_batch() -> None:
    shapes = shapes_of(sheet_wire.FROM_PAGE)
    assert parse(BATCH, shapes) == BATCH
    (event,) = BATCH["events"]
    for wrong, said in (
        ({"answer": "maybe"}, r"batch.events.answer: 'maybe' is none of"),
        ({"elapsed_ms": float("nan")}, r"batch.events.elapsed_ms: nan is no finite number"),
    ):
        with pytest.raises(MessageError, match=said):
            parse({**BATCH, "events": [{**event, **wrong}]}, shapes)
    with pytest.raises(MessageError, match="no object"):
        parse({**BATCH, "events": ["x"]}, shapes)
    with pytest.raises(MessageError, match="missing target"):
        parse({**BATCH, "events": [{k: v for k, v in event.items() if k != "target"}]}, shapes)
    with pytest.raises(MessageError, match="unknown kind"):
        parse(BATCH)
