"""Stream-based selective sampling: budget managers that decide, item by item, what is asked and what is let go.

A manager is a pure function: it gets its state, the item and random numbers, and returns the decision with the next state. It
decides only while the budget allows a question; how much may be asked at all is `al_widgets.strategies.allowance`'s part.
Imported by sessions on streams; any thread.

References
----------
Žliobaitė, Bifet, Pfahringer and Holmes, Active learning with drifting streaming data, IEEE TNNLS 25 (2014): fixed, variable and
randomised uncertainty, split (algorithms 2 to 5).
Kottke, Krempl and Spiliopoulou, Probabilistic active learning in datastreams, IDA 2015: incremental quantile filter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import FloatArray


@dataclass(frozen=True, slots=True)
class Offer:
    """What a manager may look at.

    Attributes
    ----------
    probabilities : ndarray (K,)
        The model's opinion of the item.
    features : ndarray (d,) or None
        For managers that look at density.
    budget : float
        Share of the stream that may be asked.
    """

    probabilities: FloatArray
    features: FloatArray | None = None
    budget: float = 0.1

    @property
    def confidence(self) -> float:
        """Largest probability."""
        return float(self.probabilities.max())

    @property
    def margin(self) -> float:
        """Largest minus second largest probability."""
        if len(self.probabilities) < 2:
            return 1.0
        second, first = np.partition(self.probabilities, -2)[-2:]
        return float(first - second)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a manager decided.

    Attributes
    ----------
    ask : bool
    state : object
        To be given to the next call.
    propensity : float or None
        Probability of being asked that the item had, where chance took part.
    """

    ask: bool
    state: Any
    propensity: float | None = None


@runtime_checkable
class BudgetManager(Protocol):
    """Decides which items are worth the budget."""

    @property
    def name(self) -> str:
        """Name as `budget_manager` knows it."""

    def start(self) -> Any:
        """Return the state before the first item, and after the stream has changed."""

    def decide(self, state: Any, offer: Offer, rng: np.random.Generator) -> Decision:
        """Decide on one item for which there is budget."""

    def let_go(self, state: Any, offer: Offer) -> Any:
        """Return the state after an item that could not be asked, because the budget did not allow it."""


@dataclass(frozen=True)
class FixedUncertainty:
    """Ask whenever the confidence is below a fixed threshold (Žliobaitė et al., algorithm 2).

    Parameters
    ----------
    threshold : float
        Of the largest probability.
    """

    threshold: float = 0.8
    name: str = "fixed"

    def start(self) -> None:
        """Return None: it has no state."""

    def decide(self, state: None, offer: Offer, rng: np.random.Generator) -> Decision:
        """Compare with the threshold."""
        del rng
        return Decision(offer.confidence < self.threshold, state)

    def let_go(self, state: None, offer: Offer) -> None:
        """Return None."""
        del state, offer


@dataclass(frozen=True)
class VariableUncertainty:
    """Ask below a threshold that sinks with every question and rises with every item let go (algorithm 3).

    So the budget is spent also when the model is sure of nearly everything, and a change of the stream is noticed.

    Parameters
    ----------
    step : float
        Relative change of the threshold.
    """

    step: float = 0.01
    name: str = "variable"

    def start(self) -> float:
        """Return the threshold 1: the first items are asked."""
        return 1.0

    def decide(self, state: float, offer: Offer, rng: np.random.Generator) -> Decision:
        """Compare with the threshold and move it."""
        del rng
        ask = offer.confidence < state
        return Decision(ask, self._moved(state, offer, ask))

    def let_go(self, state: float, offer: Offer) -> float:
        """Leave the threshold alone: the manager did not choose."""
        del offer
        return state

    def _moved(self, threshold: float, offer: Offer, ask: bool) -> float:
        # Above 1 everything is asked already, below 1/K nothing can be: the threshold must find back quickly from both.
        moved = threshold * (1 - self.step if ask else 1 + self.step)
        return min(max(moved, 1 / len(offer.probabilities)), 1 + self.step)


@dataclass(frozen=True)
class RandomisedUncertainty:
    """Variable uncertainty with a threshold that is multiplied by a normal number, so that any item may be asked (algorithm 4).

    Parameters
    ----------
    step : float
    spread : float
        Standard deviation of the factor, whose mean is 1.
    """

    step: float = 0.01
    spread: float = 1.0
    name: str = "randomised"

    def start(self) -> float:
        """Return the threshold 1."""
        return 1.0

    def decide(self, state: float, offer: Offer, rng: np.random.Generator) -> Decision:
        """Compare with the threshold times a random factor."""
        confidence = offer.confidence
        ask = confidence < state * rng.normal(1.0, self.spread)
        chance = 0.5 * math.erfc((confidence / state - 1) / (self.spread * math.sqrt(2)))
        moved = VariableUncertainty(self.step)._moved(state, offer, ask)  # noqa: SLF001 - the same rule
        return Decision(ask, moved, chance)

    def let_go(self, state: float, offer: Offer) -> float:
        """Leave the threshold alone."""
        del offer
        return state


