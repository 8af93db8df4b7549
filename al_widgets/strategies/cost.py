"""Cost-aware querying: utility per expected second.

References
----------
Settles, Craven, Friedland, Active learning with real annotation costs, NIPS workshop 2008 (return on investment).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection, Strategy
from al_widgets.strategies.ranking import checked_size, nothing, require_finite
from al_widgets.strategies.registry import as_strategy


def expected_seconds(context: Context, rows: IntArray) -> FloatArray:
    """Return the expected seconds of each row, from ``context.cost``; 1 for all when there is none.

    Raises
    ------
    StrategyError
        If costs are not positive numbers, one a row.
    """
    if context.cost is None:
        return np.ones(len(rows))
    seconds = np.asarray(context.cost(rows), np.float64)
    if seconds.shape != (len(rows),):
        raise StrategyError(f"cost must give one number a row ({len(rows)}), not shape {seconds.shape}")
    require_finite(seconds, rows, "expected seconds")
    if len(seconds) and seconds.min() <= 0:
        row = int(rows[int(seconds.argmin())])
        raise StrategyError(f"expected seconds of row {row} are {seconds.min()}: they must be above 0")
    return seconds


@dataclass(frozen=True)
class CostAware:
    """Another strategy's picks, best utility per second first.

    Asks the inner strategy for a longer list (its own order already avoids repeats) and keeps what pays best.

    Parameters
    ----------
    inner : str or Strategy
    factor : int
        How many times the batch the inner strategy is asked for.
    """

    inner: str | Strategy = "margin"
    factor: int = 5
    name: str = field(default="cost_aware")

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; utilities are utilities per second. See `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        long = as_strategy(self.inner).query(context, max(self.factor * size, 50))
        worth = long.utilities - min(0.0, float(long.utilities.min()))
        rate = worth / expected_seconds(context, long.indices)
        order = np.argsort(-rate, kind="stable")[:size]
        return Selection(long.indices[order], rate[order])
