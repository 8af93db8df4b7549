"""Readers of NumPy, TIFF, HDF5, gprMax, zarr, NIfTI and DICOM."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from al_widgets.errors import MissingExtraError, ReadError
from al_widgets.readers import Axis, Volume, read

ARRAY = np.arange(3 * 5 * 7, dtype=np.int16).reshape(3, 5, 7) - 50


@pytest.mark.parametrize(
    ("rows", "ends"),
    [
        ([[0, 0, 1], [0, 1, 0], [1, 0, 0]], ["FH", "PA", "LR"]),  # as NIfTI files usually are
        ([[0, 0, -1], [0, -1, 0], [1, 0, 0]], ["FH", "AP", "RL"]),  # axial, as scanners send it
        ([[-1, 0, 0], [0, 0, -1], [0, -1, 0]], ["RL", "HF", "AP"]),  # sagittal
        ([[0, 0, -0.8], [0.9, 0, 0.6], [0, -2, 0]], ["PA", "HF", ("RP", "LA")]),  # turned
    ],
)
def test_a_volume_knows_which_side_of_the_patient_its_axes_end_at(rows, ends):
    affine = np.eye(4)
    affine[:3, :3] = rows
    assert Volume(np.zeros((2, 2, 2)), affine=affine).ends() == [list(pair) for pair in ends]
    assert Volume(np.zeros((2, 2, 2))).ends() == [[], [], []]


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("array", [ARRAY, np.asfortranarray(ARRAY.astype(">f4")), ARRAY[0] > 0], ids=["C", "F", "bool"])
def test_read_npy_gives_the_saved_array(tmp_path, array, mmap):
    np.save(tmp_path / "a.npy", array)
    volume = read(tmp_path / "a.npy", mmap=mmap, axes=[("line", "m", 0.2), ("time", "ns", 0.5), ("distance", "m", 0.1)])
    assert np.array_equal(volume.array, array if array.ndim == 3 else array[None])
    assert not volume.array.flags.writeable
    assert volume.axes[1] == Axis("time", "ns", 0.5)


def test_read_npy_refuses_pickles(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[None]]), allow_pickle=True)
    with pytest.raises(ReadError, match="descr"):
        read(tmp_path / "a.npy")


def test_read_npz_chooses_the_only_section_or_the_key(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", data=ARRAY, dt=np.array(0.5))
    assert np.array_equal(read(tmp_path / "a.npz").array, ARRAY)
    np.savez(tmp_path / "b.npz", one=ARRAY, two=ARRAY + 1)
    assert np.array_equal(read(tmp_path / "b.npz", key="two").array, ARRAY + 1)
    with pytest.raises(ReadError, match=r"one \(3, 5, 7\), two \(3, 5, 7\)"):
        read(tmp_path / "b.npz")


def test_read_npz_refuses_a_bomb_before_it_allocates(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (1000, 10_000, 10_000)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", buffer.getvalue() + b"\0" * 1000)
    with pytest.raises(ReadError, match="800000000000 bytes"):
        read(tmp_path / "a.npz")


def test_read_tiff_gives_pages_as_sections(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", ARRAY, photometric="minisblack")
    assert np.array_equal(read(tmp_path / "a.tif").array, ARRAY)
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((5, 7, 3), np.uint8), photometric="rgb")
    with pytest.raises(ReadError, match="no grey picture"):
        read(tmp_path / "b.tif")


def test_read_hdf5_gives_the_only_dataset_or_the_key(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("survey/data", data=ARRAY, compression="gzip")
        file["survey/dt"] = 0.5
        file["loop"] = h5py.SoftLink("/survey")
        file["survey/circle"] = file["survey"]
    assert np.array_equal(read(tmp_path / "a.h5").array, ARRAY)
    assert np.array_equal(read(tmp_path / "a.h5", key="/survey/data").array, ARRAY)


def test_read_hdf5_refuses_empty_promises_and_other_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (10_000, 10_000, 1000), "f8", chunks=(10, 10, 10))
    with pytest.raises(ReadError, match="do not justify"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["data"] = h5py.ExternalLink("a.h5", "/data")
    with pytest.raises(ReadError, match="holds 0 arrays"):
        read(tmp_path / "b.h5")
    (tmp_path / "secret").write_bytes(b"x" * 64)
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file.create_dataset("data", (8, 8), "u1", external=[(str(tmp_path / "secret"), 0, 64)])
    with pytest.raises(ReadError, match="lies in other files"):
        read(tmp_path / "c.h5")


def gprmax(path, traces, dt=4.7e-12):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs.update({"gprMax": "3.1.5", "Title": "B-scan", "Iterations": len(traces), "dt": dt, "nrx": 1})
        file.attrs["dx_dy_dz"] = (0.002, 0.002, 0.002)
        file.attrs["rxsteps"] = (5, 0, 0)
        for component in ("Ez", "Hx"):
            file[f"rxs/rx1/{component}"] = traces.astype(np.float32)


def test_read_gprmax_gives_time_and_distance(tmp_path):
    traces = np.random.default_rng(0).standard_normal((50, 8))
    gprmax(tmp_path / "scan_merged.out", traces)
    volume = read(tmp_path / "scan_merged.out")
    assert np.array_equal(volume.array[0], traces.astype(np.float32))
    assert volume.axes[1].step == pytest.approx(0.0047)
    assert (volume.axes[2].unit, volume.axes[2].step) == ("m", pytest.approx(0.01))
    gprmax(tmp_path / "a.out", traces[:, 0])
    assert read(tmp_path / "a.out", component="Hx").shape == (1, 50, 1)
    with pytest.raises(ReadError, match="holds no rxs/rx2/Ez; there are: rxs/rx1/Ez, rxs/rx1/Hx"):
        read(tmp_path / "a.out", receiver=2)


@pytest.mark.parametrize("version", [2, 3])
def test_read_zarr_gives_array_and_group(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    zarr.save_array(str(tmp_path / "a.zarr"), ARRAY, zarr_format=version)
    assert np.array_equal(read(tmp_path / "a.zarr").array, ARRAY)
    group = zarr.open_group(str(tmp_path / "b.zarr"), mode="w", zarr_format=version)
    group.create_array("labels", data=ARRAY)
    assert np.array_equal(read(tmp_path / "b.zarr").array, ARRAY)
    zarr.create_array(
        str(tmp_path / "c.zarr"), shape=(10_000, 10_000, 1000), dtype="f8", chunks=(10, 10, 10), zarr_format=version
    )
    with pytest.raises(ReadError, match="do not justify"):
        read(tmp_path / "c.zarr")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_read_nifti_keeps_the_affine(tmp_path, suffix):
    nibabel = pytest.importorskip("nibabel")
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.array([[-2.0, 0.1, 0, 90], [0, 1.5, 0.2, -126], [0, -0.3, 3, -72], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / f"brain{suffix}")
    volume = read(tmp_path / f"brain{suffix}")
    assert volume.name == "brain"
    assert np.array_equal(volume.array, data.transpose(2, 1, 0))
    k, j, i = 2, 3, 1
    assert volume.array[k, j, i] == data[i, j, k]
    assert volume.affine @ [k, j, i, 1] == pytest.approx(affine @ [i, j, k, 1])
    assert [a.unit for a in volume.axes] == ["mm"] * 3
    assert volume.axes[0].step == pytest.approx(np.linalg.norm([0, 0.2, 3]), rel=1e-6)


def test_read_nifti_asks_for_a_frame_when_there_are_several(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    data = np.random.default_rng(0).standard_normal((4, 5, 6, 2)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(ReadError, match="frame=0 to frame=1"):
        read(tmp_path / "a.nii")
    assert np.array_equal(read(tmp_path / "a.nii", frame=1).array, data[..., 1].T)


def dicom_slice(path, pixels, *, z=0.0, number=1, series="1.2.3", slope=1, intercept=-1024, tilt=0.0, syntax=None):
    pydicom = pytest.importorskip("pydicom")
    uid = pydicom.uid
    data = pydicom.dataset.FileDataset(str(path), {}, preamble=b"\0" * 128)
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax or uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = uid.CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    data.SOPClassUID, data.SOPInstanceUID = uid.CTImageStorage, f"1.2.3.{number}"
    data.SeriesInstanceUID, data.Modality, data.InstanceNumber = series, "CT", number
    data.ImagePositionPatient = [-10.0, 20.0 + z * np.sin(tilt), z * np.cos(tilt)]
    data.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, np.cos(tilt), -np.sin(tilt)]
    data.PixelSpacing = [0.7, 0.6]
    data.SliceThickness = 5.0
    data.RescaleSlope, data.RescaleIntercept = slope, intercept
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = pixels.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


def test_read_dicom_gives_hounsfield_units(tmp_path):
    pixels = np.arange(20).reshape(4, 5) + 1000
    dicom_slice(tmp_path / "one.dcm", pixels)
    volume = read(tmp_path / "one.dcm")
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array[0], pixels - 1024)
    assert (volume.axes[1].step, volume.axes[2].step, volume.axes[0].step) == (0.7, 0.6, 5)
    dicom_slice(tmp_path / "half.dcm", pixels, slope=0.5, intercept=0)
    assert np.array_equal(read(tmp_path / "half.dcm").array[0], (pixels * 0.5).astype(np.float32))


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_read_dicom_series_sorts_along_the_normal_not_by_name(tmp_path, tilt):
    folder = tmp_path / "ct"
    folder.mkdir()
    order = [3, 0, 2, 1]  # file a has z index 3 …
    for name, z in zip("abcd", order, strict=True):
        dicom_slice(folder / f"{name}.dcm", np.full((4, 5), z), z=z * 2.5, number=9 - z, intercept=0, tilt=tilt)
    volume = read(folder)
    assert volume.array[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert volume.axes[0].step == pytest.approx(2.5)
    assert volume.metadata["files"] == ["b.dcm", "d.dcm", "c.dcm", "a.dcm"]
    world = volume.affine @ [3, 0, 0, 1]  # RAS+: x and y of DICOM change sign
    assert world[:3] == pytest.approx([10, -(20 + 7.5 * np.sin(tilt)), 7.5 * np.cos(tilt)])
    assert (volume.affine @ [0, 0, 1, 1] - volume.affine @ [0, 0, 0, 1])[0] == pytest.approx(-0.6)


def test_read_dicom_series_refuses_gaps_and_mixtures(tmp_path):
    for i, z in enumerate((0, 1, 3, 4)):
        dicom_slice(tmp_path / f"{i}.dcm", np.zeros((4, 5)), z=z, number=i)
    with pytest.raises(ReadError, match=r"2\.dcm: lies 2 mm behind 1\.dcm, the others 1 mm"):
        read(tmp_path)
    assert len(read(tmp_path, allow_gaps=True)) == 4
    dicom_slice(tmp_path / "9.dcm", np.zeros((4, 5)), series="9.9")
    with pytest.raises(ReadError, match="holds 2 DICOM series"):
        read(tmp_path)
    assert len(read(tmp_path, series="9.9")) == 1


def test_read_dicom_of_the_sample_that_pydicom_ships():
    data = pytest.importorskip("pydicom.data")
    volume = read(data.get_testdata_file("CT_small.dcm"))
    assert volume.shape == (1, 128, 128)
    assert volume.array.min() < -800
    assert volume.axes[1].step == pytest.approx(0.661468)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("a.h5", "h5py", "hdf5"), ("a.dcm", "pydicom", "medical"), ("a.nii", "nibabel", "medical")],
)
def test_read_names_the_pip_line_when_an_extra_is_missing(tmp_path, monkeypatch, name, package, extra):
    (tmp_path / name).write_bytes(b"x" * 500)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs {package}.*pip install 'al-widgets\[{extra}\]'"):
        read(tmp_path / name)


def test_volume_sections_keep_axes_and_refuse_what_does_not_fit():
    volume = Volume(
        ARRAY, lengths=(7, 4, 7), axes=[("line", "m", 0.2), ("time", "ns", 0.5, -1), ("distance", "m", 0.1)]
    )
    assert volume.section(1).array.shape == (5, 4)
    assert [a.name for a in volume.section(2, axis=1).axes] == ["line", "distance"]
    assert np.array_equal(volume.section(2, axis=1).array, ARRAY[:, 2])
    assert volume.valid.sum() == 18
    with pytest.raises(IndexError):
        volume.section(3)
    for bad in (np.zeros(3), np.zeros((0, 2, 2)), np.zeros((2, 2, 2), complex)):
        with pytest.raises(ValueError, match="a volume needs"):
            Volume(bad)
    with pytest.raises(ValueError, match="step must be"):
        Axis("time", "ns", float("nan"))


def test_importing_readers_loads_no_optional_library():

    code = "import sys, al_widgets.readers as r; r.read; print([m for m in ('h5py','zarr','pydicom','nibabel','tifffile','scipy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
