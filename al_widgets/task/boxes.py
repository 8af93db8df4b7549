"""Boxes around objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from al_widgets.errors import TaskError
from al_widgets.task.base import check_class_name, check_classes
from al_widgets.task.segmentation import Segmentation
from al_widgets.task.strokes import Tool


class Boxes(Segmentation):
    """Boxes around objects of a section; what is in no box of a finished section is background.

    A box is kept as it was drawn, beside the pixels that it covers: the model learns from those.

    Parameters
    ----------
    classes : iterable of str
        Names of the objects, at least one.
    background : str
        Name of what is no object.

    Raises
    ------
    TaskError
        If a name is not usable, or two are the same.

    Examples
    --------
    >>> Boxes(["mine"]).classes
    ('background', 'mine')
    """

    kind = "boxes"
    tools: tuple[Tool, ...] = ("box", "point", "hyperbola", "eraser", "copy", "interpolate", "region", "mask")

    def __init__(self, classes: Iterable[str], *, background: str = "background") -> None:
        names = check_classes(classes)
        if not names:
            raise TaskError("boxes need at least one class name")
        super().__init__((check_class_name(background), *names))

    def _with(self, classes: tuple[str, ...]) -> Self:
        return type(self)(classes[1:], background=classes[0])

    def __repr__(self) -> str:
        return f"Boxes({list(self.classes[1:])!r}, background={self.background!r})"
