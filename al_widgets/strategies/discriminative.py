"""Discriminative active learning: ask what is easiest to tell apart from everything labelled.

References
----------
Gissin and Shalev-Shwartz, Discriminative active learning, 2019.
"""

from __future__ import annotations

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray
from al_widgets.strategies.batch import BatchMode
from al_widgets.strategies.distance import finite_rows
from al_widgets.strategies.ranking import CHUNK, as_slice, require_finite
from al_widgets.strategies.scored import Scored

#: Candidates the classifier is trained on.
SAMPLE = 5000


def unlabelled_probability(context: Context, rows: IntArray) -> FloatArray:
    """Return the probability of each row to be unlabelled, by a logistic regression; shape (m,).

    Pending rows count as labelled. The regression sees quadratic terms too: labelled rows lie amid the others, where no plane
    tells them apart.
    """
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    covered = np.concatenate([np.asarray(context.labelled, np.intp), np.asarray(context.pending, np.intp)])
    some = rows
    if len(rows) > SAMPLE:
        some = np.sort(context.rng.choice(rows, SAMPLE, replace=False))
    X = finite_rows(context.features, np.concatenate([covered, some])).astype(np.float64)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    spread[spread == 0] = 1
    is_open = np.r_[np.zeros(len(covered)), np.ones(len(some))]
    z = (X - mean) / spread
    model = LogisticRegression(class_weight="balanced", max_iter=200).fit(np.concatenate([z, z * z], axis=1), is_open)
    # In the features' precision, and without the two columns a feature that predict_proba would want.
    dtype = context.features.dtype if context.features.dtype.kind == "f" else np.float64
    plain, square = np.split(model.coef_[0].astype(dtype), 2)
    mean, scale, offset = mean.astype(dtype), (1 / spread).astype(dtype), float(model.intercept_[0])
    probability = np.empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        block = (context.features[as_slice(some)] - mean) * scale
        require_finite(block, some, "features")
        decision = block @ plain
        np.square(block, out=block)
        decision += block @ square
        probability[start : start + CHUNK] = expit(decision.astype(np.float64) + offset)
    return probability


def discriminative(batch: BatchMode = "repulsion") -> Scored:
    """Return the discriminative strategy."""
    return Scored("discriminative", unlabelled_probability, batch, needs="labels")
