"""The protocol of query strategies: arrays in, positions and utilities out.

A strategy is a pure function of a `Context`: it keeps nothing between calls, stores nothing, trains no learner of the
session and draws random numbers from ``context.rng`` only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Context:
    """What a strategy may look at.

    All positions are rows of `features`, never positions within `candidates`.

    Attributes
    ----------
    features : ndarray (N, d)
        float32 or float64, may be a memory map.
    candidates : ndarray (m,) of int
        Rows that may be chosen, all different.
    labelled, labels : ndarray (n,)
        Rows with a label and their class numbers.
    n_classes : int
    pending : ndarray (p,) of int
        Rows that someone holds, or that were answered and the model has not seen: they count as covered.
    probabilities : ndarray (N, n_classes) or None
        The model's opinion of every row; None before there is a model.
    model : object or None
        The fitted learner, for strategies that need more than probabilities.
    committee : ndarray (M, N, n_classes) or None
        Probabilities of M ensemble members.
    cost : callable or None
        Rows → expected seconds, shape like its argument.
    rng : numpy.random.Generator
    """

    features: FloatArray
    candidates: IntArray
    labelled: IntArray
    labels: IntArray
    n_classes: int
    pending: IntArray = field(default_factory=lambda: np.empty(0, np.intp))
    probabilities: FloatArray | None = None
    model: Any = None
    committee: FloatArray | None = None
    cost: Callable[[IntArray], FloatArray] | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)


@dataclass(frozen=True)
class Selection:
    """What a strategy chose.

    Attributes
    ----------
    indices : ndarray (b,) of int
        Rows of `Context.features`, best first, no repeats; fewer than asked only when candidates run out.
    utilities : ndarray (b,) of float
        Finite score of each at the moment it was picked; larger is better.
    propensities : ndarray (b,) of float or None
        Probability with which each was drawn, for strategies that draw at random.
    """

    indices: IntArray
    utilities: FloatArray
    propensities: FloatArray | None = None


@runtime_checkable
class Strategy(Protocol):
    """A query strategy."""

    @property
    def name(self) -> str:
        """Name as `al_widgets.strategies.get` knows it."""

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows of ``context.candidates``.

        Raises
        ------
        StrategyError
            If the context lacks what the strategy needs.
        """
