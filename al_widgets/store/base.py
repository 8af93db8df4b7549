"""What every store can do: the durable truth of a session.

A store is append-only and safe to call from any thread; several processes may hold the same one. It imports neither
numpy nor scikit-learn: it keeps events, not arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from al_widgets.records import Annotation, PoolIdentity, Round


@dataclass(frozen=True, slots=True)
class Ack:
    """Answer of the store to an append: the event is on the disk.

    Attributes
    ----------
    event_id : str
        Of the event that is stored under this ``(client, seq)``.
    position : int
        Grows with every event of the store; what `Store.events` counts from.
    duplicate : bool
        True if it had been stored before.
    """

    event_id: str
    position: int
    duplicate: bool


@runtime_checkable
class Store(Protocol):
    """The durable truth of a session."""

    @property
    def store_id(self) -> str:
        """Random id of the store, made once; browsers key their outbox by it."""

    @property
    def location(self) -> str:
        """Where it is, as a user would name it; without a password."""

    def bind(
        self, pool: PoolIdentity, known_ids: Iterable[str], task_kind: str, classes: Sequence[str]
    ) -> tuple[str, ...]:
        """Tie the store to a pool and a task at first use, check it later; return all classes, added ones included.

        Raises
        ------
        StoreMismatchError
            If it belongs to another pool or another task; names both and says what to do.
        """

    def append(self, event: Annotation) -> Ack:
        """Append one event in one durable transaction.

        The same ``(client, seq)`` again gives the same acknowledgement and writes nothing.

        Raises
        ------
        StoreError
            If the same ``(client, seq)`` or event id comes with another content.
        StoreFullError, StoreLockedError
            If it could not be written; nothing was.
        """

    def append_many(self, events: Sequence[Annotation]) -> list[Ack]:
        """Append several events in one transaction: all or none."""

    def events(self, after: int = 0) -> list[tuple[int, Annotation]]:
        """Return (position, event) of all events beyond a position, in the order they arrived."""

    def add_class(self, name: str) -> tuple[str, ...]:
        """Remember one more class; return all."""

    def add_round(self, record: Round) -> None:
        """Remember a training round."""

    def rounds(self) -> list[Round]:
        """Return all training rounds, oldest first."""

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a small JSON value kept under a key."""

    def keep_setting(self, key: str, value: Any) -> Any:
        """Keep a small JSON value if the key has none yet; return the one that is kept."""

    def lease(self, item_ids: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Lease items to a holder; return those that no other holder holds. Renews the holder's own."""

    def leased(self) -> dict[str, str]:
        """Return item id → holder of all leases that have not run out."""

    def release(self, holder: str, item_ids: Sequence[str] | None = None) -> None:
        """Give back some, or all, of a holder's leases."""

    def close(self) -> None:
        """Close all connections; safe to call twice."""
