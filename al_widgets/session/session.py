"""The session: one annotator, one pool, one store, and a model that learns behind the scenes.

Any thread may call a session. One lock guards its state; nothing slow happens under it, and observers are called outside it.
"""

from __future__ import annotations

import getpass
import threading
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from al_widgets.errors import SessionError
from al_widgets.pool import Pool, open_pool
from al_widgets.records import Budget, Problem, Round
from al_widgets.session import measures
from al_widgets.session.asking import Asking
from al_widgets.session.drawing import Drawing
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.ledger import Ledger
from al_widgets.session.observers import Callback, Observers
from al_widgets.session.queue import ServingQueue
from al_widgets.session.registry import supersede
from al_widgets.session.rounds import Rounds
from al_widgets.store import Store, open_store
from al_widgets.strategies import as_strategy
from al_widgets.task import Classification, Segmentation, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Session(Drawing):
    """An active-learning session: asks, records, learns.

    Parameters
    ----------
    pool : str, Path, list of paths, ndarray (n, h, w[, c]), DataFrame or Pool
        What is to be labelled.
    task : Task or list of str
        What may be answered; a list of names is a `Classification`. With a `Segmentation` or `Boxes` the session is a
        `VolumeSession`.
    strategy : str or Strategy
        Name from ``al_widgets.strategies.names()``, or any object with that protocol.
    learner : scikit-learn classifier or Learner, optional
    encoder : scikit-learn transformer, function of an image, or Encoder, optional
        Images to features; default: EfficientNet-Lite0 where the extra ``pretrained`` is installed, else features that need
        no weights. The bare session says which.
    store : str or Path, optional
        File or SQLAlchemy URL of the answers; default: ``<pool name>.db`` in the working directory. ``":memory:"`` keeps
        nothing.
    annotator : str, optional
        Default: the login name.
    audit : float
        Share of queries spent on a random reserve that is never trained on: the source of every accuracy. 0 to 0.5.
    target : float
        Accuracy that is wanted, for the forecast and the advice.
    hourly_rate : float, optional
        What an hour of the annotator costs; without it no money is shown.
    batch_size : int
        Answers between two trainings; the queries of a batch are chosen together, without redundancy.
    policy : str
        When to ask for another answer to the same item: ``"never"``, ``"always-2"`` …, ``"activelab"``, ``"mi"`` (whatever tells
        more a second), or ``"auto"``, which does that in favour of new items. A lone annotator gets one of their own answers
        of long ago again, now and then: how often the two agree tells how reliable they are.
    gold : mapping of item id to answer, optional
        Items whose answer is known: mixed in unmarked, one in twenty, they tell how reliable an annotator is.
    budget : Budget, optional
        What may be spent: near the limit the session says so, at the limit it stops asking.
    seed : int
        Of everything that is drawn at random.

    Raises
    ------
    PoolError, TaskError, StrategyError
        If an argument does not fit.
    StoreMismatchError
        If the store belongs to another pool or task.

    Examples
    --------
    >>> import numpy as np, al_widgets as al
    >>> images = np.zeros((4, 8, 8), np.uint8)
    >>> session = al.Session(images, al.Classification(["dark", "bright"]), store=":memory:")
    >>> query = next(session.queries())
    >>> event_id = session.submit(query, "dark", elapsed_s=1.5)
    >>> session.labels().label.tolist()
    ['dark']
    >>> session.close()
    """

    def __new__(cls, *args: Any, **options: Any) -> Session:
        """Make the kind of session that the task needs: masks and boxes are labelled on volumes."""
        task = options["task"] if "task" in options else args[1] if len(args) > 1 else None
        if cls is Session and isinstance(task, Segmentation):
            from al_widgets.session.volume import VolumeSession

            return super().__new__(VolumeSession)
        return super().__new__(cls)

    def __init__(
        self,
        pool: Any,
        task: Task | Sequence[str],
        *,
        strategy: Any = "auto",
        learner: Any = None,
        encoder: Any = None,
        store: str | Path | None = None,
        annotator: str | None = None,
        audit: float = 0.2,
        target: float = 0.95,
        hourly_rate: float | None = None,
        batch_size: int = 1,
        policy: Any = "auto",
        gold: Mapping[str, Any] | None = None,
        budget: Budget | None = None,
        seed: int = 0,
    ) -> None:
        self._closed = ""
        measures.check_settings(
            audit=audit, target=target, hourly_rate=hourly_rate, batch_size=batch_size, budget=budget,
            annotator=annotator, seed=seed, gold=gold,
        )  # fmt: skip
        self._limits = budget
        strategy = as_strategy(strategy)
        if learner is not None:
            from al_widgets.learning import as_learner

            learner = as_learner(learner)
        self.annotator = annotator or _login_name()
        self.target, self.hourly_rate, self.batch_size, self.seed = target, hourly_rate, batch_size, seed
        self._asking = Asking(policy, {}, seed)
        self._pool: Pool = self._make_pool(pool)
        self._ids: Sequence[str] = self._pool.item_ids
        self._row = {item_id: row for row, item_id in enumerate(self._ids)}
        task = task if isinstance(task, Task) else Classification(task)
        if task.kind != "classification":
            self._asking = Asking("never", {}, seed)  # what other answers add up to has no probability yet
        self._store: Store = open_store(f"{self._pool.name}.db" if store is None else store)
        try:
            self._begin(task, audit, strategy, learner, encoder)
            self._take_gold(gold or {})
        except BaseException:
            self._store.close()
            raise
        if self._store.location != ":memory:":
            supersede(self._store.location, self.annotator, self)

    def _begin(self, task: Task, audit: float, strategy: Any, learner: Any, encoder: Any) -> None:
        """Take up what the store knows, and set up the machinery; nothing runs yet."""
        for name in self._store.bind(self._pool.identity(), self._known_ids(), task.kind, task.classes):
            task = task.with_class(name)
        self._task = task
        self._observers = Observers()
        self._problems: dict[str, Problem] = {}
        self._client, self._seq = f"py-{uuid.uuid4().hex[:12]}", 0
        self._visible: dict[str, list[str]] = {}
        self._released: set[str] = set()
        self._progress: tuple[int, int] | None = None
        self._error = self._encoding_error = ""
        self._queue = self._make_queue(audit)
        self._reserve_ids = {self._ids[row] for row in self._queue.reserve}
        self._lock = threading.RLock()
        self._ledger, self._synced = self._make_ledger(), 0
        self._sync()
        self._past: list[Round] = self._store.rounds()
        self._rounds = self._make_rounds(strategy, learner, max((r.round for r in self._past), default=0))
        self._encoding = self._make_encoding(encoder)

    def _take_gold(self, gold: Mapping[str, Any]) -> None:
        """Remember the items whose answer is known; they do not measure the model, for they were not drawn at random."""
        for item_id, value in gold.items():
            self._row_of(item_id)
            self._task.validate(value)
        self._asking.gold = dict(gold)
        self._reserve_ids -= gold.keys()

    def _make_pool(self, pool: Any) -> Pool:
        return open_pool(pool)

    def _known_ids(self) -> Iterable[str]:
        """Return the ids that a store of this pool may speak of."""
        return self._row

    def _make_ledger(self) -> Ledger:
        return Ledger()

    def _make_rounds(self, strategy: Any, learner: Any, first_round: int) -> Rounds:
        return Rounds(
            self._state,
            self._on_round,
            self._on_error,
            strategy=strategy,
            learner=learner,
            batch_size=self.batch_size,
            seed=self.seed,
            first_round=first_round,
        )

    def _make_queue(self, audit: float) -> ServingQueue:
        reserve = measures.reserve_rows(self._store, self._ids, audit)
        return ServingQueue(len(self._ids), reserve, audit, self.seed)

    def _make_encoding(self, encoder: Any) -> BackgroundEncoding:
        encoder = measures.checked_encoder(self._pool, encoder)
        return BackgroundEncoding(
            make_table=lambda: measures.feature_table(self._pool, encoder),
            order=self._encoding_order,
            on_progress=self._on_progress,
            on_ready=self._rounds.on_features,
            on_problem=lambda p: self.set_aside(p.item_id, p.reason),
            on_error=self._on_encoding_error,
        )

    # ---- running ----------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call ``callback(change)`` on changes, from any thread; returns the function that ends it.

        `change` is "labels", "round", "progress", "problem", "classes", "error" or "closed". The callback must return at
        once.
        """
        return self._observers.subscribe(callback)

    def close(self, why: str = "The session was closed.") -> None:
        """End background work and close the store; everything that was answered is on the disk."""
        if self._closed:
            return
        self._closed = why
        self._encoding.close()
        self._rounds.close()
        self._store.close()
        self._observers.notify("closed")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- behind the scenes --------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        """Take in what others wrote to the store."""
        if self._closed:
            return
        for position, event in self._store.events(after=self._synced):
            self._ledger_of(event.item_id).add(event)
            self._synced = max(self._synced, position)


def _login_name() -> str:
    """Return the login name; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise SessionError("this account has no login name: give annotator='…'") from error
