"""The store: the durable, append-only truth of a session."""

from __future__ import annotations

from al_widgets.store.base import Ack, Store
from al_widgets.store.sql import DEFAULT_TIMEOUT_S, SqlStore, open_store

__all__ = ["DEFAULT_TIMEOUT_S", "Ack", "SqlStore", "Store", "open_store"]
