"""`read`: one door for all volume formats.

The format follows from the file's suffix or first bytes, from what a folder holds, or is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from inspect import signature
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

from al_widgets.errors import ReadError
from al_widgets.readers.fields import read_bytes, reading
from al_widgets.readers.volume import Volume

FORMATS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "dzt": ("gssi", "read_dzt", (".dzt",)),
    "dt1": ("pulseekko", "read_dt1", (".dt1",)),
    "mala": ("mala", "read_mala", (".rd3", ".rd7", ".rad")),
    "segy": ("segy", "read_segy", (".sgy", ".segy")),
    "hdf5": ("hdf5", "read_hdf5", (".out", ".h5", ".hdf5", ".hdf")),
    "npy": ("arrays", "read_npy", (".npy",)),
    "npz": ("arrays", "read_npz", (".npz",)),
    "tiff": ("arrays", "read_tiff", (".tif", ".tiff")),
    "zarr": ("zarr_array", "read_zarr", (".zarr",)),
    "dicom": ("dicom", "read_dicom", (".dcm", ".dicom", ".ima")),
    "nifti": ("nifti", "read_nifti", (".nii", ".nii.gz", ".hdr")),
}
"""Name → (module, function, suffixes)."""

LINES = (".dzt", ".dt1", ".rd3", ".rd7", ".sgy", ".segy", ".out", ".npy")
"""Suffixes of which a folder is a survey: one file, one line."""

RADAR = ("dzt", "dt1", "mala", "segy", "hdf5", "npy")


def read(
    path: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    format: str | None = None,  # noqa: A002 - the word users look for
    line_spacing_m: float | None = None,
    trace_spacing_m: float | None = None,
    zigzag: bool = False,
    **options: Any,
) -> Volume:
    """Read a volume: a file, a folder that is a survey, a DICOM series or a zarr array, or a list of lines.

    Parameters
    ----------
    path : path or sequence of paths
        A list, or a folder of lines of one format (sorted by name, numbers by value), becomes one survey.
    format : str, optional
        One of `formats`, where the suffix does not tell.
    line_spacing_m, trace_spacing_m : float, optional
        Spacing of lines and of traces in metres, where the file does not hold it or is wrong.
    zigzag : bool
        Reverse every second line of a survey.
    **options
        For the reader of the format: ``channel``, ``allow_truncated``, ``interval_unit``, ``key``, ``axes``, ``frame``,
        ``series``, ``max_bytes`` …

    Returns
    -------
    Volume

    Raises
    ------
    ReadError
        If there is nothing readable; names the file, the field and the value.
    MissingExtraError
        If the format needs a package that is not installed; names the pip line.

    Examples
    --------
    >>> volume = read("survey/", line_spacing_m=0.2, zigzag=True)  # doctest: +SKIP
    """
    for name, spacing in (("line_spacing_m", line_spacing_m), ("trace_spacing_m", trace_spacing_m)):
        if spacing is not None and not (_is_length(spacing)):
            raise ReadError(str(path), f"{name} must be a positive number, not {spacing!r}")
    if format is not None and format not in FORMATS:
        raise ReadError(str(path), f"unknown format {format!r}; there are: {', '.join(FORMATS)}")
    stacking = {"line_spacing_m": line_spacing_m, "zigzag": zigzag}
    if isinstance(path, str | PathLike):
        single = Path(path)
        volume = _folder(single, format, stacking, options) if single.is_dir() else _file(single, format, options)
    else:
        if not isinstance(path, Sequence) or not all(isinstance(p, str | PathLike) for p in path):
            raise ReadError(
                "read",
                f"it takes a path or a list of paths, not {type(path).__name__}; al.Volume(array, axes) makes a volume of an array",
            )
        files = [Path(p) for p in path]
        twice = {str(f) for f in files if files.count(f) > 1}
        if twice:
            raise ReadError(min(twice), "it is given more than once; a survey has each line once")
        volume = _survey(files, format, _common_name(files), stacking, options)
    if line_spacing_m is None and trace_spacing_m is None:
        return volume
    from al_widgets.readers.survey import with_spacing

    return with_spacing(volume, line_spacing_m, trace_spacing_m)


def _is_length(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < 1e9


def formats() -> dict[str, tuple[str, ...]]:
    """Return the names of all formats with their suffixes."""
    return {name: suffixes for name, (_, _, suffixes) in FORMATS.items()}


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key: ``LINE2`` comes before ``LINE10``."""
    parts = re.split(r"([0-9]{1,18})", path.name.casefold())
    return [(0, int(p), "") if i % 2 else (1, 0, p) for i, p in enumerate(parts)]


