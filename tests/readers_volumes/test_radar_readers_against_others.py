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
@pytest.mark.parametrize("rh_data", [None, 2, 5])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_read_dzt_agrees_with_readgssi(tmp_path, writers, bits, channels, rh_data):
    high = 2 ** (min(bits, 16) - 1) - 1
    path = tmp_path / "a.DZT"
    written = [writers.section(64, 20 + c, -high, high) for c in range(channels)]
    written = [[row[:20] for row in rows] for rows in written]
    writers.dzt(path, written, bits, rh_data=rh_data)
    ours = agrees_with_readgssi(path)
    assert np.array_equal(ours.array[:, 2:], np.array(written)[:, 2:])


@pytest.mark.filterwarnings("ignore")
def test_read_dzt_of_real_files_agrees_with_readgssi(samples):
    paths = sorted(samples.glob("*.DZT"))
    assert paths
    for path in paths:
        agrees_with_readgssi(path)


def agrees_with_readgssi(path):
    """Read a file both ways, compare them sample for sample and header field for field, and return it as we read it."""
    dzt = pytest.importorskip("readgssi.dzt")
    header, arrays, _ = dzt.readdzt(str(path), zero=[0, 0, 0, 0])
    ours = read(path)
    middle = {8: 128, 16: 32768, 32: 0}[header["rh_bits"]]  # readgssi leaves unsigned samples as they are written
    theirs = np.stack([arrays[c] for c in range(header["rh_nchan"])]).astype(np.int64) - middle
    assert theirs.shape == ours.shape
    assert np.array_equal(ours.array[:, 2:], theirs[:, 2:])
    assert not ours.array[:, :2].any()  # counters are no radar; readgssi leaves them in
    assert ours.axes[1].step * ours.shape[1] == pytest.approx(header["rhf_range"])
    assert ours.axes[2].step == pytest.approx(1 / header["rhf_spm"])
    assert ours.metadata["permittivity"] == pytest.approx(header["rhf_epsr"])
    assert ours.metadata["antenna"] == header["rh_ant"][0]
    return ours
