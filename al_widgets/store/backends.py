"""What a store needs of a database, and which database a path or URL means.

A backend hands out connections; the store holds them for its whole life, one for each purpose.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from al_widgets.errors import StoreError
from al_widgets.store.postgresql import PostgresqlBackend
from al_widgets.store.sqlite import SqliteBackend

DATABASE_ERRORS = (DBAPIError, sqlite3.Error, OSError)
"""What a backend may raise; OSError: a network that broke, from drivers that let it through."""


class Backend(Protocol):
    """A database that can hold a store."""

    location: str
    timeout_s: float
    single: bool
    """True if there is only one connection for everything, as in memory."""

    def connect(self, *, durable: bool, writes: bool) -> sa.Connection:
        """Open a connection; a durable one returns from COMMIT when the data is on the disk."""

    def check(self, connection: sa.Connection) -> bool:
        """Say whether the database holds nothing of ours yet; refuse one that is not ours."""

    def mark(self, connection: sa.Connection) -> None:
        """Mark a new database as ours, inside the transaction that makes the tables."""

    def serialise(self, connection: sa.Connection) -> None:
        """Wait until no other process is in a transaction of this kind; held until its end."""

    def lost(self, error: BaseException) -> bool:
        """Say whether an error means that the connection is gone and another one may work."""

    def insert(self, table: sa.Table) -> Any:
        """Return an INSERT that knows ON CONFLICT."""

    def dispose(self, *, close: bool = True) -> None:
        """Close all connections; with ``close=False`` only forget them, as after a fork."""


def backend_of(where: str | os.PathLike[str], timeout_s: float) -> Backend:
    """Return the backend of a path or an SQLAlchemy URL.

    Raises
    ------
    StoreError
        If it is neither, or cannot be used.
    """
    if not isinstance(where, str | os.PathLike):
        raise StoreError(f"a store is a path or a database URL, not {type(where).__name__} ({where!r})")
    text = os.fspath(where)
    if not isinstance(text, str) or not text.strip():
        raise StoreError(f"a store is a path or a database URL, not {text!r}")
    if text == ":memory:":
        return SqliteBackend(None, timeout_s)
    if "://" not in text:
        return SqliteBackend(_absolute(text), timeout_s)
    try:
        url = sa.make_url(text)
        dialect = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError("the store's URL cannot be read; it looks like postgresql://user@host/database") from error
    if dialect == "sqlite":
        memory = url.database in (None, "", ":memory:")
        return SqliteBackend(None if memory else _absolute(str(url.database)), timeout_s)
    if dialect == "postgresql":
        return PostgresqlBackend(url, timeout_s)
    raise StoreError(f"a store can be in SQLite or PostgreSQL, not in {dialect!r}")


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StoreError(f"{text}: the home folder is not known ({error})") from error
