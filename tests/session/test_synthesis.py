"""Queries that are made: bisection against drawing, blends for people, known truth, and what must never mix with real items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import al_widgets as al
from al_widgets.errors import SessionError, StoreMismatchError, StrategyError, UnknownItemError
from al_widgets.records import Annotation
from al_widgets.session import Blends, Echoes, Midpoints, Ranges, UniformPixels, answerable_share
from al_widgets.session.reality import Judge, Reality
from tests.session.conftest import CLASSES, Digits

Open = Callable[..., al.SynthesisSession]


@pytest.fixture
def open_synthesis(tmp_path: Path) -> Iterator[Open]:
    opened: list[al.SynthesisSession] = []

    def make(generator: Any, classes: Any = ("below", "above"), **options: Any) -> al.SynthesisSession:
        options = {"store": tmp_path / "made.db", "annotator": "ann", **options}
        session = al.SynthesisSession(generator, list(classes), **options)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


def gap(session: al.SynthesisSession) -> float:
    """Width of the interval that answers leave for a threshold, as a share of the range."""
    labels = session.labels()
    at = np.array([session.parameters(i)[0] for i in labels.item_id])
    below = labels.label.to_numpy() == "below"
    return float(min(at[~below], default=1.0) - max(at[below], default=0.0))


def test_bisection_beats_drawing_by_what_theory_says(open_synthesis: Open) -> None:
    """n answers leave 2^(2-n) by bisection (two are the ends), about 2/(n+1) by drawing at random."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"bisect": [], "random": []}
    for threshold in rng.uniform(0.05, 0.95, 12):
        for strategy, gaps in found.items():
            session = open_synthesis([(0.0, 1.0)], strategy=strategy, precision=1e-9, store=":memory:", seed=len(gaps))
            n = session.run(lambda p, t=threshold: "above" if p[0] > t else "below", limit=14)
            assert n == 14
            gaps.append(gap(session))
            session.close()
    assert found["bisect"] == pytest.approx([2.0**-12] * 12)
    assert 0.5 / 15 < np.mean(found["random"]) < 4 / 15
    assert np.mean(found["random"]) > 200 * np.mean(found["bisect"])


def test_bisection_ends_at_its_precision_and_says_where_the_boundary_is(open_synthesis: Open) -> None:
    session = open_synthesis([(20.0, 120.0)], precision=0.001)
    n = session.run(lambda p: "above" if p[0] > 77.7 else "below")
    assert n == 2 + 10
    brackets = session.brackets()
    assert brackets.columns.tolist() == ["low", "high", "answer_low", "answer_high"]
    row = brackets.iloc[0]
    assert row.low <= 77.7 < row.high
    assert row.high - row.low <= 0.1
    assert (row.answer_low, row.answer_high) == ("below", "above")
    assert session.idle()[0] == "done"


def test_what_cannot_be_told_is_a_zone_with_two_ends_of_its_own(open_synthesis: Open) -> None:
    session = open_synthesis([(0.0, 1.0)], precision=0.01)
    session.run(lambda p: None if 0.4 < p[0] < 0.45 else "above" if p[0] >= 0.45 else "below", limit=60)
    brackets = session.brackets()
    assert brackets.answer_low.tolist() == ["below", None]
    assert brackets.high.iloc[0] == pytest.approx(0.4, abs=0.02)
    assert brackets.high.iloc[1] == pytest.approx(0.45, abs=0.02)
    assert session.dropped == ""  # an experiment may have such zones


def test_lines_between_opposites_are_bisected_in_many_dimensions(open_synthesis: Open) -> None:
    session = open_synthesis([(0.0, 1.0)] * 5, strategy="bisect", precision=0.002, learner=LogisticRegression())
    weights = np.array([1.0, -2.0, 0.5, 1.5, -1.0])
    session.run(lambda p: "above" if (p - 0.5) @ weights > 0.1 else "below", limit=60)
    brackets = session.brackets()
    assert len(brackets) >= 4
    for low, high in zip(brackets.low, brackets.high, strict=True):
        assert ((low - 0.5) @ weights - 0.1) * ((high - 0.5) @ weights - 0.1) <= 0
    narrow = [np.linalg.norm(h - lo) <= 0.002 for lo, h in zip(brackets.low, brackets.high, strict=True)]
    assert sum(narrow) >= len(brackets) - 1  # the last line may be on its way


