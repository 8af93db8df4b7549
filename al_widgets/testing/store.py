# ruff: noqa: S101, D102 - these are tests: they assert, and their names say what
"""What every store must do, as tests: subclass `StoreContract` and say how to open yours.

::

    class TestMyStore(StoreContract):
        def open(self, where):
            return MyStore(where / "labels.db")

Needs pytest; imported by tests only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from al_widgets.errors import StoreError, StoreMismatchError
from al_widgets.records import Annotation, AnswerKind, Estimate, PoolIdentity, Round
from al_widgets.store.base import Store


def make_event(
    seq: int, *, client: str = "page", value: Any = "cat", kind: AnswerKind = "label", **fields: Any
) -> Annotation:
    """Return an event whose ids follow from `client` and `seq`."""
    fields = {
        "event_id": f"{client}-{seq}",
        "item_id": f"item-{seq}",
        "annotator": "ann",
        "answered_at": 1.7e9 + seq,
        **fields,
    }
    return Annotation(kind=kind, value=value, client=client, seq=seq, **fields)


def make_pool(n: int = 10, *, name: str = "pets", content: str = "") -> tuple[PoolIdentity, list[str]]:
    """Return the identity of a pool of `n` items and their ids."""
    ids = [f"{name}/{i}.png" for i in range(n)]
    return PoolIdentity(name, "folder", n, tuple((i, f"digest of {i}{content}") for i in ids[:32])), ids


def make_round(number: int) -> Round:
    """Return a round with every field set."""
    accuracy = Estimate(0.9, 0.8, 0.95, 40, "Wilson 95 %")
    predictions = (("a/é.png", "cat"), ("b", "dog"))
    return Round(number, 10 * number, accuracy, 61.5, 3.25, "margin", 1.7e9 + number, 0.125, predictions)


class StoreContract:
    """Tests of the `Store` protocol.

    Attributes
    ----------
    persistent : bool
        Whether what was stored is there when the store is opened again.
    """

    persistent: ClassVar[bool] = True

    def open(self, where: Path) -> Store:
        """Open the store that belongs to the folder `where`, which is empty at first."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """Give an empty store, closed afterwards."""
        store = self.open(tmp_path)
        yield store
        store.close()

    def test_store_fits_the_protocol(self, store: Store) -> None:
        assert isinstance(store, Store)
        assert store.store_id
        assert store.location

    def test_append_gives_back_every_field_when_read(self, store: Store) -> None:
        event = make_event(
            0,
            value={"ünïcode": [1, 2.5, None, True, "\x00 \U0001f600"]},
            item_id="a folder/ü 🐈.png",
            elapsed_s=0.1 + 0.2,
            shown_at=1.7e9 + 1 / 3,
            strategy="margin",
            utility=-1e-300,
            propensity=0.5,
            round=3,
            query_kind="audit",
            model_shown=True,
            note="x\n'y\"",
        )
        ack = store.append(event)
        assert (ack.event_id, ack.duplicate) == (event.event_id, False)
        assert store.events() == [(ack.position, event)]

    def test_append_acknowledges_again_and_writes_nothing_when_resent(self, store: Store) -> None:
        first = [store.append(make_event(i)) for i in range(3)]
        again = [store.append(make_event(i)) for i in (2, 0, 1)]
        assert [a.position for a in again] == [first[2].position, first[0].position, first[1].position]
        assert all(a.duplicate for a in again)
        assert len(store.events()) == 3

    @pytest.mark.parametrize(
        "changes",
        [
            {"value": "dog"},
            {"event_id": "other"},
            {"seq": 9},
            {"client": "other"},
            {"note": "x"},
            {"item_id": "other"},
        ],
    )
    def test_append_refuses_when_a_number_or_id_is_used_twice(self, store: Store, changes: dict[str, Any]) -> None:
        store.append(make_event(0))
        with pytest.raises(StoreError, match="already"):
            store.append(replace(make_event(0), **changes))
        assert [event for _, event in store.events()] == [make_event(0)]

    @pytest.mark.parametrize(
        "changes",
        [
            {"value": float("nan")},
            {"value": [1, float("inf")]},
            {"value": {1, 2}},
            {"elapsed_s": float("nan")},
            {"utility": float("inf")},
            {"item_id": 3},
            {"item_id": "\udcff"},
            {"seq": -1},
            {"seq": 2**63},
            {"seq": 1.5},
            {"kind": "maybe"},
            {"kind": "undo"},
            {"target": "page-0"},
        ],
    )
    def test_append_refuses_what_would_not_come_back_unchanged(self, store: Store, changes: dict[str, Any]) -> None:
        with pytest.raises(StoreError):
            store.append(replace(make_event(0), **changes))
        assert store.events() == []
        store.append(make_event(0))

    def test_append_many_writes_all_or_none_when_one_is_refused(self, store: Store) -> None:
        store.append(make_event(0))
        with pytest.raises(StoreError):
            store.append_many([make_event(1), make_event(2), replace(make_event(0), value="dog")])
        with pytest.raises(StoreError):
            store.append_many([make_event(1), make_event(2, value=float("nan"))])
        assert [event.seq for _, event in store.events()] == [0]
        acks = store.append_many([make_event(2), make_event(0), make_event(1), make_event(2)])
        assert [a.duplicate for a in acks] == [False, True, False, True]
        assert store.append_many([]) == []

    def test_events_follow_the_order_of_arrival_when_tailed(self, store: Store) -> None:
        positions = [store.append(make_event(i)).position for i in (4, 0, 3)]
        assert positions == sorted(set(positions))
        assert [p for p, _ in store.events(positions[0])] == positions[1:]
        assert store.events(positions[-1]) == []

    def test_append_accepts_an_undo_before_what_it_takes_back(self, store: Store) -> None:
        store.append(make_event(1, kind="undo", value=None, target="page-0"))
        store.append(make_event(0))
        assert [event.kind for _, event in store.events()] == ["undo", "label"]

    def test_append_keeps_every_event_once_when_threads_write_together(self, store: Store) -> None:
        def write(client: str) -> None:
            for i in range(25):
                store.append(make_event(i, client=client))
                store.append(make_event(i, client="shared"))

        threads = [threading.Thread(target=write, args=(f"page {k}",)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [(event.client, event.seq) for _, event in store.events()]
        wanted = [(c, i) for c in ("page 0", "page 1", "page 2", "page 3", "shared") for i in range(25)]
        assert sorted(found) == sorted(wanted)

    def test_bind_accepts_the_same_pool_grown_shrunk_or_reordered(self, store: Store) -> None:
        pool, ids = make_pool(10)
        assert store.bind(pool, ids, "classification", ["cat", "dog"]) == ("cat", "dog")
        store.append(make_event(0, item_id=ids[3]))
        for n in (10, 40, 4):
            other, other_ids = make_pool(n)
            assert store.bind(other, reversed(other_ids), "classification", ["cat", "dog"]) == ("cat", "dog")

    def test_bind_accepts_when_only_an_answered_item_is_left(self, store: Store) -> None:
        pool, ids = make_pool(40)
        store.bind(pool, ids, "classification", ["cat"])
        store.append(make_event(0, item_id=ids[39]))
        store.bind(PoolIdentity("pets", "folder", 1, ((ids[39], "d"),)), [ids[39]], "classification", ["cat"])

    def test_bind_refuses_when_no_item_is_known(self, store: Store) -> None:
        pool, ids = make_pool(10)
        store.bind(pool, ids, "classification", ["cat"])
        other, other_ids = make_pool(7, name="cars")
        with pytest.raises(StoreMismatchError) as caught:
            store.bind(other, other_ids, "classification", ["cat"])
        message = str(caught.value)
        assert all(word in message for word in ("'pets'", "'cars'", store.location, "store="))
        store.bind(pool, ids, "classification", ["cat"])

    def test_bind_refuses_when_equal_names_hold_another_content(self, store: Store) -> None:
        pool, ids = make_pool(10)
        store.bind(pool, ids, "classification", ["cat"])
        with pytest.raises(StoreMismatchError, match="another content"):
            store.bind(make_pool(10, content="!")[0], ids, "classification", ["cat"])
        few = tuple((i, "edited" if k < 4 else digest) for k, (i, digest) in enumerate(pool.samples))
        store.bind(replace(pool, samples=few), ids, "classification", ["cat"])

    def test_bind_refuses_another_kind_of_task(self, store: Store) -> None:
        pool, ids = make_pool()
        store.bind(pool, ids, "classification", ["cat"])
        with pytest.raises(StoreMismatchError, match="segmentation"):
            store.bind(pool, ids, "segmentation", ["cat"])

    def test_bind_refuses_other_classes_only_when_there_are_labels(self, store: Store) -> None:
        pool, ids = make_pool()
        store.bind(pool, ids, "classification", ["cta", "god"])
        assert store.bind(pool, ids, "classification", ["cat", "dog"]) == ("cat", "dog")
        store.append(make_event(0, item_id=ids[0]))
        with pytest.raises(StoreMismatchError, match="'soil'"):
            store.bind(pool, ids, "classification", ["soil"])
        assert store.bind(pool, ids, "classification", ["dog", "bird"]) == ("dog", "bird", "cat")

    def test_strokes_come_back_as_they_were_and_hold_on_to_their_classes(self, store: Store) -> None:
        pool, ids = make_pool()
        store.bind(pool, ids, "segmentation", ["soil", "mien"])
        store.bind(pool, ids, "segmentation", ["soil", "mine"])
        value = {
            "tool": "brush",
            "parts": [{"item_id": ids[0], "value": "mine", "box": [3, 4, 2, 2], "runs": "04"}],
            "shape": {"points": [4.5, 3.25]},
            "recipe": '{"gain": "agc"}',
        }
        stroke = make_event(0, kind="stroke", value=value, item_id=ids[0])
        store.append(stroke)
        assert store.append(stroke).duplicate
        store.append(make_event(1, kind="undo", value=None, item_id=ids[0], target=stroke.event_id))
        assert next(event for _, event in store.events()) == stroke
        with pytest.raises(StoreMismatchError, match="'mine'"):
            store.bind(pool, ids, "segmentation", ["bone", "air"])
        assert "mine" in store.bind(pool, ids, "segmentation", ["soil"])

    def test_bind_gives_back_classes_that_were_added(self, store: Store) -> None:
        pool, ids = make_pool()
        store.bind(pool, ids, "classification", ["cat", "dog"])
        assert store.add_class("bird") == ("cat", "dog", "bird")
        assert store.add_class("bird") == ("cat", "dog", "bird")
        assert store.bind(pool, ids, "classification", ["cat", "dog"]) == ("cat", "dog", "bird")

    def test_rounds_come_back_oldest_first(self, store: Store) -> None:
        bare = Round(3, 0, Estimate(None, None, None, 0, "Wilson 95 %", "too few"), 0.0, None, "random", 0.0)
        wanted = [make_round(1), make_round(2), bare]
        for record in wanted:
            store.add_round(record)
        assert store.rounds() == wanted

    def test_keep_setting_keeps_the_first_value(self, store: Store) -> None:
        assert store.setting("seed") is None
        assert store.setting("seed", 5) == 5
        assert store.keep_setting("seed", {"a": [1, None]}) == {"a": [1, None]}
        assert store.keep_setting("seed", 9) == {"a": [1, None]}
        assert store.setting("seed", 5) == {"a": [1, None]}
        assert store.keep_setting("nothing", None) is None
        with pytest.raises(StoreError):
            store.keep_setting("bad", float("nan"))

    def test_lease_gives_an_item_to_one_holder_only(self, store: Store) -> None:
        assert store.lease(["b", "a", "b"], "ann", 60) == ["b", "a"]
        assert store.lease(["a", "c"], "bob", 60) == ["c"]
        assert store.lease(["a"], "ann", 60) == ["a"]
        assert store.leased() == {"a": "ann", "b": "ann", "c": "bob"}
        store.release("bob", ["a", "c"])
        store.release("ann", ["b"])
        assert store.leased() == {"a": "ann"}
        store.release("ann")
        assert store.leased() == {}

    def test_lease_ends_when_its_time_has_run_out(self, store: Store) -> None:
        assert store.lease(["a", "b"], "ann", 0) == ["a", "b"]
        assert store.leased() == {}
        assert store.lease(["a"], "bob", 60) == ["a"]
        assert store.lease(["a", "b"], "ann", 60) == ["b"]

    def test_close_is_safe_twice_and_ends_the_service(self, store: Store) -> None:
        store.close()
        store.close()
        with pytest.raises(StoreError, match="closed"):
            store.append(make_event(0))
        with pytest.raises(StoreError, match="closed"):
            store.events()

    def test_store_keeps_everything_when_opened_again(self, store: Store, tmp_path: Path) -> None:
        if not self.persistent:
            pytest.skip("this store lives in memory")
        pool, ids = make_pool()
        store.bind(pool, ids, "classification", ["cat"])
        store.add_class("dog")
        acks = store.append_many([make_event(i) for i in range(5)])
        store.add_round(make_round(1))
        store.keep_setting("seed", 7)
        store.close()
        again = self.open(tmp_path)
        try:
            assert again.store_id == store.store_id
            assert [p for p, _ in again.events()] == [a.position for a in acks]
            assert [e for _, e in again.events()] == [make_event(i) for i in range(5)]
            assert again.append(make_event(2)).duplicate
            assert again.bind(pool, ids, "classification", ["cat"]) == ("cat", "dog")
            assert again.rounds() == [make_round(1)]
            assert again.setting("seed") == 7
        finally:
            again.close()

    def test_two_handles_see_each_other(self, store: Store, tmp_path: Path) -> None:
        if not self.persistent:
            pytest.skip("this store lives in memory")
        other = self.open(tmp_path)
        try:
            assert other.store_id == store.store_id
            ack = store.append(make_event(0))
            assert other.append(make_event(0)).duplicate
            other.append(make_event(1))
            assert [e.seq for _, e in store.events(ack.position)] == [1]
            assert other.lease(["a"], "bob", 60) == ["a"]
            assert store.lease(["a"], "ann", 60) == []
            assert other.keep_setting("seed", 1) == store.keep_setting("seed", 2) == 1
        finally:
            other.close()
