"""The cache: gives back what was put, to any process, after any accident."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from al_widgets.features import DescriptionCache
from al_widgets.features.cache import cache_folder


def vectors(n, width=300, start=0):
    return {
        f"{i:032x}": np.random.default_rng(i).standard_normal(width).astype(np.float32) for i in range(start, start + n)
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, vector in expected.items():
        np.testing.assert_array_equal(found[key], vector)


@pytest.fixture
def cache(tmp_path):
    with DescriptionCache(tmp_path) as cache:
        yield cache


@settings(max_examples=50, deadline=None)
@given(st.lists(hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(width=32, allow_nan=False)), min_size=1))
@pytest.mark.parametrize("in_memory", [True, False])
def test_cache_gives_back_what_was_put_bit_by_bit(tmp_path_factory, in_memory, rows):
    cache = DescriptionCache.in_memory() if in_memory else DescriptionCache(tmp_path_factory.mktemp("cache"))
    expected = {str(i): row for i, row in enumerate(rows)}
    with cache:
        cache.put("e", expected)
        assert_same(cache.get("e", [*expected, "other"]), expected)
        assert cache.has("e", [*expected, "other"]) == set(expected)
        assert cache.get("another encoder", list(expected)) == {}


def test_cache_keeps_descriptions_and_digests_for_the_next_session(tmp_path):
    expected = vectors(1200)
    with DescriptionCache(tmp_path) as first:
        first.put("e", expected)
        first.put_digests({"sig": "content"})
    with DescriptionCache(tmp_path) as second:
        assert_same(second.get("e", list(expected)), expected)
        assert second.digests(["sig", "other"]) == {"sig": "content"}
        second.clear()
        assert second.get("e", list(expected)) == {}
        assert second.digests(["sig"]) == {}


def test_cache_stores_halves_where_nothing_is_lost(tmp_path):
    rng = np.random.default_rng(0)
    halves = {str(i): rng.random(4000).astype(np.float16).astype(np.float32) for i in range(100)}
    with DescriptionCache(tmp_path) as cache:
        cache.put("e", halves)
        assert_same(cache.get("e", list(halves)), halves)
        path = cache.path
    assert path.stat().st_size < 100 * 4000 * 2 * 1.3


def test_cache_drops_the_oldest_when_it_outgrows_its_limit(tmp_path):
    limit = 2_000_000
    with DescriptionCache(tmp_path, size_limit=limit) as cache:
        for start in range(0, 2000, 100):
            cache.put("e", vectors(100, start=start))
        newest, oldest = vectors(100, start=1900), vectors(100)
        assert_same(cache.get("e", list(newest)), newest)
        assert cache.get("e", list(oldest)) == {}
        path = cache.path
    assert path.stat().st_size < limit * 1.2


def test_cache_is_shared_by_threads(cache):
    errors = []

    def work(start):
        try:
            for first in range(start, start + 100, 10):
                expected = vectors(10, start=first)
                cache.put("e", expected)
                assert_same(cache.get("e", list(expected)), expected)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 50, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(cache.has("e", list(vectors(1100)))) == 250


WRITER = textwrap.dedent(
    """
    import sys
    import numpy as np
    from al_widgets.features import DescriptionCache
    cache = DescriptionCache(sys.argv[1])
    for start in range(int(sys.argv[2]), int(sys.argv[3]), 20):
        cache.put("e", {f"{i:032x}": np.random.default_rng(i).standard_normal(300).astype(np.float32) for i in range(start, start + 20)})
        print(start, flush=True)
    """
)


def writer(folder, start, stop):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(start), str(stop)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_cache_holds_whole_batches_after_a_process_is_killed(tmp_path):
    with writer(tmp_path, 0, 10**9) as process:
        done = [int(process.stdout.readline()) for _ in range(30)][-1]
        process.send_signal(signal.SIGKILL)
    with DescriptionCache(tmp_path) as cache:
        promised = vectors(done + 20)
        assert_same(cache.get("e", list(promised)), promised)
        extra = cache.has("e", [f"{i:032x}" for i in range(done + 20, done + 5000)])
        assert len(extra) % 20 == 0
    with sqlite3.connect(cache.path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_cache_is_shared_by_processes(tmp_path):
    processes = [writer(tmp_path, start, start + 400) for start in (0, 200)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with DescriptionCache(tmp_path) as cache:
        expected = vectors(600)
        assert_same(cache.get("e", list(expected)), expected)


def test_cache_goes_on_in_memory_when_the_disk_is_full(cache, caplog):
    first = vectors(20)
    cache.put("e", first)
    # SQLite then fails as it does on a full disk: SQLITE_FULL, with the transaction rolled back.
    cache._connection.execute("PRAGMA max_page_count = 1").fetchall()
    second = vectors(200, start=20)
    with caplog.at_level(logging.WARNING):
        cache.put("e", second)
        cache.put_digests({"s": "c"})
    assert "full" in caplog.text
    assert not cache.on_disk
    assert_same(cache.get("e", list(second)), second)
    assert cache.digests(["s"]) == {"s": "c"}
    with DescriptionCache(cache.path.parent) as again:
        assert_same(again.get("e", list(first)), first)
        assert again.get("e", list(second)) == {}


def test_cache_goes_on_in_memory_when_its_folder_cannot_be_made(tmp_path, caplog):
    (tmp_path / "file").write_text("x")
    with DescriptionCache(tmp_path / "file" / "folder") as cache, caplog.at_level(logging.WARNING):
        expected = vectors(3)
        cache.put("e", expected)
        assert_same(cache.get("e", list(expected)), expected)
    assert "AL_WIDGETS_CACHE" in caplog.text


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_cache_begins_anew_when_its_file_is_broken(tmp_path, content, caplog):
    (tmp_path / "descriptions.sqlite3").write_bytes(content)
    with DescriptionCache(tmp_path) as cache, caplog.at_level(logging.WARNING):
        expected = vectors(3)
        cache.put("e", expected)
        assert_same(cache.get("e", list(expected)), expected)
        assert cache.on_disk
    assert "broken" in caplog.text


def test_cache_leaves_the_file_of_another_version_alone(tmp_path, caplog):
    path = tmp_path / "descriptions.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with DescriptionCache(tmp_path) as cache, caplog.at_level(logging.WARNING):
        cache.put("e", vectors(1))
        assert not cache.on_disk
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.close()


def test_cache_folder_obeys_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("AL_WIDGETS_CACHE")
    assert cache_folder().name == "al_widgets"
