"""Bytes of a regular file, or a `ReadError` that says why not; never a hang on a pipe or a device.

Imported by the image reader and by pools. Any thread; nothing is kept.
"""

# Names may be what no Path can hold, and Path.open takes no opener.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat

from al_widgets.errors import ReadError

MAX_BYTES = 2 * 1024**3
"""Largest file that is read into memory, in bytes."""

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path : str or path-like
    max_bytes : int
        Larger files are refused before a byte is read.

    Returns
    -------
    bytes
        Never empty.

    Raises
    ------
    ReadError
        If it is missing, no regular file, empty, too large, or may not be read.
    """
    name = os.fspath(path)
    try:
        _check(name, os.stat(name), max_bytes)
        # The kind is checked again on the open descriptor, and opening never waits: the file may have been swapped.
        with open(name, "rb", opener=_open) as file:
            _check(name, os.fstat(file.fileno()), max_bytes)
            data = file.read(max_bytes + 1)
    except ReadError:
        raise
    except FileNotFoundError as error:
        raise ReadError(name, "there is no such file") from error
    except PermissionError as error:
        raise ReadError(name, "there is no permission to read it") from error
    except (OSError, ValueError, MemoryError) as error:  # ValueError: a null character in the name
        raise ReadError(name, f"it cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise ReadError(name, "the file is empty (0 bytes)")
    if len(data) > max_bytes:
        raise ReadError(name, f"the file is larger than {max_bytes:,} bytes")
    return data


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | _NONBLOCK)


def _check(name: str, status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((words for test, words in _KINDS if test(status.st_mode)), "no regular file")
        raise ReadError(name, f"it is {kind}, not an image file")
    if status.st_size > max_bytes:
        raise ReadError(name, f"the file has {status.st_size:,} bytes, more than the limit of {max_bytes:,}")
