"""The errors of al_widgets, one tree.

::

    AlWidgetsError
    ├── TaskError             classes or an answer that do not fit the task      (ValueError)
    ├── PoolError             what was given cannot be a pool                    (ValueError)
    │   └── UnknownItemError  an item id that is not in the pool                 (KeyError)
    ├── ReadError             a file that cannot be read, with path and reason   (OSError)
    ├── StoreError
    │   ├── StoreMismatchError  the store belongs to another pool or task
    │   ├── StoreConflictError  an event that is there already, with another content
    │   ├── StoreVersionError   not a store, or written by a newer version
    │   ├── StoreLockedError    another process holds it
    │   └── StoreFullError      no space left: the answer was not saved
    ├── EncoderError          an encoder failed, or gave something that is no matrix
    ├── LearnerError          a learner failed to fit or to predict
    ├── StrategyError         an unknown strategy, or one that lacks what it needs (ValueError)
    ├── CurveError            a table that is no learning curves, or a wrong way to look at them (ValueError)
    ├── SessionError          a call the session cannot serve now
    │   └── SessionClosedError
    ├── MessageError          a malformed message from the page                  (ValueError)
    └── MissingExtraError     an optional dependency, with the pip line          (ImportError)

A message says what happened, the value, and what to do. Everybody may import this module; it imports nothing of this package.
"""

from __future__ import annotations

import traceback
from pathlib import Path

PACKAGE = str(Path(__file__).parent)


class AlWidgetsError(Exception):
    """Root of all errors this package raises on purpose.

    In a notebook such an error is shown as its sentence and the caller's own lines, without the way through this package:
    what to do is said in the sentence. Where code of the caller failed (an encoder, a learner, a strategy) all is shown.
    ``%debug`` and ``traceback.print_exception(error)`` know the whole way.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows of it."""
        if self.__cause__ is not None and isinstance(self, EncoderError | LearnerError | StrategyError):
            return "".join(traceback.format_exception(self)).rstrip().split("\n")
        lines = [f"\x1b[31m{type(self).__name__}\x1b[0m: {self}"]
        for frame in traceback.extract_tb(self.__traceback__):
            if frame.filename.startswith(PACKAGE):
                break
            if "IPython" in Path(frame.filename).parts:  # which runs the cell
                continue
            place = "cell" if "ipykernel_" in frame.filename or frame.filename.startswith("<") else frame.filename
            lines.append(f"  {place}, line {frame.lineno}: {frame.line}")
        return lines


class TaskError(AlWidgetsError, ValueError):
    """Classes or an answer that do not fit the task."""


class PoolError(AlWidgetsError, ValueError):
    """What was given cannot be a pool."""


class UnknownItemError(PoolError, KeyError):
    """An item id that is not in the pool."""

    def __init__(self, item_id: str) -> None:
        super().__init__(f"no item {item_id!r} in the pool")
        self.item_id = item_id

    def __str__(self) -> str:
        """Give the sentence, not the repr that KeyError would give."""
        return str(self.args[0])


class ReadError(AlWidgetsError, OSError):
    """A file that cannot be read.

    Parameters
    ----------
    path : str
        The file, as the user would name it.
    reason : str
        One sentence that follows the name and a colon: what is wrong with it ("it is no PNG"), with field and value where there is
        one.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Give the sentence, not the errno form of OSError."""
        return f"{self.path}: {self.reason}"


class StoreError(AlWidgetsError):
    """The store could not do what was asked."""


class StoreMismatchError(StoreError):
    """The store belongs to another pool or task."""


class StoreConflictError(StoreError):
    """An event with this number or id is in the store already, with another content."""


class StoreVersionError(StoreError):
    """The file is no store of al_widgets, or was written by a newer version."""


class StoreLockedError(StoreError):
    """Another process holds the store for longer than the time-out."""


class StoreFullError(StoreError):
    """No space is left on the disk; the answer was not saved."""


class EncoderError(AlWidgetsError):
    """An encoder failed, or gave something that is no finite matrix."""


class LearnerError(AlWidgetsError):
    """A learner failed to fit or to predict."""


class StrategyError(AlWidgetsError, ValueError):
    """An unknown strategy, or one that lacks what it needs."""


class CurveError(AlWidgetsError, ValueError):
    """A table that is no learning curves, or a wrong way to look at them."""


class SessionError(AlWidgetsError):
    """A call that the session cannot serve now."""


class SessionClosedError(SessionError):
    """The session was closed."""


class MessageError(AlWidgetsError, ValueError):
    """A malformed message from the page."""


class MissingExtraError(AlWidgetsError, ImportError):
    """An optional dependency is missing.

    Parameters
    ----------
    what : str
        What needs it, for example ``"reading DICOM files"``.
    package : str
        The package that is missing.
    extra : str
        The extra of al_widgets that brings it.
    """

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs {package}. Install it with: pip install 'al-widgets[{extra}]'")
