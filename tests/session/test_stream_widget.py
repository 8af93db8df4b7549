"""The query widget and the dashboard on sessions whose items come one by one, or are made."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import al_widgets as al
from al_widgets.session import Ranges
from al_widgets.testing.frontend import FakeFrontend
from al_widgets.widgets.dashboard_source import Reader
from tests.session.test_stream import pictures, scaled


def stream(source: object, **options: object) -> al.StreamSession:
    settings = {"encoder": FunctionTransformer(scaled), "learner": LogisticRegression(), "store": ":memory:", **options}
    return al.StreamSession(source, ["dark", "bright"], **settings)  # type: ignore[arg-type]


def bright(session: al.Session, item_id: str) -> str:
    return "bright" if session.pool.image(item_id).mean() > 125 else "dark"


def test_the_page_is_fed_from_an_iterator_until_the_stream_ends() -> None:
    with stream(pictures(120), budget=0.2, waiting=5) as session:
        widget = al.QueryWidget(session)
        page = FakeFrontend(widget)
        page.hello()
        answered = 0
        while True:
            page.wait_for("an item or the end", lambda: page.window or session.idle()[0] == "done")
            if not page.window:
                break
            reply = page.label(bright(session, page.window[0]["item_id"]))
            assert reply["ok"]
            answered += 1
        counts = session.counts()
        assert answered == counts["asked"] == counts["labelled"]
        assert counts["seen"] == 120
        status = widget._status()
        assert status["state"] == "done"
        assert status["message"].startswith("The stream has ended: 120 seen")
        widget.close()


def test_a_page_that_has_nothing_to_show_is_told_when_a_callback_brings_something() -> None:
    with stream(None, budget=1.0) as session:
        widget = al.QueryWidget(session)
        page = FakeFrontend(widget)
        reply = page.hello()
        assert page.window == []
        assert reply["status"]["state"] == "waiting"
        assert "Nothing to ask at the moment" in reply["status"]["message"]
        assert session.offer(next(pictures(1)))
        page.wait_for("the item", lambda: len(page.window) == 1)
        widget.close()


def test_the_dashboard_says_what_was_seen_asked_let_go_and_what_is_used_of_the_budget() -> None:
    with stream(pictures(100), budget=0.1) as session:
        for query in session.queries():
            session.submit(query, bright(session, query.item_id), elapsed_s=1.0)
        tiles = {tile.name: (tile.value, tile.note) for tile in Reader(session).read().tiles}
        counts = session.counts()
        assert tiles["Seen"] == ("100", f"{counts['asked']} asked, {counts['let_go']} let go")
        assert tiles["Budget used"] == (f"{100 * session.budget_used:.1f} %", "of 10 % of the stream")
        assert "budget used" in repr(session)
        al.Dashboard(session).close()


def test_made_items_are_shown_one_after_the_other() -> None:
    wave = Ranges(
        ((0.0, 1.0),),
        picture=lambda p: (np.outer(np.ones(8), np.sin(np.arange(12) * p[0])) * 90 + 100).astype(np.uint8),
    )
    with al.SynthesisSession(wave, ["calm", "rough"], store=":memory:", precision=0.05) as session:
        widget = al.QueryWidget(session)
        page = FakeFrontend(widget)
        page.hello()
        answers = 0
        while page.window:
            item_id = page.window[0]["item_id"]
            reply = page.label("rough" if session.parameters(item_id)[0] > 0.3 else "calm")
            assert reply["ok"]
            answers += 1
            page.wait_for("an item or the end", lambda: page.window or session.idle()[0] == "done")
        assert answers == 7  # both ends, then log2(1 / 0.05) halvings, rounded up
        low, high = session.brackets().iloc[0][["low", "high"]]
        assert low <= 0.3 < high
        widget.close()
