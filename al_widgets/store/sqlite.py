"""SQLite as the home of a store: a file with a write-ahead log, or memory.

Refuses files that are not ours before they are touched. Used by `al_widgets.store.backends` only.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from al_widgets.errors import StoreError, StoreVersionError

APPLICATION_ID = 0x616C7764
"""Marks a SQLite file as ours (bytes 68 to 71 of the file): "alwd"."""

_MAGIC = b"SQLite format 3\x00"
_NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "fuse.sshfs",
    "9p",
    "afs",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "glusterfs",
)


class SqliteBackend:
    """A SQLite file, or a database in memory.

    Parameters
    ----------
    path : Path or None
        None: in memory.
    timeout_s : float
        How long to wait for another process.
    """

    def __init__(self, path: Path | None, timeout_s: float) -> None:
        self.path = path
        self.timeout_s = timeout_s
        self.single = path is None
        self.location = ":memory:" if path is None else str(path)
        if path is not None:
            _refuse_foreign_file(path)
        url = sa.URL.create("sqlite", database=":memory:" if path is None else str(path))
        # The store serialises access itself; the driver need not check threads.
        self._engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"check_same_thread": False})
        sa.event.listen(self._engine, "connect", self._on_connect)
        sa.event.listen(self._engine, "begin", _on_begin)

    def _on_connect(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: see _on_begin
        connection.execute(f"PRAGMA busy_timeout = {int(self.timeout_s * 1000)}")

    def connect(self, *, durable: bool, writes: bool) -> sa.Connection:
        """Open a connection; raises `StoreError` if the file cannot be used."""
        connection = self._engine.connect().execution_options(al_writes=writes or self.single)
        try:
            raw = _raw(connection)
            self._refuse_foreign_tables(raw)
            self._set_journal(raw)
            # FULL: COMMIT returns after the fsync. NORMAL: a power cut may take the last ones.
            raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            if durable:
                raw.execute("PRAGMA fullfsync = 1")  # macOS: fsync alone leaves data in the disk's cache
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_journal(self, raw: sqlite3.Connection) -> None:
        """Use a write-ahead log, except where its shared memory does not work: network file systems."""
        if self.path is None:
            return
        wanted = "truncate" if _on_network(self.path) else "wal"
        deadline = time.monotonic() + self.timeout_s
        while True:
            try:
                mode = raw.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
            except sqlite3.OperationalError as error:
                # Changing the mode needs the file alone, and SQLite does not always wait for that.
                busy = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if busy and time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                if wanted == "wal" and not busy and (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_IOERR:
                    wanted = "truncate"
                    continue
                raise
            if mode != wanted and wanted == "wal":
                raw.execute("PRAGMA journal_mode = TRUNCATE")
            return

    def _refuse_foreign_tables(self, raw: sqlite3.Connection) -> bool:
        """Say whether the database is empty; refuse one of another program, before anything is changed in it."""
        if raw.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
            return False
        found = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 5")]
        if found:
            raise StoreVersionError(
                f"{self.location} is an SQLite database of another program (tables: {', '.join(found)}); "
                "give another file as store=",
            )
        return True

    def check(self, connection: sa.Connection) -> bool:
        """Say whether the file is new; refuse one of another program."""
        return self._refuse_foreign_tables(_raw(connection))

    def mark(self, connection: sa.Connection) -> None:
        """Write the application id."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    def serialise(self, connection: sa.Connection) -> None:
        """Do nothing: BEGIN IMMEDIATE admits one writer."""

    def lost(self, _error: BaseException) -> bool:
        """Say no: a file does not hang up."""
        return False

    def insert(self, table: sa.Table) -> Any:
        """Return an INSERT that knows ON CONFLICT."""
        return sqlite.insert(table)

    def dispose(self, *, close: bool = True) -> None:
        """Close all connections."""
        self._engine.dispose(close=close)


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def _on_begin(connection: sa.Connection) -> None:
    # IMMEDIATE: who reads first and writes then would fail, without waiting, when another wrote in between.
    writes = connection.get_execution_options().get("al_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_foreign_file(path: Path) -> None:
    """Refuse what can be refused without opening it as a database, and make the folder if it is missing."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a store is a file, for example {path / 'labels.db'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with path.open("rb") as file:
                head = file.read(len(_MAGIC))
            if head and head != _MAGIC:
                raise StoreVersionError(
                    f"{path} is no store of al_widgets (it begins with {head!r}); give another file as store="
                )
    except OSError as error:
        raise StoreError(f"{path} cannot be used as a store: {error.strerror or error}") from error
    if path.exists() and not os.access(path, os.W_OK):
        raise StoreError(f"{path} is read-only; change its permissions or give another file as store=")
    if not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"the folder {path.parent} cannot be written, and SQLite keeps its log there; give another store="
        )


def _on_network(path: Path) -> bool:
    """Say whether a file lies on a network file system, where Linux tells; elsewhere False."""
    with suppress(OSError):
        target = str(path.resolve().parent)
        best, kind = "", ""
        for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
            _, mount, fs, *_ = line.split(" ")
            mount = mount.replace("\\040", " ")
            inside = target == mount or target.startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(best):
                best, kind = mount, fs
        return kind.startswith(_NETWORK_FILE_SYSTEMS)
    return False
