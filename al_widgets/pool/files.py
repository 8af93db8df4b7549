"""What pools of image files have in common: ids that name paths, read one by one and only when asked.

`FolderPool`, `PathsPool` and `FramePool` build on it. Any thread may call; the only thing that changes is a memo of digests,
whose single operations are atomic.
"""

# Strings and os.path, for a folder may hold 100,000 files and each Path costs more than its listing.
# ruff: noqa: PTH110, PTH113, PTH116, PTH123, PTH202

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError, UnknownItemError
from al_widgets.pool.identity import digest, sample_ids
from al_widgets.readers.file_bytes import read_bytes
from al_widgets.readers.images import decode_image
from al_widgets.records import Payload, PoolIdentity

_SETTLED_NS = 2 * 10**9  # a file changed less than this ago may change again within one tick of the file system's clock
_PROBE_BYTES = 1024**2


class FilePool:
    """Items that are image files.

    Parameters
    ----------
    name, kind : str
        For titles and messages.
    paths : mapping of str to str
        Id → path as the operating system knows it, in the pool's order.
    """

    def __init__(self, name: str, kind: str, paths: Mapping[str, str]) -> None:
        self._name = name
        self._kind = kind
        self._paths = paths
        self._ids = tuple(paths)
        self._digests: dict[str, tuple[str, str]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}: {len(self._ids):,} items>"

    @property
    def name(self) -> str:
        """Short name for titles and file names."""
        return self._name

    @property
    def item_ids(self) -> Sequence[str]:
        """Ids of all items, a tuple."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def path(self, item_id: str) -> str:
        """Return the path of an item; raises `UnknownItemError`."""
        try:
            return self._paths[item_id]
        except KeyError:
            raise UnknownItemError(item_id) from None

    def image(self, item_id: str) -> npt.NDArray[np.generic]:
        """Return the picture as stored, upright; see `al_widgets.readers.images.read_image`."""
        path = self.path(item_id)
        return decode_image(read_bytes(path), path)

    def payload(self, item_id: str, max_side: int = 1600) -> Payload:
        """Return the picture for the screen; see `al_widgets.pool.payload.file_payload`."""
        from al_widgets.pool.payload import file_payload

        path = self.path(item_id)
        return file_payload(read_bytes(path), path, max_side)

    def content_key(self, item_id: str) -> str:
        """Return a digest of the file's bytes; the file is read unless it is known to be unchanged since the last time."""
        signature = self.signature(item_id)
        known = self._digests.get(item_id)
        if signature is not None and known is not None and known[0] == signature:
            return known[1]
        path = self.path(item_id)
        return self._remember(item_id, signature, read_bytes(path))

    def signature(self, item_id: str) -> str | None:
        """Return what changes with every write to the file, without reading it; None if that cannot be relied upon.

        Device, inode, size, time of modification and time of change: the last one no program can set back. A file that
        changed within the last two seconds has none, for it may change again within one tick of the clock (what git calls a
        racy entry).
        """
        try:
            status = os.stat(self.path(item_id))
        except (OSError, ValueError):
            return None
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _SETTLED_NS:
            return None
        return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"

    def image_and_key(self, item_id: str, near_side: int | None = None) -> tuple[npt.NDArray[np.generic], str]:
        """Return the picture and its content key from one reading of the file.

        `near_side` allows a JPEG to come at a fraction of its size, its shorter side at least that many pixels.
        """
        path = self.path(item_id)
        signature = self.signature(item_id)
        data = read_bytes(path)
        key = self._remember(item_id, signature, data)
        return decode_image(data, path, near_side=near_side), key

    def identity(self) -> PoolIdentity:
        """Return name, kind, size and the digests of at most 32 files (of large ones: size, first and last megabyte)."""
        samples = []
        for item_id in sample_ids(self._ids):
            try:
                samples.append((item_id, _file_probe(self.path(item_id))))
            except ReadError:
                continue  # a file that cannot be read now says nothing about the pool
        return PoolIdentity(self._name, self._kind, len(self._ids), tuple(samples))

    def _remember(self, item_id: str, signature: str | None, data: bytes) -> str:
        key = digest(data)
        # The signature was taken before the bytes were read: a write in between makes it stale, never wrong.
        if signature is not None:
            self._digests[item_id] = (signature, key)
        return key


def _file_probe(path: str) -> str:
    if os.path.exists(path) and os.path.isfile(path) and os.path.getsize(path) > 2 * _PROBE_BYTES:
        try:
            with open(path, "rb") as file:
                head = file.read(_PROBE_BYTES)
                size = file.seek(0, os.SEEK_END)
                file.seek(-_PROBE_BYTES, os.SEEK_END)
                return digest(str(size).encode(), head, file.read(_PROBE_BYTES))
        except OSError as error:
            raise ReadError(path, f"it cannot be read: {error.strerror}") from error
    data = read_bytes(path)
    return digest(str(len(data)).encode(), data)


def display_id(path: str) -> str:
    r"""Return a path as an id: POSIX separators, and bytes that are no UTF-8 written out as ``\xNN``."""
    posix = path if os.sep == "/" else path.replace(os.sep, "/")
    return os.fsencode(posix).decode("utf-8", "backslashreplace") if not posix.isascii() else posix
