"""Database errors to errors of al_widgets, each with a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError

from al_widgets.errors import StoreError, StoreFullError, StoreLockedError, StoreVersionError

_IOERR_SHMSIZE = 4874  # growing the shared-memory file failed: SQLite's other way to say that the disk is full


def _sqlite_failure(error: sqlite3.Error, location: str, timeout_s: float) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", None) or 0
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return StoreLockedError(
            f"{location} is locked by another process for more than {timeout_s:g} s; nothing was saved. "
            "Close the program that holds it (another notebook, a database browser), then answer again",
        )
    if code == sqlite3.SQLITE_FULL or extended == _IOERR_SHMSIZE:
        return StoreFullError(f"no space left for {location}; nothing was saved. Free some space, then answer again")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{location} cannot be written ({error}); change its permissions or choose another store=")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"{location} cannot be opened ({error}); check the folder and its permissions")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreVersionError(
            f"{location} is no store of al_widgets, or is damaged ({error}); choose another store="
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"reading or writing {location} failed ({error}); nothing was saved. The disk may be failing, "
            "over quota or unplugged",
        )
    return StoreError(f"{location}: {error}")


def _sqlstate(error: Any) -> str:
    for name in ("sqlstate", "pgcode"):  # psycopg 3, psycopg 2
        state = getattr(error, name, None)
        if isinstance(state, str):
            return state
    first = error.args[0] if getattr(error, "args", None) else None
    return str(first.get("C", "")) if isinstance(first, dict) else ""  # pg8000


def failure(error: BaseException, location: str, timeout_s: float) -> StoreError:
    """Return the `StoreError` that tells a user what a database error means.

    Parameters
    ----------
    error : DBAPIError or sqlite3.Error
    location : str
        The store, as a user would name it.
    timeout_s : float
        How long a lock was waited for.
    """
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite_failure(cause, location, timeout_s)
    state = _sqlstate(cause)
    if state in ("55P03", "57014"):  # lock_not_available, query_canceled
        return StoreLockedError(f"{location} is locked for more than {timeout_s:g} s; nothing was saved. Answer again")
    if state == "53100":  # disk_full
        return StoreFullError(f"the server of {location} has no space left; nothing was saved")
    return StoreError(f"{location}: {cause}; nothing was saved")
