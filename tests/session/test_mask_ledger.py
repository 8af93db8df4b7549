"""What strokes add up to does not depend on the order in which they arrive, nor on how often."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from al_widgets.records import Annotation
from al_widgets.session.mask_ledger import Mask, MaskLedger, paint, part_of, parts_of

SHAPE = (5, 6)
ITEMS = ("v/0", "v/1")
NUMBERS = {"soil": 0, "mine": 1, "stone": 2}


def new_ledger() -> MaskLedger:
    return MaskLedger(lambda item_id: SHAPE if item_id in ITEMS else None, NUMBERS.__getitem__)


def event(
    seq: int, kind: Any, value: Any, *, at: float, who: str = "ann", item: str = "v/0", target: Any = None
) -> Annotation:
    return Annotation(f"e{seq}", item, who, kind, value, "page", seq, target=target, answered_at=at)


@st.composite
def logs(draw: st.DrawFn) -> list[Annotation]:
    """Draw a log of strokes, answers and undos, undos of undos too, by two annotators with clocks of their own."""
    events: list[Annotation] = []
    for seq in range(draw(st.integers(1, 14))):
        at, who, item = draw(st.integers(0, 6)), draw(st.sampled_from(["ann", "bob"])), draw(st.sampled_from(ITEMS))
        kind = draw(st.sampled_from(["stroke", "stroke", "stroke", "label", "skip", "undo"]))
        if kind == "undo" and events:
            target = draw(st.sampled_from(events))
            events.append(event(seq, "undo", None, at=at, who=who, item=target.item_id, target=target.event_id))
        elif kind == "label":
            rest = draw(st.sampled_from([None, "soil"]))
            events.append(event(seq, "label", {"rest": rest}, at=at, who=who, item=item))
        elif kind == "skip":
            events.append(event(seq, "skip", None, at=at, who=who, item=item))
        else:
            parts = []
            for _ in range(draw(st.integers(0, 2))):
                r, c = draw(st.integers(0, 4)), draw(st.integers(0, 5))
                where = np.zeros(SHAPE, bool)
                where[r : r + draw(st.integers(1, 4)), c : c + draw(st.integers(1, 4))] = True
                value = draw(st.sampled_from(["soil", "mine", "stone", 254, 255]))
                parts.append(part_of(draw(st.sampled_from(ITEMS)), where, value))
            stroke = {"tool": "brush", "parts": parts, "shape": {"points": []}, "recipe": ""}
            events.append(event(seq, "stroke", stroke, at=at, who=who, item=item))
    return events


def reference(events: list[Annotation], item: str, who: str) -> Mask:
    """Say the same in the plainest way."""
    unique = {e.event_id: e for e in events}

    def stands(event_id: str) -> bool:
        return not any(stands(u.event_id) for u in unique.values() if u.kind == "undo" and u.target == event_id)

    standing = sorted(
        (e for e in unique.values() if e.annotator == who and e.kind != "undo" and stands(e.event_id)),
        key=lambda e: (e.answered_at, e.client, e.seq),
    )
    mask = np.full(SHAPE, 255, np.uint8)
    for e in standing:
        for part in e.value["parts"] if e.kind == "stroke" else ():
            if part["item_id"] == item:
                paint(mask, part, NUMBERS.get(part["value"], part["value"]))
    answers = [e for e in standing if e.kind != "stroke" and e.item_id == item]
    if answers and answers[-1].kind == "label" and answers[-1].value["rest"] is not None:
        mask[mask == 255] = NUMBERS[answers[-1].value["rest"]]
    return mask


@given(log=logs(), seed=st.integers(0, 2**32 - 1), look=st.booleans())
def test_masks_are_the_same_in_any_order_with_duplicates_and_undos(
    log: list[Annotation], seed: int, look: bool
) -> None:
    rng = random.Random(seed)
    arrived = [*log, *rng.sample(log, len(log) // 2)]
    rng.shuffle(arrived)
    ledger = new_ledger()
    for e in arrived:
        ledger.add(e)
        if look:  # what was computed in between must not matter
            ledger.mask(rng.choice(ITEMS), rng.choice(["ann", "bob"]))
    for item in ITEMS:
        for who in ("ann", "bob"):
            assert ledger.mask(item, who).tobytes() == reference(log, item, who).tobytes()
            said = any(np.any(m != 255) for m in (ledger.mask(item, who),))
            assert not said or who in ledger.annotators(item)


@given(st.lists(st.sampled_from([0, 1, 2, 254, 255]), min_size=30, max_size=30))
def test_a_mask_is_the_sum_of_its_parts(values: list[int]) -> None:
    mask = np.array(values, np.uint8).reshape(SHAPE)
    again = np.full(SHAPE, 255, np.uint8)
    for part in parts_of("v/0", mask):
        paint(again, part, part["value"])
    assert np.array_equal(again, mask)


def test_undoing_an_older_stroke_leaves_later_ones_standing_and_redo_brings_it_back_below_them() -> None:
    ledger = new_ledger()
    everywhere, corner = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    corner[:2, :2] = True
    for seq, (where, value) in enumerate([(everywhere, "soil"), (corner, "mine")]):
        stroke = {"tool": "brush", "parts": [part_of("v/0", where, value)], "shape": None, "recipe": ""}
        ledger.add(event(seq, "stroke", stroke, at=seq))
    full = ledger.mask("v/0", "ann")
    ledger.add(event(2, "undo", None, at=2, target="e0"))
    assert np.array_equal(ledger.mask("v/0", "ann"), np.where(corner, 1, 255))
    ledger.add(event(3, "undo", None, at=3, target="e2"))
    assert np.array_equal(ledger.mask("v/0", "ann"), full)


def test_strokes_alone_do_not_answer_a_section_and_a_returned_mask_is_a_copy() -> None:
    ledger = new_ledger()
    stroke = {"tool": "brush", "parts": [part_of("v/1", np.ones(SHAPE, bool), "mine")], "shape": None, "recipe": ""}
    ledger.add(event(0, "stroke", stroke, at=0, item="v/0"))
    assert not list(ledger.answered())
    assert not ledger.labels
    assert ledger.annotators("v/1") == ["ann"]
    ledger.mask("v/1", "ann")[:] = 9
    assert (ledger.mask("v/1", "ann") == 1).all()
    ledger.add(event(1, "label", {"rest": "soil"}, at=1, item="v/0"))
    assert ledger.labels["v/0"].label == {"rest": "soil"}
    assert (ledger.mask("v/0", "ann") == 0).all()