def test_climbing_the_uncertainty_learns_a_region_better_than_drawing(open_synthesis: Open) -> None:
    def inside(p: np.ndarray) -> str:
        return "above" if (p[0] - 0.55) ** 2 + (p[1] / 2 - 0.45) ** 2 < 0.09 else "below"

    grid = np.random.default_rng(5).random((3_000, 2))
    wanted = np.array([inside(point * [1, 2]) for point in grid])
    right = {}
    for strategy in ("climb", "random"):
        scores = []
        for seed in range(3):
            session = open_synthesis(
                [(0.0, 1.0), (0.0, 2.0)], strategy=strategy, store=":memory:", seed=seed, batch_size=2
            )
            session.run(inside, limit=40)
            session.wait(60)
            assert session.snapshot is not None
            assert session.snapshot.learner is not None
            predicted = session.snapshot.learner.predict_proba((8 * (grid - 0.5)).astype(np.float32)).argmax(axis=1)
            scores.append(float((np.array(["below", "above"])[predicted] == wanted).mean()))
            session.close()
        right[strategy] = float(np.mean(scores))
    assert right["climb"] > 0.93
    assert right["climb"] > right["random"]


def test_climbing_shuns_what_could_not_be_told(open_synthesis: Open) -> None:
    """40 % of the square cannot be told, and the boundary runs on into it: of random points 40 % cannot be told either."""

    def oracle(p: np.ndarray) -> str | None:
        return None if p[1] > 0.6 else "above" if p[0] > 0.5 else "below"

    late: list[str] = []
    for seed in range(3):
        session = open_synthesis([(0.0, 1.0)] * 2, strategy="climb", store=":memory:", batch_size=4, seed=seed)
        session.run(oracle, limit=80)
        late += session.annotations().kind.tolist()[-40:]
    assert late.count("unsure") / len(late) < 0.33


