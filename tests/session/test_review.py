"""Labels in question: contradictions of people and of the model, settled by an answer given in review."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import al_widgets as al
from al_widgets.records import Annotation
from al_widgets.session.ledger import REVIEW, Label
from al_widgets.session.reviewing import doubtful

Open = Callable[..., al.Session]


def answer_all(session: al.Session, truth: Callable[[str], str], n: int = 120) -> None:
    for query in session.queries(limit=n, wait=False):
        session.submit(query, truth(query.item_id), elapsed_s=1.0)
    session.wait()


def wrong(name: str) -> str:
    return str((int(name) + 1) % 10)


@pytest.fixture
def labelled(open_session: Open, digits: al.Session) -> al.Session:
    session = open_session()
    answer_all(session, digits.truth)
    return session


def trained_on(session: al.Session, n: int) -> list[str]:
    labels = session.labels()
    return labels.item_id[~labels.audit].tolist()[:n]


def test_nothing_is_in_question_before_there_are_labels(open_session: Open) -> None:
    assert open_session().review().empty


def test_contradicting_annotators_bring_an_item_to_the_front_and_a_review_settles_it(
    labelled: al.Session, open_session: Open, digits: al.Session
) -> None:
    item_id = trained_on(labelled, 1)[0]
    before = set(labelled.review().item_id)
    assert item_id not in before
    bob = open_session(annotator="bob")
    bob.submit(item_id, wrong(digits.truth(item_id)))
    found = labelled.review().set_index("item_id")
    assert found.loc[item_id, "n_annotations"] == 2
    assert found.loc[item_id, "agreement"] == 0.5
    assert "answers differ" in found.loc[item_id, "why"].lower()
    assert found.doubt.is_monotonic_decreasing
    labelled.submit(al.Query(item_id, REVIEW), digits.truth(item_id))
    assert item_id not in set(labelled.review().item_id)
    assert labelled.labels().set_index("item_id").label[item_id] == digits.truth(item_id)
    labelled.undo()
    assert item_id in set(labelled.review().item_id)
    labelled.redo()
    bob.submit(item_id, wrong(digits.truth(item_id)))  # he insists: it is in question again
    assert item_id in set(labelled.review().item_id)


def test_a_wrong_label_is_found_by_a_model_that_did_not_see_it(labelled: al.Session, digits: al.Session) -> None:
    item_id = trained_on(labelled, 1)[0]
    labelled.submit(item_id, wrong(digits.truth(item_id)))
    labelled.wait()
    found = labelled.review().head(3).set_index("item_id")
    assert found.loc[item_id, "predicted"] != wrong(digits.truth(item_id))
    assert found.loc[item_id, "p_label"] < 0.2


def test_the_model_has_no_say_about_audit_items(labelled: al.Session, open_session: Open, digits: al.Session) -> None:
    labels = labelled.labels()
    item_id = labels.item_id[labels.audit].iloc[0]
    labelled.submit(item_id, wrong(digits.truth(item_id)))
    assert item_id not in set(labelled.review().item_id)
    open_session(annotator="bob").submit(item_id, digits.truth(item_id))
    found = next(d for d in labelled.doubts() if d.item_id == item_id)
    assert found.predicted is None
    assert found.p_label is None
    assert found.probabilities == ()


def test_cross_validation_on_chosen_items_is_named_for_what_it_is(labelled: al.Session) -> None:
    found = labelled.cross_validation()
    labels = labelled.labels()
    assert found.value is not None
    assert 0.5 < found.value <= 1
    assert found.n == int((~labels.audit).sum())
    assert "no accuracy" in found.method


def test_cross_validation_says_why_it_cannot_be_computed(open_session: Open) -> None:
    assert open_session().cross_validation().why == "there is no model yet"


def test_breaks_names_every_annotator(labelled: al.Session) -> None:
    found = labelled.breaks()
    assert [advice.annotator for advice in found] == ["ann"]
    assert not found[0].suggested


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (["a"], "The only answer is a; the model says b"),
        (["a", "a"], "Both said a; the model says b"),
        (["a"] * 3, "All 3 said a; the model says b"),
    ],
)
def test_a_label_that_nobody_gave_is_explained(said: list[str], sentence: str) -> None:
    side = np.repeat([0.0, 1.0], 10)
    ids = [f"i{n}" for n in range(20)]
    labels = {i: Label(i, "ab"[int(x)], 0.99, 1) for i, x in zip(ids, side, strict=True)}
    answers = {i: [Annotation("e", i, "ann", "label", label.label, "c", 0)] for i, label in labels.items()}
    answers["i19"] = [Annotation(f"e{n}", "i19", f"p{n}", "label", value, "c", n) for n, value in enumerate(said)]
    (doubt,) = doubtful(
        labels,
        answers,
        classes=("a", "b"),
        reserve=frozenset(),
        row={i: n for n, i in enumerate(ids)},
        rows=np.arange(20),
        features=side[:, None] + [[0.0, 1.0]],
    )
    assert doubt.why.startswith(sentence)
    assert "the label is b, which nobody said" in doubt.why
