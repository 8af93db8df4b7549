"""The session's figures: its records handed to `al_widgets.evaluation` in the form that needs them."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.arguments import check_number
from al_widgets.errors import SessionError
from al_widgets.records import Advice, Annotation, Budget, BudgetUse, Estimate, Forecast, Round
from al_widgets.session.consensus import Agreed
from al_widgets.session.ledger import Label
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    from al_widgets.pool import Pool
    from al_widgets.store import Store

KEPT_PREDICTIONS = 400
"""Items whose prediction is kept with every round: the audit reserve for forecasts, others to see what still changes."""


RECENT = 50
"""Answers that the pace is taken from."""
MOST_ROUNDS = 40
"""Rounds that a forecast or an advice looks at."""
APART = 10
"""Labels between two rounds that are compared for the advice."""


def check_settings(
    *,
    audit: float,
    target: float,
    hourly_rate: float | None,
    batch_size: int,
    budget: Budget | None = None,
    annotator: str | None = None,
    seed: int = 0,
    gold: Mapping[str, Any] | None = None,
) -> None:
    """Raise `SessionError` for a setting that makes no sense, with the range it must lie in."""
    if budget is not None and not isinstance(budget, Budget):
        raise SessionError(f"budget is an al.Budget(hours=…, money=…, labels=…), not {budget!r}")
    if budget is not None and budget.money is not None and hourly_rate is None:
        raise SessionError("a budget in money needs hourly_rate, what an hour of the annotator costs")
    if audit != 0:
        check_number(audit, "audit, the share of queries that measure the accuracy (0: none)", SessionError, 0.01, 0.5)
    check_number(target, "target, an accuracy between 0 and 1", SessionError, 1e-6, 1 - 1e-6)
    if hourly_rate is not None:
        check_number(hourly_rate, "hourly_rate, what an hour costs", SessionError, 0)
    check_number(batch_size, "batch_size, answers between two trainings", SessionError, 1, whole=True)
    check_number(seed, "seed", SessionError, 0, whole=True)
    if annotator is not None and not (isinstance(annotator, str) and annotator.strip() and annotator.isprintable()):
        raise SessionError(
            f"annotator is the name of who answers, on one line, not {annotator!r}; leave it out for the login name"
        )
    if gold is not None and not isinstance(gold, Mapping):
        raise SessionError(f"gold is a mapping of item id to the class that is known, not {gold!r}")


def reserve_rows(store: Store, ids: Sequence[str], audit: float) -> list[int]:
    """Return the rows of the audit reserve in serving order.

    Its secret and its share are drawn once a store, whatever is wanted later: an item that was trained on can never
    measure. A store that was begun with ``audit=0`` has no reserve.

    Raises
    ------
    SessionError
        If an audit is wanted in a store that has no reserve.
    """
    from al_widgets.evaluation import reserve_fraction, reserve_order

    fraction = reserve_fraction(len(ids)) if audit else 0.0
    kept = store.keep_setting("reserve", {"secret": secrets.token_hex(8), "fraction": fraction})
    if audit and not kept["fraction"]:
        raise SessionError(
            f"{store.location} was begun with audit=0: every item may have been trained on, so that no accuracy can be "
            "measured. Go on with audit=0, or begin another store."
        )
    row = {item_id: i for i, item_id in enumerate(ids)}
    return [row[item_id] for item_id in reserve_order(kept["secret"], ids, kept["fraction"])]


def checked_encoder(pool: Pool, encoder: Any) -> Any:
    """Return the encoder for what a user gave, or raise `EncoderError`; those with weights are opened when they are needed."""
    from al_widgets.features import open_encoder

    weights = encoder is None or (isinstance(encoder, str) and encoder == "pretrained")
    return encoder if weights else open_encoder(encoder, getattr(pool, "item_shape", None))


def feature_table(pool: Pool, encoder: Any) -> Any:
    """Return the table that encodes a pool, with the cache on disk behind it."""
    from al_widgets.features import DescriptionCache, FeatureTable, open_encoder

    return FeatureTable(pool, open_encoder(encoder, getattr(pool, "item_shape", None)), DescriptionCache())


def accuracy(
    snapshot: Snapshot | None, labels: Mapping[str, Label], row: Mapping[str, int], reserve_ids: Iterable[str]
) -> Estimate:
    """Return the accuracy of the snapshot's model on the audit items that have a label.

    Its confidence in the audit items without a label narrows the interval where that is safe (PPI++); the method is named.
    """
    from al_widgets.evaluation import ppi_estimate

    reserve = set(reserve_ids)
    audited = [i for i in reserve if i in labels and i in row]
    if snapshot is None or snapshot.probabilities is None:
        learnable = {str(label.label) for item_id, label in labels.items() if item_id not in reserve}
        why = (
            "The first model is being trained."
            if len(learnable) > 1
            else "There is no model yet: two classes need labels."
        )
        return Estimate(None, None, None, len(audited), "", why)
    correct, confidence, unanswered = [], [], []
    for item_id in sorted(reserve):
        opinion = snapshot.opinion(row[item_id]) if item_id in row else None
        if opinion is None:
            continue
        best = int(opinion.argmax())
        if item_id in labels:
            correct.append(snapshot.classes[best] == labels[item_id].label)
            confidence.append(float(opinion[best]))
        else:
            unanswered.append(float(opinion[best]))
    return ppi_estimate(np.asarray(correct, float), confidence, unanswered)


def corrected(
    agreement: Estimate, labels: Mapping[str, Label], reserve_ids: Iterable[str], agreed: Agreed, n_classes: int
) -> Estimate:
    """Return the accuracy with people's own errors in the audit answers taken out, as far as a consensus knows of them."""
    from al_widgets.evaluation import correct_for_annotator

    sure = [agreed.labels[i].confidence for i in reserve_ids if i in labels and i in agreed.labels]
    if not sure or n_classes < 2:
        why = "nothing checks the audit answers: a second annotator, items asked again or gold items would"
        return Estimate(None, None, None, agreement.n, agreement.method, why)
    return correct_for_annotator(agreement, float(np.mean(sure)), n_classes)


