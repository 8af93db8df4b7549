"""The session: one annotator, one pool, one store, and a model that learns behind the scenes.

Any thread may call a session. One lock guards its state; nothing slow happens under it, and observers are called outside it.
"""

from __future__ import annotations

import getpass
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import AlWidgetsError, SessionError
from al_widgets.pool import Pool, open_pool
from al_widgets.records import Budget, Estimate, Problem, Query, Round
from al_widgets.session import alike, measures, new_pictures
from al_widgets.session.answers import Answers
from al_widgets.session.asking import Asking, Circumstances
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.ledger import Ledger
from al_widgets.session.observers import Callback, Observers
from al_widgets.session.queue import Pick, ServingQueue
from al_widgets.session.registry import supersede
from al_widgets.session.rounds import Rounds, State, agreed_labels
from al_widgets.session.snapshot import Snapshot
from al_widgets.store import Store, open_store
from al_widgets.strategies import as_strategy
from al_widgets.task import Classification, Segmentation, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

LEASE_S = 180.0
"""Seconds an item stays with who holds it; renewed with every message of the page."""


ON_SCREEN = 2
"""Items of a holder that count as asked: the one on the screen and the next; the others may still be ranked away."""


class Session(Answers):
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
            audit=audit, target=target, hourly_rate=hourly_rate, batch_size=batch_size, budget=budget
        )
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
        return BackgroundEncoding(
            make_table=lambda: measures.feature_table(self._pool, encoder),
            order=self._encoding_order,
            on_progress=self._on_progress,
            on_ready=self._rounds.on_features,
            on_problem=lambda p: self.set_aside(p.item_id, p.reason),
            on_error=self._on_encoding_error,
        )

    # ---- asking -----------------------------------------------------------------------------------------------------

    def queries(self, limit: int | None = None, *, wait: bool = True) -> Iterator[Query]:
        """Yield queries until `limit` are asked or nothing is left.

        With `wait` every query comes from a model that has seen all answers so far (a batch, with ``batch_size``); without
        it the loop never waits for training, as a person at the widget does not.
        """
        asked = 0
        held: dict[str, int] = {}
        holder = f"{self._client}:{uuid.uuid4().hex[:6]}"
        try:
            while limit is None or asked < limit:
                if wait and asked % self.batch_size == 0:
                    self.wait()
                with self._lock:
                    held = {i: n for i, n in held.items() if self._ledger_of(i).n_given(i, self.annotator) == n}
                drawn = self.draw(holder, 1, have=list(held))
                if not drawn:
                    return
                asked += 1
                with self._lock:
                    item_id = drawn[0].item_id
                    held[item_id] = self._ledger_of(item_id).n_given(item_id, self.annotator)
                yield drawn[0]
        finally:
            if not self._closed:
                self.release(holder)

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` items for a holder and lease them.

        Parameters
        ----------
        holder : str
            Who asks: a page, a script.
        have : sequence of str
            Items the holder has already, in its order; they are not drawn again and their lease is renewed.
        keep : int, optional
            Keep only the first `keep` of `have` and give the others back first: for a new ranking.

        Raises
        ------
        SessionClosedError
        """
        self._check_open()
        with self._lock:
            self._sync()
            have = [i for i in have if i in self._row]
            kept = have if keep is None else have[:keep]
            if keep is not None and len(kept) < len(have):
                self._store.release(holder, have[keep:])
            leased = self._free_answered(holder, set(kept))
            mine = set(kept)
            done = self._ledger.answered_by(self.annotator)
            labels = self._ledger.labels

            def free(row: int) -> bool:
                item_id = self._ids[row]
                return (
                    item_id not in labels
                    and item_id not in done
                    and item_id not in mine
                    and item_id not in self._problems
                    and item_id not in self._asking.gold
                    and leased.get(item_id, holder) == holder
                )

            n = self._within_budget(n, leased.keys() | mine)
            served = self._ledger.n_counting + sum(1 for i in leased if not self._ledger.answers(i))
            picks = self._mix_in(self._queue.pick(max(0, n), served, free), max(0, n), served, mine, leased, holder)
            granted = set(self._store.lease([*kept, *(self._ids[p.row] for p in picks)], holder, LEASE_S))
            queries = [self._query(p) for p in picks if self._ids[p.row] in granted]
            self._visible[holder] = [*kept, *(q.item_id for q in queries)][:ON_SCREEN]
        self.start()
        return queries

    def _within_budget(self, n: int, held: AbstractSet[str]) -> int:
        """Return how many of `n` may be asked: what pages hold and have not answered will be spent, too."""
        use = self.budget
        if use is None:
            return n
        open_ = sum(1 for i in held if not self._ledger.answers(i))
        return int(min(n, max(0, use.room(self.pace()[0]) - open_)))

    def _free_answered(self, holder: str, kept: set[str]) -> dict[str, str]:
        """Give back what a holder has answered, so that others may be asked the same; return the leases."""
        leased = self._store.leased()
        if self._asking.never:
            return leased
        done = [
            i
            for i, who in leased.items()
            if who == holder and i not in kept and self.annotator in self._ledger.answers(i)
        ]
        if done:
            self._store.release(holder, done)
        return {i: who for i, who in leased.items() if i not in set(done)}

    def _mix_in(
        self, picks: list[Pick], n: int, served: int, mine: set[str], leased: dict[str, str], holder: str
    ) -> list[Pick]:
        """Put repeats and known items in the places of some new ones."""
        if self._asking.never:
            return picks
        now = Circumstances(
            self.annotator,
            self._ledger,
            self._rounds.agreed,
            self._rounds.snapshot,
            self._ids,
            self._row,
            self._reserve_ids,
            mine | self._problems.keys() | {i for i, who in leased.items() if who != holder},
            self._seconds,
        )
        chosen: list[Pick] = []
        for place in range(n):
            pick = picks[place] if place < len(picks) else None
            chosen_ids = {self._ids[p.row] for p in chosen}
            pick = self._asking.choose(pick, served + place, now, chosen_ids)
            if pick is None:
                break
            chosen.append(pick)
        return chosen

    def _seconds(self, item_ids: Sequence[str], kind: str) -> npt.NDArray[np.float64] | None:
        """Return the expected seconds of this annotator's answers; None while nothing is known."""
        timing = self._rounds.timing
        if timing is None:
            return None
        return timing.seconds(np.array([self._row.get(i, -1) for i in item_ids], np.intp), kind, self.annotator)

    def draw_alike(self, holder: str, n: int, *, name: str | None = None, have: Sequence[str] = ()) -> alike.Alike:
        """Draw up to `n` open items that the model takes for one class, most confident first, and lease them.

        What the holder had before and is not in `have` is given back. Audit items are left out: an answer that the model
        suggested cannot measure it.

        Parameters
        ----------
        holder : str
        n : int
        name : str, optional
            The class; default: the one that the model is surest of.
        have : sequence of str
            Items that the holder keeps, whatever is predicted by now.

        Raises
        ------
        SessionClosedError
        """
        self._check_open()
        with self._lock:
            self._sync()
            kept = [i for i in have if i in self._row]
            leased = self._store.leased()
            held = [i for i, who in leased.items() if who == holder and i not in kept]
            if held:
                self._store.release(holder, held)
            taken = {i for i, who in leased.items() if who != holder} | set(kept)
            taken |= self._reserve_ids | self._problems.keys() | set(self._ledger.answered())
            rows = [row for row, item_id in enumerate(self._ids) if item_id not in taken]
            name, picks, counts = alike.pick_alike(self._rounds.snapshot, rows, n - len(kept), name)
            granted = set(self._store.lease([*kept, *(self._ids[p.row] for p in picks)], holder, LEASE_S))
            queries = tuple(self._query(p) for p in picks if self._ids[p.row] in granted)
            self._visible[holder] = [*kept, *(q.item_id for q in queries)]
        self.start()
        return alike.Alike(name, queries, tuple((c, counts[c]) for c in self._task.classes if counts.get(c)))

    @property
    def released(self) -> frozenset[str]:
        """Holders that are gone, by their own word or a successor's."""
        return frozenset(self._released)

    def release(self, holder: str) -> None:
        """Give back everything a holder holds, because it is gone; see `welcome`."""
        with self._lock:
            self._released.add(holder)
            self._visible.pop(holder, None)
            if not self._closed:
                self._store.release(holder)

    def welcome(self, holder: str) -> None:
        """Take note that a holder is there (again)."""
        with self._lock:
            self._released.discard(holder)

    # ---- running ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin encoding and training behind the scenes; drawing a query does it too."""
        if not self._closed:
            self._encoding.start()

    def train(self) -> None:
        """Ask for a training now; it runs behind the scenes."""
        self._check_open()
        self.start()
        self._rounds.request()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything is encoded and the model has seen all answers; False when the time-out came first."""
        self._check_open()
        self.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._encoding.wait(timeout):
            return False
        self._rounds.request_if_behind(len(self._ledger))
        return self._rounds.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def predict(self, pictures: Any) -> pd.DataFrame:
        """Apply the newest model to pictures outside the pool: a folder, a list of paths, an array; waits for training.

        Returns the columns of `predictions`; NaN for pictures that cannot be read.

        Raises
        ------
        SessionError
            If there is no model yet, or the pool could not be read.
        """
        self.wait()  # encoder and model must be of the same reading
        encoder = getattr(self._encoding, "encoder", None)
        if encoder is None:
            raise SessionError(f"the pool's pictures were not read to the end. {self.last_error}".strip())
        return new_pictures.predict(pictures, encoder, self._rounds.snapshot)

    def cross_validation(self) -> Estimate:
        """Return how good the model looks on the items chosen for it, to be seen beside `accuracy`; never an accuracy itself.

        Fits five models, and takes as long. Where nothing can be computed, `why` of the estimate says so.
        """
        from al_widgets.session.crossvalidation import METHOD, cross_validate

        state, features, snapshot = self._state(), self._rounds.features, self._rounds.snapshot
        rows, matrix = state.features or features or (np.empty(0, np.intp), np.empty((0, 0)))
        if snapshot is None or snapshot.learner is None:
            return Estimate(None, None, None, 0, METHOD, "there is no model yet")
        seen = np.isin(state.labelled, rows)
        at = np.searchsorted(rows, state.labelled[seen])
        labels, _ = agreed_labels(state, self._rounds.agreed)
        return cross_validate(snapshot.learner, matrix, at, labels[seen], len(state.classes), self.seed)

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

    def _encoding_order(self) -> list[str]:
        """Labelled items first (the model needs them), then the others at random: every prefix is a fair sample."""
        with self._lock:
            first = [i for i in self._ledger.labels if i in self._row]
        rest = np.random.default_rng(self.seed).permutation(len(self._ids))
        have = set(first)
        return first + [self._ids[r] for r in rest if self._ids[r] not in have]

    def _state(self) -> State:
        """Return what a round of training begins with; on the trainer's thread."""
        with self._lock:
            self._sync()
            number = {name: i for i, name in enumerate(self._task.classes)}
            rows, labels = [], []
            for item_id, label in self._ledger.labels.items():
                row = self._row.get(item_id)
                if row is not None and row not in self._queue.in_reserve and label.label in number:
                    rows.append(row)
                    labels.append(number[label.label])
            answered = [self._row[i] for i in self._ledger.answered() if i in self._row]
            visible = [self._row[i] for ids in self._visible.values() for i in ids if i in self._row]
            open_ = np.ones(len(self._ids), bool)
            for taken in (
                answered,
                visible,
                list(self._queue.in_reserve),
                [self._row[i] for i in (*self._problems, *self._asking.gold) if i in self._row],
            ):
                open_[taken] = False
            pending = (set(answered) | set(visible)) - set(rows) - self._queue.in_reserve
            return State(
                version=len(self._ledger),
                n_labels=len(self._ledger.labels),
                classes=self._task.classes,
                pool_size=len(self._ids),
                labelled=np.asarray(rows, np.intp),
                labels=np.asarray(labels, np.intp),
                candidates=np.flatnonzero(open_),
                pending=np.asarray(sorted(pending), np.intp),
                witnesses=self._witnesses(),
                timed=tuple(self._answers()),
                row=dict(self._row),
                annotator=self.annotator,
            )

    def _on_round(self, snapshot: Snapshot) -> None:
        """Install a new model and its ranking; on the trainer's thread."""
        with self._lock:
            if self._closed:
                return
            self._queue.install(snapshot.ranking)
            self._error = "; ".join(str(error) for error in snapshot.errors)
            known = self._past[-1].n_labels if self._past else -1
            if snapshot.learner is not None and not snapshot.errors and snapshot.n_labels != known:
                accuracy = measures.accuracy(snapshot, self._labels(), self._row, self._reserve_ids)
                predictions = measures.predictions_of(
                    snapshot, self._queue.sample(measures.KEPT_PREDICTIONS), self._ids
                )
                self._remember_round(snapshot, accuracy, predictions)
        self._observers.notify("error" if self._error else "round")

    def _remember_round(self, snapshot: Snapshot, accuracy: Estimate, predictions: tuple[tuple[str, str], ...]) -> None:
        """Keep a round in the store; the caller holds the lock."""
        seconds, money = self.spent()
        record = Round(
            snapshot.round, snapshot.n_labels, accuracy, seconds, money, self.strategy, time.time(), snapshot.fit_s, predictions,
        )  # fmt: skip
        self._store.add_round(record)
        self._past.append(record)

    def _on_progress(self, done: int, total: int) -> None:
        self._progress = (done, total) if done < total else None
        self._observers.notify("progress")

    def _on_error(self, error: Exception) -> None:
        self._error = _told(error)
        self._observers.notify("error")

    def _on_encoding_error(self, error: Exception) -> None:
        self._encoding_error = _told(error)
        self._observers.notify("error")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, AlWidgetsError) else f"{type(error).__name__}: {error}"


def _login_name() -> str:
    """Return the login name; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise SessionError("this account has no login name: give annotator='…'") from error
