"""Tasks: what may be answered to a query, checked and turned into what a learner needs.

A task holds no labels and no state of a session; it may be shared between sessions and threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from al_widgets.errors import TaskError

MAX_CLASS_NAME = 200
"""Characters a class name may have: it must fit a button."""


@runtime_checkable
class Task(Protocol):
    """What every task can do."""

    @property
    def kind(self) -> str:
        """Name of the task in stores and messages, for example ``"classification"``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of buttons and columns."""

    def validate(self, value: Any) -> Any:
        """Return the answer in the form that is stored (JSON), or raise `TaskError`."""

    def with_class(self, name: str) -> Task:
        """Return the task with one more class."""


def check_class_name(name: Any) -> str:
    """Return a class name, stripped, or raise.

    Raises
    ------
    TaskError
        If it is no text, empty, longer than 200 characters or holds control characters.
    """
    if not isinstance(name, str):
        raise TaskError(f"a class name must be text, not {type(name).__name__} ({name!r}); use str(...)")
    stripped = name.strip()
    if not stripped:
        raise TaskError("a class name must not be empty")
    if len(stripped) > MAX_CLASS_NAME:
        raise TaskError(f"a class name has at most {MAX_CLASS_NAME} characters, this one {len(stripped)}")
    if any(ord(c) < 32 for c in stripped):
        raise TaskError(f"a class name must not hold control characters: {stripped!r}")
    return stripped


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
        if isinstance(classes, str | bytes):
            raise TaskError(f"classes must be a list of names, not the text {classes!r}; use [{classes!r}]")
        names = [check_class_name(c) for c in classes]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise TaskError(f"class names must differ; given more than once: {', '.join(map(repr, twice))}")
        if not names:
            raise TaskError("a classification needs at least one class name")
        self._classes = tuple(names)

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
