"""What every task can do, and what a class may be called."""

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


def check_classes(classes: Iterable[str]) -> tuple[str, ...]:
    """Return class names, checked to be usable and all different.

    Raises
    ------
    TaskError
        If not, or if `classes` is a single text.
    """
    if isinstance(classes, str | bytes):
        raise TaskError(f"classes must be a list of names, not the text {classes!r}; use [{classes!r}]")
    if not isinstance(classes, Iterable):
        raise TaskError(f"classes must be a list of names, not {classes!r}")
    names = [check_class_name(c) for c in classes]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise TaskError(f"class names must differ; given more than once: {', '.join(map(repr, twice))}")
    return tuple(names)
