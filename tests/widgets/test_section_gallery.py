"""The review gallery of a volume: pictures of what differs, worst first, and the way to the volume widget."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import al_widgets as al
from al_widgets.testing.frontend import FakeFrontend
from al_widgets.testing.volume_frontend import FakeVolumePage
from al_widgets.widgets.section_picture import COLOURS, COLUMNS, ROWS, box_around, section_picture

SHAPE = (40, 60)


def block(top: int, left: int, size: int = 10) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[top : top + size, left : left + size] = 1
    return mask


class Page(FakeFrontend):
    """Takes note of the pictures that came last."""

    pictures: list[np.ndarray]

    def _receive(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if "cards" in content:
            self.pictures = [np.asarray(Image.open(io.BytesIO(data))) for data in buffers]
        super()._receive(content, buffers)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[al.Session, al.Session]]:
    array = np.random.default_rng(0).normal(0, 500, (4, *SHAPE)).astype(np.int16)
    axes = (al.Axis("line", "m", 0.5), al.Axis("time", "ns", 0.5), al.Axis("distance", "m", 0.1, 2.0))
    options = {"store": tmp_path / "v.db", "audit": 0}
    task = al.Segmentation(["soil", "mine"])
    with (
        al.Session(al.Volume(array, axes=axes, name="v"), task, annotator="ann", **options) as ann,
        al.Session(al.Volume(array, axes=axes, name="v"), task, annotator="bob", **options) as bob,
    ):
        yield ann, bob


def pixels(picture: np.ndarray, colour: str) -> np.ndarray:
    return (picture == tuple(bytes.fromhex(colour[1:]))).all(axis=-1)


def test_sections_where_masks_differ_are_pictured_worst_first(two: tuple[al.Session, al.Session]) -> None:
    ann, bob = two
    gallery = al.ReviewGallery(ann, n=2)
    page = Page(gallery)
    assert "before a section is finished" in page.send("doubts")["message"]
    for index, (mine, other) in enumerate([(10, 10), (10, 14), (5, 40)]):
        ann.submit(f"v/{index}", block(10, mine))
        bob.submit(f"v/{index}", block(10, other))
    reply = page.send("doubts")
    assert reply["left"] >= 2
    worst, second = reply["cards"]
    assert [worst["item_id"], second["item_id"]] == ["v/2", "v/1"]
    assert [tuple(outline) for outline in worst["outlines"]] == [("ann", COLOURS[0]), ("bob", COLOURS[1])]
    assert worst["why"].startswith("ann and bob overlap by 0%")
    assert worst["where"].startswith("distance 2 to ")
    assert " m · time " in worst["where"]
    first, _ = page.pictures
    assert first.shape == (ROWS, COLUMNS, 3)
    yellow, cyan = (np.flatnonzero(pixels(first, colour).any(axis=0)) for colour in COLOURS)
    assert yellow.max() < cyan.min()  # ann's block lies left of bob's
    gallery.close()


def test_a_card_takes_the_volume_widget_to_its_section(two: tuple[al.Session, al.Session]) -> None:
    ann, _ = two
    gallery = al.ReviewGallery(ann)
    page = FakeFrontend(gallery)
    assert "run al.VolumeWidget" in page.send("visit", item_id="v/3")["message"]
    widget = al.VolumeWidget(ann)
    shown = FakeVolumePage(widget)
    shown.hello(looking_at=0)
    assert "v/3 is shown" in page.send("visit", item_id="v/3")["message"]
    visit = shown.wait_for("the visit", lambda: next((p for p in shown.pushes if p["kind"] == "visit"), None))
    assert visit["index"] == 3
    refused = page.send("visit", item_id="v/9")
    assert not refused["ok"]
    assert "v/9" in refused["error"]["message"]
    widget.close()
    gallery.close()


def test_a_picture_shows_what_differs_and_what_is_around_it() -> None:
    first, second = block(10, 12), block(10, 18)
    top, left, bottom, right = box_around(first, second)
    assert (top, left) < (10, 12)
    assert (bottom, right) > (20, 28)
    assert (bottom - top, right - left) != SHAPE
    assert box_around(first, first) == (0, 0, *SHAPE)
    section = np.zeros(SHAPE)
    section[:, 30:] = 100
    data = section_picture(section, first, np.full(SHAPE, 255, np.uint8), (0, 0, *SHAPE), radar=False)
    picture = np.asarray(Image.open(io.BytesIO(data)))
    rim = pixels(picture, COLOURS[0])
    rows, columns = np.nonzero(rim)
    assert abs(rows.min() - ROWS * 10 / 40) <= 2
    assert abs(columns.max() - COLUMNS * 22 / 60) <= 2
    assert not rim[ROWS * 15 // 40, COLUMNS * 17 // 60]  # what is inside stays to be seen
    assert picture[5, 5].tolist() == [0, 0, 0]
    assert picture[5, -5].tolist() == [255, 255, 255]
