"""The store on SQLAlchemy Core: SQLite or PostgreSQL. Any thread may call it, several processes may hold it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Self

import sqlalchemy as sa

from al_widgets.errors import StoreConflictError, StoreMismatchError, StoreVersionError
from al_widgets.records import Annotation, PoolIdentity, Round
from al_widgets.store import schema
from al_widgets.store.backends import Backend, backend_of
from al_widgets.store.base import Ack
from al_widgets.store.binding import ADVICE, pool_mismatch, task_mismatch
from al_widgets.store.connections import Connections
from al_widgets.store.rows import EVENT_COLUMNS, event_to_row, round_to_row, row_to_event, row_to_round, to_json

DEFAULT_TIMEOUT_S = 5.0
"""Seconds to wait for another process before `StoreLockedError`."""


class SqlStore:
    """The durable truth of a session, in SQLite or PostgreSQL; see `al_widgets.store.base.Store`.

    Made by `open_store`.

    Parameters
    ----------
    backend : Backend
    clock : callable, optional
        Seconds since the epoch; leases run by it.
    """

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._clock = clock
        self._make_statements(backend)
        self._connections = Connections(backend, self._prepare)

    def _prepare(self, connection: sa.Connection) -> None:
        """Make the tables if the database is new, else check that it is a store of ours."""
        with connection.begin():
            self._backend.serialise(connection)
            if self._backend.check(connection):
                schema.create(connection)
                self._backend.mark(connection)
            if not schema.exists(connection):
                raise StoreVersionError(f"{self.location} is marked as a store, but has no tables: it is damaged")
            schema.check_version(connection, self.location)
            self._store_id = str(_fact(connection, "store_id"))

    def _make_statements(self, backend: Backend) -> None:
        events, leases = schema.events.c, schema.leases
        self._insert_event = backend.insert(schema.events).on_conflict_do_nothing().returning(events.position)
        self._same_event = sa.select(schema.events).where(
            ((events.client == sa.bindparam("client")) & (events.seq == sa.bindparam("seq")))
            | (events.event_id == sa.bindparam("event_id")),
        )
        self._events_after = (
            sa.select(events.position, *(events[name] for name in EVENT_COLUMNS))
            .where(events.position > sa.bindparam("after"))
            .order_by(events.position)
        )
        insert = backend.insert(leases)
        self._lease = insert.on_conflict_do_update(
            index_elements=[leases.c.item_id],
            set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
            where=(leases.c.holder == insert.excluded.holder) | (leases.c.until <= sa.bindparam("now")),
        ).returning(leases.c.item_id)

    @property
    def store_id(self) -> str:
        """Random id of the store, made once."""
        return self._store_id

    @property
    def location(self) -> str:
        """Path, ``":memory:"``, or URL without its password."""
        return self._backend.location

    def __repr__(self) -> str:
        return f"<SqlStore {self.location}{' (closed)' if self._connections.closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def bind(
        self, pool: PoolIdentity, known_ids: Iterable[str], task_kind: str, classes: Sequence[str]
    ) -> tuple[str, ...]:
        """Tie the store to a pool and a task at first use, check it later; return all classes.

        The classes given come first, then those remembered: added while labeling, or given earlier if there
        are labels.

        Raises
        ------
        StoreMismatchError
            If the kind of task differs; if there are labels and no class in common; if no remembered
            sample and no answered item is in `known_ids`; or if most samples in both pools have another content.
        """
        known = known_ids if isinstance(known_ids, set | frozenset) else frozenset(known_ids)
        wanted = list(dict.fromkeys(classes))
        with self._connections.transaction("events") as connection:
            self._backend.serialise(connection)
            has_labels = (
                connection.execute(
                    sa.select(schema.events.c.position).where(schema.events.c.kind.in_(("label", "stroke"))).limit(1)
                ).first()
                is not None
            )
            remembered = _fact(connection, "pool")
            if remembered is None:
                _remember(connection, "pool", json.dumps(asdict(pool)))
                _remember(connection, "task", task_kind)
            else:
                stored_pool = json.loads(remembered)
                identity = PoolIdentity(**{**stored_pool, "samples": tuple(map(tuple, stored_pool["samples"]))})
                answered = frozenset(connection.execute(sa.select(schema.events.c.item_id).distinct()).scalars())
                reason = task_mismatch(
                    str(_fact(connection, "task")),
                    _classes(connection),
                    task_kind,
                    wanted,
                    has_labels=has_labels,
                ) or pool_mismatch(identity, pool, known, answered)
                if reason:
                    raise StoreMismatchError(f"{self.location} {reason}. {ADVICE}")
            if not has_labels:  # nothing refers to a class yet: a misspelt one may be corrected
                connection.execute(schema.classes.delete().where(schema.classes.c.added.is_(False)))
            self._keep_classes(connection, wanted, added=False)
            return tuple(dict.fromkeys([*wanted, *_classes(connection)]))

    def _keep_classes(self, connection: sa.Connection, names: Sequence[str], *, added: bool) -> None:
        statement = self._backend.insert(schema.classes).on_conflict_do_nothing()
        for name in names:
            connection.execute(statement, {"name": name, "added": added})

    def append(self, event: Annotation) -> Ack:
        """Append one event in one durable transaction; the same ``(client, seq)`` again writes nothing.

        Raises
        ------
        StoreError
            If the event cannot be kept as it is (NaN, not JSON), or the same ``(client, seq)`` or event id is
            there with another content.
        StoreFullError, StoreLockedError
            If it could not be written; nothing was.
        """
        return self.append_many([event])[0]

    def append_many(self, events: Sequence[Annotation]) -> list[Ack]:
        """Append several events in one durable transaction: all or none; raises like `append`."""
        rows = [event_to_row(event) for event in events]
        if not rows:
            return []
        with self._connections.transaction("events") as connection:
            self._backend.serialise(connection)
            return [self._append_row(connection, row) for row in rows]

    def _append_row(self, connection: sa.Connection, row: dict[str, Any]) -> Ack:
        position = connection.execute(self._insert_event, row).scalar()
        if position is not None:
            return Ack(row["event_id"], position, duplicate=False)
        key = {name: row[name] for name in ("client", "seq", "event_id")}
        found = connection.execute(self._same_event, key).mappings().all()
        if len(found) == 1 and all(found[0][name] == value for name, value in row.items()):
            return Ack(row["event_id"], found[0]["position"], duplicate=True)
        differing = sorted({name for old in found for name, value in row.items() if old[name] != value})
        raise StoreConflictError(
            f"event {row['event_id']!r} (client {row['client']!r}, number {row['seq']}) is in "
            f"{self.location} already, with another {', '.join(differing)}; "
            "a new answer needs a new number and a new id",
        )

    def events(self, after: int = 0) -> list[tuple[int, Annotation]]:
        """Return (position, event) of all events beyond a position, in the order they arrived."""
        with self._connections.transaction("reading") as connection:
            rows = connection.execute(self._events_after, {"after": after}).all()
        return [(row[0], row_to_event(row[1:])) for row in rows]

    def add_class(self, name: str) -> tuple[str, ...]:
        """Remember one more class; return all, in the order they came."""
        with self._connections.transaction("events") as connection:
            self._backend.serialise(connection)
            self._keep_classes(connection, [name], added=True)
            return _classes(connection)

    def add_round(self, record: Round) -> None:
        """Remember a training round."""
        row = round_to_row(record)
        with self._connections.transaction("events") as connection:
            self._backend.serialise(connection)
            connection.execute(schema.rounds.insert(), row)

    def rounds(self) -> list[Round]:
        """Return all training rounds, oldest first."""
        with self._connections.transaction("reading") as connection:
            rows = connection.execute(sa.select(schema.rounds).order_by(schema.rounds.c.position)).all()
        return [row_to_round(row) for row in rows]

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a small JSON value kept under a key."""
        with self._connections.transaction("reading") as connection:
            text = connection.execute(_setting(key)).scalar()
        return default if text is None else json.loads(str(text))

    def keep_setting(self, key: str, value: Any) -> Any:
        """Keep a small JSON value if the key has none yet; return the one that is kept."""
        row = {"key": key, "value": to_json(value, f"the setting {key!r}")}
        with self._connections.transaction("events") as connection:
            connection.execute(self._backend.insert(schema.settings).on_conflict_do_nothing(), row)
            return json.loads(str(connection.execute(_setting(key)).scalar_one()))

    def lease(self, item_ids: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Lease items to a holder; return those that no other holder holds. Renews the holder's own."""
        now = self._clock()
        with self._connections.transaction("leases") as connection:
            got = {
                connection.execute(
                    self._lease, {"item_id": item, "holder": holder, "until": now + seconds, "now": now}
                ).scalar()
                for item in sorted(set(item_ids))  # one order for all, so that two holders cannot wait for each other
            }
        return [item for item in dict.fromkeys(item_ids) if item in got]

    def leased(self) -> dict[str, str]:
        """Return item id → holder of all leases that have not run out."""
        query = sa.select(schema.leases.c.item_id, schema.leases.c.holder).where(schema.leases.c.until > self._clock())
        with self._connections.transaction("reading") as connection:
            return {row.item_id: row.holder for row in connection.execute(query)}

    def release(self, holder: str, item_ids: Sequence[str] | None = None) -> None:
        """Give back some, or all, of a holder's leases."""
        leases = schema.leases
        delete = leases.delete().where(leases.c.holder == holder)
        with self._connections.transaction("leases") as connection:
            if item_ids is None:
                connection.execute(delete)
                return
            one = delete.where(leases.c.item_id == sa.bindparam("item"))
            for item in sorted(set(item_ids)):
                connection.execute(one, {"item": item})

    def close(self) -> None:
        """Close all connections; safe to call twice. A call on another thread ends first."""
        self._connections.close()


def _fact(connection: sa.Connection, key: str) -> str | None:
    found: str | None = connection.execute(sa.select(schema.facts.c.value).where(schema.facts.c.key == key)).scalar()
    return found


def _remember(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(schema.facts.insert(), {"key": key, "value": value})


def _classes(connection: sa.Connection) -> tuple[str, ...]:
    return tuple(connection.execute(sa.select(schema.classes.c.name).order_by(schema.classes.c.position)).scalars())


def _setting(key: str) -> sa.Select[tuple[str]]:
    return sa.select(schema.settings.c.value).where(schema.settings.c.key == key)


def open_store(where: str | os.PathLike[str], *, timeout_s: float = DEFAULT_TIMEOUT_S) -> SqlStore:
    """Open a store, or make it.

    Parameters
    ----------
    where : str or path
        A file (``~`` and missing folders are fine), ``":memory:"``, or an SQLAlchemy URL.
    timeout_s : float
        Seconds to wait for another process before `StoreLockedError`.

    Raises
    ------
    StoreVersionError
        If it is a file of something else, or a newer al_widgets wrote it.
    StoreError
        If it cannot be opened or written.

    Examples
    --------
    >>> with open_store(":memory:") as store:
    ...     store.keep_setting("seed", 7)
    7
    """
    return SqlStore(backend_of(where, timeout_s))
