"""Membership query synthesis: queries are made, not drawn.

With an experiment or a simulation as the oracle this is the right tool: it answers anywhere, and bisection is exponentially
faster than drawing. With people it is not, as a rule: what teaches most has no answer. Where there is a pool, draw from it; make
pictures for what a pool lacks: rare cases, known truth (`echoes`), an annotator's threshold.

Any thread may call a session.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError, UnknownItemError
from al_widgets.learning.base import Learner
from al_widgets.pool.growing import Arrival, GrowingPool
from al_widgets.records import Estimate, Query
from al_widgets.session.generators import Generator, Seeded, as_generator, scaled, unscaled
from al_widgets.session.growing import CONTEXT, GrowingSession
from al_widgets.session.held import Held
from al_widgets.session.rounds import State
from al_widgets.session.synthesis_plan import Plan, Strategy, strategy_for
from al_widgets.task import Task

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

LAST, MOST_UNSURE = 20, 0.15
"""A generator is given up when more than this share of its last answers was "cannot tell"."""
MADE_WEIGHT = 0.3
"""Weight of a made picture's label beside a real one's."""


class SynthesisSession(GrowingSession):
    """An active-learning session whose items are made by a generator.

    Everything of `Session` is there, so the query widget works on it. Made items never measure an accuracy, and their ids are in
    no other pool, so that their labels cannot get into the export of a real one.

    Parameters
    ----------
    generator : Generator or list of (lowest, highest)
        Ranges of an experiment's parameters; or `al_widgets.session.Blends`, `Echoes` and the like.
    task : Task or list of str
    strategy : {"auto", "bisect", "climb", "random"}
        Bisection of opposite answers to a precision; hill-climbing of the model's uncertainty; at random. ``"auto"`` bisects one
        parameter and climbs several.
    precision : float
        Of a bisection, as a share of the ranges.
    waiting : int
        Made items that wait for an answer at most.
    learner, encoder, store, annotator, hourly_rate, batch_size, seed
        As for `Session`; the encoder is for pictures that people look at.

    Examples
    --------
    >>> import al_widgets as al
    >>> session = al.SynthesisSession([(0.0, 100.0)], ["solid", "liquid"], store=":memory:")
    >>> session.run(lambda parameters: "liquid" if parameters[0] > 31.4 else "solid", limit=16)
    16
    >>> bracket = session.brackets().iloc[0]
    >>> bool(bracket.low < 31.4 < bracket.high and bracket.high - bracket.low < 0.01)
    True
    >>> session.close()
    """

    _kind = "synthesis"

    def __init__(
        self,
        generator: Any,
        task: Task | Sequence[str],
        *,
        strategy: str = "auto",
        precision: float = 1e-4,
        waiting: int = 4,
        learner: Any = None,
        encoder: Any = None,
        store: str | Path | None = None,
        annotator: str | None = None,
        target: float = 0.95,
        hourly_rate: float | None = None,
        batch_size: int = 1,
        seed: int = 0,
    ) -> None:
        self._generator: Generator = as_generator(generator)
        if not 0 < precision < 1:
            raise SessionError(f"precision is a share of the ranges, above 0 and below 1, not {precision!r}")
        if isinstance(waiting, bool) or not isinstance(waiting, int) or waiting < 1:
            raise SessionError(f"waiting is a number of items, 1 or more, not {waiting!r}")
        self._seed_labels: list[str] = []
        self._way: Strategy = strategy_for(strategy, self._generator)
        self._most_waiting = waiting
        self._points: dict[str, FloatArray] = {}
        self._reach = 1.0
        self._last: deque[bool] = deque(maxlen=LAST)
        self.dropped = ""
        self._making = threading.RLock()
        super().__init__(
            GrowingPool(self._generator.name, "synthesis"),
            task,
            window=5_000,
            audit_window=0,
            strategy="random",
            learner=learner,
            encoder=encoder,
            store=store,
            annotator=annotator,
            audit=0.0,
            target=target,
            hourly_rate=hourly_rate,
            batch_size=batch_size,
            seed=seed,
        )
        self._plan = Plan(len(self._generator.ranges), precision, np.random.default_rng([seed, 13]))
        self._open()

    # ---- beginning ------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Take in what a learner can see without an answer, the generator's real pictures, and the answers of earlier runs."""
        if not self._generator.for_people:
            for point in np.random.default_rng([self.seed, 19]).random((CONTEXT, len(self._generator.ranges))):
                self._remember_context(None, _as_features(point))
        elif isinstance(self._generator, Seeded):
            self._take_seeds(*self._generator.seeds())
        with self._lock:
            earlier = list(self._ledger.answered())
        for item_id in earlier:
            point = self._parse(item_id)
            if point is not None:
                self._take(item_id, point, waiting=False)
                self._look_at(item_id)

    def _take_seeds(self, pictures: Sequence[Any], labels: Sequence[str]) -> None:
        unknown = sorted(set(labels) - set(self._task.classes))
        if unknown:
            raise SessionError(
                f"the generator's pictures have classes that are not in the task: {', '.join(unknown[:5])}"
            )
        some = np.random.default_rng([self.seed, 17]).permutation(len(pictures))[:CONTEXT]
        described = [self._features.describe(np.asarray(pictures[i])) for i in some]
        self._features.fit(described)
        features = self._features.reduce(described)
        for row in () if features is None else features:
            self._remember_context(None, row)
        self._seed_labels = [labels[i] for i in some]

    def _parse(self, item_id: str) -> FloatArray | None:
        """Return the point of an id that was made here, or None: ids say all there is to know."""
        prefix, _, text = item_id.partition("/")
        try:
            parameters = np.array([float(part) for part in text.split(",")])
        except ValueError:
            return None
        if prefix != self._pool.name or len(parameters) != len(self._generator.ranges):
            return None
        return unscaled(self._generator, parameters)

    # ---- making ---------------------------------------------------------------------------------------------------------

    def parameters(self, item_id: str) -> FloatArray:
        """Return the parameters of a made item, shape (d,).

        Raises
        ------
        UnknownItemError
        """
        point = self._points.get(item_id)
        if point is None:
            raise UnknownItemError(item_id)
        return scaled(self._generator, point)

    def _take(self, item_id: str, point: FloatArray, *, waiting: bool, utility: float | None = None) -> None:
        """Hold an item; make its picture where one is needed."""
        pixels = None
        if waiting or self._generator.for_people:
            pixels = np.asarray(self._generator.make(scaled(self._generator, point)))
            self._pool.hold(Arrival(item_id, item_id, pixels))
        features = self._features_of(point, pixels)
        snapshot = self._rounds.snapshot
        with self._lock:
            self._points[item_id] = point
            self._hold(
                item_id,
                waiting=waiting,
                features=features,
                strategy=self.strategy,
                utility=utility,
                round=0 if snapshot is None else snapshot.round,
            )

    def _features_of(self, point: FloatArray, pixels: Any) -> npt.NDArray[np.float32] | None:
        if not self._generator.for_people:
            return _as_features(point)
        description = self._features.describe(pixels)
        if not self._features.version:
            self._fit_on_made()
        reduced = self._features.reduce([description])
        return None if reduced is None else reduced[0]

    def _fit_on_made(self) -> None:
        """Fit the encoder's reduction on pictures of random parameters, where the generator has no real ones."""
        points = np.random.default_rng([self.seed, 19]).random((64, len(self._generator.ranges)))
        described = [
            self._features.describe(np.asarray(self._generator.make(scaled(self._generator, p)))) for p in points
        ]
        self._features.fit(described)
        features = self._features.reduce(described)
        with self._lock:
            for row in () if features is None else features:
                self._remember_context(None, row)

    def _prepare(self, n: int) -> None:
        """Make items until `n` wait, or the plan needs an answer first."""
        with self._making:
            while not self.dropped and self._queue.waiting < min(n, self._most_waiting):
                if not self._make_one():
                    return

    def _make_one(self) -> bool:
        points, labels, waiting = self._answers_so_far()
        people = self._generator.for_people
        found = self._plan.next(self._way, points, labels, waiting, self._utility, pictures=people)
        if found is None:
            return False
        point, utility = self._reached(found[0][None])[0] if people else found[0], found[1]
        parameters = scaled(self._generator, point)
        item_id = f"{self._pool.name}/" + ",".join(repr(float(p)) for p in parameters)
        if item_id in self._points:
            return False
        self._take(item_id, unscaled(self._generator, parameters) if people else point, waiting=True, utility=utility)
        return True

    def _answers_so_far(self) -> tuple[list[FloatArray], npt.NDArray[np.intp], list[FloatArray]]:
        """Return answered points, their class numbers (-1: cannot tell), and the points that wait."""
        answered, labels, waiting = [], [], []
        with self._lock:
            self._sync()
            number = {name: i for i, name in enumerate(self._task.classes)}
            for item_id, point in self._points.items():
                answers = self._ledger.answers(item_id).values()
                label = self._ledger.labels.get(item_id)
                if label is not None and label.label in number:
                    answered.append(point)
                    labels.append(number[label.label])
                elif any(answer.kind == "unsure" for answer in answers):
                    answered.append(point)
                    labels.append(-1)
                elif not answers:
                    waiting.append(point)
        return answered, np.asarray(labels, np.intp), waiting

    def _utility(self, points: FloatArray) -> FloatArray | None:
        """Return the model's uncertainty at points (m, d) of the unit cube; None before there is a model.

        For people, what the generator does not accept (it does not look real) is worth nothing.
        """
        snapshot = self._rounds.snapshot
        learner = None if snapshot is None else snapshot.learner
        if not self._generator.for_people:
            return None if learner is None else _uncertainty(learner, _as_features(points))
        parameters = [scaled(self._generator, point) for point in self._reached(points)]
        pictures = [np.asarray(self._generator.make(p)) for p in parameters]
        fine = np.array([float(self._generator.accepts(picture)) for picture in pictures])
        features = self._features.reduce([self._features.describe(picture) for picture in pictures])
        if learner is None or features is None:
            return fine
        return np.asarray((0.01 + _uncertainty(learner, features)) * fine)

    def _reached(self, points: FloatArray) -> FloatArray:
        """Shrink what makes a picture hard to tell as often as people could not: parameter `harder` of the generator."""
        harder = getattr(self._generator, "harder", None)
        if harder is None:
            return points
        near = points.copy()
        near[:, harder] *= self._reach
        return near

    # ---- asking ---------------------------------------------------------------------------------------------------------

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` made items, making them first; see `Session.draw`."""
        self._check_open()
        self._prepare(n + len(have))
        return super().draw(holder, n, have=have, keep=keep)

    def run(self, oracle: Callable[[FloatArray], Any], limit: int | None = None) -> int:
        """Let an experiment or a simulation answer: ``oracle(parameters)`` gives a class, or None for "cannot tell".

        Returns
        -------
        int
            Number of answers; fewer than `limit` when the precision is reached, or the generator was given up.
        """
        n = 0
        for query in self.queries(limit):
            n += 1
            answer = oracle(self.parameters(query.item_id))
            if answer is None:
                self.unsure(query)
            else:
                self.submit(query, answer)
        return n

    def _on_first_answer(self, held: Held) -> None:
        self._look_at(held.item_id)

    def _look_at(self, item_id: str) -> None:
        """Draw the consequences of "cannot tell": smaller steps, and after too many of them none at all."""
        if not self._generator.for_people:
            return
        unsure = any(answer.kind == "unsure" for answer in self._ledger.answers(item_id).values())
        self._last.append(unsure)
        if unsure:
            self._reach = max(0.1, 0.85 * self._reach)
        if sum(self._last) > MOST_UNSURE * LAST and not self.dropped:
            self.dropped = (
                f"People could not tell {sum(self._last)} of the last {len(self._last)} made pictures: no more of them are asked. "
                "Draw real items from a pool instead."
            )
            for held in list(self._held):
                self._queue.answered(held.row)
            self._observers.notify("problem")

    def _state(self) -> State:
        """Return what a round begins with: the generator's real pictures beside the made ones."""
        state = super()._state()
        if not self._seed_labels:
            return state
        number = {name: i for i, name in enumerate(self._task.classes)}
        rows = np.arange(len(self._seed_labels))
        real = np.asarray([number[label] for label in self._seed_labels], np.intp)
        weights = np.concatenate([np.ones(len(rows)), np.full(len(state.labelled), MADE_WEIGHT)])
        return replace(
            state,
            labelled=np.concatenate([rows, state.labelled]),
            labels=np.concatenate([real, state.labels]),
            weights=weights,
        )

    # ---- readings -------------------------------------------------------------------------------------------------------

    @property
    def generator(self) -> Generator:
        """What makes the items."""
        return self._generator

    @property
    def strategy(self) -> str:
        """How queries are made."""
        return f"synthesis: {self._way}"

    @property
    def accuracy(self) -> Estimate:
        """None: what was made measures nothing about what exists."""
        why = "Made items do not measure an accuracy: label a random sample of real ones in a Session."
        return Estimate(None, None, None, 0, "", why)

    def brackets(self) -> pd.DataFrame:
        """One row a boundary that was bisected: the parameters on either side, and the answers there.

        Columns: low, high (numbers for one parameter, arrays for several), answer_low, answer_high; None for "cannot tell".
        """
        import pandas as pd

        points, labels, _ = self._answers_so_far()
        at = {point.tobytes(): int(label) for point, label in zip(points, labels, strict=True)}
        names = [*self._task.classes, None]
        rows = []
        for ends in self._plan.brackets(points, labels):
            values: list[Any] = [scaled(self._generator, end) for end in ends]
            if len(self._generator.ranges) == 1:
                values = [float(value[0]) for value in values]
            rows.append((*values, *(names[at[end.tobytes()]] for end in ends)))
        frame = pd.DataFrame(rows, columns=["low", "high", "answer_low", "answer_high"], dtype=object)
        return frame.astype({"low": float, "high": float}) if len(self._generator.ranges) == 1 else frame

    def labels(self) -> pd.DataFrame:
        """One row an item that has a label, as `Session.labels`, and a column that says it was made."""
        return super().labels().assign(made=True)

    def counts(self) -> dict[str, int]:
        """Return as `Session.counts`, and how many were made."""
        return {**super().counts(), "made": len(self._points), "waiting": self._queue.waiting}

    def idle(self) -> tuple[Literal["waiting", "done"], str]:
        """Return what a page says when it has nothing to show."""
        if self.dropped:
            return "done", self.dropped
        if self._queue.waiting:
            return "waiting", "Other annotators hold the items that wait."
        return "done", "Nothing is left to ask: every boundary is known to the precision that was asked for."

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return what the dashboard adds."""
        unsure = self.counts()["unsure"]
        return (("Made", f"{len(self._points):,}", self.dropped or f"{unsure:,} could not be told"),)


def _as_features(points: FloatArray) -> npt.NDArray[np.float32]:
    """Return points of the unit cube as features, about as long as those of encoders."""
    return np.asarray(8 * (points - 0.5), np.float32)


def _uncertainty(learner: Learner, features: npt.NDArray[np.float32]) -> FloatArray:
    from al_widgets.strategies.uncertainty import margin

    return np.asarray(margin(learner.predict_proba(features)), np.float64)