def test_the_pictures_that_can_be_answered_are_the_blends_and_not_the_most_informative() -> None:
    """E1: the answerable share of each generator on scikit-learn's digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), [str(t) for t in digits.target]
    shares = {
        "real": answerable_share(images[::6], images, labels),
        "uniform": answerable_share(UniformPixels((8, 8), 16), images, labels),
        "midpoint": answerable_share(Midpoints(images, labels), images, labels),
        "blend": answerable_share(Blends(images, labels), images, labels),
    }
    assert shares["uniform"] <= 0.05
    assert 0.1 <= shares["midpoint"] <= 0.4
    assert shares["blend"] >= 0.75
    assert shares["real"] >= 0.95
    middles = np.stack([Midpoints(images, labels).make(np.array([u])) for u in np.linspace(0, 1, 50)])
    assert Reality(images).likely(middles).mean() > 0.9  # a density filter does not see the trap


def test_people_are_asked_blends_and_a_generator_nobody_can_answer_is_given_up(
    open_synthesis: Open, digits: Digits
) -> None:
    from sklearn.datasets import load_digits

    everything = load_digits()
    judge = Judge(everything.images, [str(t) for t in everything.target])

    def answer(session: al.SynthesisSession, limit: int) -> None:
        for query in session.queries(limit):
            sure = judge.probabilities(session.pool.image(query.item_id)[None])[0]
            if sure.max() >= 0.8:
                session.submit(query, CLASSES[int(sure.argmax())])
            else:
                session.unsure(query)

    blends = open_synthesis(Blends(digits.images, digits.targets), CLASSES, store=":memory:", batch_size=4)
    answer(blends, 16)
    blends.wait(60)
    assert blends.counts()["labelled"] >= 14
    assert blends.dropped == ""
    assert blends.snapshot is not None
    assert blends.snapshot.n_trained == 300 + blends.counts()["labelled"]  # the real pictures behind them count too
    middles = open_synthesis(Midpoints(digits.images, digits.targets), CLASSES, store=":memory:", batch_size=4)
    answer(middles, 20)
    assert middles.dropped.startswith("People could not tell 4 of the last")
    assert middles.idle() == ("done", middles.dropped)
    assert middles.draw("me", 5) == []
    assert len(middles.annotations()) < 20


def test_blends_come_nearer_to_the_real_picture_when_people_cannot_tell(open_synthesis: Open, digits: Digits) -> None:
    session = open_synthesis(Blends(digits.images, digits.targets), CLASSES, store=":memory:", strategy="random")
    queries = session.queries()
    for _ in range(3):
        session.unsure(next(queries))
    shares = []
    for _ in range(6):
        query = next(queries)
        shares.append(session.parameters(query.item_id)[1])
        session.submit(query, "1")
    assert session.dropped == ""
    assert max(shares[2:]) <= 0.25 * 0.85**3 + 1e-9


def test_echoes_have_a_truth_and_a_shape_that_follows_from_the_parameters(open_synthesis: Open) -> None:
    echoes = Echoes(seed=1)
    assert echoes.truth(np.array([0.1, 0.5, 5.0, 0.0, 0.1])) == "empty"
    loud = np.array([0.1, 0.5, 5.0, 30.0, 0.9])
    assert echoes.truth(loud) == "target"
    picture = echoes.make(loud)
    assert np.array_equal(picture, echoes.make(loud))
    empty = echoes.make(np.array([0.1, 0.5, 5.0, 30.0, 0.0]))
    assert picture.shape == empty.shape == (128, 96)
    strongest = np.abs(picture).argmax(axis=0)
    assert strongest[48] < strongest[43] < strongest[38]  # the apex lies where it was put, the flanks come later
    assert strongest[48] < strongest[53] < strongest[58]
    deeper = np.abs(echoes.make(np.array([0.15, 0.5, 5.0, 30.0, 0.9]))).argmax(axis=0)
    assert deeper[47] > strongest[47]
    with pytest.raises(SessionError, match="share of empty sections"):
        Echoes(catch=1.0)
    session = open_synthesis(echoes, ["target", "empty"], store=":memory:", strategy="random")
    for query in session.queries(limit=10):
        session.submit(query, echoes.truth(session.parameters(query.item_id)))
    session.wait(60)
    assert session.counts()["labelled"] == 10
    assert not session.last_error


def test_a_threshold_of_detection_is_bisected_with_pictures(open_synthesis: Open) -> None:
    echoes = Echoes(seed=2)

    def section(p: np.ndarray) -> np.ndarray:
        return np.asarray(echoes.make(np.array([0.1, 0.5, 5.0, p[0], 1.0])))

    quiet = np.abs(section(np.array([-40.0]))).max()
    strength = Ranges(((-20.0, 40.0),), ("strength_db",), picture=section)
    session = open_synthesis(strength, ["seen", "not seen"], precision=0.02)
    for query in session.queries():
        seen = np.abs(session.pool.image(query.item_id)).max() > 2 * quiet
        session.submit(query, "seen" if seen else "not seen")
    bracket = session.brackets().iloc[0]
    assert bracket.high - bracket.low <= 0.02 * 60
    assert (bracket.answer_low, bracket.answer_high) == ("not seen", "seen")


@settings(max_examples=8, deadline=None)
@given(threshold=st.floats(0.1, 0.9), cut=st.integers(1, 11))
def test_a_session_resumes_from_its_store_and_goes_on_as_if_nothing_had_happened(threshold: float, cut: int) -> None:
    import tempfile

    def oracle(p: np.ndarray) -> str:
        return "above" if p[0] > threshold else "below"

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "made.db"
        with al.SynthesisSession([(0.0, 1.0)], ["below", "above"], store=store, precision=0.001) as first:
            first.run(oracle, limit=cut)
        with al.SynthesisSession([(0.0, 1.0)], ["below", "above"], store=store, precision=0.001) as second:
            assert second.counts()["labelled"] == cut
            assert second.run(oracle) == 12 - cut
            assert gap(second) == pytest.approx(2.0**-10)


def test_made_items_measure_nothing_and_cannot_get_among_real_ones(
    open_synthesis: Open, digits: Digits, tmp_path: Path
) -> None:
    session = open_synthesis(Blends(digits.images, digits.targets), CLASSES, strategy="random", batch_size=20)
    for query in session.queries(limit=12):
        assert query.kind == "new"
        session.submit(query, "3")
    assert session.accuracy.value is None
    assert session.accuracy.why.startswith("Made items do not measure")
    labels = session.labels()
    assert labels.made.all()
    assert not labels.audit.any()
    made = labels.item_id.tolist()
    session.close()
    with pytest.raises(StoreMismatchError):
        al.Session(digits.images, CLASSES, store=tmp_path / "made.db")
    with al.Session(digits.images, CLASSES, store=tmp_path / "real.db") as real:
        assert not set(made) & set(real.pool.item_ids)
        for item_id in made:
            with pytest.raises(UnknownItemError):
                real.submit(item_id, "3")
            with pytest.raises(UnknownItemError):
                real.record(Annotation(f"e-{item_id}", item_id, "ann", "label", "3", "page", 0))
        real.submit(real.pool.item_ids[0], "3")
        assert len(real.labels()) == 1
    with pytest.raises(StoreMismatchError):
        open_synthesis([(0.0, 1.0)], CLASSES, store=tmp_path / "real.db")


def test_settings_that_make_no_sense_are_refused(open_synthesis: Open, digits: Digits) -> None:
    with pytest.raises(SessionError, match="a range is"):
        open_synthesis([(1.0, 1.0)])
    with pytest.raises(SessionError, match="is no generator"):
        open_synthesis("everything")
    with pytest.raises(StrategyError, match="auto, bisect, climb, random"):
        open_synthesis([(0.0, 1.0)], strategy="guess")
    with pytest.raises(SessionError, match="precision is a share"):
        open_synthesis([(0.0, 1.0)], precision=0.0)
    with pytest.raises(SessionError, match="beyond a quarter"):
        Blends(digits.images, digits.targets, share=0.5)
    with pytest.raises(SessionError, match="two classes or more"):
        Blends(digits.images, ["1"] * 300)
    with pytest.raises(SessionError, match="classes that are not in the task"):
        open_synthesis(Blends(digits.images, digits.targets), ["0", "1"])
    session = open_synthesis([(0.0, 1.0)])
    with pytest.raises(UnknownItemError):
        session.parameters("made/7")
