"""Fit a simulated annotator to real answers. Who may import it: the session and above. Any thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.errors import TaskError
from al_widgets.oracles.aggregation import aggregate
from al_widgets.oracles.answers import Answers, FloatArray, IntArray, read_annotations
from al_widgets.oracles.response_time import ResponseTime, fit_response_time
from al_widgets.oracles.simulated import SimulatedOracle

if TYPE_CHECKING:
    import pandas as pd

POOL_WEIGHT = 4.0
"""Wrong answers of everybody that tie one annotator's confusion to the common one, an answer a true class."""


def fit_oracle(
    annotations: pd.DataFrame,
    truth: Mapping[str, str] | pd.Series[Any] | None = None,
    *,
    annotator: str | None = None,
    **options: Any,
) -> SimulatedOracle:
    """Fit accuracy, difficulty of the items, confusion, fatigue, "I cannot tell" and response times.

    Parameters
    ----------
    annotations : DataFrame
        See `read_annotations`.
    truth : mapping or Series, optional
        Item id → true class. Default: the consensus.
    annotator : str, optional
        Whom to imitate; default the average of all.
    **options
        Of `SimulatedOracle`; they override what was fitted.

    Returns
    -------
    SimulatedOracle

    Raises
    ------
    TaskError
        With fewer than 20 answers, an unknown annotator, or a truth that lacks an answered item.

    Notes
    -----
    - Difficulty: a Rasch model, logit P(right) = ability_j - difficulty_i with normal priors whose variance is estimated
      (Rasch 1960; MAP by Newton steps, variance by moments), where items have two answers or more on average;
      else 0.
    - Accuracy: the share of right answers, with one wrong and one right answer added; the constructor sets
    the ability to it. - Confusion: wrong answers by true class, one annotator's drawn towards everybody's by
    `POOL_WEIGHT` answers. - Fatigue: the loss of accuracy a 100 answers that makes the answers most likely,
    kept only if it gains two log units
      (about 95 % confidence).
    - Response times: `fit_response_time`, where at least 20 are known.
    """
    answers = read_annotations(annotations)
    if len(answers) < 20:
        raise TaskError(f"an oracle cannot be fitted to {len(answers)} answers; at least 20 are needed")
    names = _truth(annotations, truth, answers)
    classes = tuple(sorted({*answers.classes, *names}))
    number = {c: k for k, c in enumerate(classes)}
    true = np.array([number[n] for n in names], np.intp)
    given = np.array([number[c] for c in answers.classes], np.intp)[answers.value]
    right = answers.is_label & (given == true[answers.item])
    mine = np.ones(len(answers), np.bool_)
    if annotator is not None:
        if annotator not in answers.annotators:
            raise TaskError(f"no answers of annotator {annotator!r}; there are: {list(answers.annotators)}")
        mine = answers.annotator == answers.annotators.index(annotator)
    difficulty = item_difficulty(answers.item, answers.annotator, right, len(answers.items), len(answers.annotators))
    position = np.empty(len(answers), np.intp)
    for j in range(len(answers.annotators)):
        own = np.flatnonzero(answers.annotator == j)
        position[own] = np.arange(len(own))
    n, hits = int(mine.sum()), int(right[mine].sum())
    accuracy = (hits + 1) / (n + 2)
    wrong_count = n - hits
    fitted: dict[str, Any] = {
        "accuracy": accuracy,
        "difficulty": dict(zip(answers.items, map(float, difficulty), strict=True)) if difficulty.any() else 0.0,
        "confusion": _confusion(answers, true, given, right, mine, classes),
        "unsure": float((~answers.is_label & mine).sum() / max(wrong_count, 1)),
        "fatigue": _fatigue(right[mine], position[mine], difficulty[answers.item[mine]], len(classes)),
        "response_time": _response_time(answers, mine, right, position, difficulty),
        "classes": classes,
        "name": annotator or "average annotator",
    }
    # Fatigue lowers the mean; the start has to be higher for the mean to be the one that was seen.
    loss = np.mean((1 - fitted["fatigue"]) ** (position[mine] / 100))
    fitted["accuracy"] = float(min(1 / len(classes) + (accuracy - 1 / len(classes)) / loss, 0.999))
    return SimulatedOracle(dict(zip(answers.items, names, strict=True)), **(fitted | options))


