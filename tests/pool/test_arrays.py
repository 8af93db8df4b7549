"""Array pools and what they send to the screen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.format import open_memmap

from al_widgets.errors import PoolError, UnknownItemError
from al_widgets.pool import ArrayPool, Pool
from al_widgets.pool.payload import array_payload, display_range, shrink

RNG = np.random.default_rng(0)


def pixels(payload):
    shape = (payload.height, payload.width) + ((payload.channels,) if payload.channels > 1 else ())
    return np.frombuffer(payload.data, np.dtype(payload.dtype).newbyteorder("<")).reshape(shape)


def test_array_pool_gives_the_same_ids_for_the_same_content_only():
    array = RNG.integers(0, 255, (5, 4, 3), dtype=np.uint8)
    pool = ArrayPool(array)
    prefix = pool.item_ids[0].split("/")[0]
    assert len(prefix) == 8
    assert list(pool.item_ids) == [f"{prefix}/{i}" for i in range(5)]
    assert isinstance(pool, Pool)
    assert ArrayPool(array.copy()).item_ids == pool.item_ids
    assert ArrayPool(np.asfortranarray(array)).item_ids == pool.item_ids
    changed = array.copy()
    changed[4, 3, 2] ^= 1
    assert ArrayPool(changed).item_ids != pool.item_ids
    assert ArrayPool(array.reshape(5, 3, 4)).item_ids != pool.item_ids
    assert ArrayPool(array.astype(np.int16)).item_ids != pool.item_ids


def test_array_pool_does_not_read_all_of_a_large_memory_map(tmp_path):
    array = open_memmap(tmp_path / "a.npy", "w+", np.uint8, (300, 1024, 1024))
    array[0, 0, 0] = 1
    pool = ArrayPool(array)
    assert ArrayPool(np.load(tmp_path / "a.npy", mmap_mode="r")).item_ids == pool.item_ids
    array[0, 0, 0] = 2
    assert ArrayPool(array).item_ids != pool.item_ids
    assert pool.image(pool.item_ids[7]).shape == (1024, 1024)


def test_array_pool_gives_read_only_pictures():
    array = np.zeros((2, 3, 3))
    pool = ArrayPool(array)
    with pytest.raises(ValueError, match="read-only"):
        pool.image(pool.item_ids[0])[0, 0] = 1
    assert array.flags.writeable


@pytest.mark.parametrize("tail", ["/2", "/-1", "/01", "/x", "/²", "", "/", "/0/0"])
def test_array_pool_knows_its_own_items_only(tail):
    pool = ArrayPool(np.zeros((2, 3, 3)))
    prefix = pool.item_ids[0].split("/")[0]
    for item in (prefix + tail, "00000000/0"):
        with pytest.raises(UnknownItemError):
            pool.image(item)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 4)), "Precomputed"),
        (np.zeros(5), r"\(n, h, w\)"),
        (np.zeros((1, 2, 3, 4, 5)), r"\(n, h, w\)"),
        (np.zeros((0, 4, 4)), "no pixels"),
        (np.zeros((2, 0, 4)), "no pixels"),
        (np.zeros((2, 3, 32, 32)), "moveaxis"),
        (np.zeros((2, 3, 3), complex), "np.abs"),
        (np.array([[["a"]]]), "needs? numbers"),
        (np.empty((1, 1, 1), object), "object"),
        ([np.zeros((2, 2)), np.zeros((3, 2))], "different shapes"),
    ],
)
def test_array_pool_says_what_to_do_when_it_is_no_array_of_pictures(array, words):
    with pytest.raises(PoolError, match=words):
        ArrayPool(array)


def test_content_key_of_an_array_changes_with_one_value():
    array = RNG.random((3, 4, 4))
    pool = ArrayPool(array)
    keys = [pool.content_key(item) for item in pool.item_ids]
    assert len(set(keys)) == 3
    array[1, 2, 2] += 1e-9
    assert [pool.content_key(item) == key for item, key in zip(pool.item_ids, keys, strict=True)] == [True, False, True]


DTYPES = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int8",
    "uint16": "uint16",
    ">i2": "int16",
    "int32": "float32",
    "uint32": "float32",
    "int64": "float32",
    "float16": "float32",
    ">f4": "float32",
    "float64": "float32",
}


@pytest.mark.parametrize(("dtype", "sent"), DTYPES.items())
@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 1), (6, 8, 3), (6, 8, 4)])
def test_array_payload_sends_every_value_in_the_documented_dtype(dtype, sent, shape):
    array = (RNG.random(shape) * 100).astype(dtype)
    payload = array_payload(array, 100)
    assert (payload.encoding, payload.dtype, payload.mime) == ("raw", sent, "")
    assert (payload.width, payload.height, payload.native_width, payload.native_height) == (8, 6, 8, 6)
    assert payload.channels == (1 if len(shape) == 2 else shape[2])
    np.testing.assert_array_equal(pixels(payload).reshape(shape), array.astype(sent))
    assert payload.low < payload.high


def test_array_payload_shows_three_channels_of_odd_numbers_of_them():
    array = RNG.integers(2, 255, (4, 4, 7), dtype=np.uint8)
    np.testing.assert_array_equal(pixels(array_payload(array, 9)), array[..., :3])
    two = pixels(array_payload(array[..., :2], 9))
    np.testing.assert_array_equal(two[..., :2], array[..., :2])
    assert not two[..., 2].any()


def test_array_payload_sends_large_uint8_as_png():
    import io

    from PIL import Image

    array = RNG.integers(0, 255, (600, 700), dtype=np.uint8)
    payload = array_payload(array, 1600)
    assert (payload.encoding, payload.mime) == ("file", "image/png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(payload.data))), array)


def test_array_payload_stretches_masks_of_0_and_1():
    assert array_payload(np.eye(4, dtype=np.uint8), 9).high == 1.0
    assert array_payload(np.full((4, 4), 2, np.uint8), 9).high == 255.0


def test_array_payload_replaces_values_that_no_screen_can_show():
    array = np.linspace(0, 1, 100).reshape(10, 10)
    array[0, 0], array[0, 1], array[0, 2] = np.nan, np.inf, -np.inf
    payload = array_payload(array, 100)
    sent = pixels(payload)
    assert np.isfinite(sent).all()
    assert sent[0, 0] == np.float32(payload.low)
    assert sent[0, 1] == sent.max() == np.float32(1.0)
    assert sent[0, 2] == sent.min()
    assert np.isfinite(pixels(array_payload(np.full((3, 3), 1e300), 100))).all()


def test_shrink_takes_block_means_and_leaves_nan_out():
    array = np.arange(30, dtype=np.int16).reshape(5, 6)
    np.testing.assert_array_equal(shrink(array, 3), [[4, 6, 8], [16, 18, 20], [24, 26, 28]])
    holes = np.array([[1.0, np.nan], [3.0, np.nan]])
    np.testing.assert_array_equal(shrink(holes, 1), [[2.0]])
    assert np.isnan(shrink(np.full((2, 2), np.nan), 1)).all()
    assert shrink(array, 6) is array


@settings(max_examples=200)
@given(
    hnp.arrays(
        st.one_of(
            hnp.integer_dtypes(),
            hnp.unsigned_integer_dtypes(),
            hnp.floating_dtypes(sizes=(16, 32, 64)),
            hnp.boolean_dtypes(),
        ),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=12),
    ),
    st.integers(1, 14),
)
def test_array_payload_is_whole_and_finite_for_any_array(array, max_side):
    payload = array_payload(array, max_side)
    sent = pixels(payload)
    assert np.isfinite(sent.astype(np.float64)).all()
    assert np.isfinite([payload.low, payload.high]).all()
    assert payload.low < payload.high
    assert max(payload.width, payload.height) <= max_side
    assert (payload.native_height, payload.native_width) == array.shape[:2]


@given(hnp.arrays(np.float32, st.integers(1, 50)))
def test_display_range_lies_within_the_finite_values(values):
    low, high = display_range(values)
    finite = values[np.isfinite(values)].astype(np.float64)
    assert low < high
    if finite.size and finite.min() < finite.max():
        assert finite.min() <= low
        assert high <= finite.max()
