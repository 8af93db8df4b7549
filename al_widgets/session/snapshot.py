"""One training round as a pure function: labels and features in, model and ranking out.

Runs on the trainer's thread, touches neither store nor pool nor lock.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import AlWidgetsError, LearnerError, StrategyError
from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.learning.base import Learner
from al_widgets.strategies.base import Context, Selection, Strategy

_log = logging.getLogger(__name__)
IntArray = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of the pool in the ranking, best first."""

    row: int
    utility: float | None
    propensity: float | None
    strategy: str


@dataclass(frozen=True)
class TrainingInput:
    """What a round is computed from; rows are pool rows, all arrays are copies or never change.

    Attributes
    ----------
    version : int
        Number of the ledger's state; `Snapshot.version` says which answers a model has seen.
    rows : ndarray (R,)
        Pool rows that have features, ascending.
    features : ndarray (R, d)
    labelled, labels : ndarray (n,)
        Pool rows with a label that may be trained on, and class numbers.
    weights : ndarray (n,) or None
    candidates, pending : ndarray
        Pool rows that may be asked; that are held or answered but cannot be trained on.
    """

    version: int
    round: int
    classes: tuple[str, ...]
    pool_size: int
    rows: IntArray
    features: FloatArray
    labelled: IntArray
    labels: IntArray
    weights: FloatArray | None
    candidates: IntArray
    pending: IntArray
    n_labels: int
    learner: Learner
    strategy: Strategy
    cold_strategy: Strategy
    length: int
    rng: np.random.Generator
    cost: Any = None


@dataclass(frozen=True)
class Snapshot:
    """A model with its ranking, installed as a whole and never changed."""

    version: int
    round: int
    classes: tuple[str, ...]
    n_labels: int
    n_trained: int
    rows: IntArray
    probabilities: FloatArray | None
    learner: Learner | None
    ranking: tuple[Ranked, ...]
    fit_s: float
    errors: tuple[AlWidgetsError, ...] = ()
    _position: dict[int, int] = field(default_factory=dict, repr=False)

    def opinion(self, row: int) -> FloatArray | None:
        """Probabilities of a pool row, shape (n_classes,), or None where there is no model or no feature."""
        if self.probabilities is None:
            return None
        at = int(np.searchsorted(self.rows, row))
        if at >= len(self.rows) or self.rows[at] != row:
            return None
        return np.asarray(self.probabilities[at])


def train(given: TrainingInput) -> Snapshot:
    """Fit the learner, score the pool and rank what to ask next.

    A learner or a strategy that fails does not end the round: without a model the cold-start strategy ranks, without a
    ranking the candidates are drawn at random; `Snapshot.errors` says so.
    """
    with one_blas_thread():
        return _train(given)


def _train(given: TrainingInput) -> Snapshot:
    began = time.perf_counter()
    errors: list[AlWidgetsError] = []
    where = np.full(given.pool_size, -1, np.intp)
    where[given.rows] = np.arange(len(given.rows))
    seen = where[given.labelled] >= 0
    labelled, labels = where[given.labelled[seen]], given.labels[seen]
    weights = None if given.weights is None else given.weights[seen]
    learner, probabilities = None, None
    if len(np.unique(labels)) >= 2:
        try:
            learner = given.learner.clone().fit(given.features, labelled, labels, len(given.classes), weights)
            probabilities = _checked(learner.pool_probabilities(), len(given.rows), len(given.classes))
        except AlWidgetsError as error:
            errors.append(error)
        except Exception as error:  # a user's estimator may raise anything
            _log.warning("training failed", exc_info=True)
            errors.append(LearnerError(f"training failed: {type(error).__name__}: {error}"))
        if probabilities is None:
            learner = None
    context = Context(
        features=given.features,
        candidates=_known(where, given.candidates),
        labelled=labelled,
        labels=labels,
        n_classes=len(given.classes),
        pending=_known(where, given.pending),
        probabilities=probabilities,
        model=learner,
        cost=given.cost,
        rng=given.rng,
    )
    strategy = given.strategy if probabilities is not None else given.cold_strategy
    selection, name = _select(strategy, context, given.length, errors)
    ranking = tuple(
        Ranked(
            int(given.rows[index]),
            float(selection.utilities[i]),
            None if selection.propensities is None else float(selection.propensities[i]),
            name,
        )
        for i, index in enumerate(selection.indices)
    )
    return Snapshot(
        version=given.version,
        round=given.round,
        classes=given.classes,
        n_labels=given.n_labels,
        n_trained=len(labels) if learner is not None else 0,
        rows=given.rows,
        probabilities=probabilities,
        learner=learner,
        ranking=ranking,
        fit_s=time.perf_counter() - began,
        errors=tuple(errors),
    )


def keep_model(new: Snapshot, old: Snapshot | None) -> Snapshot:
    """Return the new snapshot with the old model where the new round has none because it failed."""
    if old is None or new.probabilities is not None or not new.errors or old.probabilities is None:
        return new
    return replace(
        new,
        rows=old.rows,
        probabilities=old.probabilities,
        learner=old.learner,
        classes=old.classes,
        n_trained=old.n_trained,
    )


def _known(where: IntArray, rows: IntArray) -> IntArray:
    at = where[rows]
    return at[at >= 0]


def _select(strategy: Strategy, context: Context, length: int, errors: list[AlWidgetsError]) -> tuple[Selection, str]:
    if not len(context.candidates):
        return Selection(np.empty(0, np.intp), np.empty(0)), strategy.name
    try:
        return strategy.query(context, length), strategy.name
    except AlWidgetsError as error:
        errors.append(error)
    except Exception as error:  # a user's strategy may raise anything
        _log.warning("strategy %s failed", strategy.name, exc_info=True)
        errors.append(StrategyError(f"strategy {strategy.name!r} failed: {type(error).__name__}: {error}"))
    n = min(length, len(context.candidates))
    drawn = context.rng.choice(context.candidates, n, replace=False)
    share = np.full(n, n / len(context.candidates))
    return Selection(drawn, np.zeros(n), share), "random"


def _checked(probabilities: FloatArray, n: int, n_classes: int) -> FloatArray:
    if probabilities.shape != (n, n_classes):
        raise LearnerError(f"the learner gave probabilities of shape {probabilities.shape}, not {(n, n_classes)}")
    if not np.isfinite(probabilities).all():
        raise LearnerError("the learner gave probabilities that are not finite")
    return probabilities
