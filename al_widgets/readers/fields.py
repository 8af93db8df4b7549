"""Checked access to files that strangers wrote: sizes before reading, header fields with name and value in errors.

Imported by the readers of this folder only.
"""

from __future__ import annotations

import os
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import MissingExtraError, ReadError

MAX_HEADER_TEXT = 4_000_000
"""Bytes a text header may have; real ones have a few thousand."""

MAX_RATIO = 1032
"""Largest expansion that deflate can reach: beyond it, a declared size is not backed by the bytes."""

FREE_BYTES = 64 * 2**20
"""Bytes that any compressed file may expand to, whatever its size."""


def file_size(path: Path) -> int:
    """Return the size of a regular file.

    Raises
    ------
    ReadError
        If there is none, or it is a folder, a pipe or a device (reading which might never end).
    """
    with reading(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(str(path), "it is no regular file")
        return status.st_size


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into a `ReadError` that names the file."""
    try:
        yield
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(str(path), f"it cannot be opened: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise ReadError(str(path), f"it is no usable file name: {error}") from error


@contextmanager
def foreign(path: Path, what: str) -> Iterator[None]:
    """Run a library's parser: whatever a broken file makes it raise becomes a `ReadError`, its warnings are silenced.

    Parsers of rich formats raise what their codecs, structs and arithmetic raise; for the caller that is one thing, an
    unreadable file. The cause stays attached.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ReadError, MissingExtraError):
        raise
    except Exception as error:
        raise ReadError(str(path), f"it is no readable {what}: {type(error).__name__}: {str(error)[:200]}") from error


def read_bytes(path: Path, limit: int | None = None) -> bytes:
    """Return the content of a regular file, or its first `limit` bytes."""
    file_size(path)
    with reading(path), path.open("rb") as file:
        return file.read(-1 if limit is None else limit)


def read_array(path: Path, dtype: str, count: int, offset: int) -> npt.NDArray[Any]:
    """Return `count` values from `offset`; the caller has checked that the file holds them."""
    with reading(path):
        array = np.fromfile(path, dtype, count, offset=offset)
    if array.size != count:
        raise ReadError(str(path), f"ended after {array.size} of {count} values while it was read")
    return array


class Fields:
    """Fields of a binary header, read with bounds checked.

    Parameters
    ----------
    path : Path
        Named in errors.
    data : bytes
        The header.
    order : {"<", ">"}
        Byte order.
    """

    def __init__(self, path: Path, data: bytes, order: str = "<") -> None:
        self.path = path
        self.data = data
        self.order = order
        self.values: dict[str, int | float] = {}

    def number(self, code: str, offset: int, name: str) -> Any:
        """Return one number (a `struct` code); it is kept in `values` for the metadata."""
        size = struct.calcsize(code)
        if offset + size > len(self.data):
            raise ReadError(
                str(self.path),
                f"it is truncated: header field {name} at byte {offset} lies beyond the {len(self.data)} bytes there are",
            )
        (value,) = struct.unpack_from(self.order + code, self.data, offset)
        if isinstance(value, int) or isfinite(value):  # JSON knows no NaN
            self.values[name] = value
        return value

    def integer(self, code: str, offset: int, name: str, low: int, high: int) -> int:
        """Return an integer between `low` and `high`, or raise `ReadError`."""
        value = self.number(code, offset, name)
        if not isfinite(value) or value != int(value) or not low <= value <= high:
            self.bad(name, value, f"a whole number from {low} to {high}")
        return int(value)

    def real(self, code: str, offset: int, name: str, *, positive: bool = False) -> float:
        """Return a finite float, above 0 if `positive`, or raise `ReadError`."""
        value = float(self.number(code, offset, name))
        if not isfinite(value) or abs(value) > 1e12 or (positive and not value > 1e-12):
            self.bad(name, value, "a positive number" if positive else "a finite number")
        return value

    def bad(self, name: str, value: object, expected: str) -> None:
        """Raise `ReadError` for a field."""
        raise ReadError(str(self.path), f"header field {name} is {value!r}, expected {expected}")


