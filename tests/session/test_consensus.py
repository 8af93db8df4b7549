"""Several annotators of one store: what their answers add up to, and whom it believes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import al_widgets as al
from al_widgets.records import Annotation
from al_widgets.session import Session
from tests.session.conftest import CLASSES, Digits

Open = Callable[..., Session]


def answer(session: Session, n: int, item_id: str, annotator: str, value: str, **fields: object) -> str:
    event = Annotation(
        f"{annotator}-{n}",
        item_id,
        annotator,
        "label",
        value,
        annotator,
        n,
        answered_at=float(n),
        elapsed_s=2.0,
        **fields,
    )
    session.record(event)
    return event.event_id


def quick(open_session: Open, digits: Digits, **options: object) -> Session:
    """A session that trains once, on pixels."""
    pixels = digits.images.reshape(300, -1).astype(np.float32) / 16
    return open_session(**{"encoder": pixels, "batch_size": 1000, "store": ":memory:", **options})


def crowd(session: Session, digits: Digits, accuracies: dict[str, float], seed: int = 0, n_items: int = 240) -> None:
    """Give every item one answer of each annotator, who err evenly."""
    rng = np.random.default_rng(seed)
    n = 0
    for item_id in session.pool.item_ids[:n_items]:
        truth = digits.truth(item_id)
        for name, accuracy in accuracies.items():
            wrong = CLASSES[(int(truth) + rng.integers(1, 10)) % 10]
            answer(session, n, item_id, name, truth if rng.random() < accuracy else wrong)
            n += 1
    assert session.wait(120)


def right(frame, digits: Digits) -> float:
    return float(np.mean([digits.truth(i) == label for i, label in zip(frame.item_id, frame.label, strict=True)]))


@pytest.fixture
def noisy(open_session: Open, digits: Digits) -> Session:
    session = quick(open_session, digits)
    crowd(session, digits, {"ann": 0.9, "bob": 0.55})
    return session


def test_labels_weigh_annotators_by_their_reliability(noisy: Session, digits: Digits) -> None:
    labels = noisy.labels()
    votes = [noisy.ledger.labels[i].label for i in labels.item_id]
    trained = labels[~labels.audit]
    assert right(trained, digits) >= 0.9
    assert right(labels, digits) > right(labels.assign(label=votes), digits) + 0.1
    assert set(labels.n_annotations) == {2}
    agreed = labels.confidence[labels.label == votes]
    assert ((labels.confidence > 0.1) & (labels.confidence <= 1)).all()
    assert agreed.mean() > labels.confidence[labels.label != votes].mean() - 1e-9


def test_consensus_is_labels_with_a_probability_for_each_class(noisy: Session) -> None:
    found = noisy.consensus().set_index("item_id")
    labels = noisy.labels().set_index("item_id").loc[found.index]
    assert (found.label == labels.label).all()
    assert np.allclose(found[CLASSES].sum(axis=1), 1)
    assert np.allclose(found[CLASSES].max(axis=1), found.confidence)


def test_reliability_names_who_errs(noisy: Session) -> None:
    found = noisy.reliability()
    assert list(found.columns) == ["annotator", "n", "answered_at", "accuracy", "low", "high"]
    now = found.groupby("annotator").last()
    assert now.accuracy["ann"] == pytest.approx(0.9, abs=0.1)
    assert now.accuracy["bob"] == pytest.approx(0.55, abs=0.15)
    assert (now.low < now.accuracy).all()
    assert (now.accuracy < now.high).all()


def test_the_classifier_has_no_say_on_audit_items(noisy: Session) -> None:
    result = noisy._rounds.agreed.result
    assert result is not None
    audited = [n for n, i in enumerate(result.answers.items) if i in noisy._reserve_ids]
    assert len(audited) > 20
    assert np.allclose(result.posterior[audited], result.likelihood[audited], atol=1e-6)
    others = [n for n in range(len(result.answers.items)) if n not in set(audited)]
    assert not np.allclose(result.posterior[others], result.likelihood[others], atol=1e-2)


def test_the_learner_gets_confidence_as_weight(open_session: Open, digits: Digits) -> None:
    seen: list[np.ndarray | None] = []

    class Watching:
        """Counts what it is given."""

        def fit(self, X, y, sample_weight=None):
            from sklearn.linear_model import LogisticRegression

            seen.append(sample_weight)
            self._model = LogisticRegression(max_iter=200).fit(X, y, sample_weight)
            self.classes_ = self._model.classes_
            return self

        def predict_proba(self, X):
            return self._model.predict_proba(X)

        def get_params(self, deep: bool = True) -> dict[str, object]:
            return {}

        def set_params(self, **params: object) -> Watching:
            return self

    session = quick(open_session, digits, learner=Watching())
    crowd(session, digits, {"ann": 0.7, "bob": 0.55}, n_items=120)
    labels = session.labels()
    expected = np.sort(labels.confidence[~labels.audit])
    assert expected[0] < expected[-1] - 0.01
    fits = [np.sort(weights) for weights in seen[-20:] if weights is not None and len(weights) == len(expected)]
    assert any(np.allclose(weights, expected) for weights in fits)


def test_one_annotator_without_repeats_is_believed_and_nothing_is_computed(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits)
    crowd(session, digits, {"ann": 0.7})
    assert session._rounds.agreed.result is None
    labels = session.labels()
    assert labels.label.tolist() == [session.ledger.labels[i].label for i in labels.item_id]
    assert (labels.confidence == 1).all()
    assert session.snapshot is not None
    assert session.reliability().accuracy.iloc[-1] == pytest.approx(0.7, abs=0.17)


def test_a_repeat_of_the_same_annotator_stands_beside_the_first_answer_and_a_correction_replaces_both(
    open_session: Open,
) -> None:
    session = open_session()
    item_id = session.pool.item_ids[0]
    answer(session, 0, item_id, "ann", "3")
    answer(session, 1, item_id, "ann", "5", query_kind="repeat")
    assert session.labels().n_annotations.tolist() == [2]
    answer(session, 2, item_id, "ann", "3")
    assert session.labels()[["label", "n_annotations"]].values.tolist() == [["3", 1]]


def test_an_answer_given_in_review_settles_the_item(noisy: Session, digits: Digits) -> None:
    labels = noisy.labels()
    item_id = labels.item_id[labels.audit].iloc[0]
    last = CLASSES[(int(digits.truth(item_id)) + 3) % 10]
    answer(noisy, 9000, item_id, "chief", last, strategy="review")
    assert noisy.labels().set_index("item_id").label[item_id] == last
    assert noisy.wait(60)
    row = noisy.labels().set_index("item_id").loc[item_id]
    assert row.label == last
    assert row.confidence > 0.999


def test_labels_newer_than_the_last_training_are_votes(noisy: Session) -> None:
    item_id = noisy.pool.item_ids[-1]
    noisy._rounds.close()
    answer(noisy, 9000, item_id, "ann", "1")
    answer(noisy, 9001, item_id, "bob", "2")
    row = noisy.labels().set_index("item_id").loc[item_id]
    assert (row.label, row.confidence, row.n_annotations) == ("2", 0.5, 2)


def test_streams_take_the_consensus_too(digits: Digits) -> None:
    stream = ((str(n), image) for n, image in enumerate(digits.images[:120]))
    session = al.StreamSession(stream, CLASSES, budget=1.0, store=":memory:", annotator="ann", audit=0, batch_size=10)
    rng = np.random.default_rng(0)
    for n, query in enumerate(session.queries(limit=100)):
        truth = digits.truth(query.item_id)
        session.submit(query, truth)
        wrong = CLASSES[(int(truth) + rng.integers(1, 10)) % 10]
        answer(session, n, query.item_id, "bob", truth if rng.random() < 0.5 else wrong)
    assert session.wait(60)
    assert right(session.labels(), digits) > 0.9
    session.close()


def test_a_lone_annotator_is_doubted_but_not_overruled(open_session: Open, digits: Digits) -> None:
    session = quick(open_session, digits, audit=0)
    ids = session.pool.item_ids
    for n, item_id in enumerate(ids[:200]):
        answer(session, n, item_id, "ann", digits.truth(item_id))
    wrong = CLASSES[(int(digits.truth(ids[5])) + 1) % 10]
    answer(session, 1000, ids[5], "ann", wrong)  # a slip
    answer(session, 1001, ids[0], "ann", digits.truth(ids[0]), query_kind="repeat")
    assert session.wait(60)
    labels = session.labels().set_index("item_id")
    assert labels.label[ids[5]] == wrong
    assert labels.confidence[ids[5]] < 0.3
    assert labels.confidence.median() > 0.9
    found = session.consensus().set_index("item_id").loc[ids[5]]
    assert found[CLASSES].sum() == pytest.approx(1)
    assert found[wrong] == labels.confidence[ids[5]] < found[CLASSES].max()


def test_errors_of_people_in_audit_answers_are_taken_out_beside_the_accuracy(open_session):
    rng = np.random.default_rng(0)
    level = rng.integers(2, size=240)
    pictures = np.clip(rng.normal(60, 15, (240, 8, 8)) + 120 * level[:, None, None], 0, 255).astype(np.uint8)
    names = np.array(["dark", "light"])
    session = open_session(pictures, list(names), audit=0.4, policy="never")
    assert "nothing checks" in session.corrected_accuracy.why
    other = open_session(pictures, list(names), audit=0.4, policy="never", annotator="bob")
    for number in range(150):
        asked = (session, other)[number % 2]
        for query in asked.queries(limit=1):
            truth = level[int(query.item_id.rsplit("/", 1)[1])]
            asked.submit(query, str(names[truth if rng.random() < 0.85 else 1 - truth]), elapsed_s=1.0)
    session.wait()
    shown, corrected = session.accuracy, session.corrected_accuracy
    assert shown.value < 0.93  # the model is right about every picture; people are not
    assert shown.value + 0.03 < corrected.value
    assert corrected.low <= 1.0 == corrected.high
    ((name, _, note),) = session.facts()
    assert name == "Without people's errors"
    assert "of the answers are right" in note
