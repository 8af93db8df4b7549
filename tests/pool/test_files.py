"""Pools of files: ids, order, what is refused, and digests that follow the content."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from al_widgets import pool as pools
from al_widgets.errors import PoolError, ReadError, UnknownItemError
from al_widgets.pool import FolderPool, FramePool, PathsPool, Pool, open_pool
from al_widgets.pool.identity import sample_ids
from al_widgets.pool.natural import natural_key


def save(path, value=0, size=(8, 6), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path, **options)
    return path


def age(path, seconds=10):
    """Set the time of modification back; the time of change stays, as it does for every program."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - seconds * 10**9))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "xrays"
    for number, name in enumerate(["img10.png", "img2.PNG", "b/x1.jpg", "B/x2.tif", "a b/ü.webp", "img1.png"]):
        save(root / name, number * 10)
    save(root / ".hidden.png")
    save(root / ".cache" / "x.png")
    (root / "notes.txt").write_text("x")
    return root


def test_folder_pool_lists_all_pictures_in_natural_order_without_hidden_ones(folder):
    pool = FolderPool(folder)
    assert list(pool.item_ids) == ["img1.png", "img2.PNG", "img10.png", "a b/ü.webp", "B/x2.tif", "b/x1.jpg"]
    assert pool.name == "xrays"
    assert len(pool) == 6
    assert isinstance(pool, Pool)
    assert pool.image("img2.PNG")[0, 0] == 10


def test_folder_pool_keeps_ids_when_files_are_added_or_the_folder_moves(folder, tmp_path):
    before = FolderPool(folder)
    save(folder / "0.png")
    save(folder / "c" / "new.png")
    shutil.move(folder, tmp_path / "elsewhere")
    after = FolderPool(tmp_path / "elsewhere")
    assert set(before.item_ids) < set(after.item_ids)
    assert len(after) == len(before) + 2


def test_folder_pool_opens_no_file_when_it_is_made(folder):
    (folder / "broken.png").write_bytes(b"no picture")
    os.mkfifo(folder / "pipe.png")
    pool = FolderPool(folder)
    assert {"broken.png", "pipe.png"} < set(pool.item_ids)
    for item in ("broken.png", "pipe.png"):
        for read in (pool.image, pool.payload):
            with pytest.raises(ReadError):
                read(item)
    with pytest.raises(ReadError):
        pool.content_key("pipe.png")


def test_folder_pool_lists_each_real_folder_once_when_links_make_loops(folder, tmp_path):
    (folder / "b" / "up").symlink_to(folder)
    (folder / "a b" / "self").symlink_to(folder / "a b")
    save(tmp_path / "outside" / "o.png")
    (folder / "0link").symlink_to(tmp_path / "outside")
    (folder / "dangling.png").symlink_to(tmp_path / "gone.png")
    ids = list(FolderPool(folder).item_ids)
    assert len(ids) == 8
    assert "0link/o.png" in ids
    assert "b/x1.jpg" in ids


def test_folder_pool_says_what_it_looked_for_when_there_is_no_picture(tmp_path):
    with pytest.raises(PoolError, match=r"\.jpeg.*\.tiff"):
        FolderPool(tmp_path)
    with pytest.raises(PoolError, match="does not exist"):
        FolderPool(tmp_path / "gone")
    with pytest.raises(PoolError, match="is a file"):
        FolderPool(save(tmp_path / "a.png"))


