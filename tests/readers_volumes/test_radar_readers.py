"""The readers of radar formats, bit-exact against files written independently."""

import numpy as np
import pytest

from al_widgets.errors import ReadError
from al_widgets.readers import read


@pytest.mark.parametrize(
    ("bits", "low", "high", "dtype"),
    [(8, -128, 127, "int8"), (16, -32768, 32767, "int16"), (32, -(2**31), 2**31 - 1, "int32")],
)
@pytest.mark.parametrize("rh_data", [None, 128])
def test_read_dzt_gives_the_written_samples_without_counters(tmp_path, writers, bits, low, high, dtype, rh_data):
    rows = writers.section(40, 30, low, high)
    writers.dzt(tmp_path / "L1.DZT", [rows], bits, rh_data=rh_data, marks=(3, 17))
    volume = read(tmp_path / "L1.DZT")
    expected = np.array(rows)
    expected[:2] = 0
    assert volume.array.dtype == dtype
    assert np.array_equal(volume.array[0], expected)
    time, distance = volume.axes[1:]
    assert (time.name, time.unit, time.step, time.origin) == ("time", "ns", 0.25, -1.0)
    assert (distance.unit, distance.step) == ("m", 0.02)
    assert volume.metadata["marks"] == [3, 17]
    assert volume.metadata["time_zero_sample"] == 4
    assert volume.metadata["permittivity"] == 6.25
    assert volume.name == "L1"


def test_read_dzt_separates_channels_when_there_are_several(tmp_path, writers):
    channels = [writers.section(20, 11, -100, 100, seed=c) for c in range(3)]
    writers.dzt(tmp_path / "multi.dzt", channels)
    volume = read(tmp_path / "multi.dzt")
    assert volume.shape == (3, 20, 11)
    assert volume.axes[0].name == "channel"
    assert volume.metadata["antennas"] == ["ANT0", "ANT1", "ANT2"]
    for c, rows in enumerate(channels):
        assert np.array_equal(volume.array[c, 2:], np.array(rows)[2:])
        assert np.array_equal(read(tmp_path / "multi.dzt", channel=c).array[0, 2:], np.array(rows)[2:])
    with pytest.raises(ReadError, match="no channel 3; header field rh_nchan is 3"):
        read(tmp_path / "multi.dzt", channel=3)


@pytest.mark.parametrize("floats", [False, True])
def test_read_dt1_gives_the_written_samples_and_axes(tmp_path, writers, floats):
    rows = writers.section(25, 9, -30000, 30000)
    writers.dt1(tmp_path / "LINE01.DT1", rows, floats=floats)
    volume = read(tmp_path / "LINE01.DT1")
    assert volume.array.dtype == ("float32" if floats else "int16")
    assert np.array_equal(volume.array[0], np.array(rows))
    _, time, distance = volume.axes
    assert time.step == pytest.approx(0.8)
    assert time.coordinate(2) == pytest.approx(0, abs=1e-12)  # the third point
    assert (distance.step, distance.origin) == (0.05, 1.0)
    assert volume.metadata["frequency_mhz"] == 100


def test_read_dt1_gives_metres_when_positions_are_feet(tmp_path, writers):
    writers.dt1(tmp_path / "a.dt1", writers.section(5, 4, -9, 9), step=1.0, start=10.0, unit="ft")
    distance = read(tmp_path / "a.dt1").axes[2]
    assert (distance.unit, distance.step, distance.origin) == ("m", pytest.approx(0.3048), pytest.approx(3.048))


def test_read_dt1_uses_trace_headers_when_there_is_no_hd(tmp_path, writers):
    writers.dt1(tmp_path / "a.dt1", writers.section(5, 4, -9, 9), header=False)
    _, time, distance = read(tmp_path / "a.dt1").axes
    assert (time.step, time.origin) == (pytest.approx(0.8), 0)
    assert (distance.step, distance.origin) == (pytest.approx(0.05, rel=1e-5), pytest.approx(1.0))


@pytest.mark.parametrize(("suffix", "high"), [(".rd3", 32767), (".rd7", 2**31 - 1)])
def test_read_mala_gives_the_written_samples_and_axes(tmp_path, writers, suffix, high):
    rows = writers.section(32, 7, -high - 1, high)
    path = tmp_path / f"line{suffix}"
    writers.mala(path, rows)
    volume = read(path)
    assert np.array_equal(volume.array[0], np.array(rows))
    assert volume.array.dtype.itemsize == (2 if suffix == ".rd3" else 4)
    assert volume.axes[1].step == pytest.approx(0.4)
    assert volume.axes[2].step == 0.02
    assert np.array_equal(read(path.with_suffix(".rad")).array, volume.array)


