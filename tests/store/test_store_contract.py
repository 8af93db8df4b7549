"""Both SQLite stores keep the contract; a PostgreSQL one too where AL_WIDGETS_POSTGRES names an empty database."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from al_widgets.errors import StoreError
from al_widgets.store import SqlStore, open_store
from al_widgets.testing.store import StoreContract, make_event


class TestSqliteFile(StoreContract):
    def open(self, where: Path) -> SqlStore:
        return open_store(where / "labels.db")


class TestSqliteMemory(StoreContract):
    persistent = False

    def open(self, where: Path) -> SqlStore:
        return open_store(":memory:")


class TestPostgresql(StoreContract):
    __test__ = "AL_WIDGETS_POSTGRES" in os.environ  # the URL of an empty database, whose schema `public` is dropped

    @pytest.fixture(autouse=True)
    def _empty(self):
        url = os.environ["AL_WIDGETS_POSTGRES"]
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
        engine.dispose()

    def open(self, where: Path) -> SqlStore:
        return open_store(os.environ["AL_WIDGETS_POSTGRES"])

    def test_append_works_again_when_the_server_hung_up(self, store: SqlStore) -> None:
        store.append(make_event(0))
        engine = sa.create_engine(os.environ["AL_WIDGETS_POSTGRES"])
        with engine.begin() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            connection.exec_driver_sql(others)
        engine.dispose()
        with pytest.raises(StoreError, match="Answer again"):
            store.append(make_event(1))
        store.append(make_event(1))
        assert [event.seq for _, event in store.events()] == [0, 1]

    def test_log_refuses_update_and_delete(self, store: SqlStore) -> None:
        store.append(make_event(0))
        engine = sa.create_engine(os.environ["AL_WIDGETS_POSTGRES"])
        for statement in ("UPDATE al_events SET note = 'x'", "DELETE FROM al_events"):
            with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
                connection.exec_driver_sql(statement)
        engine.dispose()
