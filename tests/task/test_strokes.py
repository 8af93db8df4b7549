"""Tasks of pixels: what strokes and finishing answers may be, and clear words for what they may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import al_widgets as al
from al_widgets.errors import TaskError
from al_widgets.session.mask_ledger import paint, part_of
from al_widgets.task.strokes import TOOLS

TASK = al.Segmentation(["soil", "mine"])
SQUARE = part_of("line/3", np.pad(np.ones((2, 3), bool), ((5, 4), (6, 4))), 1)


def stroke(**fields: Any) -> dict[str, Any]:
    return {"tool": "brush", "parts": [SQUARE], "shape": None, "recipe": "", **fields}


def part(**fields: Any) -> dict[str, Any]:
    assert SQUARE is not None
    return stroke(parts=[{**SQUARE, **fields}])


def test_a_stroke_is_kept_with_class_names() -> None:
    kept = TASK.validate_stroke(stroke())
    assert kept["parts"] == [{"item_id": "line/3", "value": "mine", "box": [5, 6, 2, 3], "runs": SQUARE["runs"]}]  # type: ignore[index]
    assert TASK.validate_stroke(kept) == kept
    assert [TASK.validate_stroke(part(value=v))["parts"][0]["value"] for v in (0, 254, 255, "mine")] == [
        "soil",
        254,
        255,
        "mine",
    ]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "dict"),
        (stroke(tool="laser"), "laser"),
        (stroke(parts=[]), "says nothing"),
        (stroke(parts=[{}] * 10_001), "10000"),
        (stroke(parts=["x"]), r"parts\[0\]"),
        (stroke(recipe="x" * 10_001), "recipe"),
        (stroke(shape={"points": [1.0]}), "points"),
        (stroke(shape={"points": [1.0, float("nan")]}), "points"),
        (stroke(shape={"points": [], "depth_m": "deep"}), "depth_m"),
        (part(item_id=""), "item_id"),
        (part(value=2), "0 = 'soil', 1 = 'mine'"),
        (part(value=True), "True"),
        (part(value="stone"), "'stone'"),
        (part(box=[0, 0, 0, 1]), "box"),
        (part(box=[-1, 0, 2, 3]), "box"),
        (part(box=[5, 6, 2, 2**40]), "box"),
        (part(box=[5, 6, 2.0, 3]), "box"),
        (part(runs=7), "runs"),
        (part(runs="\N{SNOWMAN}"), "cannot be read"),
        (part(box=[5, 6, 2, 4]), "fill 6 pixels"),
        (part(runs="0" * 1000), "1000 characters"),
        (part(runs="N0"), "runs"),
    ],
)
def test_what_is_no_stroke_is_refused_with_the_field(value: Any, word: str) -> None:
    with pytest.raises(TaskError, match=word):
        TASK.validate_stroke(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@given(
    field=st.sampled_from(["tool", "parts", "shape", "recipe", "item_id", "value", "box", "runs"]), value=json_values
)
def test_any_other_json_is_a_stroke_or_a_task_error(field: str, value: Any) -> None:
    given_ = stroke(**{field: value}) if field in stroke() else part(**{field: value})
    try:
        kept = TASK.validate_stroke(given_)
    except TaskError:
        return
    for piece in kept["parts"]:
        paint(np.full((16, 16), 255, np.uint8), piece, 1)


def test_finishing_says_what_the_rest_is() -> None:
    assert TASK.validate({"rest": 0}) == {"rest": "soil"} == TASK.validate({"rest": "soil"})
    assert TASK.validate({"rest": None}) == {"rest": None}
    for wrong in ("soil", {}, {"rest": 7}, {"rest": 255}, {"rest": 254}, {"rest": [0]}):
        with pytest.raises(TaskError):
            TASK.validate(wrong)


def test_boxes_have_a_background_and_their_own_tools() -> None:
    task = al.Boxes(["mine"], background="soil")
    assert task.classes == ("soil", "mine")
    assert task.validate_stroke(stroke(tool="box"))["parts"][0]["value"] == "mine"
    with pytest.raises(TaskError, match="tool is one of box"):
        task.validate_stroke(stroke(tool="brush"))
    grown = task.with_class("stone")
    assert isinstance(grown, al.Boxes)
    assert grown.classes == ("soil", "mine", "stone")
    assert eval(repr(grown), {"Boxes": al.Boxes}) == grown


@pytest.mark.parametrize("classes", ["soil", ["soil"], ["soil", "soil"], [f"c{i}" for i in range(255)], ["soil", ""]])
def test_classes_that_masks_cannot_hold_are_refused(classes: Any) -> None:
    with pytest.raises(TaskError):
        al.Segmentation(classes)


def test_every_tool_of_the_messages_is_a_tool_of_strokes() -> None:
    for tool in TOOLS:
        assert TASK.validate_stroke(stroke(tool=tool))["tool"] == tool
