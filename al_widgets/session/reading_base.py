"""What the readings of a session share: the parts that they read. They change nothing."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from al_widgets.errors import UnknownItemError
from al_widgets.pool import Pool
from al_widgets.records import Annotation, Budget, Problem, Round
from al_widgets.session.asking import Asking
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.ledger import Ledger
from al_widgets.session.queue import ServingQueue
from al_widgets.session.rounds import Rounds
from al_widgets.session.snapshot import Snapshot
from al_widgets.store import Store
from al_widgets.task import Task

if TYPE_CHECKING:
    pass


class ReadingBase(ABC):
    """The parts of a session that are read."""

    annotator: str
    target: float
    hourly_rate: float | None
    seed: int
    _pool: Pool
    _ids: Sequence[str]
    _row: dict[str, int]
    _store: Store
    _task: Task
    _ledger: Ledger
    _lock: threading.RLock
    _rounds: Rounds
    _past: list[Round]
    _problems: dict[str, Problem]
    _reserve_ids: set[str]
    _progress: tuple[int, int] | None
    _error: str
    _encoding: BackgroundEncoding
    _encoding_error: str
    _closed: str
    _queue: ServingQueue
    _asking: Asking
    _limits: Budget | None

    @abstractmethod
    def _sync(self) -> None:
        """Take in what others wrote to the store; the caller holds the lock."""

    @property
    def pool(self) -> Pool:
        """What is to be labelled."""
        return self._pool

    @property
    def task(self) -> Task:
        """What may be answered, classes that were added included."""
        return self._task

    @property
    def store(self) -> Store:
        """Where the answers are."""
        return self._store

    @property
    def strategy(self) -> str:
        """Name of the query strategy."""
        return self._rounds.strategy.name

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest model with its ranking; None before the first round."""
        return self._rounds.snapshot

    @property
    def ledger(self) -> Ledger:
        """What the events add up to; hold `lock` while reading it."""
        return self._ledger

    @property
    def lock(self) -> Any:
        """The session's one lock."""
        return self._lock

    @property
    def model(self) -> Any:
        """The fitted scikit-learn estimator on features; its classes are class names where it can be; None before."""
        snapshot = self._rounds.snapshot
        return None if snapshot is None or snapshot.learner is None else snapshot.learner.estimator

    @property
    def training(self) -> str:
        """``"idle"``, ``"running"`` or ``"failed"``."""
        return "running" if self._rounds.running else "failed" if self.last_error else "idle"

    @property
    def last_error(self) -> str:
        """What went wrong behind the scenes last, empty if nothing did since."""
        return self._encoding_error or self._error

    @property
    def encoding_progress(self) -> tuple[int, int] | None:
        """(encoded, all) while encoding runs, else None."""
        return self._progress

    @property
    def closed(self) -> str:
        """Why the session is closed; empty while it is open."""
        return self._closed

    def _ledger_of(self, item_id: str) -> Ledger:
        """Return the ledger that answers about an item belong to."""
        del item_id
        return self._ledger

    def _ledgers(self) -> tuple[Ledger, ...]:
        """Return all ledgers; the first is that of labels."""
        return (self._ledger,)

    def _row_of(self, item_id: str) -> int:
        row = self._row.get(item_id)
        if row is None:
            raise UnknownItemError(item_id)
        return row

    def _answers(self, annotator: str | None = None) -> list[Annotation]:
        with self._lock:
            return [e for e in self._ledger if e.kind != "undo" and annotator in (None, e.annotator)]
