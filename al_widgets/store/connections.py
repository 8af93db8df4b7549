"""The open connections of a store: one a purpose, each under its own lock, for the store's whole life.

Holding them spares every append the opening of a connection. Any thread may use them. In a forked child they are left
to the parent, and opened anew at the first use: a SQLite connection must not be carried over a fork.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

import sqlalchemy as sa

from al_widgets.errors import StoreError
from al_widgets.store.backends import DATABASE_ERRORS, Backend
from al_widgets.store.failures import failure

Purpose = Literal["events", "leases", "reading"]
"""Events wait for the disk, leases do not, reading never writes."""

_SETTINGS: Final[dict[Purpose, tuple[bool, bool]]] = {
    "events": (True, True),
    "leases": (False, True),
    "reading": (False, False),
}
"""(durable, writes) of each."""


class _Channel:
    """A connection and the lock under which it is used; `lost` if the server hung up."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.lost = False


class Connections:
    """Connections of a store to its database.

    Parameters
    ----------
    backend : Backend
    prepare : callable
        Called with the first connection before the others are opened: makes or checks the tables.

    Raises
    ------
    StoreError
        If the database cannot be opened, or `prepare` refuses it.
    """

    def __init__(self, backend: Backend, prepare: Callable[[sa.Connection], None]) -> None:
        self._backend = backend
        self._prepare = prepare
        self._forked = False
        self._reopening = threading.Lock()
        self.closed = False
        self._channels = self._open()
        _living.add(self)

    def _open(self) -> dict[Purpose, _Channel]:
        backend = self._backend
        channels: dict[Purpose, _Channel] = {}
        try:
            for purpose, (durable, writes) in _SETTINGS.items():
                if channels and backend.single:
                    channels[purpose] = channels["events"]
                    continue
                connection = backend.connect(durable=durable, writes=writes)
                channels[purpose] = _Channel(connection)
                if purpose == "events":
                    self._prepare(connection)
        except BaseException as error:
            _close(channels)
            backend.dispose()
            if isinstance(error, DATABASE_ERRORS):
                raise failure(error, backend.location, backend.timeout_s) from error
            raise
        return channels

    @contextmanager
    def transaction(self, purpose: Purpose) -> Iterator[sa.Connection]:
        """Begin a transaction; commit it at the end, roll it back on any error.

        Raises
        ------
        StoreError
            If the store is closed, or the database fails; nothing was written then.
        """
        if self._forked:
            self._reopen()
        channel = self._channels[purpose]
        with channel.lock:
            if self.closed:
                raise StoreError(f"the store {self._backend.location} is closed; open it again")
            try:
                if channel.lost:
                    durable, writes = _SETTINGS[purpose]
                    channel.connection.invalidate()
                    channel.connection = self._backend.connect(durable=durable, writes=writes)
                    channel.lost = False
                with channel.connection.begin():
                    yield channel.connection
            except DATABASE_ERRORS as error:
                if self._backend.lost(error):
                    for other in self._channels.values():
                        other.lost = True  # the server hung up on all
                    raise StoreError(
                        f"the connection to {self._backend.location} broke ({getattr(error, 'orig', error)}); "
                        "whether the answer was saved is not known. Answer again: it is counted once",
                    ) from error
                raise failure(error, self._backend.location, self._backend.timeout_s) from error

    def close(self) -> None:
        """Close all; safe to call twice. A transaction on another thread ends first."""
        self.closed = True
        if not self._forked:
            _close(self._channels)
            self._backend.dispose()

    def leave_to_parent(self) -> None:
        """In a forked child: touch the parent's connections no more."""
        if self.closed or self._backend.single:
            return
        _inherited.append(self._channels)
        self._backend.dispose(close=False)
        self._forked = True
        self._reopening = threading.Lock()

    def _reopen(self) -> None:
        with self._reopening:
            if self._forked and not self.closed:
                self._channels = self._open()
                self._forked = False


def _close(channels: dict[Purpose, _Channel]) -> None:
    for channel in dict.fromkeys(channels.values()):
        with channel.lock:
            channel.connection.close()


_living: weakref.WeakSet[Connections] = weakref.WeakSet()
_inherited: list[dict[Purpose, _Channel]] = []  # kept, not closed: closing would touch the parent's files


def _after_fork_in_child() -> None:
    for connections in list(_living):
        connections.leave_to_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
