"""The ledger is a pure fold: neither order nor repetition of events changes what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_widgets.records import Annotation
from al_widgets.session.ledger import Ledger


def answer(
    n: int,
    item: str = "a",
    value: str | None = "cat",
    *,
    annotator: str = "ann",
    kind: str = "label",
    at: float | None = None,
) -> Annotation:
    return Annotation(
        f"c-{n}",
        item,
        annotator,
        kind,
        value if kind == "label" else None,
        "c",
        n,
        answered_at=float(n) if at is None else at,
    )


def undo(n: int, target: int, item: str = "a", annotator: str = "ann") -> Annotation:
    return Annotation(f"c-{n}", item, annotator, "undo", None, "c", n, target=f"c-{target}", answered_at=float(n))


@st.composite
def logs(draw: st.DrawFn) -> list[Annotation]:
    events: list[Annotation] = []
    for n in range(draw(st.integers(0, 25))):
        if events and draw(st.booleans()) and draw(st.booleans()):
            target = draw(st.sampled_from(events))
            events.append(undo(n, target.seq, target.item_id, target.annotator))
        else:
            events.append(
                answer(
                    n,
                    draw(st.sampled_from("abc")),
                    draw(st.sampled_from(["cat", "dog", "cow"])),
                    annotator=draw(st.sampled_from(["ann", "bob", "eve"])),
                    kind=draw(st.sampled_from(["label", "label", "skip", "unsure"])),
                    at=float(draw(st.integers(0, 5))),
                )
            )
    return events


@given(logs(), st.data())
def test_ledger_says_the_same_when_events_come_in_another_order_and_twice(
    events: list[Annotation], data: st.DataObject
) -> None:
    in_order = Ledger(events)
    shuffled = data.draw(st.permutations(events + events[::2]))
    other = Ledger(shuffled)
    assert other.labels == in_order.labels
    for item in "abc":
        assert other.answers(item) == in_order.answers(item)
    for annotator in ("ann", "bob", "eve"):
        assert other.answered_by(annotator) == in_order.answered_by(annotator)
        assert other.history(annotator) == in_order.history(annotator)


@given(logs())
def test_undoing_and_redoing_everything_changes_nothing(events: list[Annotation]) -> None:
    before = Ledger(events)
    more = list(events)
    for event in events:
        more.append(undo(len(more), event.seq))
        more.append(undo(len(more), len(more) - 1))
    assert Ledger(more).labels == before.labels


def test_ledger_keeps_the_earlier_answer_when_a_relabel_is_undone() -> None:
    ledger = Ledger([answer(0, value="cat"), answer(1, value="dog")])
    assert ledger.labels["a"].label == "dog"
    ledger.add(undo(2, 1))
    assert ledger.labels["a"].label == "cat"
    ledger.add(undo(3, 0))
    assert "a" not in ledger.labels


def test_ledger_takes_an_undo_that_overtook_its_answer() -> None:
    ledger = Ledger([undo(1, 0)])
    ledger.add(answer(0))
    assert ledger.labels == {}


def test_ledger_survives_a_forged_circle_of_undos() -> None:
    ledger = Ledger([answer(0), undo(1, 2), undo(2, 1)])
    assert ledger.labels["a"].label == "cat"


@pytest.mark.parametrize(("values", "label", "confidence"), [("cat cat dog", "cat", 2 / 3), ("cat dog", "dog", 1 / 2)])
def test_label_is_the_most_frequent_answer_and_on_a_tie_the_latest(values: str, label: str, confidence: float) -> None:
    ledger = Ledger(answer(n, value=v, annotator=f"p{n}") for n, v in enumerate(values.split()))
    assert ledger.labels["a"].label == label
    assert ledger.labels["a"].confidence == pytest.approx(confidence)