class TextFields:
    """``KEY = VALUE`` lines of a text header.

    Parameters
    ----------
    path : Path
    separator : str
        ``"="`` or ``":"``.
    """

    def __init__(self, path: Path, separator: str) -> None:
        size = file_size(path)
        if size > MAX_HEADER_TEXT:
            raise ReadError(str(path), f"it is no text header: it has {size} bytes")
        self.path = path
        self.values: dict[str, str] = {}
        text = read_bytes(path).decode("latin-1")
        for line in text.splitlines():
            key, found, value = line.partition(separator)
            if found and key.strip().isprintable():
                self.values.setdefault(key.strip(), value.strip())

    def real(self, name: str, default: float | None = None, *, positive: bool = False) -> float:
        """Return a finite number, `default` if the field is missing, or raise `ReadError`."""
        text = self.values.get(name)
        if text is None:
            if default is None:
                raise ReadError(str(self.path), f"header field {name} is missing")
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or abs(value) > 1e12 or (positive and not value > 1e-12):
            raise ReadError(
                str(self.path),
                f"header field {name} is {text[:80]!r}, expected a {'positive' if positive else 'finite'} number",
            )
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """Return a whole number between `low` and `high`, or raise `ReadError`."""
        value = self.real(name)
        if value != int(value) or not low <= value <= high:
            raise ReadError(
                str(self.path),
                f"header field {name} is {self.values[name][:80]!r}, expected a whole number from {low} to {high}",
            )
        return int(value)


def whole_traces(
    path: Path, available: int, trace_bytes: int, declared: int | None, *, field: str, truncated: bool
) -> int:
    """Return how many traces the bytes behind the header hold.

    Parameters
    ----------
    available : int
        Bytes behind the header.
    trace_bytes : int
        Bytes of one trace.
    declared : int or None
        Number of traces that the header claims, if it does.
    field : str
        Where it claims so.
    truncated : bool
        Keep the whole traces of a file that was cut short.

    Raises
    ------
    ReadError
        If there is no whole trace, or bytes and header disagree and `truncated` is False.
    """
    whole, rest = divmod(max(available, 0), trace_bytes)
    hint = "; pass allow_truncated=True to read the whole traces there are"
    if whole == 0:
        raise ReadError(str(path), f"it is truncated: {max(available, 0)} bytes of data, one trace needs {trace_bytes}")
    if declared is not None and declared != whole and not (truncated and whole < declared):
        raise ReadError(
            str(path),
            f"header field {field} is {declared}, but the file holds {whole} whole traces of {trace_bytes} bytes{hint}",
        )
    if rest and not truncated:
        raise ReadError(
            str(path),
            f"it is truncated: {rest} bytes are left after {whole} traces of {trace_bytes} bytes{hint}",
        )
    return whole


def check_expansion(path: Path, what: str, needed: int, stored: int, max_bytes: int | None) -> None:
    """Refuse to allocate what the bytes on the disk cannot justify.

    Raises
    ------
    ReadError
        If `needed` bytes are more than `stored` bytes can expand to (or than `max_bytes`, where given).
    """
    limit = FREE_BYTES + MAX_RATIO * stored if max_bytes is None else max_bytes
    if needed > limit:
        raise ReadError(
            str(path),
            f"{what} would take {needed} bytes, which the {stored} bytes on the disk do not justify; "
            f"pass max_bytes={needed} to read it anyway",
        )


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the file of the same stem with another suffix, in whatever case; None if there is none."""
    for candidate in (
        path.with_suffix(suffix),
        path.with_suffix(suffix.upper()),
        path.with_suffix(suffix.lower()),
    ):
        if candidate.is_file():
            return candidate
    try:
        with os.scandir(path.parent) as entries:
            wanted = path.stem.lower() + suffix.lower()
            found = sorted(e.path for e in entries if e.name.lower() == wanted)
    except OSError:
        return None
    return Path(found[0]) if found else None
