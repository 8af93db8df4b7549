"""Strokes: what an annotator changes in masks with one gesture, as it is kept in the log.

Pixels are raw indices of a section. The log keeps class names, not numbers: a mask must not turn into another when somebody gives the
classes in another order. What a stroke changes beyond one section (a region, an interpolation) are further parts of it. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from al_widgets.errors import TaskError
from al_widgets.task.rle import runs_of

UNLABELLED = 255
"""Value in masks where nobody has said anything; a part of this value erases."""
IGNORE = 254
"""Value in masks that is to be left out of training and measuring, because nobody can tell."""
MAX_CLASSES = 254

Tool = Literal[
    "brush",
    "eraser",
    "fill",
    "polygon",
    "lasso",
    "box",
    "point",
    "hyperbola",
    "fill_holes",
    "copy",
    "interpolate",
    "region",
    "mask",
]
"""What a stroke was made with; ``"mask"`` is a whole mask that a script brought."""

TOOLS: tuple[Tool, ...] = get_args(Tool)
MAX_PARTS = 10_000
MAX_POINTS = 100_000
"""Numbers that a shape may have."""
MAX_RECIPE = 10_000
"""Characters of the display recipe."""
NUMBERS = ("radius", "x0_m", "t0_ns", "velocity_m_per_ns", "depth_m")
"""Named numbers that a shape may have beside its points."""


def check_stroke(value: Any, classes: Sequence[str], tools: Sequence[str] = TOOLS) -> dict[str, Any]:
    """Return a stroke in the form that is kept, or raise.

    Parameters
    ----------
    value : dict
        ``tool``; ``parts``, a list of ``{"item_id", "value", "box", "runs"}`` with a class name or number, 254 or 255 as value, the
        box as ``[row, column, rows, columns]`` and COCO's run-length text that fills it; ``shape``, None or
        ``{"points": [column, row, column, row, …]}`` and named numbers; ``recipe``, text.
    classes : sequence of str
    tools : sequence of str
        Those the task has.

    Returns
    -------
    dict
        With class names as values.

    Raises
    ------
    TaskError
        Says which field is wrong, and how.
    """
    if not isinstance(value, Mapping):
        raise TaskError(f"a stroke is a dict with tool, parts, shape and recipe, not {_short(value)}")
    tool, parts, shape, recipe = (value.get(name) for name in ("tool", "parts", "shape", "recipe"))
    if tool not in tools:
        raise TaskError(f"tool is one of {', '.join(tools)}, not {_short(tool)}")
    if not isinstance(parts, list) or len(parts) > MAX_PARTS:
        raise TaskError(f"parts is a list of at most {MAX_PARTS} parts, not {_short(parts)}")
    if not parts and shape is None:
        raise TaskError("a stroke without parts and without shape says nothing")
    recipe = "" if recipe is None else recipe
    if not isinstance(recipe, str) or len(recipe) > MAX_RECIPE:
        raise TaskError(f"recipe is a text of at most {MAX_RECIPE} characters, not {_short(recipe)}")
    return {
        "tool": tool,
        "parts": [_part(part, number, classes) for number, part in enumerate(parts)],
        "shape": _shape(shape),
        "recipe": recipe,
    }


def pixel_value(value: Any, classes: Sequence[str], where: str = "value") -> str | int:
    """Return the class name of a name or number; 254 (ignore) and 255 (unlabelled) as they are.

    Raises
    ------
    TaskError
        If there is no such class.
    """
    if isinstance(value, str) and value in classes:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if value in (IGNORE, UNLABELLED):
            return value
        if 0 <= value < len(classes):
            return classes[value]
    known = ", ".join(f"{i} = {name!r}" for i, name in enumerate(classes[:12])) + (", …" if len(classes) > 12 else "")
    raise TaskError(
        f"{where}: {_short(value)} is no class; there are {known}, {IGNORE} = to be ignored, {UNLABELLED} = unlabelled"
    )


def _part(part: Any, number: int, classes: Sequence[str]) -> dict[str, Any]:
    where = f"parts[{number}]"
    if not isinstance(part, Mapping):
        raise TaskError(f"{where} is a dict with item_id, value, box and runs, not {_short(part)}")
    item_id, box, runs = part.get("item_id"), part.get("box"), part.get("runs")
    if not isinstance(item_id, str) or not item_id:
        raise TaskError(f"{where}.item_id is the id of a section, not {_short(item_id)}")
    if not (isinstance(box, list | tuple) and len(box) == 4 and all(_is_index(n) for n in box) and min(box[2:]) > 0):
        raise TaskError(f"{where}.box is [row, column, rows, columns] in whole pixels, not {_short(box)}")
    if not isinstance(runs, str):
        raise TaskError(f"{where}.runs is run-length text, not {_short(runs)}")
    area = box[2] * box[3]
    if len(runs) > 16 + 13 * area:
        raise TaskError(f"{where}.runs has {len(runs)} characters, far more than a box of {area} pixels can need")
    try:
        lengths = runs_of(runs)
    except ValueError as error:
        raise TaskError(f"{where}.runs cannot be read: {error}") from error
    if any(n < 0 for n in lengths) or sum(lengths) != area:
        raise TaskError(f"{where}.runs fill {sum(lengths)} pixels, the box {list(box)} has {area}")
    return {
        "item_id": item_id,
        "value": pixel_value(part.get("value"), classes, f"{where}.value"),
        "box": [int(n) for n in box],
        "runs": runs,
    }


def _shape(shape: Any) -> dict[str, Any] | None:
    if shape is None:
        return None
    points = shape.get("points") if isinstance(shape, Mapping) else None
    if not isinstance(points, list) or len(points) > MAX_POINTS or len(points) % 2 or not all(map(_is_number, points)):
        raise TaskError(
            f"shape.points is a list of at most {MAX_POINTS} finite numbers column, row, column, row, …, not {_short(points)}"
        )
    checked: dict[str, Any] = {"points": [float(p) for p in points]}
    for name in NUMBERS:
        if (number := shape.get(name)) is not None:
            if not _is_number(number):
                raise TaskError(f"shape.{name} is a finite number, not {_short(number)}")
            checked[name] = float(number)
    return checked


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
