"""Tables of a store, portable between SQLite and PostgreSQL.

Imported by the store only. Events and rounds are append-only: triggers in the database refuse UPDATE and
DELETE, whoever asks. Answers are JSON text, so that a store can be read with any SQLite browser.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from al_widgets.errors import StoreVersionError

SCHEMA_VERSION = 1
"""Grows when a table changes in a way that an older al_widgets cannot read."""

metadata = sa.MetaData()

_Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # only INTEGER PRIMARY KEY is SQLite's row id

events = sa.Table(
    "al_events",
    metadata,
    sa.Column("position", _Position, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("item_id", sa.Text, nullable=False),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("elapsed_s", sa.Double),
    sa.Column("shown_at", sa.Double),
    sa.Column("answered_at", sa.Double, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("utility", sa.Double),
    sa.Column("propensity", sa.Double),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("query_kind", sa.Text, nullable=False),
    sa.Column("model_shown", sa.Boolean, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.UniqueConstraint("client", "seq"),
)

rounds = sa.Table(
    "al_rounds",
    metadata,
    sa.Column("position", _Position, primary_key=True, autoincrement=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("n_labels", sa.Integer, nullable=False),
    sa.Column("accuracy", sa.Double),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("money", sa.Double),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("trained_at", sa.Double, nullable=False),
    sa.Column("fit_s", sa.Double, nullable=False),
    sa.Column("reserve_predictions", sa.Text, nullable=False),
)

classes = sa.Table(
    "al_classes",
    metadata,
    sa.Column("position", _Position, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("added", sa.Boolean, nullable=False),
)

settings = sa.Table(
    "al_settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

leases = sa.Table(
    "al_leases",
    metadata,
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)

facts = sa.Table(
    "al_store",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What the store knows of itself: schema version, store id, pool and task."""

_REFUSAL = "al_widgets: the log is append-only; undo an answer with an undo event"


def _after_create(table: sa.Table, dialect: str, statement: str) -> None:
    ddl = sa.DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
    sa.event.listen(table, "after_create", ddl)


def _guard(table: sa.Table) -> None:
    for verb in ("UPDATE", "DELETE"):
        trigger = f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name}"
        _after_create(table, "sqlite", f"{trigger} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END")
        _after_create(table, "postgresql", f"{trigger} FOR EACH STATEMENT EXECUTE FUNCTION al_refuse()")


sa.event.listen(
    metadata,
    "before_create",
    sa.DDL(  # type: ignore[no-untyped-call]
        "CREATE OR REPLACE FUNCTION al_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    ).execute_if(dialect="postgresql"),
)
_guard(events)
_guard(rounds)


def create(connection: sa.Connection) -> None:
    """Create all tables and the facts of a new store, inside the caller's transaction."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        facts.insert(),
        [
            {"key": "version", "value": str(SCHEMA_VERSION)},
            {"key": "store_id", "value": secrets.token_hex(16)},
        ],
    )


def exists(connection: sa.Connection) -> bool:
    """Say whether the database holds the tables of a store."""
    return sa.inspect(connection).has_table(facts.name)


def check_version(connection: sa.Connection, location: str) -> None:
    """Refuse a store that a newer al_widgets wrote.

    Raises
    ------
    StoreVersionError
        If its schema version is newer than `SCHEMA_VERSION`, or missing.
    """
    found = connection.execute(sa.select(facts.c.value).where(facts.c.key == "version")).scalar()
    if found is None or not found.isdigit():
        raise StoreVersionError(f"{location} says no schema version (found {found!r}): it is damaged, or no store")
    if int(found) > SCHEMA_VERSION:
        raise StoreVersionError(
            f"{location} was written by a newer al_widgets (schema {found}, known here: {SCHEMA_VERSION}); "
            "upgrade with: pip install -U al-widgets",
        )
