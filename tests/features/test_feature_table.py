"""The table of features: fills in order, tells what is wrong, resumes, and never shows half a row."""

import shutil
import threading
import time

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info

from al_widgets.errors import EncoderError, UnknownItemError
from al_widgets.features import DescriptionCache, FeatureTable, HandcraftedEncoder, Precomputed
from al_widgets.features import blas_threads as blas_guard
from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.pool import ArrayPool, FolderPool

RNG = np.random.default_rng(0)


class Means:
    """A tiny encoder that counts what it described."""

    fingerprint = "means"

    def __init__(self):
        self.described = 0
        self.fitted_on = []

    def describe(self, images):
        self.described += len(images)
        return np.array([[image.mean(), image.std(), 1.0] for image in images], np.float32)

    def fit(self, descriptions):
        self.fitted_on.append(len(descriptions))
        return self

    def reduce(self, descriptions):
        return descriptions[:, :2]


@pytest.fixture
def pool():
    return ArrayPool(RNG.integers(0, 255, (300, 8, 8), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    root.mkdir()
    for number in range(40):
        Image.fromarray(RNG.integers(0, 255, (9, 9), dtype=np.uint8)).save(root / f"{number}.png")
    return root


def expected(pool):
    images = [pool.image(item) for item in pool.item_ids]
    return np.array([[image.mean(), image.std()] for image in images], np.float32)


def test_run_fills_every_row_in_the_pools_order(pool):
    progress, updates = [], []
    table = FeatureTable(pool, Means())
    assert table.snapshot().version == 0
    assert not len(table.rows())
    order = list(pool.item_ids)[::-1]
    assert table.run(order=order, on_progress=lambda *pair: progress.append(pair), on_update=updates.append)
    np.testing.assert_allclose(table.matrix(), expected(pool), rtol=1e-6)
    np.testing.assert_array_equal(table.rows(), np.arange(300))
    assert table.snapshot().complete
    assert progress[0] == (0, 300)
    assert progress[-1] == (300, 300)
    assert progress == sorted(progress)
    assert [update.version for update in updates] == list(range(1, len(updates) + 1))


def test_run_serves_growing_prefixes_of_the_order(pool):
    table = FeatureTable(pool, Means(), chunk=16)
    order = list(RNG.permutation(pool.item_ids))
    seen = []
    table.run(order=order, on_update=lambda snapshot: seen.append(snapshot.rows))
    position = {item: row for row, item in enumerate(pool.item_ids)}
    for rows in seen:
        assert set(rows) == {position[item] for item in order[: len(rows)]}
    assert [len(rows) for rows in seen] == [64, 256, 300]


def test_snapshots_keep_their_rows_while_the_table_goes_on(pool):
    table = FeatureTable(pool, Means(), chunk=8)
    kept = []

    def keep(*_):
        snapshot = table.snapshot()
        kept.append((snapshot, snapshot.rows, snapshot.matrix[snapshot.rows].copy()))

    table.run(on_progress=keep)
    sizes = [len(rows) for _, rows, _ in kept]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 20  # rows came in between the fits too
    for snapshot, rows, values in kept:
        np.testing.assert_array_equal(snapshot.rows, rows)
        np.testing.assert_array_equal(snapshot.matrix[rows], values)


def test_run_stops_when_told_and_goes_on_when_called_again(pool):
    encoder, stop = Means(), threading.Event()
    table = FeatureTable(pool, encoder, chunk=10)
    assert not table.run(on_progress=lambda done, total: stop.set() if done >= 100 else None, stop=stop)
    assert encoder.described == 100
    assert not table.snapshot().complete
    assert 64 <= len(table.rows()) <= 100
    assert table.run()
    assert encoder.described == 300
    assert len(table.rows()) == 300
    assert table.run()
    assert encoder.described == 300


def test_run_sets_unreadable_items_aside_and_retries_them_later(folder):
    good = (folder / "7.png").read_bytes()
    (folder / "7.png").write_bytes(good[:40])
    (folder / "8.png").write_bytes(b"")
    pool, problems = FolderPool(folder), []
    table = FeatureTable(pool, Means())
    assert table.run(on_problem=problems.append)
    assert {problem.item_id for problem in problems} == {"7.png", "8.png"}
    assert table.problems() == problems
    assert "empty" in next(problem.reason for problem in problems if problem.item_id == "8.png")
    assert len(table.rows()) == 38
    (folder / "7.png").write_bytes(good)
    assert table.run()
    assert len(table.rows()) == 39
    assert [problem.item_id for problem in table.problems()] == ["8.png"]


def settle(folder, monkeypatch):
    """Let two seconds pass for the pool, after which it trusts times of files."""
    later = time.time_ns() + 10 * 10**9
    monkeypatch.setattr("al_widgets.pool.files.time.time_ns", lambda: later)


def test_run_reads_no_file_again_when_the_cache_knows_it(folder, tmp_path, monkeypatch):
    settle(folder, monkeypatch)
    with DescriptionCache(tmp_path / "cache") as cache:
        first = FeatureTable(FolderPool(folder), HandcraftedEncoder(), cache)
        assert first.run()
    pool = FolderPool(folder)
    reads = []
    monkeypatch.setattr("al_widgets.pool.files.read_bytes", lambda path: reads.append(path))
    with DescriptionCache(tmp_path / "cache") as cache:
        second = FeatureTable(pool, HandcraftedEncoder(), cache)
        assert second.run(order=list(pool.item_ids)[::-1])
    assert reads == []
    np.testing.assert_array_equal(second.matrix(), first.matrix())


def test_run_describes_only_what_changed(folder, tmp_path, monkeypatch):
    settle(folder, monkeypatch)
    cache = DescriptionCache(tmp_path / "cache")
    assert FeatureTable(FolderPool(folder), Means(), cache).run()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "3.png")
    Image.fromarray(np.ones((9, 9), np.uint8)).save(folder / "new.png")
    shutil.copy(folder / "5.png", folder / "copy of 5.png")
    encoder, pool = Means(), FolderPool(folder)
    table = FeatureTable(pool, encoder, cache)
    assert table.run()
    assert encoder.described == 2
    np.testing.assert_allclose(table.matrix(), expected(pool), rtol=1e-6)
    cache.close()


def test_run_makes_again_what_the_cache_has_dropped(pool):
    class Forgetful(DescriptionCache):
        """Loses everything at once, as a cache with a tiny limit does."""

        def put(self, encoder, descriptions):
            pass

    table = FeatureTable(pool, Means(), Forgetful.in_memory())
    assert table.run()
    np.testing.assert_allclose(table.matrix(), expected(pool), rtol=1e-6)


def test_run_blames_the_image_when_the_encoder_fails_for_one(pool):
    class Picky(Means):
        def describe(self, images):
            if any(
                image[0, 0] == pool.image(pool.item_ids[5])[0, 0]
                and np.array_equal(image, pool.image(pool.item_ids[5]))
                for image in images
            ):
                raise ZeroDivisionError("no")
            return super().describe(images)

    table = FeatureTable(pool, Picky())
    assert table.run()
    assert [(problem.item_id, "ZeroDivisionError: no" in problem.reason) for problem in table.problems()] == [
        (pool.item_ids[5], True)
    ]
    assert len(table.rows()) == 299


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("describe", lambda rows: np.zeros((len(rows), 0), np.float32)),
        ("describe", lambda rows: np.full((len(rows), 2), np.nan)),
        ("describe", lambda rows: np.zeros(3)),
        ("reduce", lambda rows: np.full((len(rows), 2), np.inf)),
        ("reduce", lambda rows: np.zeros((len(rows) + 1, 2))),
    ],
    ids=["no columns", "NaN", "no matrix", "infinite", "one row too many"],
)
def test_run_raises_an_encoder_error_when_the_encoder_is_broken(pool, method, result):
    encoder = Means()
    setattr(encoder, method, result)
    with pytest.raises(EncoderError):
        FeatureTable(pool, encoder).run()