def test_folder_pool_writes_names_that_are_no_utf8_as_escapes(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", raw)
    pool = FolderPool(tmp_path)
    assert list(pool.item_ids) == ["a.png", r"caf\xe9.png"]
    assert pool.image(r"caf\xe9.png").shape == (6, 8)


@pytest.mark.parametrize("item", ["gone.png", "../xrays/img1.png", "", "/etc/passwd", "IMG1.png"])
def test_file_pools_know_their_own_items_only(folder, item):
    pool = FolderPool(folder)
    for call in (pool.image, pool.payload, pool.content_key, pool.image_and_key, pool.path):
        with pytest.raises(UnknownItemError):
            call(item)


def test_paths_pool_keeps_the_given_order_and_names_items_from_the_common_folder(folder):
    given = [folder / "b" / "x1.jpg", str(folder / "img1.png")]
    assert list(PathsPool(given).item_ids) == ["b/x1.jpg", "img1.png"]
    assert list(PathsPool(given, root=folder.parent).item_ids) == ["xrays/b/x1.jpg", "xrays/img1.png"]
    assert PathsPool(given).image("img1.png").shape == (6, 8)


def test_paths_pool_refuses_what_is_no_list_of_different_paths(folder):
    path = folder / "img1.png"
    with pytest.raises(PoolError, match=r"more than once.*img1"):
        PathsPool([path, folder / "b" / ".." / "img1.png"])
    with pytest.raises(PoolError, match="empty"):
        PathsPool([])
    with pytest.raises(PoolError, match="None"):
        PathsPool([path, None])


def test_frame_pool_takes_ids_from_a_meaningful_index_and_from_paths_otherwise(folder):
    files = ["img1.png", "img2.PNG"]
    by_path = FramePool(pd.DataFrame({"File": files}), root=folder)
    assert list(by_path.item_ids) == files
    by_name = FramePool(pd.DataFrame({"path": files}, index=["p1", "p2"]), root=folder)
    assert list(by_name.item_ids) == ["p1", "p2"]
    assert by_name.image("p2")[0, 0] == 10
    by_number = FramePool(pd.DataFrame({"path": files}, index=pd.Index([7, 9], name="patient")), root=folder)
    assert list(by_number.item_ids) == ["7", "9"]
    filtered = pd.DataFrame({"path": ["x.png", *files]}).iloc[1:]
    assert list(FramePool(filtered, root=folder).item_ids) == files
    repeated = FramePool(pd.DataFrame({"path": files}, index=["p", "p"]), root=folder)
    assert list(repeated.item_ids) == files


def test_frame_pool_names_what_is_wrong_with_a_table(folder):
    with pytest.raises(PoolError, match=r"more than once: 'a\.png'"):
        FramePool(pd.DataFrame({"path": ["a.png", "a.png", "b.png"]}))
    with pytest.raises(PoolError, match=r"no column of paths.*'x'"):
        FramePool(pd.DataFrame({"x": ["a.png"]}))
    with pytest.raises(PoolError, match="no column 'y'"):
        FramePool(pd.DataFrame({"x": ["a.png"]}), column="y")
    with pytest.raises(PoolError, match="no path in 2 rows: 1, 2"):
        FramePool(pd.DataFrame({"x": ["a.png", None, float("nan")]}), column="x")
    with pytest.raises(PoolError, match="no rows"):
        FramePool(pd.DataFrame({"path": []}))


def test_open_pool_picks_the_pool_by_type(folder):
    path = str(folder / "img1.png")
    assert isinstance(open_pool(folder), FolderPool)
    assert isinstance(open_pool(str(folder)), FolderPool)
    for paths in ([path], (path,), np.array([path]), pd.Series([path]), iter([path])):
        assert isinstance(open_pool(paths), PathsPool)
    assert isinstance(open_pool(pd.DataFrame({"image": [path]})), FramePool)
    for array in (np.zeros((2, 3, 4)), [np.zeros((3, 4))] * 2):
        assert isinstance(open_pool(array), pools.ArrayPool)
    pool = open_pool(folder)
    assert open_pool(pool) is pool


@pytest.mark.parametrize("source", [None, 3, b"bytes", {"a": 1}, [], ["a", 1], [1, 2], np.zeros(3), object()])
def test_open_pool_refuses_other_things_with_a_pool_error(source):
    with pytest.raises(PoolError):
        open_pool(source)


def test_content_key_changes_with_the_content_and_only_with_it(folder):
    pool = FolderPool(folder)
    path = folder / "img1.png"
    first = pool.content_key("img1.png")
    assert pool.content_key("img1.png") == first
    os.utime(path)
    assert pool.content_key("img1.png") == first
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same time: must be noticed all the same
    assert pool.content_key("img1.png") != first
    assert pool.content_key("img2.PNG") != first


def test_signature_is_none_for_a_file_that_has_just_changed(folder):
    pool = FolderPool(folder)
    assert pool.signature("img1.png") is None
    age(folder / "img1.png")
    assert pool.signature("img1.png") is None  # its time of change is still now


def test_image_and_key_agrees_with_image_and_content_key(folder):
    pool = FolderPool(folder)
    array, key = pool.image_and_key("B/x2.tif")
    np.testing.assert_array_equal(array, pool.image("B/x2.tif"))
    assert key == pool.content_key("B/x2.tif")


def test_identity_stays_recognisable_when_files_are_added(tmp_path):
    for number in range(100):
        save(tmp_path / f"{number}.png", number)
    before = FolderPool(tmp_path).identity()
    for number in range(100, 120):
        save(tmp_path / f"{number}.png", number)
    after = FolderPool(tmp_path).identity()
    assert (before.size, after.size, before.kind, before.name) == (100, 120, "folder", tmp_path.name)
    assert len(before.samples) == len(after.samples) == 32
    assert len(set(before.samples) & set(after.samples)) >= 20


def test_identity_leaves_out_files_that_cannot_be_read(folder):
    (folder / "img1.png").write_bytes(b"")
    pool = FolderPool(folder)
    assert {item for item, _ in pool.identity().samples} == set(pool.item_ids) - {"img1.png"}


@given(st.lists(st.text(min_size=1), unique=True), st.randoms())
def test_sample_ids_does_not_depend_on_order(ids, random):
    shuffled = list(ids)
    random.shuffle(shuffled)
    assert sample_ids(ids) == sample_ids(shuffled)
    assert len(sample_ids(ids)) == min(32, len(ids))


@settings(max_examples=200)
@given(st.lists(st.text(alphabet="ab01 ²٣-", max_size=6), unique=True))
def test_natural_key_orders_all_names_in_one_way(names):
    assert sorted(names, key=natural_key) == sorted([*names[1:], *names[:1]], key=natural_key)


def test_natural_key_counts_digits_as_numbers():
    names = ["a10", "a9", "a09", "A1", "a", "1", "a1b10", "a1b9"]
    assert sorted(names, key=natural_key) == ["1", "a", "A1", "a1b9", "a1b10", "a09", "a9", "a10"]
