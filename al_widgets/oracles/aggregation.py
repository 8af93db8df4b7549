"""From a log of annotations to labels with confidence, and to annotators' accuracy over time.

The frames that a session shows; the model behind them is `dawid_skene`. Who may import it: the session and
above, and anybody with a frame of annotations. Any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.arguments import check_number
from al_widgets.errors import TaskError
from al_widgets.oracles import dawid_skene
from al_widgets.oracles.accuracy_path import quantiles
from al_widgets.oracles.answers import Answers, FloatArray, read_annotations
from al_widgets.oracles.dawid_skene import Consensus

if TYPE_CHECKING:
    import pandas as pd

ItemScores = Callable[[Sequence[str], FloatArray], npt.ArrayLike]
"""(item ids, posterior (n, K)) → out-of-sample scores (n, K) or (L, n, K)."""

WARM_FROM = 2000
"""Answers from which on an earlier fit is used."""

_FIXED = ("item_id", "label", "confidence", "n_annotations")


def aggregate(
    annotations: pd.DataFrame,
    *,
    classes: Sequence[str] | None = None,
    scores: pd.DataFrame | ItemScores | None = None,
    features: pd.DataFrame | None = None,
    gold: Mapping[str, str] | None = None,
    audit: Iterable[str] = (),
    drift: float = 0.06,
    jump: float = 0.002,
    start: Consensus | None = None,
) -> Consensus:
    """Estimate labels and annotators' accuracy together.

    Parameters
    ----------
    annotations : DataFrame
        See `read_annotations`.
    classes : sequence of str, optional
        Class names in the order of the columns wanted. Default: those that occur, sorted.
    scores : DataFrame or callable, optional
        A classifier's **out-of-sample** opinion (cross-validated or leave-one-out; an in-sample one confirms
        every mistake). A frame has the item ids as index and a column a class: scores or log probabilities,
        of which any multiple will do; items that it lacks are items without opinion. A callable is asked
        again as the labels become clearer.
    features : DataFrame, optional
        Instead of `scores`: feature vectors, index item ids. A kernel ridge classifier is trained on them,
        with leave-one-out scores in closed form.
    gold : mapping of str to str, optional
        Item id → class that is known to be true.
    audit : iterable of str
        Items that the classifier may not judge, because they are to judge it.
    drift, jump : float
        How restless accuracies are; see `accuracy_model`. For an alarm take ``jump=0.01``.
    start : Consensus, optional
        The fit before the newest answers came. It is used from `WARM_FROM` answers on, where it saves half of a second or
        more; below, starting afresh is fast and a little more accurate, because early mistakes are not carried along.

    Returns
    -------
    Consensus

    Raises
    ------
    TaskError
        If `annotations`, `scores` or `features` do not fit.
    """
    answers = read_annotations(annotations, classes, (gold or {}).values())
    if scores is not None and features is not None:
        raise TaskError("give scores or features, not both: features are for the classifier that makes the scores")
    audited = {str(i) for i in audit}
    unjudged = np.array([n for n, i in enumerate(answers.items) if i in audited], np.intp)
    warm = start is not None and len(answers) >= WARM_FROM
    return dawid_skene.fit(
        answers,
        _scores(answers, scores, features),
        gold=answers.class_numbers(gold),
        unjudged=unjudged,
        rounds=4 if not warm else 2,
        drift=drift,
        jump=jump,
        start=start if warm else None,
    )


def consensus(annotations: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return one row an item: what its annotations add up to.

    Parameters
    ----------
    annotations : DataFrame
        One row an event: ``item_id``, ``annotator``, ``value`` and, if known, ``kind``, ``elapsed_s``,
        ``answered_at``.
    **options
        Of `aggregate`: classes, scores, features, gold, audit, start.

    Returns
    -------
    DataFrame
        ``item_id``, ``label``, ``confidence`` (probability of that label), ``n_annotations`` (answers that
        name a class), then the probability of each class in a column of its name (``p(name)`` should a class
        be named like one of these four). Items that got only "I cannot tell" have label None and confidence
        NaN.

    Notes
    -----
    One annotator with one answer an item, no classifier and no gold item: the labels are the answers, and the confidence is that
    of the prior (.73), because nothing is known of the annotator. Confidence is the model's; check it on gold items before
    acting on it: where the classifier is poor it is too high (by .13 on a hard binary problem), and so it is without one where
    hard items mislead everybody alike, as far as the answers do not show it: ten people's answers to 160 silhouettes give .92 with
    all ten (.84 are right), .93 with five (.84), .91 with three (.81).

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"item_id": ["a", "a", "a"], "annotator": ["x", "y", "z"], "value": ["cat", "cat", "dog"]}
    ... )
    >>> consensus(answers)[["item_id", "label", "n_annotations"]].to_dict("records")
    [{'item_id': 'a', 'label': 'cat', 'n_annotations': 3}]
    """
    return label_frame(aggregate(annotations, **options))


def reliability(annotations: pd.DataFrame, *, level: float = 0.9, **options: Any) -> pd.DataFrame:
    """Return one row an answer: how accurate its annotator was at that time.

    Parameters
    ----------
    annotations : DataFrame
        As for `consensus`.
    level : float
        Of the interval.
    **options
        Of `aggregate`.

    Returns
    -------
    DataFrame
        ``annotator``, ``n`` (number of the annotator's answer, from 1), ``answered_at``, ``accuracy``,
        ``low``, ``high``; sorted by annotator, then time. The last row of an annotator is the accuracy now.
    """
    return reliability_frame(aggregate(annotations, **options), level)


