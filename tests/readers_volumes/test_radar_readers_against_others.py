"""Differential tests against libraries that others maintain; they are no dependency and may be absent."""

import numpy as np
import pytest

from al_widgets.readers import read


@pytest.mark.parametrize("code", [1, 2, 3, 5])
def test_read_segy_agrees_with_segyio(tmp_path, writers, code):
    segyio = pytest.importorskip("segyio")
    rows = writers.section(64, 31, -(2**15), 2**15 - 1)
    if code in (1, 5):
        rows = [[v * 1.7e-3 for v in row] for row in rows]
    writers.segy(tmp_path / "a.sgy", rows, code)
    with segyio.open(tmp_path / "a.sgy", ignore_geometry=True) as file:
        expected = file.trace.raw[:].T
    assert np.array_equal(read(tmp_path / "a.sgy").array[0], expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("code", [1, 2, 3, 5])
def test_read_segy_agrees_with_obspy(tmp_path, writers, code):
    segy = pytest.importorskip("obspy.io.segy.segy")
    rows = writers.section(64, 31, -(2**15), 2**15 - 1)
    writers.segy(tmp_path / "a.sgy", rows, code)
    stream = segy._read_segy(str(tmp_path / "a.sgy"))
    expected = np.stack([trace.data for trace in stream.traces], axis=1)
    assert np.array_equal(read(tmp_path / "a.sgy").array[0], expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_read_dzt_agrees_with_readgssi(tmp_path, writers, bits):
    dzt = pytest.importorskip("readgssi.dzt")
    high = 2 ** (min(bits, 16) - 1) - 1
    writers.dzt(tmp_path / "a.DZT", [writers.section(128, 40, -high, high)], bits)
    _, arrays, _ = dzt.readdzt(str(tmp_path / "a.DZT"), zero=[0])
    ours = read(tmp_path / "a.DZT").array[0]
    shift = 0 if bits == 32 else 2 ** (bits - 1)
    theirs = np.asarray(arrays[0]).astype(np.int64)
    if theirs[2:].min() >= 0 and shift:
        theirs = theirs - shift
    assert np.array_equal(ours[2:], theirs[2:])