def predictions_of(snapshot: Snapshot, rows: Sequence[int], ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return (item id, predicted class) of the rows that the model knows."""
    opinions = ((row, snapshot.opinion(row)) for row in rows)
    return tuple((ids[row], snapshot.classes[int(p.argmax())]) for row, p in opinions if p is not None)


def in_hindsight(rounds: Sequence[Round], truth: Mapping[str, Any]) -> list[Round]:
    """Return the rounds with their accuracy on all audit items answered by now, not only on those answered by then.

    Audit items are independent of every model, so an answer given later measures earlier models just as well.

    Parameters
    ----------
    truth : mapping of str to Any
        Audit item → label.
    """
    from al_widgets.evaluation import audit_estimate

    found = []
    for record in rounds:
        right = [predicted == truth[item_id] for item_id, predicted in record.reserve_predictions if item_id in truth]
        found.append(replace(record, accuracy=audit_estimate(np.asarray(right, float))) if right else record)
    return found


def certified_path(rounds: Sequence[Round], audited: Sequence[tuple[str, Any]]) -> list[Estimate]:
    """Return what is certified of the accuracy after each round: all bounds of a session hold together, however often one looks.

    A model is told from others by what it predicts for the reserve and for the other items that are remembered.

    Parameters
    ----------
    rounds : sequence of Round
        As they were remembered, oldest first.
    audited : sequence of (str, Any)
        Audit items with their labels, in the order in which they were answered.

    See Also
    --------
    al_widgets.evaluation.certified_path : when a bound is made, and which.
    """
    from al_widgets import evaluation

    return evaluation.certified_path(_audits(rounds, audited))


def _audits(rounds: Sequence[Round], audited: Sequence[tuple[str, Any]]) -> Iterator[tuple[int, int, Hashable]]:
    """Yield how each round's model did on the audit items answered by then, and what tells it from other models."""
    for record in rounds:
        predicted = dict(record.reserve_predictions)
        first = audited[: 0 if record.accuracy.value is None else record.accuracy.n]
        right = [predicted[item_id] == label for item_id, label in first if item_id in predicted]
        yield sum(right), len(right), record.reserve_predictions


def spent_seconds(answers: Iterable[Annotation]) -> float:
    """Return the seconds spent on answers, pauses taken out."""
    from al_widgets.evaluation import spent

    return spent(answers)


def pace(answers: Sequence[Annotation]) -> tuple[float | None, float | None]:
    """Return median seconds an answer and answers a minute over the newest answers; None before there is one."""
    from al_widgets.evaluation import effort

    newest = effort(sorted(answers, key=lambda e: e.answered_at)[-RECENT:])
    return newest.median_s, None if not newest.n_answers else 60 * newest.n_answers / newest.seconds


def correctness(
    rounds: Sequence[Round], labels: Mapping[str, Label], reserve_ids: Iterable[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return which audit items each round's model got right, NaN where unanswered, (items, rounds), and labels of each round."""
    audited = [i for i in reserve_ids if i in labels]
    at = {item_id: i for i, item_id in enumerate(audited)}
    chosen = [rounds[i] for i in np.unique(np.linspace(0, len(rounds) - 1, MOST_ROUNDS).astype(int))] if rounds else []
    matrix = np.full((len(audited), len(chosen)), np.nan)
    for column, record in enumerate(chosen):
        for item_id, predicted in record.reserve_predictions:
            if item_id in at:
                matrix[at[item_id], column] = predicted == labels[item_id].label
    return matrix, np.asarray([r.n_labels for r in chosen], float)


def forecast(
    rounds: Sequence[Round],
    labels: Mapping[str, Label],
    answers: Sequence[Annotation],
    reserve_ids: Iterable[str],
    target: float,
    hourly_rate: float | None,
    seed: int,
    seconds: float | None = None,
) -> Forecast:
    """Return what is still needed to reach the target.

    Parameters
    ----------
    seconds : float, optional
        Expected seconds of one answer to what would be asked; default: the median so far.
    """
    from al_widgets.evaluation import effort, forecast_to_target

    matrix, n_labels = correctness(rounds, labels, reserve_ids)
    return forecast_to_target(
        matrix,
        n_labels,
        target,
        seconds_per_label=effort(answers).median_s if seconds is None else seconds,
        hourly_rate=hourly_rate,
        answers_per_label=answers_per_label(answers),
        rng=np.random.default_rng(seed),
    )


def answers_per_label(answers: Sequence[Annotation]) -> float:
    """Return how many of the newest answers it took for one item with a first label: more than 1 where items are asked again."""
    newest = [e for e in sorted(answers, key=lambda e: e.answered_at)[-2 * RECENT :] if e.kind == "label"]
    first = sum(e.query_kind not in ("repeat", "gold", "injected") for e in newest)
    return len(newest) / first if first else 1.0


def use_of(
    budget: Budget | None, answers: Iterable[Annotation], labels: int, hourly_rate: float | None
) -> BudgetUse | None:
    """Return how much of a budget is spent; None without one. Time that was spent on undone answers is spent."""
    from al_widgets.evaluation import budget_use, effort

    if budget is None:
        return None
    given = effort(answers, hourly_rate)
    return budget_use(budget, seconds=given.seconds, money=given.money, labels=labels)


def advice(
    rounds: Sequence[Round],
    target: float,
    left: int,
    *,
    certified: Estimate,
    forecast: Forecast | None = None,
    next_point: Forecast | None = None,
    use: BudgetUse | None = None,
    pause: str = "",
    idle: tuple[str, ...] = (),
) -> Advice:
    """Return whether to stop, and why; `idle` are sentences on annotators whose answers teach nothing, which follow the reason."""
    found = _advice(rounds, target, left, certified, forecast, next_point, use, pause)
    sentences = " ".join(f"{sentence}." for sentence in idle)
    return replace(found, why=f"{found.why} {sentences}".rstrip(), reasons=(*found.reasons, *idle))


def _advice(
    rounds: Sequence[Round],
    target: float,
    left: int,
    certified: Estimate,
    forecast: Forecast | None,
    next_point: Forecast | None,
    use: BudgetUse | None,
    pause: str,
) -> Advice:
    from al_widgets.evaluation import advise, stability

    if use is not None and use.spent:
        return Advice(stop=True, why=use.message, reasons=(use.message,), pause=pause)
    if left <= 0:
        return Advice(stop=True, why="Every item has an answer.", pause=pause)
    recent: list[Round] = []
    for record in reversed(rounds):  # the newest, and older ones some labels apart
        if not recent or (len(recent) < MOST_ROUNDS and recent[0].n_labels - record.n_labels >= APART):
            recent.insert(0, record)
    items = set.intersection(*({i for i, _ in r.reserve_predictions} for r in recent)) if recent else set()
    order = sorted(items)
    predictions = []
    for record in recent:
        predicted = dict(record.reserve_predictions)
        predictions.append(np.asarray([predicted[i] for i in order]))
    money = None if use is None or use.budget.money is None or use.money is None else use.budget.money - use.money
    found = advise(
        target=target,
        certified=certified,
        stable=stability(predictions, [r.n_labels for r in recent]),
        forecast=forecast,
        budget_left=money,
        next_point=next_point,
    )
    near = () if use is None or not use.message else (use.message,)
    return replace(found, reasons=(*found.reasons, *near), pause=pause)