@dataclass(frozen=True)
class Split:
    """A random part of the stream is asked blindly, the rest by variable uncertainty (algorithm 5).

    The blind part finds changes in places where the model is wrong and sure.

    Parameters
    ----------
    blind : float
        Share of the stream on which chance decides.
    inner : BudgetManager
        Decides on the rest.
    """

    blind: float = 0.2
    inner: BudgetManager = field(default_factory=VariableUncertainty)
    name: str = "split"

    def start(self) -> Any:
        """Return the inner manager's state."""
        return self.inner.start()

    def decide(self, state: Any, offer: Offer, rng: np.random.Generator) -> Decision:
        """Toss which part the item belongs to, and decide in that part."""
        blindly = rng.random() < self.blind
        by_chance = rng.random() < offer.budget
        decided = self.inner.decide(state, offer, rng)
        inner_chance = float(decided.ask) if decided.propensity is None else decided.propensity
        chance = self.blind * offer.budget + (1 - self.blind) * inner_chance
        return Decision(by_chance, state, chance) if blindly else Decision(decided.ask, decided.state, chance)

    def let_go(self, state: Any, offer: Offer) -> Any:
        """Tell the inner manager."""
        return self.inner.let_go(state, offer)


@dataclass(frozen=True)
class QuantileFilter:
    """Ask the most uncertain share `budget` of the newest items: the balanced incremental quantile filter.

    The threshold is the (1 - budget) quantile of the last uncertainties, moved down while less was asked than the budget allows
    and up while more was.

    Parameters
    ----------
    window : int
        Uncertainties remembered.
    tolerance : int
        Questions behind or ahead of the budget that move the threshold over the whole range of the window.
    """

    window: int = 100
    tolerance: int = 50
    name: str = "quantile"

    def start(self) -> tuple[tuple[float, ...], float]:
        """Return an empty window and a balance of 0."""
        return (), 0.0

    def decide(self, state: tuple[tuple[float, ...], float], offer: Offer, rng: np.random.Generator) -> Decision:
        """Compare with the quantile, balanced."""
        del rng
        recent, balance = self.let_go(state, offer)
        balance = max(-self.tolerance, min(float(self.tolerance), balance + offer.budget))
        ordered = sorted(recent)
        threshold = ordered[min(len(ordered) - 1, int((1 - offer.budget) * len(ordered)))]
        threshold -= (ordered[-1] - ordered[0]) * balance / self.tolerance
        ask = recent[-1] >= threshold
        return Decision(ask, (recent, balance - 1.0 if ask else balance))

    def let_go(self, state: tuple[tuple[float, ...], float], offer: Offer) -> tuple[tuple[float, ...], float]:
        """Remember the item's uncertainty; the balance is about items that could be asked."""
        recent, balance = state
        return (*recent[-self.window + 1 :], 1.0 - offer.margin), balance


@dataclass(frozen=True)
class RandomQuestions:
    """Ask at random, whatever the model thinks: what the others are compared with."""

    name: str = "random"

    def start(self) -> None:
        """Return None: it has no state."""

    def decide(self, state: None, offer: Offer, rng: np.random.Generator) -> Decision:
        """Toss. Twice the budget, for questions cannot be saved up without end: about half of the tosses come too early."""
        chance = min(1.0, 2 * offer.budget)
        return Decision(bool(rng.random() < chance), state, chance)

    def let_go(self, state: None, offer: Offer) -> None:
        """Return None."""
        del state, offer


def _density() -> BudgetManager:
    from al_widgets.strategies.stream_density import DensityUncertainty

    return DensityUncertainty()


_MANAGERS: dict[str, Callable[[], BudgetManager]] = {
    "fixed": FixedUncertainty,
    "variable": VariableUncertainty,
    "randomised": RandomisedUncertainty,
    "split": Split,
    "quantile": QuantileFilter,
    "density": _density,
    "random": RandomQuestions,
}


def budget_manager_names() -> tuple[str, ...]:
    """Return the names that `budget_manager` knows."""
    return tuple(_MANAGERS)


def budget_manager(what: Any) -> BudgetManager:
    """Return `what` as a budget manager: a name, or an object with that protocol.

    Raises
    ------
    StrategyError
        If it is neither.
    """
    if isinstance(what, str):
        if what not in _MANAGERS:
            raise StrategyError(f"no budget manager is called {what!r}; there are: {', '.join(_MANAGERS)}")
        return _MANAGERS[what]()
    if isinstance(what, BudgetManager) and not isinstance(what, type):
        return what
    raise StrategyError(
        f"{what!r} is no budget manager: give one of {', '.join(_MANAGERS)}, or an object with name, start, decide and let_go"
    )
