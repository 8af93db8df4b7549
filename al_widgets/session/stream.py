"""Stream-based selective sampling: items come one by one, each is asked or let go on the spot.

Any thread may offer items; they are decided about one after the other. Memory is bounded whatever the length of the stream.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from al_widgets.errors import AlWidgetsError, EncoderError, ReadError, SessionError
from al_widgets.pool.growing import GrowingPool
from al_widgets.records import Problem, Query
from al_widgets.session.feeder import Feeder
from al_widgets.session.session import Session
from al_widgets.session.stream_deciding import LOOKED_BACK, StreamDeciding
from al_widgets.session.stream_policy import StreamPolicy
from al_widgets.session.stream_source import NOTHING, open_source
from al_widgets.strategies.stream import budget_manager
from al_widgets.task import Task

if TYPE_CHECKING:
    import pandas as pd

REMEMBERED = 5_000
"""Decisions that `StreamSession.decisions` shows."""
MOST_PROBLEMS = 200


class StreamSession(StreamDeciding):
    """An active-learning session on a stream: an iterator, a folder that is being filled, or a callback.

    Everything of `Session` is there, so widget and dashboard work on it. What is asked waits in the order of its coming.

    Parameters
    ----------
    stream : iterable, str, Path or None
        Pictures (arrays or paths), pairs ``(id, picture)``, or a pool to be played; a folder, whose pictures are taken as they are
        written; or None: pictures are brought by `offer`.
    task : Task or list of str
    budget : float
        Share of the stream that may be asked, audits included, above 0. It is kept over every long window: never more than
        one item beyond it in any ``100 / budget`` items or more.
    manager : str or BudgetManager
        ``"quantile"``, ``"variable"``, ``"fixed"``, ``"randomised"``, ``"split"``, ``"density"``, ``"random"``; see
        `al_widgets.strategies.stream`.
    waiting : int
        Asked items that wait for an answer at most: an iterator is paused then, items of a callback are let go.
    keep : int or bool
        How many of the newest items let go stay at hand in `let_go`, a pool; True keeps all.
    window : int
        Newest labels that are trained on.
    audit : float
        Share of the questions that are asked at random places of the stream, whatever the item is, and never trained on: the
        source of every accuracy. 0 to 0.5.
    drift : bool
        Look for changes of the stream in the errors of the model, and train on what came after the change.
    name : str, optional
        Of the stream; part of all ids. Default: the folder's name, or ``"stream"``.
    learner, encoder, store, annotator, target, hourly_rate, batch_size, seed
        As for `Session`.

    Examples
    --------
    >>> import numpy as np, al_widgets as al
    >>> pictures = (np.full((8, 8), i % 2 * 255, np.uint8) + np.uint8(i % 5) for i in range(200))
    >>> session = al.StreamSession(pictures, ["dark", "bright"], budget=0.1, store=":memory:")
    >>> for query in session.queries():
    ...     bright = session.pool.image(query.item_id).mean() > 99
    ...     event_id = session.submit(query, "bright" if bright else "dark")
    >>> counts = session.counts()
    >>> counts["asked"] <= 0.1 * counts["seen"] + 1
    True
    >>> session.close()
    """

    def __init__(
        self,
        stream: Any,
        task: Task | Sequence[str],
        *,
        budget: float = 0.1,
        manager: Any = "quantile",
        waiting: int = 10,
        keep: int | bool = 0,
        window: int = 400,
        learner: Any = None,
        encoder: Any = None,
        store: str | Path | None = None,
        annotator: str | None = None,
        audit: float = 0.2,
        target: float = 0.95,
        hourly_rate: float | None = None,
        batch_size: int = 1,
        drift: bool = True,
        name: str | None = None,
        seed: int = 0,
    ) -> None:
        for what, value in (("waiting", waiting), ("window", window)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SessionError(f"{what} is a number of items, 1 or more, not {value!r}")
        root = Path(stream) if isinstance(stream, str | Path) else None
        name = name or ("stream" if root is None else root.resolve().name or "stream")
        self._manager = budget_manager(manager)
        self._source = open_source(stream)
        self._policy = StreamPolicy(self._manager, budget, audit, seed)
        self._most_waiting = waiting
        self._keep: int | None = None if keep is True else int(keep)
        self._let_go = GrowingPool(name, "stream", root)
        self._let_go_ids: deque[str] = deque()
        self._decisions: deque[tuple[int, str, str, float | None, float | None]] = deque(maxlen=REMEMBERED)
        self._errors: deque[tuple[str, int]] = deque(maxlen=LOOKED_BACK)
        self._changes: list[int] = []
        self._look_for_changes = drift
        self._ended = self._source is None
        self._model_version = self._training_version = self._held_version = 0
        self._offering = threading.RLock()
        super().__init__(
            GrowingPool(name, "stream", root),
            task,
            window=window,
            audit_window=max(200, window // 2),
            strategy="random",  # of a pool; here the manager chooses
            learner=learner,
            encoder=encoder,
            store=store,
            annotator=annotator,
            audit=audit,
            target=target,
            hourly_rate=hourly_rate,
            batch_size=batch_size,
            seed=seed,
        )
        self._cache = self._open_cache()
        self._recalled = False
        self._feeder = Feeder(self._pull, self._is_full, self._room, self._on_stream_error)

    # ---- offering -------------------------------------------------------------------------------------------------------

    def offer(self, item: Any, item_id: str | None = None) -> bool:
        """Decide about one picture on the spot: True if it is asked, False if it is let go.

        Parameters
        ----------
        item : ndarray (h, w) or (h, w, c), str or Path
        item_id : str, optional
            Your own name of it; default: a digest of its content, or its path.

        Raises
        ------
        PoolError, ReadError
            If it is no picture, or a file that cannot be read.
        SessionClosedError
        """
        self._check_open()
        with self._offering:
            self._encoding.start()
            return self._decide(self._pool.identify(item, item_id))

    # ---- asking -----------------------------------------------------------------------------------------------------------

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` of the items that wait; see `Session.draw`. Starts to pull the stream behind the scenes."""
        drawn = super().draw(holder, n, have=have, keep=keep)
        if not self._ended:
            self._feeder.start()
        return drawn

    def queries(self, limit: int | None = None, *, wait: bool = True) -> Iterator[Query]:
        """Yield what the stream asks, until `limit` are asked, it ends, or a folder has nothing new.

        The stream is pulled by the loop itself, item by item, and with `wait` every item is judged by a model that has seen all
        answers before it: a run is the same every time.
        """
        holder = f"{self._client}:{uuid.uuid4().hex[:6]}"
        held: list[str] = []
        asked = 0
        try:
            while limit is None or asked < limit:
                if wait and asked % self.batch_size == 0:
                    self.wait()
                with self._lock:
                    held = [i for i in held if i in self._row and not self._ledger.answers(i)]
                drawn = Session.draw(self, holder, 1, have=held)
                while not drawn and len(held) < self._most_waiting and self._pull() == "more":
                    if wait and asked % self.batch_size == 0:
                        self.wait()
                    drawn = Session.draw(self, holder, 1, have=held) if self._queue.waiting > len(held) else []
                if not drawn:
                    return
                asked += 1
                held.append(drawn[0].item_id)
                yield drawn[0]
        finally:
            if not self._closed:
                self.release(holder)

    def _pull(self) -> Literal["more", "nothing", "end"]:
        """Take the next item of the stream, if there is one; set aside what cannot be read."""
        with self._offering:
            if self._ended or self._source is None or self._closed:
                return "end"
            try:
                item = self._source.pull()
            except StopIteration:
                self._ended = True
                self._observers.notify("progress")
                return "end"
            if item is NOTHING:
                return "nothing"
            own, picture = (
                item if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) else (None, item)
            )
            self._encoding.start()
            try:
                self._decide(self._pool.identify(picture, own))
            except (ReadError, EncoderError) as error:
                name = own or str(getattr(error, "path", "")) or f"item {self._policy.seen}"
                self._problem(name, error)
            return "more"

    def _problem(self, name: str, error: AlWidgetsError) -> None:
        self._note(name, self._policy.unreadable(), None)
        with self._lock:
            self._problems[name] = Problem(name, str(getattr(error, "reason", error)))
            while len(self._problems) > MOST_PROBLEMS:
                self._problems.pop(next(iter(self._problems)))
        self._observers.notify("problem")

    def _on_stream_error(self, error: Exception) -> None:
        self._ended = True
        self._on_encoding_error(SessionError(f"the stream failed: {type(error).__name__}: {error}"))

    def close(self, why: str = "The session was closed.") -> None:
        """End background work and close the store; see `Session.close`."""
        if not self._closed:
            super().close(why)
            self._feeder.close()
            self._cache.close()

    # ---- readings -----------------------------------------------------------------------------------------------------------

    @property
    def strategy(self) -> str:
        """Name of the budget manager."""
        return self._manager.name

    @property
    def exhausted(self) -> bool:
        """Whether no more items will come; False for a callback until the session is closed."""
        return self._ended and self._source is not None

    @property
    def budget_used(self) -> float:
        """Share of the items seen in this run that were asked."""
        return self._policy.budget_used

    @property
    def let_go(self) -> GrowingPool:
        """The newest items that were let go, as a pool, for a session of their own; see `keep`."""
        return self._let_go

    @property
    def changes(self) -> list[int]:
        """Numbers of the answers at which a change of the stream was noticed."""
        return list(self._changes)

    def counts(self) -> dict[str, int]:
        """Return as `Session.counts`, and of this run: seen, asked, let_go, known, busy (let go because enough waited), waiting."""
        policy = self._policy
        return {
            **super().counts(),
            "seen": policy.seen,
            "asked": policy.asked,
            "let_go": policy.seen - policy.asked,
            "known": policy.fates["known"],
            "busy": policy.fates["busy"],
            "waiting": self._queue.waiting,
        }

    def decisions(self) -> pd.DataFrame:
        """One row an item, the newest 5,000: position, item_id, fate, utility (1 - confidence), propensity."""
        import pandas as pd

        rows = list(self._decisions)
        frame = pd.DataFrame(rows, columns=["position", "item_id", "fate", "utility", "propensity"])
        return frame.astype({"utility": "float64", "propensity": "float64"})

    def idle(self) -> tuple[Literal["waiting", "done"], str]:
        """Return what a page says when it has nothing to show."""
        counts = self.counts()
        said = f"{counts['seen']:,} seen, {counts['asked']:,} asked"
        if self.exhausted and not counts["waiting"]:
            return "done", f"The stream has ended: {said}."
        if counts["waiting"]:
            return "waiting", "Other annotators hold the items that wait."
        return "waiting", f"Nothing to ask at the moment: {said}. The next question comes by itself."

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return what the dashboard adds."""
        counts = self.counts()
        notes = f"{counts['asked']:,} asked, {counts['let_go']:,} let go"
        if counts["busy"]:
            notes += f" ({counts['busy']:,} while enough waited)"
        if self._changes:
            notes += f"; changed {len(self._changes)} time{'s' if len(self._changes) > 1 else ''}"
        return (
            ("Seen", f"{counts['seen']:,}", notes),
            ("Budget used", f"{100 * self.budget_used:.1f} %", f"of {100 * self._policy.budget:.3g} % of the stream"),
        )
