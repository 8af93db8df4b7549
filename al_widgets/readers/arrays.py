"""NumPy files (.npy, .npz) and TIFF stacks: arrays whose spacing the caller knows."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError, ReadError
from al_widgets.readers.fields import check_expansion, file_size, foreign, reading
from al_widgets.readers.volume import Axis, Volume

DEFAULT_AXES = (Axis("slice"), Axis("row"), Axis("column"))
CHUNK = 1 << 20


def as_volume(
    path: Path,
    array: npt.NDArray[Any],
    axes: Sequence[Any] | None,
    metadata: dict[str, Any],
    name: str | None = None,
) -> Volume:
    """Return a volume from an array that was read, or raise `ReadError` with what is wrong about it."""
    if not isinstance(array, np.memmap):
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    try:
        return Volume(array, tuple(axes) if axes is not None else DEFAULT_AXES, metadata, name or path.stem)
    except PoolError as error:
        raise ReadError(str(path), str(error)) from error


def read_npy(path: str | Path, *, axes: Sequence[Any] | None = None, mmap: bool = False) -> Volume:
    """Read a .npy file of two or three dimensions; pickled objects are refused.

    Parameters
    ----------
    path : path
    axes : three `Axis` or tuples (name, unit, step, origin), optional
    mmap : bool
        Map the file instead of reading it: for volumes beyond the memory.

    Raises
    ------
    ReadError
        If it is no such file, or shorter than its header claims.
    """
    path = Path(path)
    size = file_size(path)
    with reading(path), path.open("rb") as file:
        shape, fortran, dtype = _npy_header(path, file)
        start, needed = file.tell(), prod(shape) * dtype.itemsize
        if needed != size - start:
            raise ReadError(
                str(path),
                f"header field shape is {shape} of {dtype}: {needed} bytes, but {size - start} bytes follow the header",
            )
        order: Literal["C", "F"] = "F" if fortran else "C"
        if mmap:
            array: npt.NDArray[Any] = np.memmap(path, dtype, "r", start, shape, order)
        else:
            array = np.fromfile(file, dtype, prod(shape)).reshape(shape, order=order)
    return as_volume(path, array, axes, {"format": "npy"})


def read_npz(
    path: str | Path,
    *,
    key: str | None = None,
    axes: Sequence[Any] | None = None,
    max_bytes: int | None = None,
) -> Volume:
    """Read one array of a .npz file: the one named, or the only one of two or three dimensions.

    Raises
    ------
    ReadError
        If it is no such file, holds no or several such arrays, or claims more than its bytes can hold.
    """
    path = Path(path)
    size = file_size(path)
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".npy")]
            shapes: dict[str, tuple[int, ...]] = {}
            for name in names[:1000]:
                with archive.open(name) as member:
                    shapes[name[:-4]] = _npy_header(path, member)[0]
            chosen = choose(path, shapes, key)
            with archive.open(chosen + ".npy") as member:
                shape, fortran, dtype = _npy_header(path, member)
                needed = prod(shape) * dtype.itemsize
                check_expansion(path, f"array {chosen!r} of shape {shape}", needed, size, max_bytes)
                buffer = io.BytesIO()
                while buffer.tell() <= needed and (block := member.read(CHUNK)):
                    buffer.write(block)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        KeyError,
        UnicodeError,
        OverflowError,
    ) as error:
        raise ReadError(str(path), f"it is no intact .npz file: {error}") from error
    if buffer.tell() != needed:
        raise ReadError(
            str(path),
            f"array {chosen!r} has header shape {shape}: {needed} bytes, but another number follows",
        )
    array = np.frombuffer(buffer.getbuffer(), dtype).reshape(shape, order="F" if fortran else "C")
    return as_volume(path, array, axes, {"format": "npz", "key": chosen})


def choose(path: Path, shapes: dict[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array to read among those of a container.

    Raises
    ------
    ReadError
        If `key` is not there, or none was given and the choice is not clear.
    """
    listing = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:20]) or "none"
    if key is not None:
        if key in shapes:
            return key
        raise ReadError(str(path), f"it holds no array {key!r}; there are: {listing}")
    fitting = [name for name, shape in shapes.items() if len(shape) in (2, 3)]
    if len(fitting) == 1:
        return fitting[0]
    raise ReadError(
        str(path), f"it holds {len(fitting)} arrays of two or three dimensions; pass key=... (arrays: {listing})"
    )


def _npy_header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an .npy stream, or raise `ReadError`."""
    with foreign(path, ".npy file"):
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=10_000)
        elif version in ((2, 0), (3, 0)):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file, max_header_size=10_000)
        else:
            raise ReadError(str(path), f"header field version is {version}, expected (1, 0), (2, 0) or (3, 0)")
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ReadError(str(path), f"header field descr is {dtype}, expected real numbers")
    if not all(isinstance(n, int) and 0 < n < 2**40 for n in shape):
        raise ReadError(str(path), f"header field shape is {shape}, expected positive whole numbers")
    return shape, fortran, dtype


def read_tiff(path: str | Path, *, axes: Sequence[Any] | None = None, max_bytes: int | None = None) -> Volume:
    """Read a grey TIFF or TIFF stack (multi-page, ImageJ, OME).

    Raises
    ------
    ReadError
        If it is no intact TIFF, is in colour, or claims more than its bytes can hold.
    """
    import tifffile

    path = Path(path)
    size = file_size(path)
    with foreign(path, "TIFF"), tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        shape, names, dtype = tuple(series.shape), series.axes, np.dtype(series.dtype)
        needed = prod(shape) * dtype.itemsize
        check_expansion(path, f"a stack of shape {shape}", needed, size, max_bytes)
        if "S" in names or len(shape) not in (2, 3) or dtype.kind not in "biuf":
            raise ReadError(str(path), f"it is no grey picture or stack: axes {names}, shape {shape}, {dtype}")
        array = np.asarray(series.asarray())
    return as_volume(path, array, axes, {"format": "TIFF", "axes": names})
