"""Strategies that score each candidate by itself and leave the batch to a batch mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.batch import BatchMode, selector
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.strategies.opinion import has_opinion, score_rows
from al_widgets.strategies.ranking import checked_size, nothing, require_finite

Needs = Literal["model", "committee", "labels", "nothing"]
Scorer = Callable[[Context, IntArray], FloatArray]


@dataclass(frozen=True)
class Scored:
    """A score of each candidate, and a batch mode.

    Parameters
    ----------
    name : str
    score : callable
        ``(context, rows (m,)) -> utilities (m,)``, larger is better.
    batch : {"repulsion", "power", "herding", "top"}
        How a batch is made from scores.
    needs : {"model", "committee", "labels", "nothing"}
        What `score` asks of the context. Before it is there, the pool is covered by herding instead.
    """

    name: str
    score: Scorer
    batch: BatchMode = "repulsion"
    needs: Needs = "model"

    def __post_init__(self) -> None:
        selector(self.batch)

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        if not _has(context, self.needs):
            return UncertaintyHerding().query(context, batch_size)
        scores = self.score(context, context.candidates)
        require_finite(scores, context.candidates, "utilities")
        return selector(self.batch)(context, scores, context.candidates, size)


def from_probabilities(function: Callable[[FloatArray], FloatArray]) -> Scorer:
    """Make a scorer of a function of probabilities (m, K) -> (m,)."""

    def score(context: Context, rows: IntArray) -> FloatArray:
        return score_rows(context, rows, function)

    return score


def _has(context: Context, needs: Needs) -> bool:
    """Tell whether the context has what a score needs."""
    if needs == "model":
        return has_opinion(context)
    if needs == "committee" and context.committee is not None:
        return True
    return needs == "nothing" or len(context.labelled) > 0
