"""A simulated annotator of sections, who sees targets with a chance that grows with their strength. Any thread; one lock a painter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.oracles.injected import Trial
from al_widgets.oracles.staircase import psychometric

Mask = npt.NDArray[np.uint8]


class SimulatedPainter:
    """A callable ``painter(item_id)`` that returns the mask somebody would paint.

    Sections are painted as they are; whether the target of a trial is painted, too, is drawn from a psychometric function.

    Parameters
    ----------
    truth : mapping or callable
        Item id → mask of class numbers (rows, columns).
    threshold_db, width_db : float
        Strength that is seen half of the time, and how gradually that turns.
    guess, lapse : float
        Chance of a yes where nothing is, and of overlooking the obvious.
    trial, trial_truth : callable
        A session's `trial` and `trial_truth`.
    number : int
        Class that targets are painted with.
    seed : int

    Examples
    --------
    >>> painter = SimulatedPainter(truth, 3.0, trial=session.trial, trial_truth=session.trial_truth)  # doctest: +SKIP
    >>> for query in session.queries():  # doctest: +SKIP
    ...     session.submit(query, painter(query.item_id))
    """

    def __init__(
        self,
        truth: Mapping[str, Mask] | Callable[[str], Mask],
        threshold_db: float,
        *,
        trial: Callable[[str], Trial | None],
        trial_truth: Callable[[str], npt.NDArray[np.bool_]],
        width_db: float = 1.5,
        guess: float = 0.05,
        lapse: float = 0.02,
        number: int = 1,
        seed: int = 0,
    ) -> None:
        if width_db <= 0 or not 0 <= guess < 1 or not 0 <= lapse < 1 - guess:
            raise TaskError(
                f"a painter needs a width above 0 and chances with guess + lapse below 1, not {width_db}, {guess}, {lapse}"
            )
        self._truth: Any = truth
        self._trial, self._trial_truth = trial, trial_truth
        self.threshold_db, self.width_db, self.guess, self.lapse, self.number = (
            threshold_db,
            width_db,
            guess,
            lapse,
            number,
        )
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()

    def chance(self, signal_db: float | None) -> float:
        """Return the chance that something is painted at the place of a target of some strength; None: of none."""
        if signal_db is None:
            return self.guess
        return float(psychometric(signal_db, self.threshold_db, self.width_db, self.guess, self.lapse))

    def __call__(self, item_id: str) -> Mask:
        """Return the mask of a section or of a trial."""
        trial = self._trial(item_id)
        if trial is None:
            return self._of(item_id)
        mask = self._of(trial.background)
        mask = np.ascontiguousarray((mask[:, ::-1] if trial.mirrored else mask)[:, : trial.columns])
        with self._lock:
            seen = bool(self._rng.random() < self.chance(trial.signal_db))
        if seen:
            mask[self._trial_truth(item_id)] = self.number
        return mask

    def _of(self, item_id: str) -> Mask:
        found = self._truth(item_id) if callable(self._truth) else self._truth[item_id]
        return np.array(found, np.uint8)