def item_difficulty(
    item: IntArray, annotator: IntArray, right: Any, n_items: int, n_annotators: int, iterations: int = 20
) -> FloatArray:
    """Fit a Rasch model.

    Parameters
    ----------
    item, annotator : ndarray (n,) of int
    right : ndarray (n,) of bool
    n_items, n_annotators : int
    iterations : int
        Newton steps, each of abilities, difficulties and the variance of the difficulties.

    Returns
    -------
    ndarray (n_items,)
        Difficulty in log-odds, mean 0; zeros where items have fewer than two answers on average.
    """
    counts = np.bincount(item, minlength=n_items)
    if len(item) < 2 * max((counts > 0).sum(), 1):
        return np.zeros(n_items)
    hit = np.asarray(right, np.float64)
    ability, difficulty, variance = np.full(n_annotators, 1.0), np.zeros(n_items), 1.0
    for _ in range(iterations):
        p = 1 / (1 + np.exp(-(ability[annotator] - difficulty[item])))
        slope, curve = np.bincount(annotator, hit - p, n_annotators), np.bincount(annotator, p * (1 - p), n_annotators)
        ability += np.clip((slope - (ability - 1) / 9) / (curve + 1 / 9), -1, 1)
        p = 1 / (1 + np.exp(-(ability[annotator] - difficulty[item])))
        slope, curve = np.bincount(item, p - hit, n_items), np.bincount(item, p * (1 - p), n_items)
        difficulty += np.clip((slope - difficulty / variance) / (curve + 1 / variance), -1, 1)
        # Second moment of the posterior: square of the mode plus the variance around it.
        variance = float(np.clip((difficulty**2 + 1 / (curve + 1 / variance))[counts > 0].mean(), 0.01, 16.0))
    difficulty -= difficulty[counts > 0].mean()
    difficulty[counts == 0] = 0.0
    return difficulty


def _truth(annotations: pd.DataFrame, truth: Mapping[str, str] | pd.Series[Any] | None, answers: Answers) -> list[str]:
    """Return the true class of every answered item."""
    if truth is None:
        result = aggregate(annotations)
        return [result.answers.classes[k] for k in result.posterior.argmax(1)]
    known = {str(k): str(v) for k, v in truth.items()}
    lacking = [i for i in answers.items if i not in known]
    if lacking:
        raise TaskError(
            f"the truth lacks {len(lacking)} of {len(answers.items)} answered items, for example {lacking[0]!r}"
        )
    return [known[i] for i in answers.items]


def _confusion(
    answers: Answers, true: IntArray, given: IntArray, right: Any, mine: Any, classes: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Return where wrong answers fall, by true class; a class without any is left to chance."""
    K = len(classes)
    wrong = answers.is_label & ~right
    pooled, own = np.zeros((K, K)), np.zeros((K, K))
    np.add.at(pooled, (true[answers.item[wrong]], given[wrong]), 1.0)
    np.add.at(own, (true[answers.item[wrong & mine]], given[wrong & mine]), 1.0)
    found: dict[str, dict[str, float]] = {}
    for k, name in enumerate(classes):
        if pooled[k].sum() == 0:
            continue
        weights = own[k] + POOL_WEIGHT * pooled[k] / pooled[k].sum()
        found[name] = {classes[l]: float(weights[l]) for l in np.flatnonzero(weights)}
    return found


def _fatigue(right: Any, position: IntArray, difficulty: FloatArray, n_classes: int) -> float:
    """Return the loss an 100 answers that makes the answers most likely, 0 unless it clearly does."""
    chance, hit = 1 / n_classes, np.asarray(right, np.bool_)
    likelihoods = {}
    for loss in np.linspace(0, 0.6, 25):
        fade = (1 - loss) ** (position / 100)
        best = -np.inf
        for ability in np.linspace(-1, 6, 29):
            p = chance + (1 / (1 + np.exp(-(ability - difficulty))) - chance) * fade
            p = np.clip(p, 1e-6, 1 - 1e-6)
            best = max(best, float(np.log(np.where(hit, p, 1 - p)).sum()))
        likelihoods[float(loss)] = best
    loss = max(likelihoods, key=lambda key: likelihoods[key])
    return loss if likelihoods[loss] - likelihoods[0.0] > 2 else 0.0


def _response_time(
    answers: Answers, mine: Any, right: Any, position: IntArray, difficulty: FloatArray
) -> ResponseTime | None:
    seconds = answers.elapsed_s[mine]
    if np.isfinite(seconds).sum() < 20:
        return None
    return fit_response_time(seconds, ~right[mine], position[mine], difficulty[answers.item[mine]])
