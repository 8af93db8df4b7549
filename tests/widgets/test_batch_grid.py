"""The batch grid's side of the protocol, with a frontend that has no browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import TaskError
from al_widgets.testing.sheet_frontend import SheetFrontend
from al_widgets.widgets.sheet_wire import Batch


@pytest.fixture
def session(tmp_path: Path) -> Iterator[al.Session]:
    level = np.random.default_rng(0).choice([60, 190], (150, 1, 1))
    images = np.clip(level + np.random.default_rng(1).integers(-30, 30, (150, 12, 12)), 0, 255).astype(np.uint8)
    with al.Session(images, ["dark", "bright"], store=tmp_path / "labels.db", annotator="ann") as session:
        yield session


@pytest.fixture
def open_grid() -> Iterator[Callable[..., al.BatchGrid]]:
    opened: list[al.BatchGrid] = []

    def make(session: al.Session, **options: Any) -> al.BatchGrid:
        opened.append(al.BatchGrid(session, **options))
        return opened[-1]

    yield make
    for grid in opened:
        grid.close()


def teach(session: al.Session, n: int = 12) -> None:
    for query in session.queries(limit=n):
        session.submit(query, truth(session, query.item_id))
    session.wait()


def truth(session: al.Session, item_id: str) -> str:
    return "bright" if session.pool.image(item_id).mean() > 127 else "dark"


def test_grid_waits_for_a_model_and_says_so(session: al.Session, open_grid: Callable[..., al.BatchGrid]) -> None:
    sheet = SheetFrontend(open_grid(session)).ask()["sheet"]
    assert sheet["cards"] == []
    assert "two classes" in sheet["message"]


def test_grid_shows_items_predicted_alike_most_confident_first_and_no_audit_item(
    session: al.Session, open_grid: Callable[..., al.BatchGrid]
) -> None:
    teach(session)
    page = SheetFrontend(open_grid(session))
    sheet = page.ask()["sheet"]
    predicted = session.predictions().set_index("item_id")
    ids = [card["item_id"] for card in sheet["cards"]]
    assert len(ids) == 24
    assert set(predicted.predicted[ids]) == {sheet["name"]} == {card["proposed"] for card in sheet["cards"]}
    confidence = predicted.confidence[ids].tolist()
    assert confidence == sorted(confidence, reverse=True)
    assert all(page.buffers[item_id] for item_id in ids)
    reserve = session._reserve_ids  # nothing public says what is audited before it is answered
    assert reserve
    assert not reserve & set(ids)
    other = next(group["name"] for group in sheet["groups"] if group["name"] != sheet["name"])
    assert {card["proposed"] for card in page.ask(name=other)["sheet"]["cards"]} == {other}
    assert set(session.store.leased().values()) == {page.client}
    assert set(session.store.leased()) == {card["item_id"] for card in page.cards}  # the first sheet was given back


def test_a_batch_is_one_row_an_item_marked_as_anchored_and_shares_its_time(
    session: al.Session, open_grid: Callable[..., al.BatchGrid]
) -> None:
    teach(session)
    page = SheetFrontend(open_grid(session))
    page.ask()
    before = len(session.annotations())
    wrong = page.cards[3]["item_id"]
    batch = page.batch(elapsed_ms=48_000.0, answers={wrong: ("skip", None)})
    assert not page.send("batch", **batch)["ack"]["duplicate"]
    assert page.send("batch", **batch)["ack"]["duplicate"]
    rows = session.annotations().iloc[before:]
    assert len(rows) == 24
    assert set(rows.strategy) == {"grid"}
    assert rows.model_shown.all()
    assert set(rows.elapsed_s) == {2.0}
    assert rows.kind.value_counts().to_dict() == {"label": 23, "skip": 1}
    labels = session.labels().set_index("item_id").label
    assert wrong not in labels.index
    assert all(labels[card["item_id"]] == card["proposed"] for card in page.cards if card["item_id"] != wrong)


def test_a_batch_with_one_bad_answer_writes_nothing(
    session: al.Session, open_grid: Callable[..., al.BatchGrid]
) -> None:
    teach(session)
    page = SheetFrontend(open_grid(session))
    page.ask()
    before = len(session.annotations())
    batch: Batch = page.batch(answers={page.cards[20]["item_id"]: ("label", "purple")})
    reply = page.send("batch", **batch)
    assert not reply["ok"]
    assert not reply["error"]["retry"]
    assert "purple" in reply["error"]["message"]
    assert len(session.annotations()) == before
    batch["events"][1]["seq"] += 1
    assert page.send("batch", **batch)["error"]["type"] == "TaskError"


def test_a_batch_is_undone_as_a_whole_and_its_items_are_open_again(
    session: al.Session, open_grid: Callable[..., al.BatchGrid]
) -> None:
    teach(session)
    page = SheetFrontend(open_grid(session))
    page.ask()
    ids = {card["item_id"] for card in page.cards}
    labelled = set(session.labels().item_id)
    batch = page.batch()
    page.send("batch", **batch)
    assert set(session.labels().item_id) == labelled | ids
    page.send("batch", **page.undo(batch))
    assert set(session.labels().item_id) == labelled
    assert {card["item_id"] for card in page.ask()["sheet"]["cards"]} == ids


def test_items_of_a_grid_are_not_asked_elsewhere(session: al.Session, open_grid: Callable[..., al.BatchGrid]) -> None:
    teach(session)
    page = SheetFrontend(open_grid(session))
    page.ask()
    ids = {card["item_id"] for card in page.cards}
    asked = {query.item_id for query in session.draw("someone else", 200)}
    assert asked
    assert not asked & ids


def test_items_of_a_page_that_fell_silent_are_given_back(
    session: al.Session, open_grid: Callable[..., al.BatchGrid], monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(session)
    grid = open_grid(session)
    page = SheetFrontend(grid)
    page.ask()
    assert set(session.store.leased().values()) == {page.client}
    monkeypatch.setattr("al_widgets.widgets.session_widget.LEASE_S", -1.0)
    grid._push({"labels"})  # what the session's next change brings about
    assert session.store.leased() == {}


@pytest.mark.parametrize("n", [0, 101, 2.5, True])
def test_grid_refuses_a_size_that_makes_no_sense(session: al.Session, n: Any) -> None:
    with pytest.raises(TaskError, match="1 to 100"):
        al.BatchGrid(session, n)


def test_a_holder_may_keep_more_than_it_asks_for(session: al.Session) -> None:
    teach(session)
    drawn = session.draw_alike("page", 24)
    have = [query.item_id for query in drawn.queries]
    again = session.draw_alike("page", 0, have=have)
    assert again.queries == ()
    assert set(session.store.leased()) == set(have)


def test_a_grid_on_a_stream_shows_what_waits_and_no_context(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bright = rng.integers(2, size=500)
    pictures = np.clip(rng.normal(60, 20, (500, 8, 8)) + 120 * bright[:, None, None], 0, 255).astype(np.uint8)
    stream = al.StreamSession(iter(pictures), ["dark", "bright"], store=tmp_path / "stream.db", budget=0.5)
    try:
        for query in stream.queries(limit=16):
            stream.submit(query, "bright" if stream.pool.image(query.item_id).mean() > 120 else "dark")
        stream.wait()
        drawn = stream.draw_alike("page", 24)
        assert all(query.item_id for query in drawn.queries)
        assert "300" not in repr(stream).split("items")[0]
    finally:
        stream.close()
