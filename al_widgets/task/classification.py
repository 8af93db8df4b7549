"""One class an item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from al_widgets.errors import TaskError
from al_widgets.task.base import check_class_name, check_classes


class Classification:
    """One class an item.

    Parameters
    ----------
    classes : iterable of str
        At least one name, all different. More can be added while labeling.

    Raises
    ------
    TaskError
        If a name is not usable, or two are the same.

    Examples
    --------
    >>> task = Classification(["cat", "dog"])
    >>> task.validate("cat")
    'cat'
    """

    kind = "classification"

    def __init__(self, classes: Iterable[str]) -> None:
        self._classes = check_classes(classes)
        if not self._classes:
            raise TaskError("a classification needs at least one class name")

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of buttons and columns."""
        return self._classes

    def validate(self, value: Any) -> str:
        """Return the class name, or raise `TaskError` with the classes there are."""
        if isinstance(value, str) and value in self._classes:
            return value
        known = ", ".join(map(repr, self._classes[:12])) + (", …" if len(self._classes) > 12 else "")
        raise TaskError(f"{value!r} is no class of this task; there are: {known}")

    def with_class(self, name: str) -> Classification:
        """Return the task with one more class at the end; the same task if it has that class."""
        name = check_class_name(name)
        return self if name in self._classes else Classification([*self._classes, name])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classification) and other._classes == self._classes

    def __hash__(self) -> int:
        return hash(("classification", self._classes))

    def __repr__(self) -> str:
        return f"Classification({list(self._classes)!r})"