def _reader(name: str) -> Callable[..., Volume]:
    module, function, _ = FORMATS[name]
    reader: Callable[..., Volume] = getattr(import_module(f"al_widgets.readers.{module}"), function)
    return reader


def _guess(path: Path) -> str:
    """Return the format of a file by its suffix, or by its first bytes where it has no known one."""
    lower = path.name.lower()
    for name, (_, _, suffixes) in FORMATS.items():
        if lower.endswith(suffixes):
            return name
    head = read_bytes(path, 132)
    if head[128:132] == b"DICM":
        return "dicom"
    for magic, name in (
        (b"\x89HDF\r\n", "hdf5"),
        (b"\x93NUMPY", "npy"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
    ):
        if head.startswith(magic):
            return name
    known = ", ".join(s for _, _, suffixes in FORMATS.values() for s in suffixes)
    raise ReadError(
        str(path), f"it is of no known volume format (suffix {path.suffix!r}; known: {known}); pass format=..."
    )


def _file(path: Path, name: str | None, options: dict[str, Any]) -> Volume:
    name = name or _guess(path)
    reader = _reader(name)
    known = list(signature(reader).parameters)[1:]
    for option in options:
        if option not in known:
            raise ReadError(
                str(path), f"reading {name} has no option {option!r}; there are: {', '.join(known) or 'none'}"
            )
    return reader(path, **options)


def _survey(
    files: Sequence[Path], name: str | None, title: str, stacking: dict[str, Any], options: dict[str, Any]
) -> Volume:
    from al_widgets.readers.survey import stack_lines

    if not files:
        raise ReadError(title, "an empty list of files is no survey")
    names = {name or _guess(f) for f in files}
    if names == {"dicom"}:
        from al_widgets.readers.dicom import read_dicom_series

        return read_dicom_series(files, files[0].parent, **options)
    return stack_lines([_file(f, name, options) for f in files], name=title, **stacking)


def _folder(path: Path, name: str | None, stacking: dict[str, Any], options: dict[str, Any]) -> Volume:
    from al_widgets.readers.zarr_array import is_zarr

    if name == "zarr" or (name is None and (is_zarr(path) or path.suffix.lower() == ".zarr")):
        return _reader("zarr")(path, **options)
    with reading(path):
        files = sorted((f for f in path.iterdir() if f.is_file() and not f.name.startswith(".")), key=natural)
    if name is not None:
        suffixes = FORMATS[name][2]
        chosen = [f for f in files if f.name.lower().endswith(suffixes) and f.suffix.lower() != ".rad"]
        if not chosen and name == "dicom":
            chosen = files
    else:
        kinds = {s: [f for f in files if f.suffix.lower() == s] for s in LINES}
        present = {s: found for s, found in kinds.items() if found}
        dicom = [f for f in files if _is_dicom(f)] if not present else []
        if len(present) > 1:
            counts = ", ".join(f"{len(found)} {s}" for s, found in present.items())
            raise ReadError(
                str(path), f"it holds lines of several formats ({counts}); pass format=... or a list of files"
            )
        chosen = next(iter(present.values())) if present else dicom
        name = None if present else "dicom"
    if not chosen:
        raise ReadError(
            str(path), f"it holds no lines ({', '.join(LINES)}) and no DICOM files among its {len(files)} files"
        )
    return _survey(chosen, name, path.resolve().name or "survey", stacking, options)


def _is_dicom(path: Path) -> bool:
    return path.suffix.lower() in FORMATS["dicom"][2] or read_bytes(path, 132)[128:] == b"DICM"


def _common_name(files: Iterable[Path]) -> str:
    parents = {f.resolve().parent.name for f in files}
    return parents.pop() if len(parents) == 1 and parents != {""} else "survey"
