"""Injected targets: asked like sections, kept apart from everything that is learned, measured or exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier

import al_widgets as al
from al_widgets.errors import SessionError, TaskError, UnknownItemError
from al_widgets.features.gpr_injection import clutter_rms
from al_widgets.learning.pixels import PixelLearner
from al_widgets.oracles import SimulatedPainter
from al_widgets.session.mask_ledger import part_of
from al_widgets.session.trial_pictures import background_of
from al_widgets.testing.volume_frontend import FakeVolumePage

SURVEY = al.datasets.gpr_survey(1, lines=16, samples=72, traces=64, n_targets=2, n_clutter=40)
TRUTH = {f"survey1/{i}": SURVEY.mask[i] for i in range(16)}
TASK = al.Segmentation(["soil", "mine"])
Open = Callable[..., al.VolumeSession]


@pytest.fixture
def open_survey(tmp_path: Path) -> Iterator[Open]:
    opened: list[al.VolumeSession] = []

    def make(**options: Any) -> al.VolumeSession:
        quick = PixelLearner(ExtraTreesClassifier(8, min_samples_leaf=2, random_state=0))
        options = {
            "store": tmp_path / "v.db",
            "annotator": "ann",
            "learner": quick,
            "injected": al.InjectedTargets(rate=0.5),
            **options,
        }
        session: Any = al.Session(al.SlicePool(options.pop("volume", SURVEY.volume)), TASK, **options)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


def painter(session: al.VolumeSession, threshold_db: float, seed: int = 0, **chances: float) -> SimulatedPainter:
    return SimulatedPainter(
        TRUTH, threshold_db, trial=session.trial, trial_truth=session.trial_truth, seed=seed, **chances
    )


def answer_some(session: al.VolumeSession, n: int, threshold_db: float = 3.0, seed: int = 0) -> list[al.Query]:
    paint = painter(session, threshold_db, seed)
    asked = []
    for query in session.queries(n, wait=False):
        session.submit(query, paint(query.item_id), elapsed_s=4.0)
        asked.append(query)
    return asked


def first_trial(session: al.VolumeSession) -> al.Query:
    paint = painter(session, 0.0)
    for query in session.queries(wait=False):
        if query.kind == "injected":
            return query
        session.submit(query, paint(query.item_id))
    raise AssertionError("no trial came")


def test_trials_come_in_their_share_and_look_like_sections(open_survey: Open) -> None:
    before = SURVEY.volume.array.tobytes()
    session = open_survey()
    asked = answer_some(session, 40)
    trials = [q for q in asked if q.kind == "injected"]
    real = [q for q in asked if q.kind != "injected"]
    assert len(real) == 16
    assert 5 <= len(trials) <= 9  # half of the queries, from the first free section on
    assert session.volume.array.tobytes() == before
    assert {q.reason for q in trials} <= {q.reason for q in real}
    for query in trials:
        trial = session.trial(query.item_id)
        assert trial is not None
        picture, background = session.pool.image(query.item_id), background_of(trial, session.pool)
        assert picture.dtype == background.dtype
        assert not (TRUTH[trial.background] > 0).any() or not trial.clear
        if trial.signal_db is None:
            assert picture.tobytes() == background.tobytes()
            continue
        where = session.trial_truth(query.item_id)
        peak = np.abs(picture.astype(float) - background).max()
        assert 20 * np.log10(peak / clutter_rms(background, where)) == pytest.approx(trial.signal_db, abs=0.6)
    frame = session.annotations()
    marked = set(frame.item_id[frame.item_id.str.contains("~")])
    assert marked == {q.item_id for q in trials}
    labels = frame[(frame.kind == "label") & frame.item_id.isin(marked)]
    assert (labels.query_kind == "injected").all()
    assert session.spent()[0] == pytest.approx(4.0 * len(asked))


def test_the_threshold_follows_what_is_seen_and_false_alarms_are_counted(open_survey: Open) -> None:
    keen = open_survey(store=":memory:", injected=al.InjectedTargets(rate=0.5, catch=0.5))
    answer_some(keen, 60, threshold_db=-4.0)
    dull = open_survey(store=":memory:", annotator="bob", injected=al.InjectedTargets(rate=0.5, catch=0.5))
    alarmed = painter(dull, 14.0, guess=0.9, lapse=0.05)
    for query in dull.queries(60, wait=False):
        dull.submit(query, alarmed(query.item_id))
    a, b = keen.detection().iloc[0], dull.detection().iloc[0]
    assert a.annotator == "ann"
    assert a.low < a.threshold_db < a.high
    assert a.threshold_db < 3
    assert b.n_catch >= 2
    assert b.false_alarm_rate > 0.5
    assert a.false_alarm_rate <= 0.5
    trials = keen.trials()
    assert len(trials) == a.n + a.n_catch
    assert trials.signal_db.isna().sum() == a.n_catch


def test_a_trial_is_the_same_after_a_restart_and_answers_find_it(open_survey: Open) -> None:
    session = open_survey()
    query = first_trial(session)
    shown = session.pool.image(query.item_id).tobytes()
    where = session.trial_truth(query.item_id)
    stroke = {"tool": "brush", "parts": [part_of(query.item_id, where, 1)], "shape": None, "recipe": ""}
    session.submit(query, stroke)
    session.close()
    again = open_survey()
    assert again.pool.image(query.item_id).tobytes() == shown
    assert next(again.queries(1, wait=False)).item_id == query.item_id
    assert (again.mask(query.item_id) == 1).sum() == where.sum()
    again.submit(query, {"rest": "soil"})
    assert again.trials().seen.tolist() == [True]
    assert next(again.queries(1, wait=False)).item_id != query.item_id
    assert again.undo() is not None
    assert len(again.trials()) == 0
    assert next(again.queries(1, wait=False)).item_id == query.item_id
    assert again.redo() is not None
    assert again.trials().seen.tolist() == [True]
    plain = open_survey(injected=None)  # whoever opens the store without it never takes trials for sections
    assert not plain.labels().item_id.str.contains("~").any()
    assert plain.counts()["labelled"] == len(plain.labels())


def test_cannot_tell_is_not_seen_and_a_skip_says_nothing(open_survey: Open) -> None:
    session = open_survey()
    query = first_trial(session)
    session.unsure(query)
    assert session.trials().seen.tolist() == [False]
    session.undo()
    session.skip(query)
    assert session.trials().seen.isna().all()
    assert session.detection().n.tolist() == [0]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(4, 24))
def test_trials_are_in_no_label_training_audit_or_export(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int
) -> None:
    folder = tmp_path_factory.mktemp("trials")
    quick = PixelLearner(ExtraTreesClassifier(4, random_state=0))
    volume = al.Volume(SURVEY.volume.array, axes=SURVEY.volume.axes, name="survey1")
    options: Any = {"learner": quick, "annotator": "ann", "seed": seed, "injected": al.InjectedTargets(rate=0.5)}
    with al.Session(al.SlicePool(volume), TASK, store=folder / "v.db", **options) as opened:
        session: Any = opened
        asked = answer_some(session, n, threshold_db=-20.0, seed=seed)
        trials = {q.item_id for q in asked if q.kind == "injected"}
        labelled = {q.item_id for q in asked} - trials
        assert set(session.labels().item_id) == labelled
        assert set(session.consensus().item_id) == labelled
        assert not trials & set(session.predictions().item_id)
        assert not any(i in trials for i in session.pool.item_ids)
        state = session._state()  # what a training begins with
        assert {session.pool.item_ids[row] for row in state.said} <= labelled
        for row, said in state.said.items():  # a target that was put in is seen and painted, and still is in no mask
            for mask in said.painted:
                truth = TRUTH[session.pool.item_ids[row]]
                assert (mask == truth).all()
        assert not any("~" in item_id for item_id in session._reserve_ids)
        painted = session.label_volume()
        for i, item_id in enumerate(session.pool.item_ids):
            assert (painted[i] == (TRUTH[item_id] if item_id in labelled else 255)).all()
        out = session.export(folder / "masks", "png")
        names = [path.name for path in Path(out).rglob("*")]
        assert names
        assert not any("~" in name for name in names)
        for trial in trials:
            backing = session.trial(trial)
            assert backing.background not in session._reserve_ids


def test_a_page_shows_the_trial_and_its_strokes_stay_with_it(open_survey: Open) -> None:
    session = open_survey()
    query = first_trial(session)
    widget = al.VolumeWidget(session)
    page = FakeVolumePage(widget)
    page.hello()
    assert page.proposal is not None
    assert page.proposal["item_id"] == query.item_id
    assert page.proposal["strategy"] == session.strategy
    index = page.proposal["index"]
    page.send("sections", item_ids=[query.item_id])
    shown = np.frombuffer(page.sections[index], "<f4").reshape(SURVEY.volume.shape[1:])
    np.testing.assert_array_equal(shown, session.pool.image(query.item_id))
    where = session.trial_truth(query.item_id)
    assert page.paint(query.item_id, where, 1)["ok"]
    across = page.stroke(query.item_id, where, 1)
    across["value"]["parts"].append(part_of(session.pool.item_ids[index], where, 1))
    refused = page.send("stroke", **across)
    assert not refused["ok"]
    assert "across" in refused["error"]["message"]

    again = FakeVolumePage(widget)
    told = again.hello()
    assert again.states[query.item_id]["parts"]
    assert told["history"][-1]["item_id"] == query.item_id
    assert again.send("answer", **again.answer(query.item_id))["ok"]
    assert session.trials().seen.tolist() == [True]
    assert session.pool.item_ids[index] not in set(session.labels().item_id)
    widget.close()


def test_the_model_has_an_opinion_of_a_trial_as_of_any_section_and_points_nothing_out(open_survey: Open) -> None:
    session = open_survey(injected=al.InjectedTargets(rate=0.5, free=["survey1/0", "survey1/15"]))
    where = TRUTH["survey1/8"] > 0 if (TRUTH["survey1/8"] > 0).any() else np.eye(72, 64, dtype=bool)
    stroke = {"tool": "brush", "parts": [part_of("survey1/8", where, 1)], "shape": None, "recipe": ""}
    session.submit("survey1/8", stroke)
    session.wait()
    query = first_trial(session)
    session.wait()
    trial = session.trial(query.item_id)
    assert trial is not None
    found, real = session.trial_map(query.item_id), session.section_map(session.pool.index(trial.background))
    assert found is not None
    assert real is not None
    turned = real.classes[:, ::-1] if trial.mirrored else real.classes
    np.testing.assert_array_equal(found.classes, turned)
    assert session.trial_map(trial.background) is None
    widget = al.VolumeWidget(session)
    page = FakeVolumePage(widget)
    page.hello()
    assert page.proposal is not None
    assert page.proposal["item_id"] == query.item_id
    told = page.send("look", index=page.proposal["index"])
    assert told["prediction"]["item_id"] == query.item_id
    np.testing.assert_array_equal(page.predictions[page.proposal["index"]]["classes"], turned)
    widget.close()


def test_what_cannot_be_injected_is_said(open_survey: Open) -> None:
    with pytest.raises(TaskError, match=r"0\.01 to 0\.5"):
        al.InjectedTargets(rate=0.9)
    with pytest.raises(TaskError, match="list of item ids"):
        al.InjectedTargets(free="survey1/3")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="first below the second"):
        al.InjectedTargets(strength_db=(3.0, 3.0))
    with pytest.raises(UnknownItemError):
        open_survey(injected=al.InjectedTargets(free=["survey1/99"]))
    with pytest.raises(SessionError, match="with_axes"):
        open_survey(volume=al.Volume(SURVEY.volume.array), store=":memory:")
    session = open_survey(store=":memory:", injected=al.InjectedTargets(rate=0.5, free=["survey1/3"]))
    with pytest.raises(UnknownItemError):
        session.trial_truth("survey1/3")
    with pytest.raises(UnknownItemError):
        session.mask("survey1/3~00000000")
    assert session.detection().empty
    assert first_trial(session).item_id.startswith("survey1/")
