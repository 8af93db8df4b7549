"""A simulated annotator: errs, tires, drifts, hesitates, takes time and costs money, as the real ones do.

Who may import it: the session and above, tests, benchmarks, anybody's script. Any thread; one lock an oracle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

import numpy as np

from al_widgets.arguments import check_number, is_missing
from al_widgets.errors import TaskError, UnknownItemError
from al_widgets.oracles.answers import FloatArray
from al_widgets.oracles.response_time import ResponseTime

if TYPE_CHECKING:
    import pandas as pd

_NORMAL = np.array([-2.326, -1.645, -1.282, -1.036, -0.842, -0.674, -0.524, -0.385, -0.253, -0.126, 0.0])
_NORMAL = np.concatenate([_NORMAL, -_NORMAL[:-1]])
"""Quantiles of the normal distribution, to average over items whose difficulty is drawn from it."""

HARDEST = 40.0
"""Difficulty beyond which nothing changes: every answer is a guess."""


class SimulatedAnswer(str):
    """An answer: the class name itself, with what it cost.

    Attributes
    ----------
    kind : {"label", "unsure"}
        The text of an ``unsure`` answer is empty.
    elapsed_s : float
        Seconds the annotator took.
    cost : float
        Money for these seconds, and a price an answer if there is one.
    accuracy : float
        Probability that this very answer would be right; for tests of what estimates it.
    """

    __slots__ = ("accuracy", "cost", "elapsed_s", "kind")

    kind: Literal["label", "unsure"]
    elapsed_s: float
    cost: float
    accuracy: float

    def __new__(
        cls, value: str, kind: Literal["label", "unsure"], elapsed_s: float, cost: float, accuracy: float
    ) -> SimulatedAnswer:
        """Make an answer."""
        answer = super().__new__(cls, value)
        answer.kind, answer.elapsed_s, answer.cost, answer.accuracy = kind, elapsed_s, cost, accuracy
        return answer

    def __reduce__(self) -> tuple[Any, ...]:
        """Give copies and pickles what they need."""
        return type(self), (str(self), self.kind, self.elapsed_s, self.cost, self.accuracy)


class SimulatedOracle:
    """A callable ``oracle(item_id)`` that answers like a fallible person.

    Parameters
    ----------
    truth : mapping, Series, sequence or callable
        Item id → class. A sequence is looked up by the number after the last slash of the id, as arrays'
        items have it.
    accuracy : float or mapping of str to float
        Probability of a right answer at the start, over items of average mixture; or one for each true class.
    fatigue : float
        Share of the accuracy above chance that is lost in 100 answers without a break: 0.3 takes .9 of two
        classes to .78.
    drift : mapping of int to float, optional
        Number of an answer (from 0) → accuracy from then on, for sudden changes: ``{300: 0.5}``.
    confusion : mapping of str to mapping of str to float, optional
        True class → {wrong class: relative frequency} of the wrong answers. Default: all wrong classes alike.
    difficulty : float or mapping of str to float
        How items differ, in log-odds: a standard deviation (each item's value follows from its id and the
        seed), or the value of each item, positive is harder. `accuracy` stays the mean.
    unsure : float
        Share of the answers that would be wrong in which "I cannot tell" is said instead.
    response_time : ResponseTime, optional
        Seconds an answer.
    breaks : (int, float), optional
        After so many answers the annotator rests for so many seconds and is fresh again.
    hourly_rate : float
        Money an hour.
    price : float
        Money an answer, on top.
    classes : sequence of str, optional
        All classes, for wrong answers. Default: those of `truth`; needed if it is a callable.
    name : str
        Annotator's name, for the log.
    seed : int

    Attributes
    ----------
    answered : int
        Answers so far.
    clock_s : float
        Seconds worked and rested so far.
    spent : float
        Money so far.

    Raises
    ------
    TaskError
        If a parameter is impossible, or there are no classes to choose from.

    Examples
    --------
    >>> oracle = SimulatedOracle({"a": "cat", "b": "dog"}, accuracy=1.0)
    >>> answer = oracle("a")
    >>> answer, answer.elapsed_s > 0
    ('cat', True)
    """

    def __init__(
        self,
        truth: Mapping[str, Any] | pd.Series[Any] | Sequence[Any] | Callable[[str], Any],
        accuracy: float | Mapping[str, float] = 0.9,
        *,
        fatigue: float = 0.0,
        drift: Mapping[int, float] | None = None,
        confusion: Mapping[str, Mapping[str, float]] | None = None,
        difficulty: float | Mapping[str, float] = 0.0,
        unsure: float = 0.0,
        response_time: ResponseTime | None = None,
        breaks: tuple[int, float] | None = None,
        hourly_rate: float = 0.0,
        price: float = 0.0,
        classes: Sequence[str] | None = None,
        name: str = "simulated",
        seed: int = 0,
    ) -> None:
        self._truth = truth
        self.classes = tuple(map(str, classes)) if classes is not None else _classes_of(truth)
        if len(self.classes) < 2:
            raise TaskError(f"a simulated oracle needs at least two classes to err between, not {list(self.classes)}")
        for what, value, high in (
            ("fatigue", fatigue, 1),
            ("unsure", unsure, 1),
            ("hourly_rate", hourly_rate, np.inf),
            ("price", price, np.inf),
        ):
            check_number(value, what, TaskError, 0, high)
        check_number(seed, "seed", TaskError, 0, whole=True)
        _check_accuracies(accuracy, self.classes, drift or {})
        for value in difficulty.values() if isinstance(difficulty, Mapping) else [difficulty]:
            low = -HARDEST if isinstance(difficulty, Mapping) else 0
            check_number(value, "difficulty, in log-odds", TaskError, low, HARDEST)
        if response_time is not None and not isinstance(response_time, ResponseTime):
            raise TaskError(
                f"response_time is a ResponseTime, for example ResponseTime(median_s=2.0), not {response_time!r}"
            )
        if breaks is not None:
            if not isinstance(breaks, tuple | list) or len(breaks) != 2:
                raise TaskError(f"breaks are (answers, seconds), not {breaks!r}")
            check_number(breaks[0], "breaks[0], the answers between two", TaskError, 1, whole=True)
            check_number(breaks[1], "breaks[1], the seconds of each", TaskError, 0)
        self.name = name
        self.accuracy, self.fatigue, self.drift = accuracy, fatigue, dict(drift or {})
        self.difficulty, self.unsure, self.breaks = difficulty, unsure, breaks
        self.response_time = response_time or ResponseTime()
        self.hourly_rate, self.price = hourly_rate, price
        self._wrong = {c: self._wrong_answers(c, (confusion or {}).get(c)) for c in self.classes}
        self._shifts = self._all_shifts()
        self._level: dict[tuple[str, float], float] = {}
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self.answered, self.clock_s, self.spent = 0, 0.0, 0.0
        self._since_break = 0

    def __call__(self, item_id: str) -> SimulatedAnswer:
        """Answer one item; time passes and the annotator tires.

        Raises
        ------
        UnknownItemError
            If `truth` does not know the item.
        """
        with self._lock:
            truth = self.truth(item_id)
            chance_right = self._accuracy_now(item_id, truth)
            right = bool(self._rng.random() < chance_right)
            value, kind = truth, "label"
            if not right:
                unsure = bool(self._rng.random() < self.unsure)
                names, odds = self._wrong[truth]
                value, kind = ("", "unsure") if unsure else (str(self._rng.choice(names, p=odds)), "label")
            shift = self._shift(item_id)
            seconds = self.response_time.draw(self._rng, self.answered, not right, shift)
            cost = seconds / 3600 * self.hourly_rate + self.price
            self.answered += 1
            self._since_break += 1
            self.clock_s += seconds
            self.spent += cost
            if self.breaks is not None and self._since_break >= self.breaks[0]:
                self._since_break = 0
                self.clock_s += self.breaks[1]
            return SimulatedAnswer(value, "unsure" if kind == "unsure" else "label", seconds, cost, chance_right)

    def rest(self, seconds: float = 0.0) -> None:
        """Take a break: the annotator is fresh again."""
        with self._lock:
            self._since_break = 0
            self.clock_s += seconds

    def truth(self, item_id: str) -> str:
        """Return the true class of an item.

        Raises
        ------
        UnknownItemError
            If it is not known.
        """
        source: Any = self._truth
        try:
            if callable(source):
                found = source(item_id)
            elif hasattr(source, "keys"):
                found = source[item_id]
            else:
                found = source[int(item_id.rsplit("/", 1)[-1])]
        except (KeyError, IndexError, ValueError):
            raise UnknownItemError(item_id) from None
        name = str(found)
        if name not in self._wrong:
            raise TaskError(
                f"the truth of item {item_id!r} is {name!r}, which is no class; there are: {list(self.classes)}"
            )
        return name

    def frame(self, item_ids: Sequence[str], start_at: float = 0.0) -> pd.DataFrame:
        """Answer items in turn; return the annotations as a session would keep them.

        Parameters
        ----------
        item_ids : sequence of str
        start_at : float
            Seconds since the epoch at which this oracle's clock began.

        Returns
        -------
        DataFrame
            ``item_id``, ``annotator``, ``kind``, ``value``, ``elapsed_s``, ``answered_at``.
        """
        import pandas as pd

        rows = []
        for item_id in item_ids:
            answer = self(item_id)
            value = str(answer) if answer.kind == "label" else None
            rows.append((item_id, self.name, answer.kind, value, answer.elapsed_s, start_at + self.clock_s))
        return pd.DataFrame(rows, columns=["item_id", "annotator", "kind", "value", "elapsed_s", "answered_at"])

    @classmethod
    def fit(
        cls,
        annotations: pd.DataFrame,
        truth: Mapping[str, str] | pd.Series[Any] | None = None,
        *,
        annotator: str | None = None,
        **options: Any,
    ) -> SimulatedOracle:
        """Make an oracle that answers as people did.

        Parameters
        ----------
        annotations : DataFrame
            As for `consensus`; ``elapsed_s`` is used where known.
        truth : mapping or Series, optional
            Item id → true class. Default: the consensus of the answers.
        annotator : str, optional
            Whom to imitate. Default: the average of all.
        **options
            Of the constructor; they override what was fitted.

        Returns
        -------
        SimulatedOracle

        See Also
        --------
        al_widgets.oracles.calibration.fit_oracle : what is fitted, and how.
        """
        from al_widgets.oracles.calibration import fit_oracle

        return fit_oracle(annotations, truth, annotator=annotator, **options)

    def _accuracy_now(self, item_id: str, truth: str) -> float:
        """Return the probability that the next answer, to this item, is right."""
        base = self.accuracy[truth] if isinstance(self.accuracy, Mapping) else self.accuracy
        for when in sorted(self.drift):
            if when <= self.answered:
                base = self.drift[when]
        fresh = _logistic(self._log_odds(truth, float(base)) - self._shift(item_id)) if 0 < base < 1 else float(base)
        chance = 1 / len(self.classes)
        if self.fatigue == 0 or fresh <= chance:
            return fresh
        return float(chance + (fresh - chance) * (1 - self.fatigue) ** (self._since_break / 100))

    def _log_odds(self, truth: str, accuracy: float) -> float:
        """Return the log-odds at which the mean over items of all difficulties is `accuracy` (bisection)."""
        key = (truth if isinstance(self.accuracy, Mapping) else "", accuracy)
        if key not in self._level:
            shifts = self._shifts.get(key[0], self._shifts[""])
            low, high = -40.0, 40.0
            for _ in range(60):
                middle = (low + high) / 2
                below = float((1 / (1 + np.exp(-(middle - shifts)))).mean()) < accuracy
                low, high = (middle, high) if below else (low, middle)
            self._level[key] = (low + high) / 2
        return self._level[key]

    def _all_shifts(self) -> dict[str, FloatArray]:
        """Return the difficulties over which accuracies are means: of all items, and of each class where they are known."""
        if not isinstance(self.difficulty, Mapping):
            return {"": np.asarray(self.difficulty * _NORMAL, np.float64)}
        groups: dict[str, list[float]] = {"": [0.0] if not self.difficulty else []}
        for item_id, shift in self.difficulty.items():
            groups[""].append(float(shift))
            groups.setdefault(self.truth(item_id), []).append(float(shift))
        return {name: np.array(shifts) for name, shifts in groups.items()}

    def _shift(self, item_id: str) -> float:
        """Return the difficulty of an item, in log-odds."""
        if isinstance(self.difficulty, Mapping):
            return float(self.difficulty.get(item_id, 0.0))
        if self.difficulty == 0:
            return 0.0
        return float(self.difficulty * np.random.default_rng([self._seed, crc32(item_id.encode())]).standard_normal())

    def _wrong_answers(self, truth: str, odds: Mapping[str, float] | None) -> tuple[list[str], FloatArray]:
        names = [c for c in self.classes if c != truth]
        unknown = sorted(set(odds or {}) - set(self.classes))
        if unknown:
            raise TaskError(
                f"confusion of {truth!r} names {unknown}, which are no classes; there are: {list(self.classes)}"
            )
        weights = np.array([1.0 if odds is None else float(odds.get(c, 0.0)) for c in names])
        if (weights < 0).any() or weights.sum() <= 0:
            raise TaskError(
                f"confusion of {truth!r} must give some wrong class a positive frequency, not {dict(odds or {})}"
            )
        return names, weights / weights.sum()


def _check_accuracies(accuracy: Any, classes: Sequence[str], drift: Any) -> None:
    """Raise `TaskError` unless every class has an accuracy, and every drift is one from an answer's number on."""
    if isinstance(accuracy, Mapping) and set(accuracy) != set(classes):
        raise TaskError(
            f"accuracy needs a value for each class, {list(classes)}, and for nothing else, not for {list(accuracy)}"
        )
    if not isinstance(drift, Mapping):
        raise TaskError(f"drift is a mapping of the number of an answer to the accuracy from there on, not {drift!r}")
    for when in drift:
        check_number(when, "drift, by the number of an answer", TaskError, 0, whole=True)
    for value in [*(accuracy.values() if isinstance(accuracy, Mapping) else [accuracy]), *drift.values()]:
        check_number(value, "accuracy", TaskError, 0, 1)


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _classes_of(truth: Any) -> tuple[str, ...]:
    if callable(truth):
        raise TaskError("a simulated oracle whose truth is a function needs classes=[...]")
    values = list(truth.values() if isinstance(truth, Mapping) else truth)
    lacking = [value for value in values if is_missing(value)]
    if lacking:
        raise TaskError(
            f"{len(lacking)} of {len(values)} items of the truth have no class ({lacking[0]!r}); leave them out"
        )
    return tuple(sorted({str(v) for v in values}))
