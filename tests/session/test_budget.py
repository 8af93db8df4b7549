"""What a session says about spending, stopping and resting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import SessionError
from al_widgets.records import Annotation
from al_widgets.session import Session
from tests.session.conftest import CLASSES, Digits
from tests.session.test_consensus import quick

Open = Callable[..., Session]


def label(session: Session, digits: Digits, n: int, seconds: float = 2.0) -> list[al.Query]:
    asked = []
    for query in session.queries(limit=n, wait=False):
        session.submit(query, digits.truth(query.item_id), elapsed_s=seconds)
        asked.append(query)
    return asked


@pytest.mark.parametrize(
    ("budget", "asked"),
    [({"labels": 20}, 20), ({"hours": 40 / 3600}, 20), ({"money": 0.4}, 20), ({"labels": 50, "hours": 20 / 3600}, 10)],
)
def test_a_budget_ends_the_asking(open_session: Open, digits: Digits, budget: dict[str, float], asked: int) -> None:
    session = quick(open_session, digits, budget=al.Budget(**budget), hourly_rate=36.0)  # a cent a second
    assert session.budget is not None
    assert session.budget.share == 0
    assert len(label(session, digits, 60)) == asked
    assert session.draw("page", 3) == []
    state, why = session.idle()
    assert state == "done"
    assert "budget is spent" in why
    advice = session.advice()
    assert advice.stop
    assert "budget is spent" in advice.why
    event = session.submit(session.pool.item_ids[0], "1", elapsed_s=2.0)  # nobody is locked out
    assert event in set(session.annotations().event_id)


@pytest.mark.parametrize("budget", [{"labels": 5}, {"hours": 10 / 3600}, {"money": 0.1}])
def test_a_page_holds_no_more_pictures_than_the_budget_has_answers_left(
    open_session: Open, digits: Digits, budget: dict[str, float]
) -> None:
    session = quick(open_session, digits, budget=al.Budget(**budget), hourly_rate=36.0)
    label(session, digits, 2)  # two seconds, two cents each
    held = [q.item_id for q in session.draw("page", 8)]
    assert len(held) == 3
    assert session.draw("another page", 8) == []
    for n, item_id in enumerate(held):
        assert session.draw("page", 8, have=held[n:]) == []
        assert not session.budget.spent
        session.submit(item_id, digits.truth(item_id), elapsed_s=2.0)
    assert session.idle()[0] == "done"


def test_a_budget_in_time_has_room_before_anything_is_known_of_the_pace(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, budget=al.Budget(hours=1))
    assert len(session.draw("page", 8)) == 8


def test_a_budget_warns_before_it_ends(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, budget=al.Budget(labels=20))
    label(session, digits, 17)
    assert session.notices() == ()
    label(session, digits, 1)
    assert session.notices() == ("The budget is nearly spent: 18 of 20 labels.",)
    assert not session.budget.spent
    assert "nearly spent" in session.advice().reasons[-1]


def test_undone_answers_give_labels_back_but_not_time(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, budget=al.Budget(labels=10))
    label(session, digits, 10)
    assert session.budget.spent
    session.undo()
    assert session.budget.labels == 9
    assert session.budget.hours == pytest.approx(20 / 3600)
    assert len(label(session, digits, 5)) == 1


def test_budgets_that_make_no_sense_are_refused(open_session: Open) -> None:
    with pytest.raises(SessionError, match="hourly_rate"):
        open_session(budget=al.Budget(money=5))
    with pytest.raises(SessionError, match=r"al\.Budget"):
        open_session(budget=5)
    with pytest.raises(ValueError, match="limit"):
        al.Budget()
    with pytest.raises(ValueError, match="labels"):
        al.Budget(labels=0)


def answers(session: Session, digits: Digits, accuracy: list[float], seconds: list[float]) -> None:
    rng = np.random.default_rng(1)
    for n, (item_id, a, s) in enumerate(zip(session.pool.item_ids, accuracy, seconds, strict=False)):
        truth = digits.truth(item_id)
        value = truth if rng.random() < a else CLASSES[(int(truth) + rng.integers(1, 10)) % 10]
        elapsed = s * float(np.exp(0.2 * rng.standard_normal()))
        session.record(
            Annotation(f"a-{n}", item_id, "ann", "label", value, "a", n, elapsed_s=elapsed, answered_at=float(n))
        )


def test_answers_that_take_longer_and_longer_raise_a_break(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits)
    answers(session, digits, [1.0] * 120, [2.0] * 100 + [5.0] * 20)
    session.wait(60)
    assert "take a break" in session.pause
    assert session.advice().pause == session.pause
    assert session.notices()[0].endswith("take a break.")
    assert not session.advice().stop


def test_accuracy_that_falls_raises_a_break_and_nobody_is_locked_out(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits)
    answers(session, digits, [1.0] * 150 + [0.1] * 130, [2.0] * 280)
    session.wait(60)
    assert "less reliable" in session.pause
    assert session.draw("page", 1)


def test_steady_answers_raise_nothing(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits)
    answers(session, digits, [0.9] * 200, [2.0] * 200)
    session.wait(60)
    assert session.pause == ""
    assert session.notices() == ()


def test_the_models_confidence_narrows_the_accuracy_where_that_is_safe() -> None:
    from al_widgets.session import measures
    from al_widgets.session.ledger import Label

    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 400)
    right = rng.random(400) < confidence

    class Model:
        probabilities = True
        classes = ("a", "b")

        def opinion(self, row: int) -> np.ndarray:
            return np.array([confidence[row], 1 - confidence[row]])

    ids = [str(n) for n in range(400)]
    row = {item_id: n for n, item_id in enumerate(ids)}
    labels = {i: Label(i, "a" if right[row[i]] else "b", 1.0, 1) for i in ids[:120]}
    found = measures.accuracy(Model(), labels, row, ids)  # type: ignore[arg-type]
    assert found.method == "PPI++ 95 %"
    assert found.low < right.mean() < found.high
    few = measures.accuracy(Model(), dict(list(labels.items())[:30]), row, ids)  # type: ignore[arg-type]
    assert few.method == "Wilson 95 %"


def test_a_page_without_work_says_who_has_the_rest_of_the_budget(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, budget=al.Budget(labels=6))
    label(session, digits, 2)
    assert len(session.draw("a grid", 10)) == 4
    assert session.draw("a page", 3) == []
    assert session.idle() == ("waiting", "The last 4 answers of the budget are asked for on other pages.")
