"""The review gallery's side of the protocol, with a frontend that has no browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import al_widgets as al
from al_widgets.testing.sheet_frontend import SheetFrontend


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[al.Session, al.Session]]:
    images = np.random.default_rng(0).integers(0, 255, (40, 12, 12)).astype(np.uint8)
    options = {"store": tmp_path / "labels.db", "audit": 0}
    with (
        al.Session(images, ["dark", "bright"], annotator="ann", **options) as ann,
        al.Session(images, ["dark", "bright"], annotator="bob", **options) as bob,
    ):
        yield ann, bob


def test_gallery_shows_who_said_what_and_a_relabel_settles_it(two: tuple[al.Session, al.Session]) -> None:
    ann, bob = two
    ids = list(ann.pool.item_ids)
    gallery = al.ReviewGallery(ann)
    page = SheetFrontend(gallery)
    assert "before there are labels" in page.ask()["sheet"]["message"]
    for item_id in ids[:6]:
        ann.submit(item_id, "dark")
    assert "Nothing is in question among 6 labels" in page.ask()["sheet"]["message"]
    bob.submit(ids[2], "bright")
    sheet = page.ask()["sheet"]
    assert [card["item_id"] for card in sheet["cards"]] == [ids[2]]
    assert sheet["left"] == 1
    assert sheet["cards"][0]["said"] == [
        {"annotator": "ann", "mine": True, "kind": "label", "value": "dark"},
        {"annotator": "bob", "mine": False, "kind": "label", "value": "bright"},
    ]
    assert page.buffers[ids[2]]
    batch = page.batch(answers={ids[2]: ("label", "bright")})
    assert page.send("batch", **batch)["ok"]
    row = ann.annotations().iloc[-1]
    assert (row.strategy, row.value, row.annotator) == ("review", "bright", "ann")
    assert page.ask()["sheet"]["cards"] == []
    page.send("batch", **page.undo(batch))
    assert [card["item_id"] for card in page.ask()["sheet"]["cards"]] == [ids[2]]
    gallery.close()


def test_gallery_has_further_pages_of_what_is_in_question(two: tuple[al.Session, al.Session]) -> None:
    ann, bob = two
    for item_id in list(ann.pool.item_ids)[:5]:
        ann.submit(item_id, "dark")
        bob.submit(item_id, "bright")
    gallery = al.ReviewGallery(ann, n=2)
    page = SheetFrontend(gallery)
    first = page.ask()["sheet"]
    assert first["groups"] == [{"name": f"Page {i} of 3", "n": n} for i, n in ((1, 2), (2, 2), (3, 1))]
    shown = [[c["item_id"] for c in page.ask(g["name"])["sheet"]["cards"]] for g in first["groups"]]
    assert [i for items in shown for i in items] == [d.item_id for d in ann.doubts()]
    assert page.ask("Page 7 of 9")["sheet"]["name"] == "Page 3 of 3"  # others settled what was on it
    gallery.close()


def test_gallery_sends_a_sheet_again_only_when_something_has_changed(two: tuple[al.Session, al.Session]) -> None:
    ann, bob = two
    ids = list(ann.pool.item_ids)
    for item_id in ids[:3]:
        ann.submit(item_id, "dark")
        bob.submit(item_id, "bright")
    gallery = al.ReviewGallery(ann)
    page = SheetFrontend(gallery)
    sheet = page.ask()["sheet"]
    have = tuple(card["item_id"] for card in sheet["cards"])
    assert len(have) == 3
    ann.wait()
    rev = page.ask()["sheet"]["rev"]
    assert "sheet" not in page.ask(known=rev, have=have)
    bob.submit(ids[4], "dark")
    again = page.ask(known=rev, have=have)["sheet"]
    assert [card["image"]["buffer"] for card in again["cards"]] == [-1, -1, -1]  # the page has these pictures
    gallery.close()
