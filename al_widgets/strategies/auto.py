"""The default: cover the pool, then ask what is uncertain and not settled by its neighbours.

1. Until six labels a class: Uncertainty Herding, the cover of what is uncertain and not covered yet. Without a model it is
   cover alone: the first batch is ready before the first label.
2. Then (1 − margin) × standard deviation left on the pool's neighbour graph: uncertain, and not a neighbour of what is
   covered.

Where the model says that neighbours on the graph do not share labels (``graph_share``, which our default learner finds by
leave-one-out on its labels), the graph is no guide to what a label teaches and herding goes on choosing. Labelled, pending
and picked rows count as covered in all of them.

References
----------
Bae et al., Uncertainty herding: one active learning method for all label budgets, ICLR 2025; Kapoor et al., Active learning
with Gaussian processes for object categorization, ICCV 2007. The combination and its constants:
`tests/bench/bench_labels.py`.
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
    """Cover first, then uncertainty weighted by what the graph has not settled.

    Parameters
    ----------
    cover : int
        Labels a class, pending ones too, up to which herding chooses.
    least_share : float
        Graph share of the model below which herding goes on.
    """

    cover: int = 6
    least_share: float = 0.1
    name: str = "auto"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        known = len(context.labelled) + len(context.pending)
        covering = not has_opinion(context) or known < self.cover * context.n_classes
        if covering or getattr(context.model, "graph_share", 1.0) < self.least_share:
            return UncertaintyHerding().query(context, size)
        rows, uncertain = _considered(context, max(SHORTLIST, 2 * size))
        design = graph_design(context, rows)
        taken = np.zeros(len(rows), bool)
        chosen = np.empty(size, np.intp)
        utilities = np.empty(size)
        for i in range(size):
            score = np.where(taken, -np.inf, uncertain * np.sqrt(design.variance + 1e-3))
            best = int(score.argmax())
            chosen[i], utilities[i] = best, score[best]
            taken[best] = True
            design.take(best)
        return Selection(rows[chosen].astype(np.intp, copy=False), utilities)


def _considered(context: Context, limit: int) -> tuple[IntArray, FloatArray]:
    """Return the rows to look at, all or half the most uncertain and half random ones, and 1 − margin of each."""
    rows = context.candidates
    uncertain = score_rows(context, rows, margin)
    if len(rows) > limit:
        best = shortlist(uncertain, limit // 2, context.rng)
        some = context.rng.choice(len(rows), limit // 2, replace=False)
        keep = np.union1d(best, some)
        rows, uncertain = rows[keep], uncertain[keep]
    return rows, uncertain.astype(np.float64)
