"""Descriptions of images kept on disk, so that a pool is encoded once.

Imported by `al_widgets.features.encoding` and sessions. Any thread of any number of processes may use the same file: it is
an SQLite database in WAL mode, every batch one transaction, so that a killed process leaves whole batches or nothing. What
is lost when the file is lost is time only: every failure of the disk turns into a memory cache and a line in the log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_LOG = logging.getLogger(__name__)
_ENVIRONMENT = "AL_WIDGETS_CACHE"
_SCHEMA_VERSION = 1
_QUESTION_MARKS = 500  # keys a query
_MEMORY_LIMIT = 1024**3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS description (
    number INTEGER PRIMARY KEY,
    encoder TEXT NOT NULL,
    content TEXT NOT NULL,
    half INTEGER NOT NULL,
    stored_at REAL NOT NULL,
    vector BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS description_key ON description (encoder, content);
CREATE TABLE IF NOT EXISTS digest (signature TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
"""


def cache_folder() -> Path:
    """Return where cached files live: ``$AL_WIDGETS_CACHE``, or the user's cache folder of the platform."""
    if folder := os.environ.get(_ENVIRONMENT):
        return Path(folder).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("al_widgets", appauthor=False))


class DescriptionCache:
    """Descriptions under (content key, encoder fingerprint), and content keys under file signatures.

    Vectors that float16 holds exactly take half the space; reading gives back what was put, bit by bit.

    Parameters
    ----------
    folder : path-like, optional
        Default: `cache_folder`. Made when it is first written to.
    size_limit : int
        Bytes of vectors kept; beyond it the oldest go.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, size_limit: int = 4 * 1024**3) -> None:
        self.path = Path(folder if folder is not None else cache_folder()) / "descriptions.sqlite3"
        self.size_limit = size_limit
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._memory: dict[tuple[str, str], npt.NDArray[np.floating[Any]]] = {}
        self._memory_bytes = 0
        self._signatures: dict[str, str] = {}
        self._failed = False

    @classmethod
    def in_memory(cls) -> DescriptionCache:
        """Return a cache that never touches the disk; it keeps about a gigabyte."""
        cache = cls(os.devnull)
        cache._failed = True
        return cache

    @property
    def on_disk(self) -> bool:
        """Whether the disk is in use; False after it failed."""
        return not self._failed

    def get(self, encoder: str, keys: Sequence[str]) -> dict[str, FloatArray]:
        """Return the descriptions known for some of the content keys, each float32 of shape (D,)."""
        with self._lock:
            found = {
                key: self._memory[encoder, key].astype(np.float32)
                for key in set(keys)
                if (encoder, key) in self._memory
            }
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        with self._database("reading") as database:
            if database is not None:
                for some in _batches(missing):
                    rows = database.execute(
                        f"SELECT content, half, vector FROM description WHERE encoder = ? AND content IN ({_marks(some)})",  # noqa: S608
                        (encoder, *some),
                    )
                    for key, half, vector in rows:
                        found[key] = np.frombuffer(vector, np.float16 if half else np.float32).astype(np.float32)
        return found

    def has(self, encoder: str, keys: Sequence[str]) -> set[str]:
        """Return those content keys that have a description, without reading it."""
        found = {key for key in keys if (encoder, key) in self._memory}
        with self._database("reading") as database:
            if database is not None:
                for some in _batches(list(dict.fromkeys(keys))):
                    rows = database.execute(
                        f"SELECT content FROM description WHERE encoder = ? AND content IN ({_marks(some)})",  # noqa: S608
                        (encoder, *some),
                    )
                    found.update(key for (key,) in rows)
        return found

    def put(self, encoder: str, descriptions: Mapping[str, FloatArray]) -> None:
        """Keep descriptions under their content keys, in one transaction; ones that are known already stay."""
        now = time.time()
        rows = []
        for key, vector in descriptions.items():
            kept = _compact(vector)
            rows.append((encoder, key, int(kept.dtype == np.float16), now, kept.tobytes()))
        with self._database("writing") as database:
            if database is not None:
                with database:
                    database.executemany(
                        "INSERT OR IGNORE INTO description (encoder, content, half, stored_at, vector) VALUES (?, ?, ?, ?, ?)",
                        rows,
                    )
                self._evict(database)
                return
        self._remember(encoder, descriptions)

    def digests(self, signatures: Sequence[str]) -> dict[str, str]:
        """Return the content keys known for some of the file signatures."""
        found = {signature: self._signatures[signature] for signature in signatures if signature in self._signatures}
        with self._database("reading") as database:
            if database is not None:
                for some in _batches([signature for signature in signatures if signature not in found]):
                    found.update(
                        database.execute(
                            f"SELECT signature, content FROM digest WHERE signature IN ({_marks(some)})",  # noqa: S608
                            some,
                        ).fetchall()
                    )
        return found

    def put_digests(self, digests: Mapping[str, str]) -> None:
        """Keep content keys under file signatures."""
        with self._database("writing") as database:
            if database is not None:
                with database:
                    database.executemany(
                        "INSERT OR REPLACE INTO digest (signature, content) VALUES (?, ?)", digests.items()
                    )
                return
        self._signatures.update(digests)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._memory.clear()
            self._memory_bytes = 0
            self._signatures.clear()
        with self._database("clearing") as database:
            if database is not None:
                with database:
                    database.execute("DELETE FROM description")
                    database.execute("DELETE FROM digest")
                database.execute("PRAGMA incremental_vacuum").fetchall()
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file; safe to call twice. The cache opens it again when it is used again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> DescriptionCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _database(self, doing: str) -> Iterator[sqlite3.Connection | None]:
        """Give the connection under the lock, or None; a failure of the disk ends its use for good."""
        with self._lock:
            if self._failed:
                yield None
                return
            try:
                if self._connection is None:
                    self._connection = _open(self.path)
            except (sqlite3.Error, OSError) as error:
                self._give_up("opening", error)
                yield None
                return
            try:
                yield self._connection
            except sqlite3.Error as error:
                # Locked by another process for longer than the time-out passes; a full or broken disk does not.
                if not _is_busy(error):
                    self._give_up(doing, error)
                else:
                    _LOG.warning("%s the cache %s failed, going on without: %s", doing, self.path, error)

    def _give_up(self, doing: str, error: Exception) -> None:
        _LOG.warning(
            "%s the cache %s failed, keeping features in memory from now on: %s. Set %s to use another folder.",
            doing,
            self.path,
            error,
            _ENVIRONMENT,
        )
        self._failed = True
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if isinstance(error, sqlite3.Error) and _is_broken(error):
            with contextlib.suppress(OSError):
                _delete(self.path)  # it holds copies only; the next session begins anew

    def _remember(self, encoder: str, descriptions: Mapping[str, FloatArray]) -> None:
        with self._lock:
            for key, vector in descriptions.items():
                if (encoder, key) not in self._memory:
                    kept = _compact(vector)
                    self._memory_bytes += kept.nbytes
                    self._memory[encoder, key] = kept
            while self._memory_bytes > _MEMORY_LIMIT and self._memory:
                oldest = next(iter(self._memory))
                self._memory_bytes -= self._memory.pop(oldest).nbytes

    def _evict(self, database: sqlite3.Connection) -> None:
        """Delete the oldest tenth when the file has outgrown its limit, and give the pages back."""
        pages, free, size = (
            int(database.execute(f"PRAGMA {what}").fetchone()[0])
            for what in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size <= self.size_limit:
            return
        count = int(database.execute("SELECT count(*) FROM description").fetchone()[0])
        share = 1 - 0.9 * self.size_limit / ((pages - free) * size)
        with database:
            database.execute(
                "DELETE FROM description WHERE number IN (SELECT number FROM description ORDER BY stored_at, number LIMIT ?)",
                (max(1, int(count * share)),),
            )
        database.execute("PRAGMA incremental_vacuum").fetchall()


def _compact(vector: FloatArray) -> npt.NDArray[np.floating[Any]]:
    """Return the vector as float16 if that loses nothing, else a copy as float32."""
    with np.errstate(over="ignore"):
        half = vector.astype(np.float16)
    return half if (half.astype(np.float32) == vector).all() else np.array(vector, np.float32)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if _is_busy(error) or not _is_broken(error):
            raise
        # Not a database, or a broken one: it held copies only, so begin anew.
        _LOG.warning("the cache %s is broken and is begun anew: %s", path, error)
        _delete(path)
        return _connect(path)


def _delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=20, check_same_thread=False)
    try:
        # Of 8, 16, 32 and 64 kB the page that wastes least of a vector of 4,348 half floats, and writes and reads fastest.
        database.execute("PRAGMA page_size = 8192")
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL").fetchall()
        database.execute("PRAGMA synchronous = NORMAL")
        _check_version(database)
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        database.execute("SELECT count(*) FROM digest").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _check_version(database: sqlite3.Connection) -> None:
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, _SCHEMA_VERSION):
        raise sqlite3.OperationalError(f"written by another version of al_widgets ({version})")


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_broken(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _marks(values: Sequence[str]) -> str:
    """Return the question marks that stand for the values in a statement; nothing else enters it."""
    return ", ".join("?" * len(values))


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _QUESTION_MARKS):
        yield keys[start : start + _QUESTION_MARKS]
