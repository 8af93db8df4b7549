"""The session as a script uses it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import al_widgets as al
from al_widgets.errors import (
    EncoderError,
    LearnerError,
    SessionClosedError,
    SessionError,
    StoreMismatchError,
    TaskError,
    UnknownItemError,
)
from al_widgets.records import Annotation
from al_widgets.widgets.dashboard_data import accuracy_plot
from tests.session.conftest import CLASSES, Digits

Open = Callable[..., al.Session]


def label(session: al.Session, digits: Digits, n: int) -> list[al.Query]:
    asked = []
    for query in session.queries(limit=n):
        session.submit(query, digits.truth(query.item_id), elapsed_s=1.0)
        asked.append(query)
    return asked


def test_session_learns_and_says_what_it_knows(open_session: Open, digits: Digits) -> None:
    session = open_session(hourly_rate=36.0, policy="never")
    asked = label(session, digits, 80)
    assert len({q.item_id for q in asked}) == 80
    assert session.wait(120)
    labels = session.labels()
    assert labels.columns[:4].tolist() == ["item_id", "label", "confidence", "n_annotations"]
    assert len(labels) == 80
    predictions = session.predictions()
    assert predictions.columns[:3].tolist() == ["item_id", "predicted", "confidence"]
    assert predictions.columns[3:].tolist() == CLASSES
    assert np.allclose(predictions[CLASSES].sum(axis=1), 1, atol=1e-5)
    right = (predictions.predicted == [digits.truth(i) for i in predictions.item_id]).mean()
    assert right > 0.6  # chance is 0.1
    history = session.history()
    assert history.n_labels.is_monotonic_increasing
    assert history.seconds.iloc[-1] == pytest.approx(80)
    assert history.money.iloc[-1] == pytest.approx(0.8)
    assert session.model.predict_proba(np.zeros((1, session.model.n_features_in_))).shape[1] >= 2
    assert "80 of 300" in repr(session)


def test_a_fifth_of_the_queries_measures_and_is_never_trained_on(open_session: Open, digits: Digits) -> None:
    session = open_session()
    asked = label(session, digits, 50)
    session.wait(120)
    audits = {q.item_id for q in asked if q.kind == "audit"}
    assert len(audits) == 10
    assert set(session.labels().query("audit").item_id) == audits
    snapshot = session.snapshot
    assert snapshot is not None
    assert snapshot.n_trained == 40
    assert session.accuracy.why.startswith("10 audit labels: too few")


def test_audit_items_stay_out_of_training_when_they_are_answered_unasked(open_session: Open, digits: Digits) -> None:
    session = open_session()
    for item_id in session.pool.item_ids:
        session.submit(item_id, digits.truth(item_id))
    session.wait(120)
    n_audit = int(session.labels().audit.sum())
    assert n_audit > 40
    assert session.snapshot is not None
    assert session.snapshot.n_trained == 300 - n_audit
    assert session.accuracy.n == n_audit


def test_session_resumes_with_everything_when_the_cell_runs_again(open_session: Open, digits: Digits) -> None:
    first = open_session()
    asked = label(first, digits, 20)
    second = open_session()
    assert first.closed
    with pytest.raises(SessionClosedError, match="again"):
        first.submit(asked[0], "1")
    assert set(second.labels().item_id) == {q.item_id for q in asked}
    assert not {q.item_id for q in label(second, digits, 20)} & {q.item_id for q in asked}
    assert len(second.labels()) == 40
    rounds = second.history()["round"]
    assert rounds.is_unique
    assert rounds.is_monotonic_increasing


def test_session_serves_items_to_two_annotators_without_overlap(open_session: Open, digits: Digits) -> None:
    ann, bob = open_session(annotator="ann"), open_session(annotator="bob")
    a, b = ann.queries(wait=False), bob.queries(wait=False)
    asked = [next(queries) for _ in range(10) for queries in (a, b)]
    assert len({q.item_id for q in asked}) == 20
    ann.submit(asked[0], digits.truth(asked[0].item_id))
    assert len(bob.labels()) == 1


def test_batches_are_trained_on_only_when_they_are_complete(open_session: Open, digits: Digits) -> None:
    session = open_session(batch_size=10, audit=0)
    label(session, digits, 40)
    session.wait(120)
    assert session.history().n_labels.tolist() == [10, 20, 30, 40]


def test_undo_takes_back_the_newest_answer_and_redo_brings_it_back(open_session: Open, digits: Digits) -> None:
    session = open_session()
    label(session, digits, 3)
    newest = session.labels().item_id.tolist()
    event_id = session.undo()
    assert len(session.labels()) == 2
    assert session.redo() == event_id
    assert session.labels().item_id.tolist() == newest
    session.undo()
    session.undo()
    assert len(session.labels()) == 1
    assert len(session.annotations()) == 3 + 4
    with pytest.raises(SessionError, match="no event 'x'"):
        session.undo("x")


def test_skip_and_unsure_are_kept_and_the_item_is_not_asked_again(open_session: Open) -> None:
    session = open_session(digits_pool(4))
    queries = session.queries(wait=False)
    session.skip(next(queries), "blurred")
    session.unsure(next(queries))
    rest = [q.item_id for q in queries]
    assert len(rest) == 2
    assert session.annotations().note.tolist()[0] == "blurred"
    assert session.counts() | {"skipped": 1, "unsure": 1, "labelled": 0} == session.counts()


def digits_pool(n: int) -> Any:
    return np.random.default_rng(n).integers(0, 255, (n, 8, 8)).astype(np.uint8)


def test_bad_answers_are_refused_and_nothing_is_recorded(open_session: Open) -> None:
    session = open_session()
    item = session.pool.item_ids[0]
    with pytest.raises(TaskError, match="'cow' is no class"):
        session.submit(item, "cow")
    with pytest.raises(UnknownItemError, match="no item 'nowhere'"):
        session.submit("nowhere", "1")
    with pytest.raises(TaskError, match="another event"):
        session.record(Annotation("e", item, "ann", "undo", None, "c", 0, target="e"))
    assert session.annotations().empty


@pytest.mark.parametrize(
    ("options", "message"),
    [({"audit": 0.9}, "0.01 to 0.5, not 0.9"), ({"target": 1.0}, "between 0 and 1"), ({"batch_size": 0}, "1 or more"),
     ({"hourly_rate": -1}, "0 or more, not -1")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_with_their_range(
    open_session: Open, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SessionError, match=message):
        open_session(**options)


def test_store_of_other_pictures_or_another_task_is_refused(open_session: Open, digits: Digits) -> None:
    label(open_session(), digits, 2)
    with pytest.raises(StoreMismatchError, match=r"labels\.db"):
        open_session(digits_pool(30))
    with pytest.raises(StoreMismatchError, match="cat"):
        open_session(classes=["cat", "dog"])


def test_classes_added_while_labeling_are_there_after_a_restart(open_session: Open) -> None:
    session = open_session()
    session.add_class("smudge")
    session.submit(session.pool.item_ids[0], "smudge")
    assert open_session().task.classes == (*CLASSES, "smudge")


def test_broken_files_are_set_aside_and_the_rest_goes_on(tmp_path: Path, open_session: Open) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    (folder / "torn.png").write_bytes((folder / "0.png").read_bytes()[:60])
    (folder / "empty.jpg").touch()
    session = open_session(folder, ["a", "b"], audit=0)
    for i, query in enumerate(session.queries(limit=8)):
        session.submit(query, "ab"[i % 2])
    session.wait(60)
    assert sorted(session.problems().item_id) == ["empty.jpg", "torn.png"]
    assert session.problems().reason.str.len().min() > 5
    Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(folder / "new.png")
    again = open_session(folder, ["a", "b"], audit=0)
    assert len(again.labels()) == 8
    assert "new.png" in set(again.predictions().item_id)


def test_a_learner_that_cannot_tell_probabilities_is_refused_at_once(open_session: Open) -> None:
    from sklearn.svm import LinearSVC

    with pytest.raises(LearnerError, match="predict_proba"):
        open_session(learner=LinearSVC())


def test_audit_items_stay_out_of_training_when_the_audit_is_switched_off_for_a_while(
    open_session: Open, digits: Digits
) -> None:
    first = open_session()
    label(first, digits, 5)
    reserve = set(first.labels().query("audit").item_id)
    second = open_session(audit=0)
    for item_id in second.pool.item_ids:
        second.submit(item_id, digits.truth(item_id))
    second.wait(60)
    assert second.snapshot is not None
    audited = set(second.labels().query("audit").item_id)
    assert reserve < audited
    assert second.snapshot.n_trained == 300 - len(audited)


def test_an_audit_is_refused_where_everything_may_have_been_trained_on(open_session: Open, digits: Digits) -> None:
    label(open_session(audit=0), digits, 3)
    with pytest.raises(SessionError, match="begun with audit=0"):
        open_session(audit=0.2)


def test_items_of_a_holder_that_is_gone_are_candidates_again(open_session: Open) -> None:
    session = open_session(audit=0)
    session.wait(60)
    for n in range(6):
        drawn = session.draw(f"page-{n}", 5)
        session.release(f"page-{n}")
        session.submit(drawn[0], "1")
    session.wait(60)
    state = session._state()
    assert len(state.candidates) == 300 - 6
    assert len(state.pending) == 0


def test_audit_items_on_the_screen_are_invisible_to_the_strategy(open_session: Open) -> None:
    session = open_session(audit=0.5)
    kinds = [session.draw("page", 1, have=[])[0].kind for _ in range(1)]
    for query in session.queries(limit=6, wait=False):
        kinds.append(query.kind)
        assert not set(session._state().pending) & session._queue.in_reserve
    assert "audit" in kinds


def test_a_learner_that_fails_is_reported_and_labeling_goes_on(open_session: Open, digits: Digits) -> None:
    from sklearn.linear_model import LogisticRegression

    session = open_session(learner=LogisticRegression(C=-1.0))
    label(session, digits, 12)
    session.wait(60)
    assert "C" in session.last_error
    assert session.training == "failed"
    assert len(session.labels()) == 12


def test_answers_from_many_threads_are_all_kept_once(open_session: Open, digits: Digits) -> None:
    session = open_session()
    changes: list[str] = []
    session.subscribe(changes.append)
    events = [
        Annotation(
            f"c{n % 7}-{n}", item_id, "ann", "label", digits.truth(item_id), f"c{n % 7}", n, answered_at=float(n)
        )
        for n, item_id in enumerate(session.pool.item_ids[:200])
    ]
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(session.record, [*events, *events[::3]]))
    assert sum(new) == 200
    assert len(session.labels()) == len(session.annotations()) == 200
    assert changes.count("labels") == 200


def test_store_is_on_the_disk_before_submit_returns(open_session: Open, digits: Digits, tmp_path: Path) -> None:
    session = open_session()
    item = session.pool.item_ids[0]
    session.submit(item, "3")
    with sqlite3.connect(tmp_path / "labels.db") as other:
        assert other.execute("select item_id from al_events").fetchall() == [(item,)]
    other.close()


def test_closing_ends_every_thread(open_session: Open, digits: Digits) -> None:
    others = set(threading.enumerate())
    session = open_session()
    label(session, digits, 3)
    mine = set(threading.enumerate()) - others
    assert mine
    session.close()
    for thread in mine:
        thread.join(30)
        assert not thread.is_alive()
    with pytest.raises(SessionClosedError):
        next(session.queries())
    assert "closed" in repr(session)


def test_history_measures_early_models_on_audit_answers_that_came_later(open_session: Open, digits: Digits) -> None:
    session = open_session()
    label(session, digits, 30)
    assert session.history().accuracy.isna().all()
    for item_id in session.pool.item_ids:
        session.submit(item_id, digits.truth(item_id))
    history = session.history()
    assert history.n_audit.iloc[0] == session.labels().audit.sum()
    assert history.accuracy.iloc[0] < history.accuracy.iloc[20]


def test_predict_applies_the_model_to_pictures_outside_the_pool(open_session: Open, digits: Digits) -> None:
    session = open_session()
    with pytest.raises(SessionError, match="no model yet"):
        session.predict(digits.images[:3])
    label(session, digits, 60)
    session.wait(60)
    from sklearn.datasets import load_digits

    more = load_digits()
    found = session.predict(more.images[300:600].astype(np.uint8))
    assert found.columns[3:].tolist() == CLASSES
    assert (found.predicted == more.target[300:600].astype(str)).mean() > 0.6


def test_what_is_certified_stands_between_its_looks_and_is_wider_than_one_look(
    open_session: Open, digits: Digits
) -> None:
    session = open_session(audit=0.5, policy="never", batch_size=15)
    assert session.certified.value is None
    assert "30 audit labels" in session.certified.why
    label(session, digits, 70)
    session.wait()
    certified, accuracy = session.certified, session.accuracy
    assert certified.n >= 30
    assert certified.low < accuracy.low
    frame = session.history()
    known = frame[frame.certified_low.notna()]
    assert (known.n_audit >= 30).all()
    assert len(known) > known.certified_low.nunique() or len(known) == 1
    assert (known.certified_low.iloc[-1], known.certified_high.iloc[-1]) == (certified.low, certified.high)
    assert f"{certified.low:.1%}" in " ".join(session.advice().reasons) or session.advice().stop
    plot = accuracy_plot(frame, accuracy, session.task.classes, {}, None)
    assert "certified" in plot.summary
    assert plot.certified[-1][1:] == (certified.low, certified.high)


def test_an_encoder_that_there_is_not_is_refused_at_once(open_session):
    with pytest.raises(EncoderError, match="no encoder is called 'foo'"):
        open_session(encoder="foo")


def test_a_failing_encoder_is_told_where_the_accuracy_would_stand(open_session, digits):
    def broken(picture):
        raise ValueError("no such lens")

    session = open_session(encoder=broken)
    for item_id in session.pool.item_ids[:30]:
        session.submit(item_id, digits.truth(item_id))
    session.wait(30)
    assert "no such lens" in session.accuracy.why
    assert "no such lens" in repr(session)
