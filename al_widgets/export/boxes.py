"""Boxes in pixels of the raw image or section, as all box formats here share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from al_widgets.errors import TaskError


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled rectangle.

    Attributes
    ----------
    label : str
        Class name.
    x, y : float
        Upper left corner in pixels, (0, 0) being the outer corner of the first pixel.
    width, height : float
        In pixels, positive.
    """

    label: str
    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not all(isfinite(v) for v in numbers) or self.width <= 0 or self.height <= 0:
            raise TaskError(f"a box needs finite numbers and a positive size, not {numbers}")


def check_boxes(item_id: str, boxes: Sequence[Box], size: tuple[int, int], classes: Sequence[str]) -> None:
    """Check that boxes lie in their picture (height, width) and their classes exist.

    Raises
    ------
    TaskError
        If not.
    """
    height, width = size
    for box in boxes:
        if box.label not in classes:
            raise TaskError(f"{item_id}: box of class {box.label!r}, the classes are {', '.join(classes)}")
        if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
            raise TaskError(f"{item_id}: {box} lies outside a picture of {width} x {height} pixels")
