"""The default: cover the pool first, then ask what is uncertain and would teach the rest.

1. Until each class could have been met twice (at most 10 labels): V-optimality on the pool's neighbour graph. It needs no
   model: the first batch is ready before the first label.
2. Until three labels a class: (1 − margin) × √V-optimality, uncertain for the model and settling much of the pool.
3. Then (1 − margin) × standard deviation left on the graph: uncertain, and not a neighbour of what is covered.

Where the model says that neighbours on the graph do not share labels (``graph_share``, which our default learner finds by
leave-one-out on its labels), the graph is no guide to what a label teaches and Uncertainty Herding on the features chooses.
Labelled, pending and picked rows count as covered in all of them.

References
----------
Ji and Han, A variance minimization criterion to active learning on graphs, AISTATS 2012; Bae et al., Uncertainty herding,
ICLR 2025. The combination and its constants: `tests/bench/bench_labels.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.design import SHORTLIST, graph_design
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.strategies.opinion import has_opinion, score_rows
from al_widgets.strategies.ranking import checked_size, nothing, shortlist
from al_widgets.strategies.uncertainty import margin


@dataclass(frozen=True)
class Auto:
    """Cold start by V-optimality, then uncertainty weighted by what a label would teach the rest.

    Parameters
    ----------
    start : int
        Labels (at most two a class) before the model is asked.
    teach : int
        Labels a class up to which V-optimality weighs.
    least_share : float
        Graph share of the model below which herding chooses.
    """

    start: int = 10
    teach: int = 3
    least_share: float = 0.1
    name: str = "auto"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        if len(context.features) < 4:
            return UncertaintyHerding().query(context, batch_size)
        known = len(context.labelled) + len(context.pending)
        cold = not has_opinion(context) or len(context.labelled) < min(self.start, 2 * context.n_classes)
        if not cold and getattr(context.model, "graph_share", 1.0) < self.least_share:
            return UncertaintyHerding().query(context, batch_size)
        rows, uncertain = _considered(context, max(SHORTLIST, 2 * size), cold)
        design = graph_design(context, rows)
        taken = np.zeros(len(rows), bool)
        chosen = np.empty(size, np.intp)
        utilities = np.empty(size)
        for i in range(size):
            if cold:
                score = design.v_optimality
            elif known + i < self.teach * context.n_classes:
                score = uncertain * np.sqrt(design.v_optimality)
            else:
                score = uncertain * np.sqrt(design.variance + 1e-3)
            score = np.where(taken, -np.inf, score)
            best = int(score.argmax())
            chosen[i], utilities[i] = best, score[best]
            taken[best] = True
            design.take(best)
        return Selection(rows[chosen].astype(np.intp, copy=False), utilities)


def _considered(context: Context, limit: int, cold: bool) -> tuple[IntArray, FloatArray]:
    """Return the rows to look at, all or half the most uncertain and half random ones, and 1 − margin of each."""
    rows = context.candidates
    if cold:
        if len(rows) > limit:
            rows = np.sort(context.rng.choice(rows, limit, replace=False))
        return rows, np.ones(len(rows))
    uncertain = score_rows(context, rows, margin)
    if len(rows) > limit:
        best = shortlist(uncertain, limit // 2, context.rng)
        some = context.rng.choice(len(rows), limit // 2, replace=False)
        keep = np.union1d(best, some)
        rows, uncertain = rows[keep], uncertain[keep]
    return rows, uncertain.astype(np.float64)
