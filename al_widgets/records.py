"""Frozen records that all layers share.

They hold plain values (str, int, float, tuples), never arrays or open files, so that every layer, the store
included, may import them. Times of day are seconds since the epoch (UTC), durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

from al_widgets.arguments import check_number

QueryKind = Literal["new", "audit", "repeat", "gold", "injected"]
"""Why an item was served: chosen by the strategy, drawn for the audit, asked again, a known answer, or made to know what is seen."""

AnswerKind = Literal["label", "skip", "unsure", "stroke", "undo"]
"""What an event of the log is. An ``undo`` names the event that it takes back; undoing an undo is a redo.

A ``stroke`` changes masks; several of one annotator add up, where of the other answers to an item the newest counts.
"""


@dataclass(frozen=True, slots=True)
class Query:
    """One item to be answered, and why it is asked.

    Attributes
    ----------
    item_id : str
        Id of the item in the pool.
    strategy : str
        Name of the strategy that chose it.
    utility : float or None
        Score that the strategy gave it; None before there is a model.
    propensity : float or None
        Probability with which it was drawn, where it was drawn at random; None for a deterministic choice.
    round : int
        Training round whose model chose it; 0 before the first.
    kind : {"new", "audit", "repeat", "gold", "injected"}
        What the answer is for. Never shown to the annotator.
    reason : str
        One sentence for the annotator.
    probabilities : tuple of (str, float)
        The model's opinion, most probable class first; empty before there is a model.
    """

    item_id: str
    strategy: str
    utility: float | None = None
    propensity: float | None = None
    round: int = 0
    kind: QueryKind = "new"
    reason: str = ""
    probabilities: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """One event of the append-only log: an answer of one annotator, or the undo of one.

    ``(client, seq)`` is unique: who resends an answer gets the same acknowledgement. ``event_id`` is made by
    whoever answers, so that an event can be named (and undone) before it has been acknowledged.

    Attributes
    ----------
    event_id, item_id, annotator : str
    kind : {"label", "skip", "unsure", "stroke", "undo"}
    value : Any
        JSON value that fits the task (a class name for classification; a stroke), None for the other kinds.
    client : str
        Who sent it: a page, or a script.
    seq : int
        Number of the event at that client, from 0.
    target : str or None
        For ``undo``: the event that is taken back.
    elapsed_s : float or None
        Time from first paint to the answer, hidden time removed.
    shown_at, answered_at : float or None
        Seconds since the epoch, by the annotator's clock.
    strategy, utility, propensity, round, query_kind
        Copied from the `Query` that was answered.
    model_shown : bool
        Whether the model's opinion was visible.
    note : str
        Reason of a skip, or a remark.
    """

    event_id: str
    item_id: str
    annotator: str
    kind: AnswerKind
    value: Any
    client: str
    seq: int
    target: str | None = None
    elapsed_s: float | None = None
    shown_at: float | None = None
    answered_at: float = 0.0
    strategy: str = ""
    utility: float | None = None
    propensity: float | None = None
    round: int = 0
    query_kind: QueryKind = "new"
    model_shown: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a kind of session calls its figures, in the singular.

    Attributes
    ----------
    measure : str
        What `Estimate` of the model is.
    answer, item, audited : str
        What is counted along the axis of learning; what is asked; what the measure rests on.
    chance : bool
        Whether guessing evenly among the classes is something to compare the measure with.
    pool : str
        What is read for the model.
    """

    measure: str = "Accuracy"
    answer: str = "label"
    item: str = "item"
    audited: str = "audit label"
    chance: bool = True
    pool: str = "pictures"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, or the reason why there is none.

    Attributes
    ----------
    value, low, high : float or None
        None where an honest figure cannot be given; `why` says why.
    n : int
        Number of observations behind it.
    method : str
        Name of the interval, for example ``"Wilson 95 %"``.
    why : str
        Empty, or the sentence to show instead of a figure.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still needed to reach the target: each an `Estimate`, with an 80 % interval.

    ``high`` is ``inf`` when more than a tenth of the drawn curves never reach the target.

    Attributes
    ----------
    target : float
    labels, seconds, money : Estimate
        Still to come, not in total.
    never : float or None
        Share of drawn learning curves that do not reach the target within 16 times the present labels.
    why : str
        Empty, or why it is too early to say.
    """

    target: float
    labels: Estimate
    seconds: Estimate
    money: Estimate
    never: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to stop, and why. A session never stops by itself, but for a budget that is spent.

    Attributes
    ----------
    stop : bool
    why : str
        The reason that decides.
    reasons : tuple of str
        Everything there is to say for and against, a sentence each.
    pause : str
        Why this annotator should take a break; empty if they need none.
    """

    stop: bool
    why: str
    reasons: tuple[str, ...] = ()
    pause: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent on a store: the first limit that is reached ends the asking.

    Parameters
    ----------
    hours : float, optional
        Of all annotators together, pauses taken out.
    money : float, optional
        Needs the session's ``hourly_rate``.
    labels : int, optional
        Answers of all annotators that name a class.
    warn : float
        Share of a limit at which the session says that it is near.

    Raises
    ------
    ValueError
        If there is no limit, or one is not above 0.

    Examples
    --------
    >>> Budget(hours=2, labels=500)
    Budget(hours=2, money=None, labels=500, warn=0.9)
    """

    hours: float | None = None
    money: float | None = None
    labels: int | None = None
    warn: float = 0.9

    def __post_init__(self) -> None:
        """Check the limits."""
        limits = {"hours": self.hours, "money": self.money, "labels": self.labels}
        given = {name: limit for name, limit in limits.items() if limit is not None}
        if not given:
            raise ValueError("a budget needs a limit: hours, money or labels")
        for name, limit in given.items():
            check_number(limit, f"{name} of a budget", ValueError, 0, above=True, whole=name == "labels")
        check_number(self.warn, "warn, a share of the budget", ValueError, 0, 1, above=True)


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """How much of a budget is spent.

    Attributes
    ----------
    budget : Budget
    hours, labels : float
        Spent so far.
    money : float or None
        None without an hourly rate.
    share : float
        Of the limit that is nearest; 1 or more when it is spent.
    message : str
        One sentence when the limit is near or reached; empty before.
    """

    budget: Budget
    hours: float
    money: float | None
    labels: int
    share: float
    message: str = ""

    @property
    def spent(self) -> bool:
        """Whether nothing is asked any more."""
        return self.share >= 1

    def room(self, seconds: float | None) -> float:
        """Return how many answers fit into what is left, at so many seconds each; None: the seconds are not known yet.

        It is at least 1 before the budget is spent, and infinite where nothing says how long an answer takes.
        """
        if self.spent:
            return 0
        left = [inf if self.budget.labels is None else self.budget.labels - self.labels]
        if seconds is not None and seconds > 0:
            if self.budget.hours is not None:
                left.append((self.budget.hours - self.hours) * 3600 // seconds)
            if self.budget.money is not None and self.money is not None and self.hours > 0:
                rate = self.money / self.hours
                left.append((self.budget.money - self.money) * 3600 // (rate * seconds) if rate > 0 else inf)
        return max(1, min(left))


@dataclass(frozen=True, slots=True)
class Round:
    """One training round, as kept in the store.

    Attributes
    ----------
    round : int
        From 1.
    n_labels : int
        Items with a label when the training began, audit items included.
    accuracy : Estimate
        On the audit items answered so far, by the model of this round.
    seconds, money : float
        Spent by the annotators until then.
    strategy : str
    trained_at : float
        Seconds since the epoch.
    fit_s : float
        Duration of the training and ranking.
    reserve_predictions : tuple of (str, str)
        (item id, predicted class) for the audit reserve, filled up with a fixed random sample of other items: what a
        forecast and the advice when to stop need later.
    """

    round: int
    n_labels: int
    accuracy: Estimate
    seconds: float
    money: float | None
    strategy: str
    trained_at: float
    fit_s: float = 0.0
    reserve_predictions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PoolIdentity:
    """What a store remembers of its pool, to refuse another one.

    Attributes
    ----------
    name, kind : str
        Shown in messages: ``"xrays"``, ``"folder"``.
    size : int
        Number of items when the store was made.
    samples : tuple of (str, str)
        (item id, digest of the content) of at most 32 items spread over the pool.
    """

    name: str
    kind: str
    size: int
    samples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that was set aside, and why."""

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Payload:
    """An item's picture on its way to the screen.

    Attributes
    ----------
    encoding : str
        ``"file"``: bytes that a browser decodes; ``"raw"``: little-endian typed values, rows first.
    mime : str
        Of ``"file"``, for example ``"image/jpeg"``; empty for raw.
    dtype : str
        Of ``"raw"``: uint8, int8, uint16, int16 or float32; empty for files.
    width, height, channels : int
        Of the bytes sent.
    native_width, native_height : int
        Of the item itself.
    low, high : float
        Of ``"raw"``: values shown black and white at the start (2nd and 98th percentile, or 0 and 255 for uint8).
    data : bytes
    """

    encoding: Literal["file", "raw"]
    mime: str
    dtype: str
    width: int
    height: int
    channels: int
    native_width: int
    native_height: int
    low: float
    high: float
    data: bytes = field(repr=False)