def test_run_raises_an_encoder_error_when_fitting_fails(pool):
    encoder = Means()
    encoder.fit = lambda descriptions: 1 / 0
    with pytest.raises(EncoderError, match="ZeroDivisionError"):
        FeatureTable(pool, encoder).run()


def test_run_knows_items_of_its_pool_only(pool):
    with pytest.raises(UnknownItemError):
        FeatureTable(pool, Means()).run(order=["elsewhere"])


def test_run_completes_with_nothing_when_no_item_can_be_read(folder):
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    table = FeatureTable(FolderPool(folder), HandcraftedEncoder())
    assert table.run()
    assert len(table.problems()) == 40
    assert table.snapshot().complete
    assert not len(table.rows())


def test_run_does_not_depend_on_the_order_in_the_end():
    pool = ArrayPool(RNG.integers(0, 255, (90, 8, 8), dtype=np.uint8))
    matrices = []
    for order in (None, list(pool.item_ids)[::-1]):
        table = FeatureTable(pool, HandcraftedEncoder(), chunk=300)
        table.run(order=order)
        matrices.append(table.matrix())
    assert matrices[0].shape == (90, 90)
    distances = [np.linalg.norm(matrix[:, None] - matrix[None], axis=-1) for matrix in matrices]
    np.testing.assert_allclose(distances[0], distances[1], rtol=1e-2, atol=1e-2)


def test_precomputed_features_need_no_image():
    class Blind:
        item_ids = ("a", "b", "c")

        def image(self, item_id):
            raise AssertionError

        content_key = image

    rows = RNG.random((3, 5))
    table = FeatureTable(Blind(), Precomputed(rows))
    assert table.run()
    np.testing.assert_allclose(table.matrix(), rows, rtol=1e-6)
    with pytest.raises(EncoderError, match="2 rows"):
        FeatureTable(Blind(), Precomputed(rows[:2])).run()


@pytest.mark.parametrize(
    "rows", [np.zeros(3), np.zeros((2, 0)), np.array([[np.nan]]), np.array([["a"]]), np.zeros((1, 1), complex)]
)
def test_precomputed_features_are_a_finite_matrix(rows):
    with pytest.raises(EncoderError):
        Precomputed(rows)


def blas_threads():
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


def until(condition):
    """Wait for what a session of another test may still be doing on its thread."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_one_blas_thread_restores_the_number_when_threads_overlap():
    until(lambda: not blas_guard._INSIDE)
    before = blas_threads()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=other)
    with one_blas_thread():
        thread.start()
        assert inside.wait(20)
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {1}
    leave.set()
    thread.join()
    until(lambda: blas_threads() == before)
