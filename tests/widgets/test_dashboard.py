"""The dashboard on a real session, outside a kernel: what it shows, when, and that it lets go."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from harness.lab import wait_for

import al_widgets as al
from al_widgets.widgets.dashboard import Dashboard
from al_widgets.widgets.dashboard_refresh import Refresher

SECONDS = 20
# bqplot 0.13 declares its traits in a way that traitlets has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:metadata .* was set from the constructor:DeprecationWarning")


@pytest.fixture
def session(tmp_path) -> Iterator[al.Session]:
    level = np.random.default_rng(0).integers(40, 210, (200, 1, 1))
    pixels = np.clip(level + np.random.default_rng(1).integers(-30, 30, (200, 12, 12)), 0, 255).astype(np.uint8)
    options = {"store": tmp_path / "labels.db", "annotator": "ann", "hourly_rate": 36.0, "batch_size": 10}
    session = al.Session(pixels, ["dark", "bright"], **options)
    yield session
    session.close()


@pytest.fixture
def dashboard(session) -> Iterator[Dashboard]:
    dashboard = Dashboard(session)
    yield dashboard
    dashboard.close()


def label(session: al.Session, n: int) -> None:
    for query in session.queries(limit=n):
        name = "bright" if session.pool.image(query.item_id).mean() > 125 else "dark"
        session.submit(query, name, elapsed_s=2.0)


def shown(dashboard: Dashboard) -> dict[str, str]:
    return {name: value for name, value, _ in dashboard._head.tiles}


def test_dashboard_says_why_there_is_no_figure_when_nothing_is_labelled(dashboard):
    assert shown(dashboard)["Labels"] == "0"
    assert shown(dashboard)["Accuracy"] == "–"
    assert dashboard._captions["Accuracy"].text.startswith("No accuracy yet")
    assert len(dashboard._accuracy._curve.x) == 0
    assert len(dashboard._accuracy._note.text) > 0


def test_dashboard_follows_the_session_without_being_asked(dashboard, session):
    label(session, 6)
    wait_for("six labels in the head line", lambda: shown(dashboard)["Labels"] == "6", SECONDS)
    wait_for("six labels in the bars", lambda: sum(dashboard._classes._bars.y) == 6, SECONDS)
    assert shown(dashboard)["Spent"] == "12 s"


def test_dashboard_changes_its_marks_in_place_when_it_is_refreshed(dashboard, session):
    figure = dashboard._accuracy.figure
    marks, axes = list(figure.marks), list(figure.axes)
    label(session, 4)
    dashboard.refresh()
    assert figure.marks == marks
    assert figure.axes == axes


def test_dashboard_shows_the_sessions_history(dashboard, session):
    label(session, 120)
    session.wait()
    dashboard.refresh()
    history = session.history().dropna(subset=["accuracy"])
    assert len(history) > 0
    assert dashboard._accuracy._curve.y.tolist() == pytest.approx(history.accuracy.tolist())
    assert dashboard._accuracy._band.y.tolist() == [history.low.tolist(), history.high.tolist()]
    assert history.method.iloc[-1] in dashboard._accuracy.figure.title


def test_dashboard_shows_what_went_wrong_and_recovers(dashboard, session, monkeypatch):
    def broken() -> Any:
        raise al.errors.StoreLockedError("another process holds labels.db")

    monkeypatch.setattr(session, "annotations", broken)
    dashboard.refresh()
    assert dashboard._head.problem == "The figures are not up to date: another process holds labels.db"
    monkeypatch.undo()
    dashboard.refresh()
    assert dashboard._head.problem == ""


def test_dashboard_keeps_what_it_showed_when_the_session_is_closed(dashboard, session):
    label(session, 3)
    dashboard.refresh()
    session.close()
    dashboard.refresh()
    assert shown(dashboard)["Labels"] == "3"


def test_dashboard_is_gone_when_it_was_closed_and_the_session_goes_on(session):
    dashboard = Dashboard(session)
    gone = weakref.ref(dashboard)
    dashboard.close()
    dashboard.close()
    label(session, 2)
    del dashboard
    gc.collect()
    assert gone() is None
    assert len(session.labels()) == 2


def test_refresher_serves_many_requests_with_few_runs_and_never_forgets_the_last():
    ran: list[int] = []
    asked = [0]
    done = threading.Event()

    def action() -> None:
        ran.append(asked[0])
        if asked[0] == 1000:
            done.set()

    refresher = Refresher(action, 0.05)
    for number in range(1, 1001):
        asked[0] = number
        refresher.request()
    assert done.wait(SECONDS)
    refresher.close()
    assert len(ran) < 100


def test_refresher_never_runs_twice_at_once():
    inside, most, runs = [0], [0], threading.Semaphore(0)

    def action() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        inside[0] -= 1
        runs.release()

    refresher = Refresher(action, 0.0)
    for _ in range(20):
        threads = [threading.Thread(target=refresher.request) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert runs.acquire(timeout=SECONDS)
    refresher.close()
    assert most[0] == 1


def test_refresher_runs_inline_where_there_are_no_threads(monkeypatch):
    def no_threads(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_threads)
    ran: list[int] = []
    refresher = Refresher(lambda: ran.append(1), 0.0)
    refresher.request()
    assert ran == [1]


def test_refresher_runs_no_more_when_closed():
    ran: list[int] = []
    refresher = Refresher(lambda: ran.append(1), 0.0)
    refresher.close()
    refresher.request()
    assert ran == []
