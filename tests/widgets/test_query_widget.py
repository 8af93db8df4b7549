"""The query widget's side of the protocol, with a frontend that has no browser."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import al_widgets as al
from al_widgets.errors import TaskError
from al_widgets.testing.frontend import FakeFrontend

Open = Callable[..., al.QueryWidget]


def bright(widget: al.QueryWidget, item_id: str) -> str:
    return "bright" if widget.session.pool.image(item_id).mean() > 127 else "dark"


def test_hello_gives_items_with_pixels_status_and_history(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    reply = page.hello()
    assert reply["ok"]
    assert len(page.window) == 4
    assert reply["status"]["state"] == "cold"
    assert reply["status"]["counts"]["total"] == 200
    assert reply["history"] == []
    assert all(page.buffers[e["item_id"]] for e in page.window)


def test_answers_are_durable_before_they_are_acknowledged_and_the_window_is_refilled(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    for n in range(10):
        item_id = page.window[0]["item_id"]
        reply = page.label(bright(widget, item_id))
        assert reply["ack"] == {
            "event_id": f"{page.client}-{n}",
            "duplicate": False,
            "durable_ms": reply["ack"]["durable_ms"],
        }
        assert len(page.window) == 4
    row = widget.session.annotations().iloc[0]
    assert (row.kind, row.elapsed_s, row.model_shown, row.client) == ("label", 1.0, True, page.client)
    assert len(widget.session.labels()) == 10


def test_bursts_that_are_reordered_doubled_and_overlapping_are_kept_once(open_widget: Open) -> None:
    widget = open_widget(audit=0)
    page = FakeFrontend(widget, want=50)
    page.hello()
    messages = [page.message("label", bright(widget, page.window[0]["item_id"]), have=[], want=0) for _ in range(50)]
    burst = [*messages, *messages[::2]]
    random.Random(3).shuffle(burst)
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda pair: page.send("answer", rid=f"b{pair[0]}", **pair[1]), enumerate(burst)))
    assert all(r["ok"] for r in replies)
    assert sum(not r["ack"]["duplicate"] for r in replies) == 50
    assert len(widget.session.labels()) == len(widget.session.annotations()) == 50


def test_an_answer_resent_to_the_next_kernel_is_acknowledged_and_not_doubled(open_widget: Open) -> None:
    page = FakeFrontend(open_widget())
    page.hello()
    message = page.message("label", "dark")
    page.send("answer", **message)
    late = page.message("label", "bright")
    other = FakeFrontend(open_widget(), client=page.client)
    assert other.send("answer", **message)["ack"]["duplicate"]
    assert not other.send("answer", **late)["ack"]["duplicate"]
    assert len(other.widget.session.annotations()) == 2


def test_undo_and_redo_go_through_the_log(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    item_id = page.window[0]["item_id"]
    page.label("dark")
    page.undo(f"{page.client}-0", item_id)
    assert widget.session.labels().empty
    page.undo(f"{page.client}-1", item_id)
    assert widget.session.labels().item_id.tolist() == [item_id]
    history = page.send("history", limit=10)["history"]
    assert [(h["item_id"], h["value"], h["undone"]) for h in history] == [(item_id, "dark", False)]


def test_a_new_ranking_is_pushed_and_keeps_what_is_on_the_screen(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    for _ in range(12):
        page.label(bright(widget, page.window[0]["item_id"]))
    widget.session.wait(60)
    push = page.wait_for(
        "a new ranking", lambda: next((p for p in reversed(page.pushes) if p["kind"] == "queue" and p["replace"]), None)
    )
    assert push["client"] == page.client
    assert 1 <= len(push["keep"]) <= 2
    assert len({e["item_id"] for e in page.window}) == len(page.window) >= 3
    asked = page.wait_for("an opinion", lambda: [e for e in page.window if e["probabilities"]])
    assert {p["name"] for p in asked[0]["probabilities"]} == {"dark", "bright"}
    assert {e["strategy"] for e in page.window} == {"auto"}


def test_two_pages_of_one_session_never_hold_the_same_item(open_widget: Open) -> None:
    widget = open_widget()
    first, second = FakeFrontend(widget), FakeFrontend(widget)
    first.hello()
    second.hello()
    assert not {e["item_id"] for e in first.window} & {e["item_id"] for e in second.window}


def test_a_reloaded_page_gets_the_items_back_that_it_held(open_widget: Open) -> None:
    widget = open_widget()
    old = FakeFrontend(widget)
    old.hello()
    new = FakeFrontend(widget)
    new.hello(replaces=(old.client,))
    assert [e["item_id"] for e in new.window] == [e["item_id"] for e in old.window]


def test_unreadable_pictures_are_replaced_and_told(open_widget: Open, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(10):
        Image.fromarray(np.full((8, 8), i * 20, np.uint8)).save(folder / f"{i}.png")
        (folder / f"torn{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    widget = open_widget(folder, audit=0)
    page = FakeFrontend(widget, want=10)
    page.hello()
    assert sorted(e["item_id"] for e in page.window) == [f"{i}.png" for i in range(10)]
    told = page.wait_for("the strip", lambda: [p["problem"] for p in page.pushes if "problem" in p])
    assert "torn" in told[0]["message"]


def test_pool_exhausted_is_said(open_widget: Open) -> None:
    widget = open_widget(np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4))
    page = FakeFrontend(widget)
    page.hello()
    for _ in range(3):
        reply = page.label("dark")
    assert reply["status"]["state"] == "done"
    assert page.window == []


def test_classes_can_be_added_and_are_rendered_as_they_are(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    name = "<img src=x onerror=alert(1)>"
    assert page.send("add_class", name=name)["status"]["classes"] == ["dark", "bright", name]
    assert page.label(name)["ok"]


def test_malformed_messages_get_an_answer_and_do_no_harm(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    heard: list[Any] = []
    from al_widgets.testing.frontend import listen

    listen(widget, lambda content, _: heard.append(content))
    for content in (
        None,
        3,
        [],
        {},
        {"kind": "answer"},
        {"kind": "drop tables", "rid": "x"},
        {"kind": "hello", "rid": 4},
    ):
        widget._handle_custom_msg(content, [])
    bad = page.send("answer", **page.message("label", "cow"))
    assert not bad["ok"]
    assert bad["error"] == {"type": "TaskError", "message": bad["error"]["message"], "retry": False}
    unknown = page.send("show", item_id="../../etc/passwd")
    assert unknown["error"]["type"] == "UnknownItemError"
    assert sum(m["kind"] == "reply" and not m["ok"] for m in heard) == 9
    assert widget.session.annotations().empty


def test_a_forged_token_cannot_take_an_item_out_of_the_audit(open_widget: Open) -> None:
    widget = open_widget(audit=0.5)
    page = FakeFrontend(widget, want=20)
    page.hello()
    while page.window:
        page.label("dark", token="Zm9yZ2Vk", want=0)
    labels = widget.session.labels()
    assert abs(2 * labels.audit.sum() - len(labels)) <= 2
    assert set(widget.session.annotations().strategy) == {"unknown"}


def test_closing_the_session_says_so_on_the_page(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    widget.session.close("It was closed for a test.")
    page.wait_for(
        "the word",
        lambda: [p for p in page.pushes if p.get("problem", {}).get("message") == "It was closed for a test."],
    )
    reply = page.label("dark")
    assert reply["error"]["type"] == "SessionClosedError"


def test_pictures_that_the_page_has_do_not_travel_again(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget, want=8)
    page.hello()
    for _ in range(25):
        page.label(bright(widget, page.window[0]["item_id"]))
    widget.session.wait(60)
    page.wait_for("an opinion", lambda: any(e["probabilities"] for e in page.window))
    entries = [e for p in page.pushes if p["kind"] == "queue" for e in p["entries"]]
    spared = [e for e in entries if e["image"]["buffer"] < 0]
    assert spared
    assert all(e["item_id"] in page.buffers and e["image"]["width"] == 12 for e in spared)
    lost = page.window[-1]["item_id"]
    page.send("bad_image", item_id=lost, reason="the picture's bytes did not arrive")
    if lost in {e["item_id"] for e in spared}:
        assert widget.session.problems().empty


def test_a_page_that_was_replaced_gives_its_items_back_for_good(open_widget: Open) -> None:
    widget = open_widget(np.arange(24 * 16, dtype=np.uint8).reshape(24, 4, 4))
    old = FakeFrontend(widget, want=8)
    old.hello()
    other = al.QueryWidget(widget.session)
    new = FakeFrontend(other, want=8)
    new.hello(replaces=(old.client,))
    for n in range(24):
        new.wait_for("an item", lambda: new.window or new.send("refill", have=[], want=8)["entries"])
        if not new.window:
            new.hello()
        reply = new.label("dark" if n % 2 else "bright")
    widget.session.wait(60)
    assert reply["ok"]
    assert len(widget.session.labels()) == 24
    assert new.send("refill", have=[], want=8)["status"]["state"] == "done"
    other.close()


def test_a_page_that_falls_silent_gives_its_items_back(open_widget: Open, monkeypatch: Any) -> None:
    widget = open_widget(np.arange(12 * 16, dtype=np.uint8).reshape(12, 4, 4))
    silent, other = FakeFrontend(widget, want=6), FakeFrontend(widget, want=6)
    silent.hello()
    other.hello()
    widget._last_heard[silent.client] -= 1000
    for _ in range(6):
        other.label("dark")
    assert len({e["item_id"] for e in other.window} & {e["item_id"] for e in silent.window}) == 6


def test_an_answer_that_meets_a_closed_session_is_to_be_sent_again(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    message = page.message("label", "dark")
    widget.session.close()
    error = page.send("answer", **message)["error"]
    assert (error["type"], error["retry"]) == ("SessionClosedError", True)
    assert FakeFrontend(open_widget()).send("answer", **{**message, "rid": "again"})["ack"]


def test_a_picture_that_is_missed_twice_is_not_set_aside(open_widget: Open) -> None:
    widget = open_widget()
    page = FakeFrontend(widget)
    page.hello()
    item_id = page.window[-1]["item_id"]
    widget._windows[page.client][item_id]["buffer"] = -1
    for _ in range(2):
        page.send("bad_image", item_id=item_id, reason="the picture's bytes did not arrive")
    assert widget.session.problems().empty


def test_turns_of_the_interpreter_are_short_only_while_a_message_is_dealt_with(open_widget: Open) -> None:
    before = sys.getswitchinterval()
    widget = open_widget(audit=0)
    page = FakeFrontend(widget, want=20)
    page.hello()
    messages = [page.message("label", "dark", have=[], want=0) for _ in range(20)]
    during: list[float] = []
    widget.session.subscribe(lambda change: during.append(sys.getswitchinterval()) if change == "labels" else None)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: page.send("answer", rid=f"t{pair[0]}", **pair[1]), enumerate(messages)))
    assert max(during) < before
    assert sys.getswitchinterval() == before


def test_a_session_of_masks_is_sent_to_the_widget_that_shows_it(tmp_path):
    volume = al.Volume(np.zeros((3, 8, 8), np.int16))
    session = al.Session(al.SlicePool(volume), al.Segmentation(["soil", "mine"]), store=tmp_path / "v.db", audit=0)
    with pytest.raises(TaskError, match=r"al\.VolumeWidget\(session\) shows one whose task is al\.Segmentation"):
        al.QueryWidget(session)
    session.close()
