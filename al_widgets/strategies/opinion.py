"""The model's opinion of the candidates: probabilities from the context, or asked of the model in blocks.

Used by every strategy that needs a model; runs on the caller's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, IntArray
from al_widgets.strategies.ranking import CHUNK, as_slice, require_finite


def has_opinion(context: Context) -> bool:
    """Tell whether there is a model to ask: probabilities, or a model and labels it was fitted on.

    A strategy that needs one covers the pool until there is.
    """
    return context.probabilities is not None or (len(context.labelled) > 0 and hasattr(context.model, "predict_proba"))


def given_probabilities(context: Context) -> FloatArray | None:
    """Return the context's probabilities, after a look at their shape; None when there are none.

    Raises
    ------
    StrategyError
        If they are not one row a row of features and one column a class.
    """
    given = context.probabilities
    if given is not None and given.shape != (len(context.features), context.n_classes):
        raise StrategyError(
            f"probabilities must be of shape {(len(context.features), context.n_classes)}, not {given.shape}"
        )
    return given


def probability_blocks(context: Context, rows: IntArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield ``(where in rows, probabilities (block, n_classes))`` for consecutive blocks of `rows`.

    Only one block is ever in memory besides what the context holds.

    Raises
    ------
    StrategyError
        If there is no model, or its probabilities have the wrong shape or are not finite.
    """
    given = given_probabilities(context)
    if given is None and not hasattr(context.model, "predict_proba"):
        raise StrategyError("this strategy needs a model: give the context probabilities or a fitted model")
    for start in range(0, len(rows), CHUNK):
        where = slice(start, min(start + CHUNK, len(rows)))
        block_rows = rows[where]
        if given is not None:
            block = given[as_slice(block_rows)]
        else:
            block = full_width(context.model, context.features[as_slice(block_rows)], context.n_classes)
        require_finite(block, block_rows, "probabilities")
        yield where, block


def full_width(model: Any, features: FloatArray, n_classes: int) -> FloatArray:
    """Ask a model and spread its columns to class numbers; classes it never saw get 0.

    Parameters
    ----------
    model : object
        A learner (columns are class numbers already) or a scikit-learn classifier with ``classes_``.
    features : ndarray (m, d)
    n_classes : int

    Returns
    -------
    ndarray (m, n_classes)

    Raises
    ------
    StrategyError
        If the columns fit neither.
    """
    probabilities = np.asarray(model.predict_proba(features))
    if probabilities.ndim == 2 and probabilities.shape[1] == n_classes:
        return probabilities
    classes = getattr(model, "classes_", None)
    if probabilities.ndim != 2 or classes is None or len(classes) != probabilities.shape[1]:
        raise StrategyError(
            f"predict_proba gave shape {probabilities.shape} for {n_classes} classes, and the model names no classes_"
        )
    full = np.zeros((len(probabilities), n_classes), probabilities.dtype)
    full[:, np.asarray(classes, dtype=np.intp)] = probabilities
    return full


def score_rows(context: Context, rows: IntArray, score: Callable[[FloatArray], npt.NDArray[Any]]) -> FloatArray:
    """Return ``score(probabilities)`` of each row, block by block, float32 unless the opinion is float64."""
    dtype = np.float32 if context.probabilities is None else context.probabilities.dtype
    scores = np.empty(len(rows), dtype)
    for where, block in probability_blocks(context, rows):
        scores[where] = score(block)
    return scores


def probabilities_of(context: Context, rows: IntArray) -> FloatArray:
    """Return the probabilities of `rows`, shape (m, n_classes), for strategies that look at few rows."""
    blocks = [block for _, block in probability_blocks(context, rows)]
    return np.concatenate(blocks) if blocks else np.empty((0, context.n_classes))
