"""k-center (core-set): each pick is the candidate farthest from everything that is covered.

References
----------
Sener and Savarese, Active learning for convolutional neural networks: a core-set approach, ICLR 2018, algorithm 1;
Gonzalez, Clustering to minimize the maximum intercluster distance, 1985 (the factor-2 bound).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, Selection
from al_widgets.strategies.herding import covered_points
from al_widgets.strategies.pool_rows import PoolRows
from al_widgets.strategies.ranking import checked_size, nothing


@dataclass(frozen=True)
class KCenter:
    """Farthest-first traversal from the labelled and pending rows; from an empty start, first the row nearest the mean."""

    name: str = "k_center"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; utilities are distances when picked. See `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        pool = PoolRows(context)
        covered = covered_points(context)
        nearest = pool.nearest_of(covered)
        if not len(covered):
            mean = pool.features.mean(axis=0, dtype=np.float64).astype(pool.features.dtype)
            nearest = -pool.nearest_of(mean[None, :])
        nearest[~pool.free] = -np.inf
        chosen = np.empty(size, np.intp)
        utilities = np.empty(size)
        for i in range(size):
            best = int(nearest.argmax())
            chosen[i] = best
            utilities[i] = np.sqrt(max(nearest[best], 0))
            if i == 0 and not len(covered):
                nearest[:] = np.inf
                pool.lower(nearest, best)
                utilities[i] = np.sqrt(nearest.max())
                nearest[~pool.free] = -np.inf
            elif i + 1 < size:
                pool.lower(nearest, best)
            nearest[best] = -np.inf
        return Selection(pool.rows(chosen), utilities)
