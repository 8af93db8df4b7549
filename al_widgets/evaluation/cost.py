"""Time on task and what it costs.

Times come from the page with hidden time removed; what is left may still hold a pause before a visible picture. Gaps are
not capped (people read without moving); instead single items that took absurdly long for this annotator are fenced.
Pure functions of the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Annotation

FloatArray = npt.NDArray[np.floating[Any]]

FENCE_FROM = 10
"""Answers of an annotator to a kind of item before the fence is used."""
OTHER_WORK = frozenset({"grid", "review"})
"""Strategies whose answers take times of their own: a row of a grid takes a fraction of a second."""

_SHORTEST_S = 1e-3
_LEAST_SPREAD = 0.1  # of log seconds: answers of a script take equal times, and a tenth more is no pause


@dataclass(frozen=True, slots=True)
class Effort:
    """What the annotators have spent.

    Attributes
    ----------
    seconds : float
        On all answers, undone ones too; a fenced answer counts as a typical one.
    money : float or None
        None without an hourly rate.
    n_answers, n_fenced : int
        Timed answers, and those whose time was taken for a pause.
    median_s : float or None
        Of one answer; None without any.
    labels_per_minute : float or None
    """

    seconds: float
    money: float | None
    n_answers: int
    n_fenced: int
    median_s: float | None
    labels_per_minute: float | None


def fence(seconds: npt.ArrayLike, others: npt.ArrayLike | None = None) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Replace pauses by the typical time.

    With m the median and s = 1.4826 · MAD of the log times, a time beyond exp(m + 3s) is a pause and becomes exp(m).

    Parameters
    ----------
    seconds : array_like (n,)
        Times of one annotator on one kind of item, positive.
    others : array_like (m,), optional
        Times of the same annotator at the same work, on items of any kind: they draw the fence while n < 10.

    Returns
    -------
    seconds : ndarray (n,)
        As given while there are not ten times to draw the fence from.
    pause : ndarray (n,) of bool
        To be left out of fits.
    """
    t = np.asarray(seconds, dtype=float).ravel()
    known = t if t.size >= FENCE_FROM or others is None else np.asarray(others, dtype=float).ravel()
    if known.size < FENCE_FROM:
        return t.copy(), np.zeros(t.size, dtype=bool)
    log_known = np.log(np.maximum(known, _SHORTEST_S))
    middle = np.median(log_known)
    spread = max(1.4826 * float(np.median(np.abs(log_known - middle))), _LEAST_SPREAD)
    pause = np.log(np.maximum(t, _SHORTEST_S)) > middle + 3 * spread
    return np.where(pause, np.exp(middle), t), pause


def effort(annotations: Iterable[Annotation], hourly_rate: float | None = None) -> Effort:
    """Add up the time of all answers, and what it costs.

    Parameters
    ----------
    annotations : iterable of Annotation
        The log. Fences are drawn for each annotator and kind of query, and for strokes apart from what finishes a section.
    hourly_rate : float, optional
        Money an hour of an annotator costs.
    """
    groups: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    own: dict[tuple[str, str], list[float]] = defaultdict(list)
    n_labels = 0
    for event in annotations:
        if event.kind != "undo" and event.elapsed_s is not None and event.elapsed_s > 0:
            work = event.kind if event.kind == "stroke" else event.strategy if event.strategy in OTHER_WORK else ""
            groups[event.annotator, work, event.query_kind].append(event.elapsed_s)
            own[event.annotator, work].append(event.elapsed_s)
            n_labels += event.kind == "label"
    fenced = [fence(times, own[annotator, work]) for (annotator, work, _), times in groups.items()]
    times = np.concatenate([t for t, _ in fenced]) if fenced else np.empty(0)
    seconds = float(times.sum())
    return Effort(
        seconds=seconds,
        money=None if hourly_rate is None else seconds / 3600 * hourly_rate,
        n_answers=int(times.size),
        n_fenced=int(sum(pause.sum() for _, pause in fenced)),
        median_s=float(np.median(times)) if times.size else None,
        labels_per_minute=60 * n_labels / seconds if seconds > 0 else None,
    )


def spent(annotations: Iterable[Annotation]) -> float:
    """Return the seconds that the annotators spent on all answers; see `effort`."""
    return effort(annotations).seconds
