"""Every reader against mutated files: it returns a volume or raises ReadError, and nothing else.

``AL_WIDGETS_FUZZ`` sets the number of mutated files a format; without it the readers of our own get 3,000 each and those that
wrap a library 500, so that the suite stays short. ``AL_WIDGETS_FUZZ=10000`` is the full attack.
"""

import logging
import os
import random
import shutil
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from al_widgets.errors import ReadError
from al_widgets.readers import Volume, read

COUNT = int(os.environ.get("AL_WIDGETS_FUZZ", "0"))
MOST_BYTES = 2_000_000
"""What a reader may allocate for a file of a few kilobytes."""
EXTREMES = [
    b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff",
    b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\x01\0\0\0", b"\xff\xff", b"\0\0", b"\xff\x7f", b"\0\x80", b"-1", b"1e309", b"nan", b"99999999999",
]  # fmt: skip


def mutate(data, rng):
    """Return bytes with one to eight changes: bits, extreme numbers, cuts, insertions, moved and repeated pieces."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if not data:
            return bytes(data)
        # Headers are where a reader can go wrong: half of all changes fall into the first 400 bytes.
        at = rng.randrange(min(len(data), 400)) if rng.random() < 0.5 else rng.randrange(len(data))
        kind = rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            extreme = rng.choice(EXTREMES)
            data[at : at + len(extreme)] = extreme
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 200)))
        elif kind == 5:
            del data[at : at + rng.choice((1, 2, 4, 100))]
        else:
            there = rng.randrange(len(data))
            data[at : at + 8] = data[there : there + 8]
    return bytes(data)


def seeds(folder, writers):
    """Write a few small intact files of every format; return format → list of groups of files, the one to open first."""
    rows = writers.section(12, 9, -100, 100)
    found = {"dzt": [], "dt1": [], "mala": [], "segy": [], "npy": [], "npz": []}
    for bits in (8, 16, 32):
        path = folder / f"a{bits}.dzt"
        writers.dzt(path, [rows, rows], bits)
        found["dzt"].append([path])
    for floats in (False, True):
        path = folder / f"b{floats}.dt1"
        writers.dt1(path, rows, floats=floats)
        found["dt1"].append([path, path.with_suffix(".HD")])
    bare = folder / "bare.dt1"
    writers.dt1(bare, rows, header=False)
    found["dt1"].append([bare])
    for suffix in (".rd3", ".rd7"):
        path = folder / f"c{suffix[1:]}{suffix}"
        writers.mala(path, rows)
        found["mala"].append([path, path.with_suffix(".rad")])
    for code in (1, 2, 3, 5):
        path = folder / f"d{code}.sgy"
        writers.segy(path, rows, code, spacing_cm=5)
        found["segy"].append([path])
    array = np.array(rows, np.int16)
    np.save(folder / "e.npy", array)
    np.savez_compressed(folder / "f.npz", data=array, dt=np.array(0.5))
    np.savez(folder / "g.npz", data=array)
    found["npy"], found["npz"] = [[folder / "e.npy"]], [[folder / "f.npz"], [folder / "g.npz"]]
    return found


def library_seeds(folder, format_name):
    array = np.arange(3 * 12 * 9, dtype=np.int16).reshape(3, 12, 9)
    if format_name == "tiff":
        tifffile = pytest.importorskip("tifffile")
        tifffile.imwrite(folder / "a.tif", array, photometric="minisblack")
        tifffile.imwrite(folder / "b.tif", array, photometric="minisblack", compression="zlib", imagej=False)
        tifffile.imwrite(folder / "c.tif", array, imagej=True)
        return [[folder / f"{n}.tif"] for n in "abc"]
    if format_name == "hdf5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(folder / "a.h5", "w") as file:
            file.create_dataset("x/data", data=array, compression="gzip", chunks=(1, 12, 9))
        with h5py.File(folder / "b.out", "w") as file:
            file.attrs.update({"gprMax": "3", "dt": 1e-12, "dx_dy_dz": (0.1, 0.1, 0.1), "rxsteps": (1, 0, 0)})
            file["rxs/rx1/Ez"] = array[0].astype("f4")
        return [[folder / "a.h5"], [folder / "b.out"]]
    if format_name == "nifti":
        nibabel = pytest.importorskip("nibabel")
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), folder / "a.nii")
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), folder / "b.nii.gz")
        nibabel.save(nibabel.Nifti2Image(array, np.eye(4)), folder / "c.nii")
        return [[folder / "a.nii"], [folder / "b.nii.gz"], [folder / "c.nii"]]
    if format_name == "dicom":
        pytest.importorskip("pydicom")
        from pydicom.data import get_testdata_file

        groups = []
        for name in ("CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm"):
            source = get_testdata_file(name, download=False)
            if source:
                shutil.copy(source, folder / name)
                groups.append([folder / name])
        assert len(groups) >= 3
        return groups
    zarr = pytest.importorskip("zarr")
    zarr.save_array(str(folder / "a.zarr"), array)
    zarr.save_array(str(folder / "b.zarr"), array, zarr_format=2)
    return [[folder / n, *sorted(f for f in (folder / n).rglob("*") if f.is_file())] for n in ("a.zarr", "b.zarr")]


def attack(groups, format_name, count, seed):
    """Mutate one file of a group at a time and read; return how many were still readable."""
    rng = random.Random(seed)
    readable = 0
    originals = {f: f.read_bytes() for group in groups for f in group if f.is_file()}
    for i in range(count):
        group = groups[i % len(groups)]
        victim = rng.choice([f for f in group if f in originals])
        mutated = mutate(originals[victim], rng)
        victim.write_bytes(mutated)
        try:
            volume = read(
                group[0],
                format=format_name,
                **({"allow_truncated": True} if format_name in ("dzt", "dt1", "mala", "segy") and i % 3 == 0 else {}),
            )
        except ReadError as error:
            if not (error.path and error.reason):
                raise
        except Exception as error:
            raise AssertionError(f"{format_name}: file {i} of seed {seed} ({victim.name}) raised {error!r}") from error
        else:
            assert isinstance(volume, Volume)
            assert all(np.isfinite([a.step, a.origin]).all() for a in volume.axes)
            readable += 1
        finally:
            victim.write_bytes(originals[victim])
    return readable


@pytest.mark.parametrize("format_name", ["dzt", "dt1", "mala", "segy", "npy", "npz"])
def test_own_readers_raise_nothing_but_read_error_on_mutated_files(tmp_path, writers, format_name):
    groups = seeds(tmp_path, writers)[format_name]
    count = COUNT or 3000
    readable = attack(groups, format_name, count, seed=1)
    assert 0 < readable < count  # some mutations must hit, some must miss, or the attack tests nothing


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format_name", ["tiff", "hdf5", "nifti", "dicom", "zarr"])
def test_library_readers_raise_nothing_but_read_error_on_mutated_files(tmp_path, format_name):
    logging.disable(logging.CRITICAL)
    try:
        count = COUNT or 500
        readable = attack(library_seeds(tmp_path, format_name), format_name, count, seed=2)
    finally:
        logging.disable(logging.NOTSET)
    assert 0 < readable < count


@settings(
    max_examples=max(100, COUNT // 10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    format_name=st.sampled_from(["dzt", "dt1", "mala", "segy", "npy", "npz", "tiff", "nifti", "dicom"]),
    data=st.binary(max_size=4000),
)
def test_read_raises_nothing_but_read_error_on_any_bytes(tmp_path, format_name, data):
    suffix = {"mala": ".rd3", "nifti": ".nii", "segy": ".sgy", "tiff": ".tif", "dicom": ".dcm"}.get(
        format_name, f".{format_name}"
    )
    path = tmp_path / f"any{suffix}"
    path.write_bytes(data)
    (tmp_path / "any.rad").write_bytes(data[::-1])
    logging.disable(logging.CRITICAL)
    try:
        assert isinstance(read(path), Volume)
    except ReadError:
        pass
    finally:
        logging.disable(logging.NOTSET)


def peak_of(path, format_name):
    """Bytes that are allocated at most while a file is read."""
    tracemalloc.start()
    try:
        read(path, format=format_name)
    except ReadError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("format_name", ["dzt", "dt1", "mala", "segy", "npy", "npz"])
def test_read_allocates_no_more_than_the_file_justifies(tmp_path, writers, format_name):
    """Headers that claim the most their fields can hold, in files of a few kilobytes."""
    for group in seeds(tmp_path, writers)[format_name]:
        head = group[-1]
        original = head.read_bytes()
        fields = {
            "dzt": [*range(0, 70, 2)],
            "segy": [*range(3212, 3226, 2), *range(3500, 3506, 2), *range(3668, 3720, 2)],
        }
        for at in fields.get(format_name, range(0, min(len(original), 300), 2)):
            for extreme in (b"\xff\xff", b"\xff\x7f", b"\x7f\xff", b"\0\x4f"):
                head.write_bytes(original[:at] + extreme + original[at + 2 :])
                # Threads of other tests may allocate meanwhile: what the reader itself takes, it takes every time.
                peak = peak_of(group[0], format_name)
                if peak >= MOST_BYTES:
                    peak = min(peak_of(group[0], format_name) for _ in range(5))
                assert peak < MOST_BYTES, (format_name, at, extreme)
        head.write_bytes(original)


def test_fuzz_mutations_are_reproducible():
    assert mutate(b"0123456789" * 50, random.Random(5)) == mutate(b"0123456789" * 50, random.Random(5))
    assert struct.pack("<f", float("nan"))[:4] in EXTREMES
