"""The store on SQLAlchemy Core: SQLite or PostgreSQL.

Any thread may call it. Three connections live as long as the store, each under its own lock: events are written
on one that waits for the disk, leases on one that does not, everything is read on a third. A lock is held only
while the database works; whoever needs two locks takes one after the other, never one inside the other.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Self

import sqlalchemy as sa

from al_widgets.errors import StoreError, StoreMismatchError
from al_widgets.records import Annotation, PoolIdentity, Round
from al_widgets.store import schema
from al_widgets.store.backends import DATABASE_ERRORS, Backend, backend_of
from al_widgets.store.base import Ack
from al_widgets.store.binding import ADVICE, pool_mismatch, task_mismatch
from al_widgets.store.failures import failure
from al_widgets.store.rows import (
    EVENT_COLUMNS,
    event_to_row,
    round_to_row,
    row_to_event,
    row_to_round,
    to_json,
)

DEFAULT_TIMEOUT_S = 5.0
"""Seconds to wait for another process before `StoreLockedError`."""


_PURPOSES = ("events", "leases", "reading")


class _Channel:
    """A connection and the lock under which it is used."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.lock = threading.RLock()


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
        self._closed = False
        self._forked = False
        self._reopening = threading.Lock()
        self._statements(backend)
        self._open()
        _living.add(self)

    def _statements(self, backend: Backend) -> None:
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

    def _open(self) -> None:
        opened: list[sa.Connection] = []
        backend = self._backend
        try:
            for durable, writes in (
                ((True, True),) if backend.single else ((True, True), (False, True), (False, False))
            ):
                opened.append(backend.connect(durable=durable, writes=writes))
                if len(opened) == 1:
                    self._store_id = self._prepare(opened[0])
        except DATABASE_ERRORS as error:
            _close_all(opened, backend)
            raise failure(error, backend.location, backend.timeout_s) from error
        except BaseException:
            _close_all(opened, backend)
            raise
        channels = [_Channel(connection) for connection in opened]
        self._channels = dict(zip(_PURPOSES, channels if len(channels) == 3 else channels * 3, strict=True))

    def _prepare(self, connection: sa.Connection) -> str:
        """Make the tables if the database is new, else check that it is a store of ours; return its id."""
        with connection.begin():
            self._backend.serialise(connection)
            if self._backend.check(connection):
                schema.create(connection)
                self._backend.mark(connection)
            if not schema.exists(connection):
                raise StoreError(
                    f"{self.location} is marked as a store of al_widgets, but has no tables: it is damaged"
                )
            schema.check_version(connection, self.location)
            return str(_fact(connection, "store_id"))

    @property
    def store_id(self) -> str:
        """Random id of the store, made once."""
        return self._store_id

    @property
    def location(self) -> str:
        """Path, ``":memory:"``, or URL without its password."""
        return self._backend.location

    def __repr__(self) -> str:
        return f"<SqlStore {self.location}{' (closed)' if self._closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self, purpose: str) -> Iterator[sa.Connection]:
        if self._forked:
            self._reopen()
        channel = self._channels[purpose]
        with channel.lock:
            if self._closed:
                raise StoreError(f"the store {self.location} is closed; open it again")
            try:
                with channel.connection.begin():
                    yield channel.connection
            except (*DATABASE_ERRORS, OverflowError) as error:
                raise failure(error, self.location, self._backend.timeout_s) from error

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
        with self._transaction("events") as connection:
            self._backend.serialise(connection)
            has_labels = (
                connection.execute(
                    sa.select(schema.events.c.position).where(schema.events.c.kind == "label").limit(1)
                ).first()
                is not None
            )
            remembered = _fact(connection, "pool")
            if remembered is None:
                _remember(connection, "pool", json.dumps(asdict(pool)))
                _remember(connection, "task", task_kind)
            else:
                stored_pool = json.loads(remembered)
                identity = PoolIdentity(
                    **{**stored_pool, "samples": tuple(map(tuple, stored_pool["samples"]))}
                )
                answered = frozenset(
                    connection.execute(sa.select(schema.events.c.item_id).distinct()).scalars()
                )
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
        with self._transaction("events") as connection:
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
        raise StoreError(
            f"event {row['event_id']!r} (client {row['client']!r}, number {row['seq']}) is in "
            f"{self.location} already, with another {', '.join(differing)}; a new answer needs a new number and a new id",
        )

    def events(self, after: int = 0) -> list[tuple[int, Annotation]]:
        """Return (position, event) of all events beyond a position, in the order they arrived."""
        with self._transaction("reading") as connection:
            rows = connection.execute(self._events_after, {"after": after}).all()
        return [(row[0], row_to_event(row[1:])) for row in rows]

    def add_class(self, name: str) -> tuple[str, ...]:
        """Remember one more class; return all, in the order they came."""
        with self._transaction("events") as connection:
            self._backend.serialise(connection)
            self._keep_classes(connection, [name], added=True)
            return _classes(connection)

    def add_round(self, record: Round) -> None:
        """Remember a training round."""
        row = round_to_row(record)
        with self._transaction("events") as connection:
            self._backend.serialise(connection)
            connection.execute(schema.rounds.insert(), row)

    def rounds(self) -> list[Round]:
        """Return all training rounds, oldest first."""
        with self._transaction("reading") as connection:
            rows = connection.execute(sa.select(schema.rounds).order_by(schema.rounds.c.position)).all()
        return [row_to_round(row) for row in rows]

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a small JSON value kept under a key."""
        with self._transaction("reading") as connection:
            text = connection.execute(_setting(key)).scalar()
        return default if text is None else json.loads(str(text))

    def keep_setting(self, key: str, value: Any) -> Any:
        """Keep a small JSON value if the key has none yet; return the one that is kept."""
        row = {"key": key, "value": to_json(value, f"the setting {key!r}")}
        with self._transaction("events") as connection:
            connection.execute(self._backend.insert(schema.settings).on_conflict_do_nothing(), row)
            return json.loads(str(connection.execute(_setting(key)).scalar_one()))

    def lease(self, item_ids: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Lease items to a holder; return those that no other holder holds. Renews the holder's own."""
        now = self._clock()
        with self._transaction("leases") as connection:
            got = {
                connection.execute(
                    self._lease, {"item_id": item, "holder": holder, "until": now + seconds, "now": now}
                ).scalar()
                for item in sorted(
                    set(item_ids)
                )  # one order for all, so that two holders cannot wait for each other
            }
        return [item for item in dict.fromkeys(item_ids) if item in got]

    def leased(self) -> dict[str, str]:
        """Return item id → holder of all leases that have not run out."""
        query = sa.select(schema.leases.c.item_id, schema.leases.c.holder).where(
            schema.leases.c.until > self._clock()
        )
        with self._transaction("reading") as connection:
            return {row.item_id: row.holder for row in connection.execute(query)}

    def release(self, holder: str, item_ids: Sequence[str] | None = None) -> None:
        """Give back some, or all, of a holder's leases."""
        leases = schema.leases
        delete = leases.delete().where(leases.c.holder == holder)
        with self._transaction("leases") as connection:
            if item_ids is None:
                connection.execute(delete)
                return
            one = delete.where(leases.c.item_id == sa.bindparam("item"))
            for item in sorted(set(item_ids)):
                connection.execute(one, {"item": item})

    def close(self) -> None:
        """Close all connections; safe to call twice. A call on another thread ends first."""
        self._closed = True
        if self._forked:
            return
        for channel in dict.fromkeys(self._channels.values()):
            with channel.lock:
                channel.connection.close()
        self._backend.dispose()

    def _leave_to_parent(self) -> None:
        """In a forked child: touch the parent's connections no more; open new ones at the next use."""
        if self._closed or self._backend.single:
            return
        _inherited.append(self._channels)
        self._backend.dispose(close=False)
        self._forked = True
        self._reopening = threading.Lock()

    def _reopen(self) -> None:
        with self._reopening:
            if self._forked and not self._closed:
                self._open()
                self._forked = False


_living: weakref.WeakSet[SqlStore] = weakref.WeakSet()
_inherited: list[dict[str, _Channel]] = []  # kept, not closed: closing would touch the parent's files


def _after_fork_in_child() -> None:
    for store in list(_living):
        store._leave_to_parent()  # noqa: SLF001


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _close_all(connections: Iterable[sa.Connection], backend: Backend) -> None:
    for connection in connections:
        connection.close()
    backend.dispose()


def _fact(connection: sa.Connection, key: str) -> str | None:
    found: str | None = connection.execute(
        sa.select(schema.facts.c.value).where(schema.facts.c.key == key)
    ).scalar()
    return found


def _remember(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(schema.facts.insert(), {"key": key, "value": value})


def _classes(connection: sa.Connection) -> tuple[str, ...]:
    return tuple(
        connection.execute(sa.select(schema.classes.c.name).order_by(schema.classes.c.position)).scalars()
    )


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
