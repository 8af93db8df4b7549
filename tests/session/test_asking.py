"""What is asked: new items, items again, known items; by policy and by annotator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import StrategyError, TaskError, UnknownItemError
from al_widgets.session import Session
from tests.session.conftest import CLASSES, Digits

Open = Callable[..., Session]


@pytest.fixture
def crew(digits: Digits, tmp_path: Path) -> Iterator[Open]:
    """Open sessions of several annotators on one store; pixels are the features, so that nothing is encoded."""
    opened: list[Session] = []

    def make(annotator: str, **options: object) -> Session:
        pixels = digits.images.reshape(300, -1).astype(np.float32) / 16
        chosen = {"encoder": pixels, "store": tmp_path / "crew.db", "batch_size": 20, "audit": 0, **options}
        session = al.Session(digits.images, CLASSES, annotator=annotator, **chosen)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


def work(sessions: list[Session], digits: Digits, accuracies: list[float], turns: int, seed: int = 0) -> list[al.Query]:
    """Answer in turns; the answers are wrong at random."""
    rng = np.random.default_rng(seed)
    asked: list[al.Query] = []
    for turn in range(turns):
        j = turn % len(sessions)
        if turn % 20 == 0:
            sessions[j].wait(60)
        drawn = sessions[j].draw(f"page-{j}", 1)
        if not drawn:
            break
        truth = digits.truth(drawn[0].item_id)
        right = rng.random() < accuracies[j]
        sessions[j].submit(
            drawn[0], truth if right else CLASSES[(int(truth) + rng.integers(1, 10)) % 10], elapsed_s=2.0
        )
        asked.append(drawn[0])
    return asked


def test_policy_never_asks_no_item_twice(crew: Open, digits: Digits) -> None:
    sessions = [crew(name, policy="never") for name in ("ann", "bob")]
    asked = work(sessions, digits, [0.8, 0.8], 120)
    assert len({q.item_id for q in asked}) == len(asked) == 120


def test_auto_asks_noisy_annotators_again_and_never_the_same_person(crew: Open, digits: Digits) -> None:
    sessions = [crew(name) for name in ("ann", "bob", "eve")]
    work(sessions, digits, [0.75, 0.75, 0.75], 240)
    log = sessions[0].annotations()
    kinds = Counter(log.query_kind)
    assert kinds["repeat"] > 20
    assert kinds["new"] > kinds["repeat"]
    assert not log.duplicated(["item_id", "annotator"]).any()
    assert log[log.query_kind == "repeat"].item_id.isin(log[log.query_kind == "new"].item_id).all()


def test_always_two_gives_every_item_two_labels(crew: Open, digits: Digits) -> None:
    sessions = [crew(name, policy="always-2") for name in ("ann", "bob")]
    work(sessions, digits, [0.9, 0.9], 120)
    counts = sessions[0].annotations().item_id.value_counts()
    assert set(counts) <= {1, 2}
    assert (counts == 2).sum() > 30


@pytest.mark.parametrize("policy", ["mi", "activelab"])
def test_other_policies_work_in_a_session(crew: Open, digits: Digits, policy: str) -> None:
    sessions = [crew(name, policy=policy) for name in ("ann", "bob")]
    asked = work(sessions, digits, [0.7, 0.7], 100)
    assert len(asked) == 100
    assert {q.kind for q in asked} <= {"new", "repeat"}


def test_a_lone_annotator_sees_an_old_item_again_now_and_then(crew: Open, digits: Digits) -> None:
    session = crew("ann")
    asked = work([session], digits, [1.0], 160)
    first = {}
    again = 0
    for n, query in enumerate(asked):
        if query.item_id in first:
            assert n - first[query.item_id] > 50
            assert query.kind == "repeat"
            again += 1
        first.setdefault(query.item_id, n)
    assert 2 <= again <= 8
    session.wait(60)
    labels = session.labels()
    assert sorted(set(labels.n_annotations)) == [1, 2]
    assert np.mean([digits.truth(i) == v for i, v in zip(labels.item_id, labels.label, strict=True)]) > 0.98


def test_an_item_asked_again_looks_like_any_other(crew: Open, digits: Digits) -> None:
    session = crew("ann")
    asked = work([session], digits, [1.0], 120)
    reasons = {q.kind: q.reason for q in asked}
    assert "repeat" in reasons
    assert "again" not in reasons["repeat"]
    assert reasons["repeat"].startswith("The model")


def test_known_items_are_mixed_in_and_judge_the_annotator(crew: Open, digits: Digits) -> None:
    probe = crew("nobody")
    gold = {i: digits.truth(i) for i in probe.pool.item_ids[::10]}
    session = crew("ann", gold=gold, policy="never")
    asked = work([session], digits, [0.6], 200)
    known = [q for q in asked if q.kind == "gold"]
    assert 6 <= len(known) <= 14
    assert all(q.item_id in gold for q in known)
    assert not {q.item_id for q in asked if q.kind != "gold"} & gold.keys()
    session.wait(60)
    labels = session.labels().set_index("item_id")
    assert all(labels.label[q.item_id] == gold[q.item_id] for q in known)
    assert session.reliability().accuracy.iloc[-1] == pytest.approx(0.6, abs=0.17)


def test_known_items_never_measure_the_model(crew: Open, digits: Digits) -> None:
    probe = crew("nobody", audit=0.2)
    reserve = sorted(probe._reserve_ids)
    session = crew("ann", audit=0.2, gold={i: digits.truth(i) for i in reserve[:20]})
    asked = work([session], digits, [1.0], 150)
    served = {q.kind: {r.item_id for r in asked if r.kind == q.kind} for q in asked}
    assert served["gold"] <= set(reserve[:20])
    assert not served["audit"] & set(reserve[:20])
    session.wait(60)
    assert session.accuracy.n == len(served["audit"])
    trained = {session._ids[row] for row in session._state().labelled}
    assert not trained & set(reserve)


def test_audit_items_people_disagree_on_get_another_answer(crew: Open, digits: Digits) -> None:
    sessions = [crew(name, audit=0.5) for name in ("ann", "bob", "eve")]
    work(sessions, digits, [0.6, 0.6, 0.6], 200)
    log = sessions[0].annotations()
    audits = log[log.query_kind == "audit"]
    assert audits.item_id.duplicated().any()
    assert audits.item_id.value_counts().max() <= 3
    assert set(audits.item_id) <= sessions[0]._reserve_ids


def test_labels_end_when_nothing_is_worth_asking(crew: Open, digits: Digits) -> None:
    sessions = [crew("ann"), crew("bob")]
    for item_id in sessions[0].pool.item_ids:
        sessions[0].submit(item_id, digits.truth(item_id))
        if int(item_id.rsplit("/", 1)[1]) < 60:
            sessions[1].submit(item_id, digits.truth(item_id))
    sessions[1].wait(60)
    left = [q.kind for q in sessions[1].queries(limit=400, wait=False)]
    assert set(left) <= {"repeat"}
    assert len(left) < 100
    assert sessions[1].idle()[0] == "done"


def test_settings_that_make_no_sense_are_refused(crew: Open) -> None:
    with pytest.raises(StrategyError, match="always-2"):
        crew("ann", policy="sometimes")
    with pytest.raises(UnknownItemError):
        crew("ann", gold={"nowhere": "1"})
    probe = crew("ann")
    with pytest.raises(TaskError):
        crew("ann", gold={probe.pool.item_ids[0]: "cow"})