def label_frame(result: Consensus) -> pd.DataFrame:
    """Show the labels of a fit; columns as `consensus`."""
    import pandas as pd

    counts = result.answers.labels_per_item()
    best = result.posterior.argmax(1) if result.answers.classes else np.zeros(len(counts), np.intp)
    labelled = counts > 0
    names = result.answers.classes
    frame = pd.DataFrame(
        {
            "item_id": pd.Series(list(result.answers.items), dtype=object),
            "label": pd.Series(
                [names[k] if has else None for k, has in zip(best, labelled, strict=True)], dtype=object
            ),
            "confidence": np.where(labelled, result.posterior.max(1, initial=0.0), np.nan),
            "n_annotations": counts,
        }
    )
    columns = [f"p({name})" if name in _FIXED else name for name in names]
    return pd.concat([frame, pd.DataFrame(result.posterior, columns=columns)], axis=1)


def reliability_frame(result: Consensus, level: float = 0.9) -> pd.DataFrame:
    """Show the accuracies of a fit; columns as `reliability`."""
    import pandas as pd

    check_number(level, "level, the share of accuracies within the interval (0.9, not 90)", TaskError, 0.01, 0.999)
    answers, chains = result.answers, result.chains
    labels = np.flatnonzero(answers.is_label)
    order = labels[chains.order]
    step = chains.of_answer[chains.order]
    bounds = quantiles(result.accuracy_weights, result.model.accuracy, ((1 - level) / 2, (1 + level) / 2))
    annotator = answers.annotator[order]
    counts = np.bincount(annotator, minlength=len(answers.annotators))
    return pd.DataFrame(
        {
            "annotator": pd.Series([answers.annotators[j] for j in annotator], dtype=object),
            "n": 1 + np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts),
            "answered_at": answers.answered_at[order],
            "accuracy": result.accuracy[order],
            "low": bounds[step, 0],
            "high": bounds[step, 1],
        }
    )


def consensus_multilabel(annotations: pd.DataFrame, classes: Sequence[str], **options: Any) -> pd.DataFrame:
    """Return one row an item where an item may have several classes: each is a question of yes or no.

    Parameters
    ----------
    annotations : DataFrame
        As for `consensus`; ``value`` holds a list of class names, perhaps empty.
    classes : sequence of str
    **options
        Of `aggregate`, except classes, gold and start.

    Returns
    -------
    DataFrame
        As `consensus`; ``label`` is the list of classes with probability above one half, ``confidence`` the
        probability that all of them are right, were the classes independent.
    """
    import pandas as pd

    truths: list[pd.Series[Any]] = []
    counts: pd.Series[Any] | None = None
    values = list(annotations["value"])
    for name in classes:
        asked = annotations.assign(
            value=["yes" if isinstance(v, list | tuple | set) and name in v else "no" for v in values]
        )
        found = consensus(asked, classes=("no", "yes"), **options).set_index("item_id")
        truths.append(found["yes"].rename(name))
        counts = found["n_annotations"]
    if counts is None:
        raise TaskError("a task with several classes an item needs at least one class name")
    table = pd.concat(truths, axis=1)
    probability = table.to_numpy(np.float64)
    labels = [
        [name for name, p in zip(classes, row, strict=True) if p > 0.5] if n else None
        for row, n in zip(probability, counts, strict=True)
    ]
    frame = pd.DataFrame({"item_id": list(table.index), "label": pd.Series(labels, dtype=object)})
    frame["confidence"] = np.where(counts > 0, np.maximum(probability, 1 - probability).prod(1), np.nan)
    frame["n_annotations"] = counts.to_numpy()
    return pd.concat([frame, table.reset_index(drop=True)], axis=1)


def _scores(
    answers: Answers,
    scores: pd.DataFrame | ItemScores | None,
    features: pd.DataFrame | None,
) -> dawid_skene.Scores | None:
    """Bring the classifier's opinion into the rows' order of the answers."""
    if features is not None:
        if not hasattr(features, "index") or not hasattr(features, "set_axis"):
            raise TaskError(
                f"features must be a DataFrame with the item ids as index, not {type(features).__name__}; "
                "pandas.DataFrame(array, index=item_ids) makes one"
            )
        from al_widgets.oracles.kernel_ridge import KernelRidge

        ids = features.index.astype(str)
        lacking = set(answers.items) - set(ids)
        if lacking:
            raise TaskError(
                f"features lack {len(lacking)} of the {len(answers.items)} answered items, for example {min(lacking)!r}"
            )
        rows = features.set_axis(ids, axis=0).loc[list(answers.items)]
        if len(rows) < 2:
            return None
        return KernelRidge(rows.to_numpy(np.float64)).leave_one_out
    if scores is None:
        return None
    if callable(scores):
        asked = scores
        return lambda posterior: _checked(asked(answers.items, posterior), answers)
    names = scores.columns.astype(str)
    if set(names) != set(answers.classes):
        raise TaskError(f"scores need a column a class, {list(answers.classes)}, not {list(names)}")
    table = scores.set_axis(scores.index.astype(str), axis=0).set_axis(names, axis=1)
    # A probability of exactly 0 has log -inf; it stands for "very unlikely".
    table = table.reindex(index=list(answers.items), columns=list(answers.classes)).clip(lower=-50.0)
    return _checked(table.fillna(0.0).to_numpy(np.float64), answers)


def _checked(scores: npt.ArrayLike, answers: Answers) -> FloatArray:
    matrix = np.asarray(scores, np.float64)
    expected = (len(answers.items), len(answers.classes))
    if matrix.shape[-2:] != expected or matrix.ndim not in (2, 3) or not np.isfinite(matrix).all():
        raise TaskError(f"scores must be finite, of shape {expected} (items, classes), not {matrix.shape}")
    return matrix
