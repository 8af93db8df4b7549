import numpy as np
import pandas as pd
import pytest

from al_widgets.errors import TaskError
from al_widgets.oracles.answers import UNSURE, read_annotations


def frame(*rows, columns=("item_id", "annotator", "value")):
    return pd.DataFrame(list(rows), columns=list(columns))


LOG = ("event_id", "item_id", "annotator", "kind", "value", "target", "answered_at")


def test_read_annotations_numbers_items_by_first_appearance_and_classes_by_name():
    answers = read_annotations(frame(("b", "x", "dog"), ("a", "y", "cat")))
    assert answers.items == ("b", "a")
    assert answers.annotators == ("x", "y")
    assert answers.classes == ("cat", "dog")
    assert answers.value.tolist() == [1, 0]


def test_read_annotations_orders_by_time_when_all_times_are_known():
    log = frame(("a", "x", "u", 2.0), ("b", "x", "v", 1.0), columns=("item_id", "annotator", "value", "answered_at"))
    assert read_annotations(log).items == ("b", "a")


def test_read_annotations_carries_out_undo_and_redo():
    log = frame(
        ("1", "a", "x", "label", "cat", None, 1.0),
        ("2", "b", "x", "label", "dog", None, 2.0),
        ("3", "a", "x", "undo", None, "1", 3.0),
        ("4", "b", "x", "undo", None, "2", 4.0),
        ("5", "b", "x", "undo", None, "4", 5.0),
        columns=LOG,
    )
    answers = read_annotations(log)
    assert answers.items == ("b",)
    assert answers.classes == ("dog",)


def test_read_annotations_refuses_undo_without_target_column():
    log = frame(("a", "x", "cat", "label"), ("a", "x", None, "undo"), columns=("item_id", "annotator", "value", "kind"))
    with pytest.raises(TaskError, match="event_id and target"):
        read_annotations(log)


def test_read_annotations_refuses_undos_in_a_circle():
    log = frame(
        ("1", "a", "x", "undo", None, "2", 1.0),
        ("2", "a", "x", "undo", None, "1", 2.0),
        columns=LOG,
    )
    with pytest.raises(TaskError, match="circle"):
        read_annotations(log)


def test_read_annotations_keeps_unsure_and_drops_skips():
    log = frame(
        ("a", "x", None, "unsure"),
        ("a", "y", "cat", "label"),
        ("b", "x", None, "skip"),
        columns=("item_id", "annotator", "value", "kind"),
    )
    answers = read_annotations(log, ["cat", "dog"])
    assert answers.items == ("a",)
    assert answers.value.tolist() == [UNSURE, 0]
    assert answers.unsure_per_item().tolist() == [1]
    assert answers.labels_per_item().tolist() == [1]


def test_read_annotations_lets_a_correction_replace_and_a_repeat_stand_beside():
    columns = ("item_id", "annotator", "value", "query_kind")
    log = frame(("a", "x", "cat", "new"), ("a", "x", "dog", "new"), ("a", "x", "cat", "repeat"), columns=columns)
    answers = read_annotations(log)
    assert [answers.classes[k] for k in answers.value] == ["dog", "cat"]


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (pd.DataFrame({"item": ["a"], "annotator": ["x"]}), "item_id, value"),
        (frame(("a", "x", ["cat"])), "masks and boxes"),
        (frame(("a", "x", None)), "1 of 1 answers have no value, the first is row 0"),
        (frame(("a", "x", "u"), ("b", None, "u")), "1 of 2 answers have no annotator, the first is row 1"),
        (frame(("a", "x", "u"), (float("nan"), "x", "u")), "have no item_id"),
        (frame(("a", "x", "u", "labl"), columns=("item_id", "annotator", "value", "kind")), "row 0 is of kind 'labl'"),
        (
            frame(("a", "x", "u", "soon"), columns=("item_id", "annotator", "value", "answered_at")),
            "answered_at must be",
        ),
        (
            frame(("a", "x", "u", "2 s"), columns=("item_id", "annotator", "value", "elapsed_s")),
            "elapsed_s must be seconds",
        ),
        ([("a", "x", "u")], "must be a DataFrame with a row an answer, not list"),
    ],
)
def test_read_annotations_says_what_is_wrong(log, message):
    with pytest.raises(TaskError, match=message):
        read_annotations(log)


def test_read_annotations_refuses_a_value_that_is_no_class():
    with pytest.raises(TaskError, match="'cow' is no class"):
        read_annotations(frame(("a", "x", "cow")), ["cat", "dog"])


def test_class_numbers_leaves_out_items_nobody_answered():
    answers = read_annotations(frame(("a", "x", "cat"), ("b", "x", "dog")))
    assert answers.class_numbers({"b": "cat", "z": "dog"}) == {1: 0}
    with pytest.raises(TaskError, match="'cow'"):
        answers.class_numbers({"b": "cow"})


def test_read_annotations_of_an_empty_log_is_empty():
    answers = read_annotations(frame())
    assert len(answers) == 0
    assert answers.items == ()
    assert answers.elapsed_s.dtype == np.float64


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01 00:00:02", "2024-01-01"],
        pd.to_datetime(["2024-01-01 00:00:02", "2024-01-01 00:00:00"]),
        pd.to_datetime(["2024-01-01 01:00:02", "2024-01-01 01:00:00"]).tz_localize("Europe/Vienna"),
        [1704067202, 1704067200.0],
    ],
    ids=["texts", "datetimes", "time zone", "seconds"],
)
def test_read_annotations_takes_points_in_time_as_seconds(times):
    log = frame(("a", "x", "u"), ("b", "x", "v")).assign(
        answered_at=times, elapsed_s=pd.to_timedelta([1.5, 2.0], unit="s")
    )
    answers = read_annotations(log)
    assert answers.items == ("b", "a")
    assert answers.answered_at.tolist() == [1704067200.0, 1704067202.0]
    assert answers.elapsed_s.tolist() == [2.0, 1.5]


def test_read_annotations_refuses_a_class_that_is_named_twice():
    with pytest.raises(TaskError, match="given more than once: 'dog'"):
        read_annotations(frame(("a", "x", "dog")), classes=["cat", "dog", "dog"])
