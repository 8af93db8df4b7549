"""Grid and gallery on the kernels that differ: a sheet is stored as a whole and once, an item that is settled leaves the gallery."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from harness.kernels import KernelPage, started

pytestmark = pytest.mark.kernel

SETUP = """
import numpy as np, al_widgets as al
rng = np.random.default_rng(0)
pixels = np.clip(rng.choice([60, 190], (90, 1, 1)) + rng.integers(-30, 30, (90, 8, 8)), 0, 255).astype(np.uint8)
options = dict(store={db!r}, audit=0)
session = al.Session(pixels, ["dark", "bright"], annotator="ann", **options)
for n, item_id in enumerate(session.pool.item_ids[:20]):
    session.submit(item_id, "bright" if (pixels[n].mean() > 125) != (n == 7) else "dark")  # the eighth is wrong
session.wait()
grid, gallery = al.BatchGrid(session), al.ReviewGallery(session)
print(grid.comm.comm_id, gallery.comm.comm_id)
"""


def batch(page: KernelPage, first: int, answers: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    now_ms = time.time() * 1000
    events = [
        {
            "seq": first + n,
            "event_id": f"{page.client_id}-{first + n}",
            "item_id": card["item_id"],
            "answer": "label",
            "value": value,
            "note": "",
            "token": card["token"],
            "target": None,
            "elapsed_ms": 500.0,
        }
        for n, (card, value) in enumerate(answers)
    ]
    return {
        "kind": "batch",
        "rid": str(events[0]["event_id"]),
        "client": page.client_id,
        "seq": first,
        "event_id": events[0]["event_id"],
        "shown_at_ms": now_ms - 1000,
        "answered_at_ms": now_ms,
        "model_shown": True,
        "events": events,
    }


@pytest.mark.parametrize("version", ["6.31.0", "7.3.0", None], ids=lambda v: v or "installed")
def test_a_sheet_is_stored_once_and_what_is_settled_leaves_the_gallery(version: str | None, tmp_path: Path) -> None:
    db = tmp_path / "labels.db"
    try:
        opened = started(version, tmp_path)
        page = opened.__enter__()
    except RuntimeError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        grid, gallery = page.run(SETUP.format(db=str(db))).split()
        page.comm_id = grid
        page.open_subshell()
        cards = page.ask("sheet", replaces=[], name=None, known=0, have=[])["sheet"]["cards"]
        assert len(cards) == 24
        other = {"dark": "bright", "bright": "dark"}
        wrong = {cards[3]["item_id"], cards[9]["item_id"]}
        said = [(c, other[c["proposed"]] if c["item_id"] in wrong else c["proposed"]) for c in cards]
        message = batch(page, 0, said)
        for _ in range(3):  # sent again and again, as a page does that has heard nothing
            page.post(message)
        page.wait("the acknowledgement", lambda: page.replies.get(message["rid"]))
        page.run("session.wait()")
        with sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=10) as connection:
            rows = connection.execute(
                "SELECT item_id, value FROM al_events WHERE client = ?", (page.client_id,)
            ).fetchall()
        assert {i: v.strip('"') for i, v in rows} == {c["item_id"]: value for c, value in said}
        assert len(rows) == 24

        page.comm_id = gallery
        sheet = page.ask("sheet", replaces=[], name=None, known=0, have=[])["sheet"]
        doubted = {c["item_id"] for c in sheet["cards"]}
        assert wrong <= doubted
        card = next(c for c in sheet["cards"] if c["item_id"] in wrong)
        settle = batch(page, 24, [(card, other[card["proposed"]])])
        page.post(settle)
        page.wait("the acknowledgement", lambda: page.replies.get(settle["rid"]))
        left = page.ask("sheet", replaces=[], name=None, known=0, have=[])["sheet"]["cards"]
        assert card["item_id"] not in {c["item_id"] for c in left}
    finally:
        opened.__exit__(None, None, None)
