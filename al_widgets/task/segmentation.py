"""One class a pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from al_widgets.errors import TaskError
from al_widgets.task.base import check_class_name, check_classes
from al_widgets.task.strokes import IGNORE, MAX_CLASSES, TOOLS, UNLABELLED, Tool, check_stroke, pixel_value


class Segmentation:
    """One class a pixel of a section.

    Parameters
    ----------
    classes : iterable of str
        At least two names, all different; the first is the background: what the rest of a finished section is. More can be
        added while labeling, 254 in all.

    Raises
    ------
    TaskError
        If a name is not usable, two are the same, or there is only one.

    Examples
    --------
    >>> task = Segmentation(["soil", "mine"])
    >>> task.validate({"rest": 0})
    {'rest': 'soil'}
    """

    kind = "segmentation"
    tools: tuple[Tool, ...] = TOOLS
    """What strokes of this task may be made with."""

    def __init__(self, classes: Iterable[str]) -> None:
        self._classes = check_classes(classes)
        if not 2 <= len(self._classes) <= MAX_CLASSES:
            raise TaskError(
                f"a segmentation needs 2 to {MAX_CLASSES} classes, the first of them the background, "
                f"not {len(self._classes)}: {list(self._classes)[:8]}"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of mask values; the first is the background."""
        return self._classes

    @property
    def background(self) -> str:
        """Name of the first class."""
        return self._classes[0]

    def validate(self, value: Any) -> dict[str, Any]:
        """Return what finishing a section says of its unlabelled pixels, ``{"rest": class name or None}``.

        `value` may hold a class name or number; None leaves them unlabelled.

        Raises
        ------
        TaskError
            If it is no such dict, or there is no such class.
        """
        if not isinstance(value, Mapping) or "rest" not in value:
            raise TaskError(f"a section is finished with {{'rest': class or None}}, not with {value!r:.80}")
        rest = value["rest"]
        if rest in (UNLABELLED, IGNORE):
            raise TaskError(f"rest is a class or None (unlabelled), not {rest!r}")
        return {"rest": None if rest is None else pixel_value(rest, self._classes, "rest")}

    def validate_stroke(self, value: Any) -> dict[str, Any]:
        """Return a stroke in the form that is kept; see `al_widgets.task.strokes.check_stroke`."""
        return check_stroke(value, self._classes, self.tools)

    def with_class(self, name: str) -> Self:
        """Return the task with one more class at the end; the same task if it has that class."""
        name = check_class_name(name)
        return self if name in self._classes else self._with((*self._classes, name))

    def _with(self, classes: tuple[str, ...]) -> Self:
        return type(self)(classes)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._classes == self._classes

    def __hash__(self) -> int:
        return hash((self.kind, self._classes))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._classes)!r})"
