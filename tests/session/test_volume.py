"""A session on a volume, headless: strokes, masks, model, questions about sections and regions, honest figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import label
from sklearn.linear_model import LogisticRegression

import al_widgets as al
from al_widgets.errors import (
    LearnerError,
    PoolError,
    ReadError,
    SessionError,
    StoreMismatchError,
    StrategyError,
    TaskError,
)
from al_widgets.features import pixels
from al_widgets.learning.pixels import PixelLearner
from al_widgets.learning.tree_threads import Stopped
from al_widgets.session.mask_ledger import part_of
from al_widgets.session.sections import STRATEGIES, interval_order

SHAPE = (12, 40, 48)
Open = Callable[..., al.VolumeSession]


def make_truth() -> np.ndarray:
    """Four objects of two kinds, each on three sections; a third of the volume is empty."""
    truth = np.zeros(SHAPE, np.uint8)
    for number, (section, row, column) in enumerate([(1, 8, 8), (3, 24, 30), (6, 10, 34), (8, 26, 10)]):
        truth[section : section + 3, row : row + 7, column : column + 7] = 1 + number % 2
    return truth


TRUTH = make_truth()
LEVEL = np.array([0.0, 8.0, -8.0])
VOLUME = (LEVEL[TRUTH] + np.random.default_rng(7).normal(size=SHAPE)).astype(np.float32)
TASK = al.Segmentation(["soil", "mine", "stone"])


@pytest.fixture
def open_volume(tmp_path: Path) -> Iterator[Open]:
    opened: list[al.VolumeSession] = []

    def make(volume: Any = VOLUME, task: Any = TASK, **options: Any) -> al.VolumeSession:
        options = {"store": tmp_path / "labels.db", "annotator": "ann", "learner": quick(), **options}
        session: Any = al.Session(al.Volume(volume) if isinstance(volume, np.ndarray) else volume, task, **options)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


def quick() -> PixelLearner:
    from sklearn.ensemble import ExtraTreesClassifier

    return PixelLearner(ExtraTreesClassifier(12, min_samples_leaf=2, random_state=0))


def index_of(item_id: str) -> int:
    return int(item_id.rsplit("/", 1)[1])


def stroke(session: al.VolumeSession, index: int, where: np.ndarray, value: Any, tool: str = "brush") -> str:
    item_id = session.pool.item_ids[index]
    return session.submit(
        item_id, {"tool": tool, "parts": [part_of(item_id, where, value)], "shape": None, "recipe": ""}, elapsed_s=3.0
    )


def test_a_session_of_pixels_is_a_volume_session(open_volume: Open) -> None:
    session = open_volume()
    assert type(session) is al.VolumeSession
    assert isinstance(session, al.Session)
    assert session.pool.item_ids[3] == "volume/3"
    assert "Dice" in repr(session) or "no model" in repr(session).lower() or "set aside" in repr(session)
    with pytest.raises(PoolError, match=r"al\.read"):
        open_volume({"a": 1})
    with pytest.raises(StrategyError, match="interval"):
        open_volume(strategy="entropy")
    with pytest.raises(LearnerError, match="predict_proba"):
        open_volume(learner=object())


def test_the_first_stroke_brings_a_model_that_finds_more_of_the_same(open_volume: Open) -> None:
    session = open_volume(audit=0)
    with pytest.raises(SessionError, match="no model"):
        session.predict_section(0)
    stroke(session, 1, TRUTH[1] == 1, "mine")
    session.wait()
    found = [session.predict_section(i)[..., 1] for i in range(SHAPE[0])]
    other = TRUTH[6] == 1
    assert found[6][other].mean() > 5 * found[6][TRUTH[6] == 0].mean()
    assert session.section_map(6) is not None
    assert session.model is not None
    frame = session.predictions()
    assert frame.columns.tolist() == ["item_id", "predicted", "confidence", "soil", "mine", "stone"]
    assert np.allclose(frame[["soil", "mine", "stone"]].sum(axis=1), 1)


def test_undoing_the_last_stroke_takes_the_model_back(open_volume: Open) -> None:
    session = open_volume(audit=0)
    event_id = stroke(session, 1, TRUTH[1] == 1, 1)
    session.wait()
    assert session.undo() == event_id
    session.wait()
    assert session.model is None
    assert session.section_map(1) is None
    assert (session.mask("volume/1") == 255).all()
    session.redo()
    session.wait()
    assert session.model is not None
    assert np.array_equal(session.mask("volume/1") == 1, TRUTH[1] == 1)


def test_the_loop_asks_every_section_once_learns_and_measures(open_volume: Open) -> None:
    session = open_volume(audit=0.25)
    asked = []
    for query in session.queries():
        asked.append(query.item_id)
        session.submit(query, TRUTH[index_of(query.item_id)], elapsed_s=20.0)
    session.wait()
    assert sorted(asked) == sorted(session.pool.item_ids)
    assert np.array_equal(session.label_volume(), TRUTH)
    audits = session.annotations().query("query_kind == 'audit'").item_id.unique()
    assert len(audits) == 3  # a quarter of twelve
    assert session.accuracy.n == 3
    assert session.accuracy.value is not None
    assert session.accuracy.value > 0.6
    history = session.history()
    assert history.accuracy.notna().any()
    assert history.n_labels.is_monotonic_increasing
    figures = session.mask_accuracy().set_index(["figure", "class"]).value
    assert figures["average precision", ""] > 0.6
    assert set(figures["dice"].index) == {"", "soil", "mine", "stone"}
    assert session.advice().stop
    labels = session.labels()
    assert labels.audit.sum() == 3
    assert labels.set_index("item_id").label["volume/1"] == "soil, mine"
    consensus = session.consensus().set_index("item_id")
    assert consensus["mine"]["volume/1"] == pytest.approx((TRUTH[1] == 1).mean())
    assert np.allclose(consensus[["soil", "mine", "stone"]].sum(axis=1), 1)
    assert "neighbouring" in session.cross_validation().why
    with pytest.raises(SessionError, match="regions"):
        session.draw_alike("page", 3)
    costs = session.costs().set_index("kind")
    assert (costs.n["section"], costs.median_s["section"]) == (12, 20.0)
    assert session.spent()[0] == pytest.approx(240)


def test_alarms_are_scored_by_the_square_metre_of_audit_sections(open_volume: Open) -> None:
    axes = [("line", "m", 0.5), ("time", "ns", 0.2), ("distance", "m", 0.05)]
    session = open_volume(al.Volume(VOLUME, axes, name="volume"))
    assert session.alarm_accuracy().empty
    for item_id in session.pool.item_ids:
        session.submit(item_id, TRUTH[index_of(item_id)])
    session.wait()

    curve = session.alarm_accuracy()
    audited = [index_of(i) for i in session._reserve_ids]
    objects = sum(label(TRUTH[i] > 0)[1] for i in audited)
    assert (curve.n_targets == objects).all()
    assert (curve.n_sections == len(audited)).all()
    assert curve.confidence.is_monotonic_decreasing
    assert curve.detected.is_monotonic_increasing
    assert curve.false_alarms_per_m2.is_monotonic_increasing
    if objects:
        sure = curve[curve.false_alarms_per_m2 == 0]
        assert sure.detected.max() == 1
    with pytest.raises(SessionError, match="metres"):
        open_volume(store=":memory:").alarm_accuracy()


def test_audit_sections_are_never_trained_on(open_volume: Open) -> None:
    session = open_volume()
    reserve = session._reserve_ids
    assert len(reserve) == 3
    for item_id in reserve:
        session.submit(item_id, TRUTH[index_of(item_id)])
    session.wait()
    assert session.model is None
    assert session.accuracy.value is None
    assert not {index_of(i) for i in reserve} & session._state().said.keys()
    small = open_volume(VOLUME[:4], store=":memory:")
    assert not small._reserve_ids
    assert "too small" in small.accuracy.why


def test_a_section_is_finished_left_out_or_unsure(open_volume: Open) -> None:
    session = open_volume()
    stroke(session, 4, TRUTH[4] > 0, 2)
    session.submit("volume/4", {"rest": 0})
    assert (session.mask("volume/4") == np.where(TRUTH[4] > 0, 2, 0)).all()
    session.submit("volume/0", {"rest": "soil"})
    session.skip("volume/5", "wet")
    session.unsure("volume/7")
    counts = session.counts()
    assert (counts["labelled"], counts["skipped"], counts["unsure"], counts["total"]) == (2, 1, 1, 12)
    assert session.mask("volume/5").min() == 255
    assert session.annotations().kind.tolist() == ["stroke", "label", "label", "skip", "unsure"]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (np.zeros((40, 47), np.uint8), "shape"),
        (np.zeros((40, 48)), "float64"),
        (np.full((40, 48), 3), "holds 3"),
        (np.full((40, 48), -1), "holds -1"),
        ("mine", "mask"),
        ({"rest": "sand"}, "'sand'"),
        (
            {"tool": "brush", "parts": [{"item_id": "volume/1", "value": 1, "box": [39, 0, 2, 1], "runs": "02"}]},
            "40 rows",
        ),
        ({"tool": "brush", "parts": [{"item_id": "x/1", "value": 1, "box": [0, 0, 2, 1], "runs": "02"}]}, "x/1"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_no_trace(open_volume: Open, value: Any, word: str) -> None:
    session = open_volume()
    with pytest.raises((TaskError, PoolError), match=word):
        session.submit("volume/1", value)
    assert session.annotations().empty


def test_masks_are_byte_equal_in_the_next_kernel_even_with_classes_in_another_order(open_volume: Open) -> None:
    session = open_volume()
    for index in (1, 3, 8):
        stroke(session, index, TRUTH[index] > 0, "stone")
        stroke(session, index, TRUTH[index] == TRUTH[index].max(), "mine")
    session.undo()
    session.submit("volume/3", {"rest": "soil"})
    before = session.label_volume()
    session.add_class("root")
    stroke(session, 2, TRUTH[2] > 0, "root")
    session.close()
    again = open_volume()
    assert again.task.classes == ("soil", "mine", "stone", "root")
    assert np.array_equal(np.delete(again.label_volume(), 2, 0), np.delete(before, 2, 0))
    assert np.array_equal(again.mask("volume/2") == 3, TRUTH[2] > 0)
    again.wait()
    assert again.model is not None
    again.close()
    swapped = open_volume(task=al.Segmentation(["soil", "stone", "mine"]))
    turned = np.array([0, 2, 1, 3] + [255] * 252, np.uint8)
    assert np.array_equal(np.delete(swapped.label_volume(), 2, 0), turned[np.delete(before, 2, 0)])
    swapped.close()
    with pytest.raises(StoreMismatchError, match="segmentation"):
        open_volume(task=al.Boxes(["mine"]))


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_asks_every_section_but_the_reserve_before_and_with_a_model(open_volume: Open, name: str) -> None:
    session = open_volume(strategy=name, audit=0)
    session.wait()
    assert session.strategy == name
    cold = [r.row for r in session._rounds.rank(name, session._state())[0]]
    assert sorted(cold) == list(range(12))
    stroke(session, 1, TRUTH[1] == 1, 1)
    session.wait()
    warm = session._rounds.rank(name, session._state())[0]
    assert sorted(r.row for r in warm) == list(range(12))
    if name == "interval":
        assert cold[:3] == [6, 3, 9]
    if name == "random":
        assert all(r.propensity == pytest.approx(1 / 12) for r in warm)
    if name == "auto":
        assert {*cold[:4]} <= set(np.flatnonzero(TRUTH.any(axis=(1, 2))))
        assert warm[-1].row == 1  # where it has been told already
    with pytest.raises(StrategyError):
        session.propose("page", "entropy")
    assert session.propose("page", "interval") is not None


def test_halved_intervals_cover_everything() -> None:
    for n in (1, 2, 7, 24):
        assert sorted(interval_order(n)) == list(range(n))


@pytest.mark.parametrize("large", [False, True])
def test_regions_are_asked_once_and_their_answers_teach(
    open_volume: Open, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:  # found on cells of several pixels, outlined pixel by pixel
        monkeypatch.setattr(pixels, "LARGE_VOXELS", 1000)
    session = open_volume(audit=0)
    assert session.regions()  # also when the volume has not been read yet
    assert session._rounds.read is not None
    assert (session._rounds.read.cell > 1) == large
    truths = []
    for _ in range(4):
        region = session.regions()[0]
        inside = TRUTH[region.voxels]
        seen = np.bincount(inside, minlength=3)
        truths.append(1 + int(seen[1:].argmax()) if seen[1:].sum() > 0.25 * seen.sum() else 0)
        session.submit(region, truths[-1], elapsed_s=2.0)
        session.wait()
    assert sorted(truths)[2:] == [2, 2]
    assert session.model is not None
    labels = session.label_volume()
    said = labels != 255
    assert (labels[said] == TRUTH[said]).mean() > 0.8
    assert set(np.unique(labels)) >= {2, 255}
    events = session.annotations()
    assert (events.kind == "stroke").all()
    assert (events.strategy == "region").all()
    assert session.costs().set_index("kind").n["region"] == 4
    assert session.counts()["labelled"] == 0  # no section is finished by it


def test_a_region_of_a_tomogram_ends_where_the_model_says(open_volume: Open) -> None:
    rng = np.random.default_rng(3)
    values, objects = np.full(SHAPE, -50.0), np.zeros(SHAPE, bool)
    values[:, 5:35, 10:40] = 0.0  # tissue in air is as far from the volume's median as what grows in it
    objects[2:5, 10:16, 14:20] = objects[7:10, 22:28, 28:34] = True
    values[objects] = 15.0
    session = open_volume((values + rng.normal(size=SHAPE)).astype(np.float32), audit=0)
    stroke(session, 3, objects[3], "mine")
    stroke(session, 3, ~objects[3] & (rng.random(SHAPE[1:]) < 0.3), "soil")
    session.wait()
    region = next(r for r in session.regions(9) if r.box[0] > 5)
    assert objects[region.voxels].mean() > 0.8
    assert len(region.voxels[0]) > 0.5 * objects[7:10].sum()


RADAR = [("line", "m", 0.25), ("time", "ns", 0.1), ("distance", "m", 0.02)]


def test_an_answer_to_a_region_labels_what_was_shown_and_no_more(open_volume: Open) -> None:
    volume = VOLUME.copy()
    volume[:, :6] += 40  # a direct wave above the mines
    volume[:, 6:26, 13] += 8  # and what ties them to it
    session = open_volume(al.Volume(volume, RADAR), audit=0)
    for name in ("mine", "soil"):
        region = session.regions()[0]
        before = session.label_volume()
        session.submit(region, name)
        shown = np.zeros(SHAPE, bool)
        shown[region.voxels] = True
        section, row, column, sections, rows, columns = region.box
        box = np.s_[section : section + sections, row : row + rows, column : column + columns]
        assert shown[box].sum() == shown.sum()
        after = session.label_volume()
        assert (after[shown] == TASK.classes.index(name)).all()
        assert np.array_equal(after[~shown], before[~shown])
        if name == "mine":
            (alarm,) = session.alarms()
            assert row <= round(alarm.t_ns / 0.1) < row + rows
            assert section <= alarm.line < section + sections
            assert column <= round(alarm.x_m / 0.02) < column + columns


def test_radar_begins_with_three_regions_and_goes_on_with_sections(open_volume: Open) -> None:
    session = open_volume(al.Volume(VOLUME, RADAR), audit=0)
    events = []
    for _ in range(3):
        assert session.wants == "region"
        events.append(session.submit(session.regions()[0], "mine"))
    assert session.wants == "section"
    session.undo(events[-1])
    assert session.wants == "region"
    stroke(session, 0, TRUTH[1] == 1, "mine")  # who paints is asked about sections
    assert session.wants == "section"


@pytest.mark.parametrize(("ask", "wanted"), [("auto", "section"), ("sections", "section"), ("regions", "region")])
def test_what_is_asked_can_be_chosen(open_volume: Open, ask: str, wanted: str) -> None:
    session = open_volume(ask=ask)
    assert session.wants == wanted
    stroke(session, 1, TRUTH[1] == 1, "mine")
    assert session.wants == wanted


def test_what_is_asked_is_checked() -> None:
    with pytest.raises(SessionError, match="auto, sections, regions; not 'lines'"):
        al.Session(al.Volume(VOLUME), TASK, store=":memory:", ask="lines")


def test_a_region_that_nobody_can_tell_is_ignored_and_not_asked_again(open_volume: Open) -> None:
    session = open_volume(audit=0)
    session.wait()
    first = session.regions()[0]
    session.unsure(first)
    second = session.regions()[0]
    session.skip(second, "too deep")
    third = session.regions()[0]
    assert len({first.region_id, second.region_id, third.region_id}) == 3
    labels = session.label_volume()
    assert (labels[first.voxels] == 254).all()
    assert (labels[second.voxels] == 254).all()
    assert session.annotations().note.tolist() == ["unsure", "too deep"]
    session.wait()
    assert session.model is None


def test_a_region_leaves_what_was_painted_and_the_reserve_alone(open_volume: Open) -> None:
    session = open_volume()
    session.wait()
    reserve = {index_of(i) for i in session._reserve_ids}
    regions = session.regions(10)
    assert regions
    assert not {int(s) for r in regions for s in np.unique(r.voxels[0])} & reserve
    region = regions[0]
    index = int(region.voxels[0][0])
    own = region.mask_of(index, SHAPE[1:])
    stroke(session, index, own, "stone")
    session.submit(region, "mine")
    assert (session.mask(session.pool.item_ids[index])[own] == 2).all()
    assert not {index_of(p["item_id"]) for p in session.annotations().value[1]["parts"]} & reserve


def test_what_several_annotators_paint_is_a_union_or_a_consensus(open_volume: Open) -> None:
    ann = open_volume(audit=0)
    bob = open_volume(audit=0, annotator="bob")
    cat = open_volume(audit=0, annotator="cat")
    left, right = np.zeros(SHAPE[1:], bool), np.zeros(SHAPE[1:], bool)
    left[5:20, 5:20], right[5:20, 25:40] = True, True
    stroke(ann, 2, left, "mine")
    stroke(bob, 2, right, "stone")
    both = ann.mask("volume/2")
    assert (both[left] == 1).all()
    assert (both[right] == 2).all()
    assert (ann.mask("volume/2", "ann")[right] == 255).all()
    for session, value in ((bob, "mine"), (cat, "soil")):
        stroke(session, 2, left, value)
    assert (ann.mask("volume/2")[left] == 1).all()  # two against one
    assert (cat.mask("volume/2", "cat")[left] == 0).all()
    ann.wait()
    assert ann.model is not None


def test_lines_of_different_lengths_and_any_classifier(open_volume: Open) -> None:
    volume = al.Volume(VOLUME, axes=[("line", "m", 0.2), ("time", "ns", 0.1), ("distance", "m", 0.02)],
                       lengths=(48,) * 6 + (30,) * 6, name="survey")  # fmt: skip
    session = open_volume(volume, audit=0, learner=LogisticRegression(max_iter=200))
    assert session.mask("survey/8").shape == (40, 30)
    with pytest.raises(TaskError, match="30 columns"):
        stroke(session, 8, np.pad(np.ones((2, 2), bool), ((0, 38), (40, 6))), 1)
    stroke(session, 1, TRUTH[1] == 1, 1)
    stroke(session, 8, TRUTH[8][:, :30] == 2, 2)
    session.wait()
    assert session.label_volume()[8, :, 30:].min() == 255
    assert session.predict_section(8).shape == (40, 48, 3)
    assert session.predict(VOLUME[:2]).shape == (2, 40, 48)
    assert {type(session.model).__name__} == {"LogisticRegression"}


def test_boxes_are_kept_as_they_were_drawn(open_volume: Open) -> None:
    session = open_volume(task=al.Boxes(["mine"]), audit=0)
    where = np.zeros(SHAPE[1:], bool)
    where[8:15, 8:15] = True
    value = {
        "tool": "box",
        "parts": [part_of("volume/1", where, "mine")],
        "shape": {"points": [8, 8, 15, 15]},
        "recipe": "",
    }
    session.submit("volume/1", value)
    session.wait()
    assert session.annotations().value[0]["shape"] == {"points": [8.0, 8.0, 15.0, 15.0]}
    assert session.model is not None
    with pytest.raises(TaskError, match="tool"):
        stroke(session, 1, where, "mine", tool="brush")


def test_sections_with_outlined_regions_are_still_worth_a_look(open_volume: Open) -> None:
    session = open_volume(audit=0)
    session.start()
    session.wait()
    first = session.regions(1)[0]
    session.submit(first, "mine")
    session.wait()
    assert session.model is not None
    assert not session.ledger.by_hand(first.query.item_id)
    asked = next(session.queries(limit=1))
    assert TRUTH[index_of(asked.item_id)].any()  # what is anomalous, not what is farthest from the region
    stroke(session, 0, TRUTH[0] == 0, "soil")
    assert session.ledger.by_hand("volume/0")


def test_a_prediction_that_nobody_waits_for_is_left_off(open_volume: Open) -> None:
    session = open_volume(audit=0, learner=None)
    stroke(session, 1, TRUTH[1] == 1, 1)
    session.wait()
    asked = iter([False, False, True, True])
    with pytest.raises(Stopped):
        session._rounds.learner.probabilities(session._rounds.pixels, 5, lambda: next(asked))  # type: ignore[union-attr]
    assert all(session.section_map(i) is not None for i in range(12))


def test_the_dashboard_speaks_of_dice_strokes_and_sections(open_volume: Open) -> None:
    from al_widgets.widgets.dashboard_source import Reader

    session = open_volume(audit=0.25, hourly_rate=36.0)
    empty = Reader(session).read()
    assert [t.name for t in empty.tiles] == ["Labels", "Dice", "Spent", "To 95.0 %", "Strokes"]
    assert "No dice yet" in empty.plots["Accuracy"].summary
    for query in session.queries():
        session.submit(query, TRUTH[index_of(query.item_id)], elapsed_s=20.0)
    session.wait()
    reading = Reader(session).read()
    tiles = {t.name: t for t in reading.tiles}
    assert tiles["Labels"].note == "of 12 sections"
    assert "audit section" in tiles["Dice"].note
    assert tiles["Spent"].note == "costs 2.40"
    assert "20.0 s a section" in tiles["Strokes"].note
    assert 0.5 < float(tiles["Average precision"].value) <= 1
    assert reading.plots["Accuracy"].value
    assert all(low <= y <= high for low, y, high in zip(
        reading.plots["Accuracy"].low, reading.plots["Accuracy"].value, reading.plots["Accuracy"].high, strict=True))  # fmt: skip
    assert {r.name for r in reading.plots["Accuracy"].references} == {"target"}
    assert reading.plots["Labels"].names == ("soil", "mine", "stone")
    assert reading.plots["Labels"].counts[0] == 12
    assert reading.plots["Labels"].counts[1] == int((TRUTH == 1).any(axis=(1, 2)).sum())


def test_pictures_that_are_no_volume_are_refused_with_what_to_do(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    for pictures in (tmp_path, str(tmp_path), np.zeros((2, 8, 8, 3), np.uint8)):
        with pytest.raises(PoolError, match=r"al\.Classification"):
            al.Session(pictures, al.Boxes(["product"]), store=":memory:")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="no lines"):
        al.Session(tmp_path / "empty", TASK, store=":memory:")


def test_review_lists_masks_that_differ_worst_first(open_volume: Open, tmp_path: Path) -> None:
    ann = open_volume(audit=0)
    bob = open_volume(audit=0, annotator="bob")
    assert ann.review().empty
    for index in (1, 3, 6):
        ann.submit(ann.pool.item_ids[index], TRUTH[index], elapsed_s=3.0)
    bob.submit(bob.pool.item_ids[1], TRUTH[1])  # the same
    bob.submit(bob.pool.item_ids[3], np.roll(TRUTH[3], 3, axis=0))  # a little off
    bob.submit(bob.pool.item_ids[6], np.zeros_like(TRUTH[6]))  # saw nothing
    found = ann.review()
    assert found.item_id.tolist()[:2] == ["volume/6", "volume/3"]
    assert "volume/1" not in set(found.item_id[found.agreement.notna() & (found.agreement < 1)])
    worst = found.iloc[0]
    assert (worst.agreement, worst.doubt, worst.n_annotations) == (0.0, 1.0, 2)
    assert "ann and bob overlap by 0%" in worst.why
    assert 0.2 < found.iloc[1].agreement < 0.8
    ann.wait()
    assert ann.review().model.notna().any()


def test_what_one_of_two_people_saw_stays_open_and_an_alarm(open_volume):
    ann = open_volume(audit=0)
    bob = open_volume(audit=0, annotator="bob")
    item_id = ann.pool.item_ids[2]
    nothing = np.zeros(ann.mask(item_id).shape, np.uint8)
    something = nothing.copy()
    something[5:15, 8:20] = 1
    ann.submit(item_id, something, elapsed_s=5.0)
    bob.submit(item_id, nothing, elapsed_s=1.0)
    both = ann.mask(item_id)
    assert (both[5:15, 8:20] == 255).all()  # open
    both[5:15, 8:20] = 0
    assert (both == 0).all()
    (alarm,) = ann.alarms()
    assert (alarm.label, alarm.confidence) == (ann.task.classes[1], 0.5)
