"""How long an answer will take, by item, annotator and kind of query; fitted on the trainer's thread.

The model is `al_widgets.evaluation.TimeModel`: practice, time since the last break, who answers, what for, and what the picture
shows, told by the main directions of the pool's features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.records import Annotation

if TYPE_CHECKING:
    from al_widgets.evaluation import TimeModel

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]

DIRECTIONS = 32
"""Main directions of the features that describe an item."""
SAMPLE = 2000
"""Rows that the directions are found on."""
PAUSE_S = 300.0
"""Between two answers: a break."""
LONGEST_MIN = 60.0
"""Minutes since the last break beyond which nothing is added."""


@dataclass(frozen=True)
class Timing:
    """Expected seconds of answers.

    Attributes
    ----------
    model : TimeModel
    annotators : tuple of str
    given : mapping of str to int
        Answers of each so far.
    rows : ndarray (R,)
        Pool rows with features, ascending.
    items : ndarray (R, p)
        What they show.
    """

    model: TimeModel
    annotators: tuple[str, ...]
    given: Mapping[str, int]
    rows: IntArray
    items: FloatArray = field(repr=False)

    def seconds(self, rows: IntArray, kind: str, annotator: str) -> npt.NDArray[np.float64]:
        """Return the expected seconds of one more answer of an annotator to each pool row."""
        from al_widgets.evaluation import timing_features

        n = len(rows)
        features = timing_features(
            np.full(n, annotator),
            np.full(n, kind),
            np.full(n, self.given.get(annotator, 0)),
            np.zeros(n),
            described(self.rows, self.items, rows),
            annotators=self.annotators,
        )
        return np.maximum(np.asarray(self.model.predict(features), np.float64), 1e-3)


def main_directions(features: FloatArray) -> FloatArray:
    """Return the rows along the features' main directions, shape (R, at most 32), of unit variance."""
    matrix = np.asarray(features, np.float64)
    if len(matrix) < 2:
        return np.zeros((len(matrix), 0))
    centred = matrix - matrix.mean(0)
    sample = centred[np.random.default_rng(0).permutation(len(matrix))[:SAMPLE]]
    _, values, axes = np.linalg.svd(sample, full_matrices=False)
    keep = values[:DIRECTIONS] > 1e-9 * max(values[0], 1e-300)
    found = centred @ axes[:DIRECTIONS][keep].T
    return np.asarray(found / np.maximum(found.std(0), 1e-12), np.float64)


def described(known: IntArray, items: FloatArray, rows: IntArray) -> FloatArray:
    """Return what pool rows show; zeros, the average, where that is not known."""
    found = np.zeros((len(rows), items.shape[1]))
    if len(known):
        at = np.minimum(np.searchsorted(known, rows), len(known) - 1)
        has = known[at] == rows
        found[has] = items[at[has]]
    return found


def fit_timing(
    answers: Sequence[Annotation], row: Mapping[str, int], rows: IntArray, items: FloatArray
) -> Timing | None:
    """Fit the model to all timed answers; None while there are too few.

    Parameters
    ----------
    answers : sequence of Annotation
        Of any kind but undo, in any order; undone ones took their time too.
    row : mapping of str to int
        Item id → pool row.
    rows, items : ndarray
        From `main_directions`.
    """
    from al_widgets.evaluation import fit_time_model, timing_features
    from al_widgets.evaluation.timing import MIN_TIMES

    timed = sorted((e for e in answers if e.elapsed_s is not None and e.elapsed_s > 0), key=lambda e: e.answered_at)
    if len(timed) < MIN_TIMES:
        return None
    given: dict[str, int] = {}
    last: dict[str, float] = {}
    began: dict[str, float] = {}
    numbers, minutes = [], []
    for event in timed:
        who, at = event.annotator, event.answered_at
        numbers.append(given.get(who, 0))
        given[who] = numbers[-1] + 1
        if at - last.get(who, -np.inf) > PAUSE_S:
            began[who] = at
        last[who] = at
        minutes.append(min((at - began[who]) / 60, LONGEST_MIN))
    annotators = tuple(given)
    shown = described(rows, items, np.array([row.get(e.item_id, -1) for e in timed], np.intp))
    features = timing_features(
        np.array([e.annotator for e in timed]),
        np.array([e.query_kind for e in timed]),
        np.array(numbers),
        np.array(minutes),
        shown,
        annotators=annotators,
    )
    model = fit_time_model(features, np.array([e.elapsed_s for e in timed], np.float64))
    return Timing(model, annotators, given, rows, items)
