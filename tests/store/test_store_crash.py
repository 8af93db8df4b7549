"""Acknowledged means on the disk: writers are killed, and write together."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from al_widgets.store import open_store

WRITER = Path(__file__).with_name("writer.py")


def start(path, client, first, count):
    command = [sys.executable, str(WRITER), str(path), client, str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def acknowledged(lines):
    pairs = [line.split() for line in lines if line.endswith("\n") and line != "ready\n"]
    return {int(seq): int(position) for seq, position in pairs}


def test_append_is_there_exactly_once_when_the_process_is_killed(tmp_path):
    rng = np.random.default_rng(20)
    path = tmp_path / "labels.db"
    acks = {}
    for _ in range(20):
        first = len(acks)
        # The writer starts again at the first event without an acknowledgement, as a browser does.
        process = start(path, "page", first, 100_000)
        lines = [process.stdout.readline() for _ in range(int(rng.integers(1, 40)))]
        process.kill()
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        acks |= acknowledged(lines)
        assert sorted(acks) == list(range(len(acks)))
    with open_store(path) as store:
        found = {event.seq: position for position, event in store.events()}
        assert len(found) == len(store.events())
    assert len(acks) > 100
    assert acks.items() <= found.items()
    assert sorted(found) == list(range(len(found)))
    assert len(found) - len(acks) <= 1  # written, and killed before it could be said


def test_append_keeps_all_when_two_processes_write_and_a_third_tails(tmp_path):
    path = tmp_path / "labels.db"
    with open_store(path) as store:
        writers = [start(path, client, 0, 200) for client in ("a", "b")]
        seen, after = [], 0
        while True:
            running = any(writer.poll() is None for writer in writers)
            news = store.events(after)
            after = news[-1][0] if news else after
            seen += [(event.client, event.seq) for _, event in news]
            if not running and not news:
                break
        acks = [acknowledged(writer.stdout.readlines()) for writer in writers]
        for writer in writers:
            writer.stdout.close()
        positions = {(e.client, e.seq): p for p, e in store.events()}
    assert sorted(seen) == sorted((client, seq) for client in "ab" for seq in range(200))
    for client, ack in zip("ab", acks, strict=True):
        assert ack == {seq: positions[client, seq] for seq in range(200)}
