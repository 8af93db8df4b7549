"""How long answers take: learnt while labeling, used by what is asked and what is forecast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from al_widgets.records import Annotation
from al_widgets.session import Session
from al_widgets.session.timing import fit_timing, main_directions
from tests.session.conftest import CLASSES, Digits
from tests.session.test_consensus import quick

Open = Callable[..., Session]


def log_seconds(features: np.ndarray) -> np.ndarray:
    """Pictures with more ink take longer: 1 to 10 s."""
    ink = features.sum(axis=1)
    return 1.0 + 0.6 * (ink - ink.mean()) / ink.std()


def timed(rows: np.ndarray, expected: np.ndarray, who: str, rng: np.random.Generator) -> list[Annotation]:
    seconds = np.exp(expected[rows] + 0.3 * rng.standard_normal(len(rows)))
    seconds[::20] += 90.0  # somebody came in
    return [
        Annotation(f"{who}-{n}", str(row), who, "label", "1", who, n, elapsed_s=float(s), answered_at=5.0 * n)
        for n, (row, s) in enumerate(zip(rows, seconds, strict=True))
    ]


def test_expected_seconds_follow_what_a_picture_shows_and_who_answers(digits: Digits) -> None:
    features = digits.images.reshape(300, -1).astype(np.float32) / 16
    expected, rng = log_seconds(features), np.random.default_rng(0)
    order = rng.permutation(300)
    answers = timed(order[:100], expected, "ann", rng) + timed(order[100:160], expected + 0.7, "bob", rng)
    rows = np.arange(300)
    timing = fit_timing(answers, {str(r): int(r) for r in rows}, rows, main_directions(features))
    assert timing is not None
    others = order[160:]
    ann = np.log(timing.seconds(others, "new", "ann"))
    assert np.corrcoef(ann, expected[others])[0, 1] >= 0.9
    assert np.mean(np.log(timing.seconds(others, "new", "bob")) - ann) == pytest.approx(0.7, abs=0.2)
    assert np.isfinite(timing.seconds(np.array([-1, 5000]), "repeat", "nobody")).all()


def test_nothing_is_expected_of_few_answers(digits: Digits) -> None:
    features = digits.images.reshape(300, -1).astype(np.float32) / 16
    answers = timed(np.arange(29), log_seconds(features), "ann", np.random.default_rng(0))
    assert fit_timing(answers, {}, np.arange(300), main_directions(features)) is None


def test_cost_aware_querying_asks_what_takes_less_time(open_session: Open, digits: Digits) -> None:
    features = digits.images.reshape(300, -1).astype(np.float32) / 16
    expected = log_seconds(features)
    rng = np.random.default_rng(1)

    def seconds_asked(strategy: str) -> float:
        session = quick(open_session, digits, strategy=strategy, audit=0, policy="never", batch_size=10)
        spent = []
        for n, query in enumerate(session.queries(limit=120)):
            row = session._row[query.item_id]
            elapsed = float(np.exp(expected[row] + 0.3 * rng.standard_normal()))
            session.submit(query, digits.truth(query.item_id), elapsed_s=elapsed)
            if n >= 60:
                spent.append(np.exp(expected[row]))
        return float(np.mean(spent))

    assert seconds_asked("cost_aware") < 0.85 * seconds_asked("margin")


def test_the_forecast_expects_the_seconds_of_what_will_be_asked(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, audit=0)
    for n, item_id in enumerate(session.pool.item_ids[:60]):
        session.record(
            Annotation(f"a-{n}", item_id, "ann", "label", CLASSES[n % 10], "a", n, elapsed_s=3.0, answered_at=float(n))
        )
    session.wait(60)
    assert session._expected_seconds() == pytest.approx(3.0, rel=0.05)
