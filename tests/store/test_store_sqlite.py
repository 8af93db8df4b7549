"""What only a file can get wrong: foreign files, locks, full disks, forks, other programs."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from al_widgets.errors import MissingExtraError, StoreError, StoreFullError, StoreLockedError, StoreVersionError
from al_widgets.store import open_store
from al_widgets.store.sqlite import APPLICATION_ID, _on_network
from al_widgets.testing.store import make_event, make_pool


def raw(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, isolation_level=None))


def test_open_store_makes_missing_folders_and_knows_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with open_store("~/a/b/labels.db") as store:
        assert store.location == str(tmp_path / "a/b/labels.db")
        store.append(make_event(0))
    with open_store(f"sqlite:///{tmp_path}/a/b/labels.db") as store, open_store(tmp_path / "a/b/labels.db") as same:
        assert store.store_id == same.store_id
        assert len(store.events()) == 1


def test_open_store_takes_an_empty_file(tmp_path):
    (tmp_path / "x.db").touch()
    with open_store(tmp_path / "x.db") as store:
        store.append(make_event(0))


def test_open_store_refuses_a_folder_a_text_and_another_database(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        open_store(tmp_path)
    text = tmp_path / "labels.csv"
    text.write_text("item,label\n")
    with pytest.raises(StoreVersionError, match="no store"):
        open_store(text)
    assert text.read_text() == "item,label\n"
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(text / "labels.db")
    other = tmp_path / "other.db"
    with raw(other) as connection:
        connection.execute("CREATE TABLE cookies (a)")
    before = other.read_bytes()
    with pytest.raises(StoreVersionError, match=r"another program.*cookies"):
        open_store(other)
    assert other.read_bytes() == before
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(StoreVersionError, match=r"broken\.db"):
        open_store(broken)


def test_open_store_refuses_what_a_newer_version_wrote(tmp_path):
    path = tmp_path / "labels.db"
    open_store(path).close()
    with raw(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        connection.execute("UPDATE al_store SET value = '2' WHERE key = 'version'")
    with pytest.raises(StoreVersionError, match="newer"):
        open_store(path)


def test_open_store_says_when_marked_tables_are_missing(tmp_path):
    path = tmp_path / "labels.db"
    with raw(path) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE a (b)")
    with pytest.raises(StoreVersionError, match="damaged"):
        open_store(path)


@pytest.mark.parametrize("where", ["", "  ", 3, None, b"x.db", "mysql://host/db", "not a url://"])
def test_open_store_refuses_what_is_no_place(where):
    with pytest.raises(StoreError):
        open_store(where)


def test_open_store_names_the_driver_when_it_is_missing():
    with pytest.raises(MissingExtraError, match=r"psycopg.*pip install") as caught:
        open_store("postgresql+psycopg2cffi://ann:secret@host/labels")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to become another user")
def test_open_store_says_read_only_when_the_file_or_folder_is():
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        open_store(folder / "labels.db").close()
        (folder / "labels.db").chmod(0o444)
        for name, words in (("labels.db", "is read-only"), ("new.db", "cannot be written")):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    os.setuid(65534)
                    open_store(folder / name)
                except StoreError as error:
                    status = 0 if words in str(error) else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        shutil.rmtree(folder)


def test_append_says_locked_and_writes_nothing_when_another_holds_the_file(tmp_path):
    path = tmp_path / "labels.db"
    with open_store(path, timeout_s=0.05) as store, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLockedError, match=r"0\.05 s"):
            store.append(make_event(0))
        with pytest.raises(StoreLockedError):
            store.lease(["a"], "ann", 60)
        with pytest.raises(StoreLockedError):
            open_store(path, timeout_s=0.05)
        assert store.events() == []  # readers do not wait for a writer
        other.execute("COMMIT")
        assert not store.append(make_event(0)).duplicate


def test_append_says_full_and_writes_nothing_when_no_page_is_left(tmp_path):
    with open_store(tmp_path / "labels.db") as store:
        connection = store._connections._channels["events"].connection
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        connection.rollback()
        saved = 0
        with pytest.raises(StoreFullError, match="nothing was saved"):
            for saved in range(10_000):
                store.append(make_event(saved, note="x" * 500))
        with pytest.raises(StoreFullError):
            store.append_many([make_event(saved + k, note="x" * 500) for k in range(20)])
        assert [e.seq for _, e in store.events()] == list(range(saved))
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        connection.rollback()
        assert not store.append(make_event(saved, note="x" * 500)).duplicate
        assert len(store.events()) == saved + 1


@pytest.fixture
def small_disk(tmp_path):
    mount, umount = shutil.which("mount"), shutil.which("umount")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run([umount, str(folder)], check=True)


def test_append_says_full_and_goes_on_when_the_disk_has_room_again(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    with open_store(small_disk / "labels.db") as store:
        saved = 0
        with pytest.raises(StoreFullError):
            for saved in range(10_000):
                store.append(make_event(saved, note="x" * 500))
        assert saved > 10
        assert [e.seq for _, e in store.events()] == list(range(saved))
        ballast.unlink()
        store.append(make_event(saved, note="x" * 500))
    with open_store(small_disk / "labels.db") as store:
        assert [e.seq for _, e in store.events()] == list(range(saved + 1))


def test_log_refuses_update_and_delete_when_another_program_tries(tmp_path):
    path = tmp_path / "labels.db"
    with open_store(path) as store:
        store.append(make_event(0))
        with raw(path) as other:
            for statement in ("UPDATE al_events SET value = '1'", "DELETE FROM al_events"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    other.execute(statement)
        assert [e for _, e in store.events()] == [make_event(0)]


def test_append_waits_for_the_disk_and_leases_do_not(tmp_path):
    with open_store(tmp_path / "labels.db") as store:
        found = {}
        for purpose, channel in store._connections._channels.items():
            with channel.connection.begin():
                query = channel.connection.exec_driver_sql
                found[purpose] = (query("PRAGMA journal_mode").scalar(), query("PRAGMA synchronous").scalar())
    assert found == {"events": ("wal", 2), "leases": ("wal", 1), "reading": ("wal", 1)}


def test_store_works_without_a_write_ahead_log_when_on_a_network_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("al_widgets.store.sqlite._on_network", lambda path: True)
    path = tmp_path / "labels.db"
    with open_store(path) as store, open_store(path) as other:
        for seq in range(5):
            store.append(make_event(seq))
            other.lease([f"item-{seq}"], "ann", 60)
        assert len(other.events()) == 5
        with raw(path) as third:
            assert third.execute("PRAGMA journal_mode").fetchone()[0] != "wal"


def test_on_network_knows_a_local_disk(tmp_path):
    assert _on_network(tmp_path / "labels.db") is False


def serve_in_child(store, parents):
    status = 1
    try:
        assert store._connections._forked
        store.append(make_event(1))
        assert store._connections._channels["events"] is not parents
        store.lease(["a"], "child", 60)
        store.close()
        status = 0
    finally:
        os._exit(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_store_serves_parent_and_child_after_a_fork(tmp_path):
    with open_store(tmp_path / "labels.db") as store:
        store.append(make_event(0))
        parents = store._connections._channels["events"]
        with parents.lock:  # as if another thread were writing: the child must not wait for it
            child = os.fork()
            if child == 0:
                serve_in_child(store, parents)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        store.append(make_event(2))
        assert [e.seq for _, e in store.events()] == [0, 1, 2]
        assert store.leased() == {"a": "child"}


def test_lease_is_given_to_another_when_the_clock_has_passed_it(tmp_path):
    from al_widgets.store.backends import backend_of
    from al_widgets.store.sql import SqlStore

    now = [1000.0]
    with SqlStore(backend_of(tmp_path / "labels.db", 5.0), clock=lambda: now[0]) as store:
        assert store.lease(["a"], "ann", 60) == ["a"]
        now[0] += 59
        assert store.lease(["a"], "bob", 60) == []
        assert store.lease(["a"], "ann", 60) == ["a"]  # renewed
        now[0] += 59
        assert store.leased() == {"a": "ann"}
        now[0] += 1
        assert store.leased() == {}
        assert store.lease(["a"], "bob", 60) == ["a"]


def test_bind_ties_the_store_once_when_two_open_it_together(tmp_path):
    pool, ids = make_pool()
    with open_store(tmp_path / "labels.db") as one, open_store(tmp_path / "labels.db") as two:
        assert one.bind(pool, ids, "classification", ["cat"]) == ("cat",)
        assert two.bind(pool, ids, "classification", ["cat"]) == ("cat",)


def test_importing_the_store_loads_no_arrays():
    code = (
        "import sys, al_widgets.store; "
        "print(sorted({'numpy', 'pandas', 'sklearn', 'scipy', 'anywidget'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
