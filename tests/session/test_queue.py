"""The serving queue: ranking first, audits in between, everything once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from al_widgets.session.queue import ServingQueue
from al_widgets.session.snapshot import Ranked


def serve_all(queue: ServingQueue, size: int, chunk: int) -> list[tuple[int, str]]:
    served: list[tuple[int, str]] = []
    gone: set[int] = set()

    def free(row: int) -> bool:
        return row not in gone

    while picks := queue.pick(chunk, len(gone), free):
        served += [(p.row, p.kind) for p in picks]
        gone |= {p.row for p in picks}
        assert len(served) <= size
    return served


@given(st.integers(1, 200), st.just(0.0) | st.floats(0.01, 0.5), st.integers(0, 5), st.integers(1, 7), st.data())
def test_queue_serves_every_item_once_whatever_the_chunk(
    size: int, audit: float, seed: int, chunk: int, data: st.DataObject
) -> None:
    reserve = data.draw(st.lists(st.integers(0, size - 1), unique=True, max_size=size))
    queue = ServingQueue(size, reserve, audit, seed)
    served = serve_all(queue, size, chunk)
    assert sorted(row for row, _ in served) == list(range(size))
    assert {row for row, kind in served if kind == "audit"} == set(reserve)


def test_queue_spends_the_audit_share_in_every_block_at_hidden_places() -> None:
    queue = ServingQueue(1000, range(0, 1000, 4), 0.2, seed=3)
    kinds = [kind for _, kind in serve_all(queue, 1000, 1)][:500]
    blocks = [kinds[i : i + 5] for i in range(0, 500, 5)]
    assert all(block.count("audit") == 1 for block in blocks)
    assert {block.index("audit") for block in blocks} == {0, 1, 2, 3, 4}


def test_queue_serves_the_ranking_before_the_random_order() -> None:
    queue = ServingQueue(50, [], 0.2, seed=0)
    queue.install([Ranked(row, 1.0, None, "margin") for row in (7, 3, 5)])
    picks = queue.pick(5, 0, lambda row: row != 3)
    assert [p.row for p in picks[:2]] == [7, 5]
    assert [p.strategy for p in picks] == ["margin", "margin", "random", "random", "random"]


@given(st.floats(0.01, 0.5), st.integers(0, 3))
def test_queue_keeps_the_audit_share_that_was_asked_for(audit: float, seed: int) -> None:
    queue = ServingQueue(10, [0], audit, seed)
    n = 2000
    served = sum(queue._is_audit(place) for place in range(n))
    assert abs(served - audit * n) <= 1
