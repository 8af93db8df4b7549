"""Random sampling: the baseline every strategy has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, Selection
from al_widgets.strategies.ranking import checked_size, nothing


@dataclass(frozen=True)
class RandomSampling:
    """Draws candidates uniformly without replacement; the propensity of each is known."""

    name: str = "random"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`. Utilities are the propensities."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        rows = context.rng.choice(context.candidates, size, replace=False)
        propensities = 1.0 / (len(context.candidates) - np.arange(size))
        return Selection(rows.astype(np.intp, copy=False), propensities, propensities)
