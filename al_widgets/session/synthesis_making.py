"""How a synthesis session comes by its items: points that the plan chooses, pictures that the generator makes, seeds, consequences.

The making half of `SynthesisSession`, which inherits it. One item at a time, under a lock of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError, UnknownItemError
from al_widgets.learning.base import Learner
from al_widgets.pool.growing import Arrival
from al_widgets.session.generators import Generator, Seeded, scaled, unscaled
from al_widgets.session.growing import CONTEXT, GrowingSession
from al_widgets.session.held import Held
from al_widgets.session.rounds import State
from al_widgets.session.synthesis_plan import Plan, Strategy

FloatArray = npt.NDArray[np.float64]

LAST, MOST_UNSURE = 20, 0.15
"""A generator is given up when more than this share of its last answers was "cannot tell"."""
MADE_WEIGHT = 0.3
"""Weight of a made picture's label beside a real one's."""


class SynthesisMaking(GrowingSession):
    """The making half of `SynthesisSession`."""

    _generator: Generator
    _seed_labels: list[str]
    _way: Strategy
    _most_waiting: int
    _points: dict[str, FloatArray]
    _reach: float
    _last: deque[bool]
    _making: threading.RLock
    _plan: Plan
    dropped: str

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


def _as_features(points: FloatArray) -> npt.NDArray[np.float32]:
    """Return points of the unit cube as features, about as long as those of encoders."""
    return np.asarray(8 * (points - 0.5), np.float32)


def _uncertainty(learner: Learner, features: npt.NDArray[np.float32]) -> FloatArray:
    from al_widgets.strategies.uncertainty import margin

    return np.asarray(margin(learner.predict_proba(features)), np.float64)
