"""Density-based selective sampling: uncertain items are asked only where the stream is dense. Imported by `stream`; any thread.

Reference: Ienco, Žliobaitė and Pfahringer, High density-focused uncertainty sampling for active learning over evolving stream
data, BigMine 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.strategies.stream import Decision, Offer


@dataclass(frozen=True, slots=True)
class DensityState:
    """A window of the newest items.

    Attributes
    ----------
    features : ndarray (w, d)
        Oldest first.
    nearest : ndarray (w,)
        Squared distance of each to the nearest item that came after it or lay in the window with it.
    threshold : float
        Of the margin.
    """

    features: npt.NDArray[np.float32]
    nearest: npt.NDArray[np.float32]
    threshold: float


@dataclass(frozen=True)
class DensityUncertainty:
    """Ask when the margin is below a randomised variable threshold and the item is the nearest neighbour of some recent one.

    Outliers are nobody's nearest neighbour: they are uncertain, but teach little.

    Parameters
    ----------
    window : int
        Recent items that are looked at.
    step, spread : float
        As for randomised uncertainty; of the margin.
    """

    window: int = 100
    step: float = 0.01
    spread: float = 1.0
    name: str = "density"

    def start(self) -> DensityState:
        """Return an empty window and the threshold 1."""
        return DensityState(np.empty((0, 0), np.float32), np.empty(0, np.float32), 1.0)

    def decide(self, state: DensityState, offer: Offer, rng: np.random.Generator) -> Decision:
        """Decide on one item.

        Raises
        ------
        StrategyError
            If the item has no features.
        """
        after, density = self._seen(state, offer)
        factor = rng.normal(1.0, self.spread)
        if density == 0 and len(state.features):
            return Decision(False, after)
        ask = offer.margin < after.threshold * factor
        moved = after.threshold * (1 - self.step if ask else 1 + self.step)
        moved = min(max(moved, self.step), 1 + self.step)
        return Decision(ask, DensityState(after.features, after.nearest, moved))

    def let_go(self, state: DensityState, offer: Offer) -> DensityState:
        """Put the item into the window."""
        return self._seen(state, offer)[0]

    def _seen(self, state: DensityState, offer: Offer) -> tuple[DensityState, int]:
        """Return the state with the item in the window, and for how many of the window it is the nearest so far."""
        if offer.features is None:
            raise StrategyError("density-based sampling needs the features of each item")
        row = np.asarray(offer.features, np.float32)[None]
        old, nearest = state.features[-self.window + 1 :], state.nearest[-self.window + 1 :]
        if old.shape[1] != row.shape[1]:  # the first item, or the features mean something else now
            start = DensityState(row, np.full(1, np.inf, np.float32), state.threshold)
            return start, 0
        squared = np.square(old - row).sum(axis=1)
        density = int((squared < nearest).sum())
        nearest = np.append(np.minimum(nearest, squared), squared.min() if len(squared) else np.inf)
        return DensityState(np.concatenate([old, row]), nearest.astype(np.float32), state.threshold), density
