"""Any sequence of appends, repeats, reorderings and reopenings leaves the log that a list would hold."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from al_widgets.errors import StoreError
from al_widgets.store import open_store
from al_widgets.testing.store import make_event

CLIENTS = st.sampled_from(["page", "tab"])
NUMBERS = st.integers(0, 12)
VALUES = st.sampled_from(["cat", "dog", ["cat", "dog"], {"x": 0.1}, None, 3])
HANDLES = st.sampled_from([0, 1])


class StoreAsList(RuleBasedStateMachine):
    @initialize()
    def open_two_handles(self):
        self.folder = Path(tempfile.mkdtemp())
        self.handles = [open_store(self.folder / "labels.db") for _ in range(2)]
        self.log = []
        self.leases = {}

    def append(self, handle, events):
        added, expected = [], []
        clash = False
        for event in events:
            same = [e for e in self.log + added if (e.client, e.seq) == (event.client, event.seq)]
            clash |= bool(same) and same[0] != event
            expected.append(bool(same))
            if not same:
                added.append(event)
        if clash:
            with pytest.raises(StoreError, match="already"):
                self.handles[handle].append_many(events)
            return
        acks = self.handles[handle].append_many(events)
        assert [ack.duplicate for ack in acks] == expected
        self.log += added

    @rule(handle=HANDLES, client=CLIENTS, seq=NUMBERS, value=VALUES)
    def append_one(self, handle, client, seq, value):
        self.append(handle, [make_event(seq, client=client, value=value)])

    @rule(handle=HANDLES, client=CLIENTS, seqs=st.lists(NUMBERS, max_size=5))
    def append_several_in_any_order(self, handle, client, seqs):
        self.append(handle, [make_event(seq, client=client) for seq in seqs])

    @rule(handle=HANDLES, data=st.data())
    def resend(self, handle, data):
        if self.log:
            self.append(handle, data.draw(st.lists(st.sampled_from(self.log), max_size=4)))

    @rule(handle=HANDLES, client=CLIENTS, seq=NUMBERS, undone=NUMBERS)
    def undo(self, handle, client, seq, undone):
        event = make_event(seq + 20, client=client, value=None, kind="undo")
        self.append(handle, [replace(event, target=f"{client}-{undone}")])

    @rule(handle=HANDLES, holder=st.sampled_from(["ann", "bob"]), items=st.lists(st.sampled_from("abc"), max_size=3))
    def lease(self, handle, holder, items):
        free = [i for i in dict.fromkeys(items) if self.leases.get(i, holder) == holder]
        assert self.handles[handle].lease(items, holder, 600) == free
        self.leases |= dict.fromkeys(free, holder)

    @rule(handle=HANDLES, holder=st.sampled_from(["ann", "bob"]))
    def release(self, handle, holder):
        self.handles[handle].release(holder)
        self.leases = {i: h for i, h in self.leases.items() if h != holder}

    @rule(handle=HANDLES)
    def reopen(self, handle):
        self.handles[handle].close()
        self.handles[handle] = open_store(self.folder / "labels.db")

    @invariant()
    def both_handles_hold_the_log(self):
        for store in self.handles:
            found = store.events()
            assert [event for _, event in found] == self.log
            positions = [position for position, _ in found]
            assert positions == sorted(set(positions))
            middle = len(found) // 2
            if found:
                assert store.events(positions[middle]) == found[middle + 1 :]
            assert store.leased() == self.leases

    def teardown(self):
        for store in self.handles:
            store.close()
        shutil.rmtree(self.folder)


TestStoreAsList = StoreAsList.TestCase
TestStoreAsList.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
