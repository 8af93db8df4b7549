"""Both SQLite stores keep the contract; a PostgreSQL one too where AL_WIDGETS_POSTGRES names an empty database."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from al_widgets.store import SqlStore, open_store
from al_widgets.testing.store import StoreContract


class TestSqliteFile(StoreContract):
    def open(self, where: Path) -> SqlStore:
        return open_store(where / "labels.db")


class TestSqliteMemory(StoreContract):
    persistent = False

    def open(self, where: Path) -> SqlStore:
        return open_store(":memory:")


@pytest.mark.skipif(
    "AL_WIDGETS_POSTGRES" not in os.environ, reason="set AL_WIDGETS_POSTGRES to the URL of a database"
)
class TestPostgresql(StoreContract):
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