def test_read_mala_counts_traces_when_triggered_by_time(tmp_path, writers):
    writers.mala(tmp_path / "t.rd3", writers.section(4, 3, 0, 9), interval=0)
    assert (read(tmp_path / "t.rd3").axes[2].name, read(tmp_path / "t.rd3").axes[2].unit) == ("trace", "")
    assert read(tmp_path / "t.rd3", trace_spacing_m=0.1).axes[2].unit == "m"


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(
    ("code", "dtype", "high"),
    [(1, "float32", 2**20), (2, "int32", 2**31 - 1), (3, "int16", 2**15 - 1), (5, "float32", 2**20), (8, "int8", 127)],
)
def test_read_segy_gives_the_written_samples(tmp_path, writers, code, dtype, high, order):
    if code == 1 and order == "<":
        pytest.skip("IBM floats are big-endian by definition")
    rows = writers.section(21, 13, -high - 1, high)
    writers.segy(tmp_path / "a.sgy", rows, code, order=order, extended=1)
    volume = read(tmp_path / "a.sgy")
    assert volume.array.dtype == dtype
    assert np.array_equal(volume.array[0], np.array(rows))
    assert volume.axes[1].step == pytest.approx(0.1)  # 100 ps
    assert read(tmp_path / "a.sgy", interval_unit="us").axes[1].step == pytest.approx(100_000)


def test_read_segy_decodes_ibm_fractions_by_definition(tmp_path, writers):
    rows = [[0.15625, -118.625], [1e-20, 3.5e10]]
    writers.segy(tmp_path / "a.sgy", rows, 1)
    assert read(tmp_path / "a.sgy").array[0] == pytest.approx(np.array(rows), rel=2**-20)
    assert read(tmp_path / "a.sgy").array[0, 0, 1] == -118.625


def test_read_segy_takes_spacing_from_even_coordinates(tmp_path, writers):
    writers.segy(tmp_path / "a.sgy", writers.section(5, 6, -9, 9), spacing_cm=5)
    assert (read(tmp_path / "a.sgy").axes[2].unit, read(tmp_path / "a.sgy").axes[2].step) == ("m", pytest.approx(0.05))
    writers.segy(tmp_path / "b.sgy", writers.section(5, 6, -9, 9))
    assert read(tmp_path / "b.sgy").axes[2].name == "trace"


def test_read_gives_the_same_section_in_every_format(tmp_path, writers):
    rows = writers.section(50, 20, -2000, 2000)
    writers.dzt(tmp_path / "a.dzt", [rows])
    writers.dt1(tmp_path / "a.dt1", rows)
    writers.mala(tmp_path / "a.rd3", rows)
    writers.segy(tmp_path / "a.sgy", rows)
    np.save(tmp_path / "a.npy", np.array(rows, np.int16))
    for name in ("a.dzt", "a.dt1", "a.rd3", "a.sgy", "a.npy"):
        volume = read(tmp_path / name)
        assert volume.array.dtype == np.int16, name
        assert np.array_equal(volume.array[0, 2:], np.array(rows)[2:]), name


def cut(path, n):
    path.write_bytes(path.read_bytes()[:n])


@pytest.mark.parametrize("kind", ["dzt", "dt1", "rd3", "sgy"])
def test_read_refuses_a_file_cut_short_and_keeps_whole_traces_on_request(tmp_path, writers, kind):
    rows = writers.section(30, 12, -100, 100)
    path = tmp_path / f"a.{kind}"
    {
        "dzt": lambda: writers.dzt(path, [rows]),
        "dt1": lambda: writers.dt1(path, rows),
        "rd3": lambda: writers.mala(path, rows),
        "sgy": lambda: writers.segy(path, rows),
    }[kind]()
    cut(path, path.stat().st_size - 70)
    with pytest.raises(ReadError, match="allow_truncated=True") as caught:
        read(path)
    assert caught.value.path == str(path)
    volume = read(path, allow_truncated=True)
    assert 10 <= volume.shape[2] < 12
    assert np.array_equal(volume.array[0, 2:], np.array(rows)[2:, : volume.shape[2]])


