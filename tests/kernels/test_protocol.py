"""The wire protocol on the three kernels that differ: 6.31 (main thread), 7.3 (subshell), the installed (out of order).

No page and no server: a client that sends as JupyterLab does. What is checked is read from the database file.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.kernels import KernelPage, started

pytestmark = pytest.mark.kernel

VERSIONS = ["6.31.0", "7.3.0", None]
N = 200
SETUP = """
import numpy as np, ipykernel, al_widgets as al
pixels = np.random.default_rng(0).integers(0, 255, ({n}, 8, 8), dtype=np.uint8)
session = al.Session(pixels, ["dark", "bright"], store={db!r}, annotator="ann", audit=0.2)
widget = al.QueryWidget(session)
print(widget.comm.comm_id, ipykernel.__version__)
"""


class Served:
    """A kernel with a widget, a page of it, and the database file."""

    def __init__(self, page: KernelPage, db: Path) -> None:
        self.page = page
        self.db = db
        page.comm_id, self.version = page.run(SETUP.format(n=N + 20, db=str(db))).split()
        page.open_subshell()

    def entries(self, n: int) -> list[dict[str, object]]:
        """Return `n` different items, with the token of a query: a window holds fewer than a burst needs."""
        token = self.page.ask("hello", replaces=[], have=[], want=1)["entries"][0]["token"]
        ids = self.page.run("print(*session.pool.item_ids, sep='\\n')").split()
        return [{"item_id": item_id, "token": token} for item_id in ids[:n]]

    def rows(self) -> list[tuple[str, int, str, str]]:
        """Return (client, seq, item, value) of all durable events."""
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute("SELECT client, seq, item_id, value FROM al_events ORDER BY seq").fetchall()


@pytest.fixture(params=VERSIONS, ids=lambda v: v or "installed")
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    try:
        opened = started(request.param, tmp_path)
        page = opened.__enter__()
    except RuntimeError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield Served(page, tmp_path / "labels.db")
    finally:
        opened.__exit__(None, None, None)


def test_kernel_is_the_wanted_version(served, request):
    wanted = request.node.callspec.params["served"]
    assert wanted in (None, served.version)


def test_burst_of_answers_is_stored_exactly_when_reordered_and_doubled(served):
    draw = random.Random(7)
    page = served.page
    entries = served.entries(N)
    messages = [page.answer(seq, entry, draw.choice(["dark", "bright"])) for seq, entry in enumerate(entries)]
    sent = messages + draw.sample(messages, N // 5)
    draw.shuffle(sent)
    for message in sent:
        page.post(message)
    page.wait("all are acknowledged", lambda: sum(m["rid"] in page.replies for m in messages) == N, 120)
    for message in messages:
        reply = page.replies[message["rid"]]
        assert reply["ok"], reply
        assert reply["ack"]["event_id"] == message["event_id"]
    wanted = [(page.client_id, m["seq"], m["item_id"], f'"{m["value"]}"') for m in messages]
    assert served.rows() == wanted


def test_burst_of_answers_and_their_undos_in_any_order_leaves_what_stands(served):
    draw = random.Random(8)
    page = served.page
    entries = served.entries(40)
    messages = [page.answer(seq, entry, "dark") for seq, entry in enumerate(entries)]
    undone = draw.sample(messages, 15)
    for at, target in enumerate(undone):
        event_id = f"{page.client_id}-{40 + at}"
        messages.append(
            {
                "kind": "undo",
                "rid": event_id,
                "client": page.client_id,
                "seq": 40 + at,
                "event_id": event_id,
                "annotator": "ann",
                "target": target["event_id"],
                "item_id": target["item_id"],
                "answered_at_ms": target["answered_at_ms"] + 1,
            }
        )
    draw.shuffle(messages)
    for message in messages:
        page.post(message)
    page.wait("all are acknowledged", lambda: all(m["rid"] in page.replies for m in messages), 120)
    assert all(page.replies[m["rid"]]["ok"] for m in messages)
    standing = set(page.run("print(*session.labels().item_id, sep='\\n')").split())
    assert standing == {e["item_id"] for e in entries} - {m["item_id"] for m in undone}
    assert len(served.rows()) == 55


@pytest.mark.parametrize(
    "before", ["", "widget.title = 'set by the cell'; "], ids=["busy", "busy after setting a trait"]
)
def test_answers_during_a_busy_cell_are_durable_as_early_as_the_kernel_can(served, tmp_path, before):
    page = served.page
    entries = served.entries(20)
    flag = tmp_path / "go"
    cell = page.start(
        f"{before}import pathlib, time\nprint('runs')\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.005)"
    )
    page.wait("the cell runs", lambda: "runs" in "".join(page._printed))
    messages = [page.answer(seq, entry, "dark") for seq, entry in enumerate(entries)]
    for message in messages:
        page.post(message)

    def all_acknowledged() -> bool:
        return all(m["rid"] in page.replies for m in messages)

    if page.subshell is not None:
        page.wait("the answers are acknowledged while the cell runs", all_acknowledged)
        assert len(served.rows()) == len(messages)
        assert not page.ended(cell)
    flag.touch()
    page.end(cell)
    page.wait("the answers are acknowledged", all_acknowledged)
    assert len(served.rows()) == len(messages)


def test_malformed_messages_are_refused_with_a_reason_and_harm_nothing(served):
    page = served.page
    entry = served.entries(1)[0]
    good = page.answer(0, entry, "dark")
    bad = [{**good, "rid": "r1", "value": "purple"}, {**good, "rid": "r2", "seq": "0"}, {"kind": "answer", "rid": "r3"}]
    for message in [*bad, good]:
        page.post(message)
    page.wait("all are answered", lambda: {"r1", "r2", "r3", good["rid"]} <= set(page.replies))
    for rid in ("r1", "r2", "r3"):
        assert not page.replies[rid]["ok"]
        assert page.replies[rid]["error"]["message"]
    assert page.replies[good["rid"]]["ok"]
    assert len(served.rows()) == 1
