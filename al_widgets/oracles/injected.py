"""Injected targets: what is asked of an annotator to learn what they can see, and what the answers say.

Now and then a section is shown into which a simulated hyperbola was put, and now and then one of these without it, the catch
trials. How strong the next one is follows from the answers so far (`al_widgets.oracles.staircase`). Who may import it: the session
and above. Pure values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from al_widgets.errors import TaskError
from al_widgets.oracles.staircase import Staircase
from al_widgets.records import Estimate


@dataclass(frozen=True)
class InjectedTargets:
    """That simulated targets are put into sections known to be free of any, and how.

    Each is a picture of its own: no section and no mask of the volume ever changes. Answers to them are kept and marked
    (``annotations().query_kind == "injected"``), and are in no label, training, audit or export.

    Parameters
    ----------
    rate : float
        Share of an annotator's queries, 0.01 to 0.5.
    catch : float
        Share of these that show the place without a target, 0 to 0.5: how often is something seen where nothing is?
    strength_db : (float, float)
        Weakest and strongest thinkable detection threshold: peak of the echo over the clutter's root mean square around it.
    free : sequence of str
        Sections known to hold no target, by item id. Beside them whatever was finished without one is used.

    Raises
    ------
    TaskError
        If a share lies outside its range, or the weakest strength is not below the strongest.
    """

    rate: float = 0.05
    catch: float = 0.2
    strength_db: tuple[float, float] = (-12.0, 24.0)
    free: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0.01 <= self.rate <= 0.5:
            raise TaskError(f"rate is the share of queries with injected targets, 0.01 to 0.5, not {self.rate!r}")
        if not 0 <= self.catch <= 0.5:
            raise TaskError(f"catch is the share of trials without a target, 0 to 0.5, not {self.catch!r}")
        low, high = self.strength_db
        if not low < high:
            raise TaskError(
                f"strength_db is (weakest, strongest), the first below the second, not {self.strength_db!r}"
            )
        if isinstance(self.free, str):
            raise TaskError(f"free is a list of item ids, not the text {self.free!r}")


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture with, or without, an injected target: all that is needed to make it again.

    Attributes
    ----------
    item_id : str
        Its own: ``"<volume>/<section in whose place it is shown>~<hex>"``.
    annotator : str
        Whom it is for.
    number : int
        How manieth of this annotator's, from 0.
    background : str
        Item id of the section that it was made from.
    mirrored : bool
        Whether that is shown as if surveyed the other way round.
    columns : int
        How many of its columns are shown.
    row, column : float
        Apex, in raw indices of the picture.
    sign : int
    frequency_ghz, velocity_m_per_ns : float
    clear : bool
        Whether nothing at all is known in the background; else only at the place.
    signal_db : float or None
        Peak over the clutter's root mean square; None for a catch trial.
    """

    item_id: str
    annotator: str
    number: int
    background: str
    mirrored: bool
    columns: int
    row: float
    column: float
    sign: int
    frequency_ghz: float
    velocity_m_per_ns: float
    clear: bool
    signal_db: float | None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What an annotator said of a trial.

    Attributes
    ----------
    trial : Trial
    kind : {"label", "unsure", "skip"}
    seen : bool or None
        Whether something was painted at the place; "cannot tell" counts as not seen, a skip as nothing.
    elsewhere : bool
        Whether something was painted where nothing is known to be, away from the place.
    answered_at : float
    """

    trial: Trial
    kind: str
    seen: bool | None
    elsewhere: bool
    answered_at: float


@dataclass(frozen=True)
class Detection:
    """What an annotator can see, from their answers to injected targets.

    Attributes
    ----------
    annotator : str
    results : tuple of TrialResult
        Those that count, oldest first.
    staircase : Staircase
        What is known of the threshold.
    """

    annotator: str
    results: tuple[TrialResult, ...]
    staircase: Staircase

    @classmethod
    def of(cls, annotator: str, results: Sequence[TrialResult], strength_db: tuple[float, float]) -> Detection:
        """Take in one annotator's results."""
        counting = tuple(r for r in results if r.seen is not None)
        staircase = Staircase.start(*strength_db)
        for result in counting:
            staircase = staircase.answered(result.trial.signal_db, bool(result.seen))
        return cls(annotator, counting, staircase)

    @property
    def threshold(self) -> Estimate:
        """Strength that is seen half of the time, in dB, with its 90 % interval; no value before the first target."""
        n = len(self.targets)
        found = self.staircase.threshold()
        if not n:
            return Estimate(None, None, None, 0, found.method, "no injected target was answered yet")
        return Estimate(found.value, found.low, found.high, n, found.method)

    @property
    def targets(self) -> tuple[TrialResult, ...]:
        """Results of trials with a target."""
        return tuple(r for r in self.results if r.trial.signal_db is not None)

    @property
    def catches(self) -> tuple[TrialResult, ...]:
        """Results of trials without one."""
        return tuple(r for r in self.results if r.trial.signal_db is None)

    @property
    def false_alarms(self) -> int:
        """Number of catch trials in which something was painted where nothing is."""
        return sum(bool(r.seen) or r.elsewhere for r in self.catches)