def test_read_names_file_field_and_value_when_a_header_lies(tmp_path, writers):
    rows = writers.section(30, 12, -100, 100)
    writers.dt1(tmp_path / "a.dt1", rows)
    head = tmp_path / "a.HD"
    head.write_text(head.read_text().replace("NUMBER OF PTS/TRC  = 30", "NUMBER OF PTS/TRC  = 99999"))
    with pytest.raises(ReadError, match=r"a\.HD: header field NUMBER OF PTS/TRC is '99999'"):
        read(tmp_path / "a.dt1")
    writers.mala(tmp_path / "b.rd3", rows)
    head = tmp_path / "b.rad"
    head.write_text(head.read_text().replace("LAST TRACE:12", "LAST TRACE:2000000000"))
    with pytest.raises(ReadError, match=r"b\.rd3: header field LAST TRACE is 2000000000, but the file holds 12"):
        read(tmp_path / "b.rd3")
    writers.dzt(tmp_path / "c.dzt", [rows])
    data = bytearray((tmp_path / "c.dzt").read_bytes())
    data[6:8] = b"\x0c\x00"
    (tmp_path / "c.dzt").write_bytes(data)
    with pytest.raises(ReadError, match=r"c\.dzt: header field rh_bits is 12, expected 8, 16 or 32"):
        read(tmp_path / "c.dzt")
    writers.segy(tmp_path / "d.sgy", rows)
    data = bytearray((tmp_path / "d.sgy").read_bytes())
    data[3224:3226] = b"\x00\x04"
    (tmp_path / "d.sgy").write_bytes(data)
    with pytest.raises(ReadError, match=r"d\.sgy: header field format code is 4"):
        read(tmp_path / "d.sgy")


def test_read_stacks_lines_of_different_lengths_and_reverses_every_second_on_request(tmp_path, writers):
    lines = [writers.section(16, n, -99, 99, seed=n) for n in (8, 11, 9)]
    for i, rows in zip((2, 9, 10), lines, strict=True):
        writers.dt1(tmp_path / f"LINE{i}.DT1", rows, start=0.0)
    volume = read(tmp_path, line_spacing_m=0.2)
    assert volume.shape == (3, 16, 11)
    assert volume.lengths == (8, 11, 9)
    assert volume.name == tmp_path.name
    assert (volume.axes[0].unit, volume.axes[0].step) == ("m", 0.2)
    assert [line["name"] for line in volume.metadata["lines"]] == ["LINE2", "LINE9", "LINE10"]
    for i, rows in enumerate(lines):
        assert np.array_equal(volume.section(i).array, np.array(rows))
    assert volume.array[0, :, 8:].any() == np.False_
    zigzag = read(tmp_path, zigzag=True)
    assert np.array_equal(zigzag.section(1).array, np.array(lines[1])[:, ::-1])
    assert np.array_equal(zigzag.section(2).array, np.array(lines[2]))
    listed = read([tmp_path / "LINE9.DT1", tmp_path / "LINE2.DT1"])
    assert listed.lengths == (11, 8)


def test_read_refuses_lines_that_do_not_belong_together(tmp_path, writers):
    writers.dt1(tmp_path / "a.dt1", writers.section(16, 5, -9, 9))
    writers.dt1(tmp_path / "b.dt1", writers.section(16, 5, -9, 9), dt_ns=0.4)
    with pytest.raises(ReadError, match=r"b: it has a time step of 0\.4 ns, a has 0\.8 ns"):
        read(tmp_path)


@pytest.mark.parametrize(
    "name", ["missing.dzt", "missing.dt1", "missing.rd3", "missing.sgy", "missing.npy", "nul\0.npy", "no_suffix"]
)
def test_read_raises_read_error_when_there_is_no_file(tmp_path, name):
    with pytest.raises(ReadError):
        read(tmp_path / name)


def test_read_refuses_devices_that_never_end():
    with pytest.raises(ReadError, match="no regular file"):
        read("/dev/zero", format="dzt")


def test_read_sample_files_of_three_vendors(samples):
    dzt = read(samples / "gprpy_FILE____032.DZT")
    assert dzt.shape == (1, 512, 1040)
    assert dzt.axes[1].step * 512 == 48
    assert dzt.axes[2].step * 1040 == pytest.approx(20.8)
    assert not dzt.array[0, :2].any()
    grid = read(samples, format="dt1", line_spacing_m=0.2)
    assert grid.shape == (5, 250, 236)
    assert grid.lengths == (232, 233, 235, 235, 236)
