"""PostgreSQL as the home of a store, for several annotators on several machines.

Used by `al_widgets.store.backends` only. Needs a driver, for example pg8000.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, InterfaceError

from al_widgets.errors import MissingExtraError

_LOCK_KEY = 0x616C7764
"""Advisory lock of all stores of a database."""


class PostgresqlBackend:
    """A PostgreSQL database, by SQLAlchemy URL.

    Parameters
    ----------
    url : sqlalchemy.URL
    timeout_s : float
        How long to wait for another transaction.
    """

    single = False

    def __init__(self, url: sa.URL, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.location = url.render_as_string(hide_password=True)
        self._url = url
        self._engines: list[sa.Engine] = []

    def connect(self, *, durable: bool, writes: bool) -> sa.Connection:
        """Open a connection on an engine of its own, so that a lost one is opened again with its settings."""
        try:
            engine = sa.create_engine(self._url, poolclass=sa.NullPool)
        except ModuleNotFoundError as error:
            raise MissingExtraError(f"the store {self.location}", str(error.name), "postgres") from error
        settings = {
            "lock_timeout": str(int(self.timeout_s * 1000)),
            "synchronous_commit": "on" if durable else "off",
            "default_transaction_read_only": "off" if writes else "on",
        }

        def configure(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            for name, value in settings.items():
                cursor.execute(f"SET {name} = {value}")
            cursor.close()
            connection.commit()

        sa.event.listen(engine, "connect", configure)
        self._engines.append(engine)
        return engine.connect()

    def check(self, connection: sa.Connection) -> bool:
        """Say whether the tables are missing; a database may hold other tables too."""
        return not sa.inspect(connection).has_table("al_store")

    def mark(self, connection: sa.Connection) -> None:
        """Do nothing: the tables are the mark."""

    def serialise(self, connection: sa.Connection) -> None:
        """Take an advisory lock: positions must become visible in the order they were given out."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")

    def lost(self, error: BaseException) -> bool:
        """Say whether the server hung up, or the network broke."""
        hung_up = isinstance(error, DBAPIError) and error.connection_invalidated
        return hung_up or isinstance(error, OSError | InterfaceError)

    def insert(self, table: sa.Table) -> Any:
        """Return an INSERT that knows ON CONFLICT."""
        return postgresql.insert(table)

    def dispose(self, *, close: bool = True) -> None:
        """Close all connections."""
        for engine in self._engines:
            engine.dispose(close=close)
        self._engines.clear()
