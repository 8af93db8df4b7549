"""Which point of the parameters is asked next. Keeps the lines it bisects, nothing else; one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.session.generators import Generator
from al_widgets.strategies.synthesis import answerability, bisection, hill_climb, novelty

FloatArray = npt.NDArray[np.float64]
Strategy = Literal["bisect", "climb", "random"]
Utility = Callable[[FloatArray], FloatArray | None]
Found = tuple[FloatArray, float | None]

TRIED = 48
"""Pictures made to choose one from, where people look at them."""


def strategy_for(name: str, generator: Generator) -> Strategy:
    """Return the strategy of a name; ``"auto"`` bisects one parameter of an experiment and climbs otherwise.

    Raises
    ------
    StrategyError
        If there is none.
    """
    if name == "auto":
        return "bisect" if len(generator.ranges) == 1 and not generator.for_people else "climb"
    known: dict[str, Strategy] = {option: option for option in get_args(Strategy)}
    if name not in known:
        raise StrategyError(f"no way to make queries is called {name!r}; there are: auto, {', '.join(known)}")
    return known[name]


class Plan:
    """Chooses points of the unit cube.

    Parameters
    ----------
    dimension : int
    precision : float
        At which a bisection ends.
    rng : numpy.random.Generator
    """

    def __init__(self, dimension: int, precision: float, rng: np.random.Generator) -> None:
        self._dimension, self._precision, self._rng = dimension, precision, rng
        self._lines: list[list[bytes]] = []

    def next(
        self,
        strategy: Strategy,
        answered: Sequence[FloatArray],
        labels: npt.NDArray[np.intp],
        waiting: Sequence[FloatArray],
        utility: Utility,
        *,
        pictures: bool = False,
    ) -> Found | None:
        """Return the next point (d,) and its utility; None if an answer is needed first, or nothing is left to ask.

        Parameters
        ----------
        strategy : {"bisect", "climb", "random"}
        answered : sequence of ndarray (d,)
        labels : ndarray (n,) of int
            Class numbers; -1 for what could not be told: a class of its own for bisection, to be shunned by climbing.
        waiting : sequence of ndarray (d,)
        utility : callable
            Points (m, d) → utilities, or None before there is a model.
        pictures : bool
            Whether each utility needs a picture: then a few points are compared and none climbs.
        """
        if strategy == "bisect":
            return self._bisected(np.asarray(answered), labels, bool(len(waiting)))
        if strategy == "random":
            return (self._some(), None) if not pictures else self._best_of(utility)
        return self._climbed(np.asarray(answered), labels, waiting, utility, pictures=pictures)

    def brackets(
        self, answered: Sequence[FloatArray], labels: npt.NDArray[np.intp]
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Return the two ends of every place where a bisected line changes its answer."""
        points = np.asarray(answered)
        found = []
        for on in self._on_lines(points):
            ends = points[on[:2]]
            order = on[np.argsort((points[on] - ends[0]) @ (ends[1] - ends[0]), kind="stable")]
            changes = np.flatnonzero(labels[order[1:]] != labels[order[:-1]])
            found += [(points[order[c]], points[order[c + 1]]) for c in changes]
        return found

    def _some(self) -> FloatArray:
        return self._rng.random(self._dimension)

    def _on_lines(self, points: FloatArray) -> list[npt.NDArray[np.intp]]:
        """Return the numbers of the points on each line."""
        if self._dimension == 1:
            return (
                [np.argsort(points[:, 0], kind="stable")[[0, -1, *range(1, len(points) - 1)]]]
                if len(points) > 1
                else []
            )
        at = {point.tobytes(): i for i, point in enumerate(points)}
        return [np.array([at[key] for key in line if key in at], np.intp) for line in self._lines]

    def _bisected(self, points: FloatArray, labels: npt.NDArray[np.intp], waiting: bool) -> Found | None:
        if waiting:
            return None  # where the next point lies depends on the answer
        if self._dimension == 1 and len(points) < 2:
            ends = [np.zeros(1), np.ones(1)]
            return next(e for e in ends if not any(np.array_equal(e, p) for p in points)), None
        for number, on in enumerate(self._on_lines(points)):
            if len(on) < 2:
                continue
            pair = bisection(points[on], labels[on], self._precision, np.zeros(len(on), np.intp))
            if pair is not None:
                if self._dimension > 1:
                    self._lines[number].append(pair.middle.tobytes())
                return pair.middle, pair.distance
        if self._dimension == 1:
            return self._widest_gap(points) if len(np.unique(labels)) < 2 else None
        return self._new_line(points, labels)

    def _widest_gap(self, points: FloatArray) -> Found | None:
        """Look for another answer in the middle of what is least known; None when nothing wider than the precision is left."""
        ordered = np.sort(points[:, 0])
        gaps = np.diff(ordered)
        at = int(gaps.argmax())
        return None if gaps[at] <= self._precision else (ordered[at : at + 1] + gaps[at] / 2, float(gaps[at]))

    def _new_line(self, points: FloatArray, labels: npt.NDArray[np.intp]) -> Found:
        """Begin a line from a point that is on none, to the nearest one of another answer; without such a point ask for one."""
        used = {key for line in self._lines for key in line}
        for i in reversed(range(len(points))):
            others = np.flatnonzero(labels != labels[i])
            if points[i].tobytes() in used or not len(others):
                continue
            far = np.square(points[others] - points[i]).sum(axis=1)
            j = int(others[far.argmin()])
            if far.min() <= self._precision**2:
                continue
            middle = (points[i] + points[j]) / 2
            self._lines.append([points[i].tobytes(), points[j].tobytes(), middle.tobytes()])
            return middle, float(np.sqrt(far.min()))
        return self._some(), None

    def _climbed(
        self,
        answered: FloatArray,
        labels: npt.NDArray[np.intp],
        waiting: Sequence[FloatArray],
        utility: Utility,
        *,
        pictures: bool,
    ) -> Found | None:
        told = answered[labels >= 0] if len(answered) else np.empty((0, self._dimension))
        unsure = answered[labels < 0] if len(answered) else np.empty((0, self._dimension))
        taken = np.concatenate([told, unsure, *([np.asarray(waiting)] if len(waiting) else [])])
        spacing = 0.5 * max(1, len(taken)) ** (-1 / self._dimension)

        def worth(points: FloatArray) -> FloatArray | None:
            values = utility(points)
            if values is None:
                return None
            return values * answerability(points, unsure, told) ** 3 * novelty(points, taken, spacing)

        if pictures:
            return self._best_of(worth)
        if worth(self._some()[None]) is None:
            return self._some(), None

        def climbing(points: FloatArray) -> FloatArray:
            values = worth(points)
            return np.zeros(len(points)) if values is None else values

        return hill_climb(climbing, self._dimension, self._rng)

    def _best_of(self, worth: Utility) -> Found | None:
        """Return the best of some points; None if none of them is worth anything."""
        points = self._rng.random((TRIED, self._dimension))
        values = worth(points)
        if values is None:
            return points[0], None
        best = int(values.argmax())
        return (points[best], float(values[best])) if values[best] > 0 else None
