"""Expected error reduction: ask the label after which the model is expected to be surest of all other items.

In closed form for a model that says how a label would change its scores (``lookahead``, which the default learner has); for
others the model is refitted for each class of sampled candidates.

References
----------
Roy and McCallum, Toward optimal active learning through sampling estimation of error reduction, ICML 2001;
Zhu, Lafferty, Ghahramani, Combining active learning and semi-supervised learning using Gaussian fields, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.batch import by_repulsion
from al_widgets.strategies.committee import refit
from al_widgets.strategies.distance import finite_rows
from al_widgets.strategies.informed import Informed
from al_widgets.strategies.opinion import full_width, probabilities_of, score_rows
from al_widgets.strategies.ranking import shortlist
from al_widgets.strategies.uncertainty import margin


@runtime_checkable
class LooksAhead(Protocol):
    """A fitted model that knows what one more label would change, without a refit."""

    def expected_risk(self, rows: IntArray, references: IntArray) -> FloatArray:
        """Return for each row the risk Σ (1 − max p) over references, expected over its label; shape (m,)."""


def risk_after(context: Context, row: int, references: IntArray) -> float:
    """Return the mean of 1 − max p over references, expected over the label of `row`, by refitting for each class.

    Classes of less than 1 % are left out.
    """
    chance = probabilities_of(context, np.array([row]))[0].astype(np.float64)
    features = finite_rows(context.features, references)
    rows = np.append(np.asarray(context.labelled, np.intp), row)
    total = 0.0
    risk = 0.0
    for c in np.flatnonzero(chance >= min(0.01, chance.max())):
        model: Any = refit(context, rows, np.append(np.asarray(context.labels, np.intp), c))
        p = full_width(model, features, context.n_classes)
        risk += chance[c] * float(1 - p.max(axis=1).mean(dtype=np.float64))
        total += chance[c]
    return risk / total if total else risk


@dataclass(frozen=True)
class ExpectedErrorReduction(Informed):
    """Lowest expected risk over a sample of the pool.

    Parameters
    ----------
    n_candidates : int
        Candidates looked at in closed form: half the most uncertain, half random.
    n_refitted : int
        The same where each costs a refit a class.
    n_references : int
        Items whose risk is counted.
    """

    n_candidates: int = 500
    n_refitted: int = 30
    n_references: int = 500
    name: str = "expected_error"

    def _is_informed(self, context: Context) -> bool:
        return super()._is_informed(context) and len(context.labelled) > 0

    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows; utilities are the risk each takes away."""
        rng, rows = context.rng, context.candidates
        closed = isinstance(context.model, LooksAhead)
        limit = max(self.n_candidates if closed else self.n_refitted, 2 * size)
        if len(rows) > limit:
            best = shortlist(score_rows(context, rows, margin), limit // 2, rng)
            some = rng.choice(len(rows), limit - limit // 2, replace=False)
            rows = rows[np.union1d(best, some)]
        references = context.candidates
        if len(references) > self.n_references:
            references = np.sort(rng.choice(references, self.n_references, replace=False))
        if isinstance(context.model, LooksAhead):
            risk = context.model.expected_risk(rows, references) / len(references)
        else:
            risk = np.array([risk_after(context, int(row), references) for row in rows])
        now = float(1 - probabilities_of(context, references).max(axis=1).mean(dtype=np.float64))
        return by_repulsion(context, now - risk, rows, size)
