"""DICOM files and series; needs pydicom (extra ``medical``). Compressed files also need pydicom's pixel plug-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import MissingExtraError, ReadError
from al_widgets.readers.arrays import as_volume
from al_widgets.readers.fields import check_expansion, file_size, foreign
from al_widgets.readers.volume import Axis, Volume

TO_RAS = np.diag([-1.0, -1.0, 1.0])
"""DICOM counts to the patient's left and back, NIfTI to the right and front."""


@dataclass(frozen=True)
class _Slice:
    path: Path
    pixels: npt.NDArray[Any]
    """(frames, rows, columns), rescaled."""
    series: str
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    thickness: float
    number: float
    metadata: dict[str, Any]


def read_dicom(path: str | Path, *, max_bytes: int | None = None) -> Volume:
    """Read one DICOM file: a slice, or a file of several frames.

    Returns
    -------
    Volume
        ``(frames, rows, columns)`` in rescaled units (Hounsfield units for CT): int16 or int32 where slope and intercept are
        whole numbers, else float32.

    Raises
    ------
    ReadError
        If it is no readable grey DICOM image.
    MissingExtraError
        If pydicom is not installed.
    """
    path = Path(path)
    return _stack(path, [_load(path, max_bytes)], path.stem, allow_gaps=False)


def read_dicom_series(
    paths: Sequence[Path],
    folder: Path,
    *,
    series: str | None = None,
    allow_gaps: bool = False,
    max_bytes: int | None = None,
) -> Volume:
    """Read the files of one series, sorted along the normal of its slices (not by file name).

    Parameters
    ----------
    paths : sequence of path
    folder : Path
        Gives the volume its name.
    series : str, optional
        SeriesInstanceUID; needed when the files belong to several.
    allow_gaps : bool
        Accept slices that are not evenly spaced; their positions are in ``metadata["positions_mm"]``.
    max_bytes : int, optional

    Raises
    ------
    ReadError
        If there are several series, slices of different size or orientation, repeated or missing slices.
    """
    slices = [_load(p, max_bytes) for p in paths]
    found = sorted({s.series for s in slices})
    if series is None and len(found) > 1:
        raise ReadError(str(folder), f"it holds {len(found)} DICOM series; pass series=... ({', '.join(found[:10])})")
    slices = [s for s in slices if series is None or s.series == series]
    if not slices:
        raise ReadError(str(folder), f"it holds no DICOM series {series!r}; there are: {', '.join(found[:10])}")
    return _stack(folder, slices, folder.name, allow_gaps=allow_gaps)


def _load(path: Path, max_bytes: int | None) -> _Slice:
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("reading DICOM files", "pydicom", "medical") from error
    size = file_size(path)
    with foreign(path, "DICOM image"):
        data: Any = pydicom.dcmread(path)
        shape = tuple(int(data.get(k) or 1) for k in ("NumberOfFrames", "Rows", "Columns"))
        if "PixelData" not in data or min(shape) < 1:
            raise ReadError(str(path), f"it holds no picture: fields NumberOfFrames, Rows, Columns are {shape}")
        if data.get("SamplesPerPixel", 1) != 1:
            raise ReadError(str(path), f"it is in colour: field SamplesPerPixel is {data.SamplesPerPixel}, expected 1")
        check_expansion(path, f"fields NumberOfFrames, Rows, Columns {shape}", 4 * prod(shape), size, max_bytes)
        pixels = _rescale(np.asarray(data.pixel_array).reshape(shape), data)
        spacing = _floats(data.get("PixelSpacing"), 2)
        return _Slice(
            path=path,
            pixels=pixels,
            series=str(data.get("SeriesInstanceUID", "")),
            position=_floats(data.get("ImagePositionPatient"), 3),
            orientation=_floats(data.get("ImageOrientationPatient"), 6),
            spacing=(spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
            thickness=(_floats([data.get("SpacingBetweenSlices") or data.get("SliceThickness") or 0], 1) or (0.0,))[0],
            number=(_floats([data.get("InstanceNumber") or 0], 1) or (0.0,))[0],
            metadata={
                "modality": str(data.get("Modality", ""))[:16],
                "series": str(data.get("SeriesInstanceUID", ""))[:64],
                "window_center": _floats(data.get("WindowCenter"), None),
                "window_width": _floats(data.get("WindowWidth"), None),
            },
        )


def _floats(value: Any, n: int | None) -> tuple[float, ...] | None:
    """Return a tuple of `n` finite floats, or None."""
    if value is None or isinstance(value, str):
        return None
    numbers = tuple(float(v) for v in (value if isinstance(value, Sequence) or hasattr(value, "__iter__") else [value]))
    return numbers if (n is None or len(numbers) == n) and numbers and np.isfinite(numbers).all() else None


def _rescale(pixels: npt.NDArray[Any], data: Any) -> npt.NDArray[Any]:
    slope, intercept = float(data.get("RescaleSlope", 1) or 1), float(data.get("RescaleIntercept", 0) or 0)
    if not np.isfinite([slope, intercept]).all() or max(abs(slope), abs(intercept)) > 1e9:
        raise ReadError(str(data.filename), f"fields RescaleSlope, RescaleIntercept are {slope}, {intercept}")
    if slope == int(slope) and intercept == int(intercept) and pixels.dtype.kind in "iu":
        low, high = sorted(
            (int(pixels.min()) * int(slope) + int(intercept), int(pixels.max()) * int(slope) + int(intercept))
        )
        for dtype in (np.int16, np.int32):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                scaled = pixels.astype(np.int64) * int(slope) + int(intercept)
                return scaled.astype(dtype)
    return (pixels.astype(np.float64) * slope + intercept).astype(np.float32)


def _stack(path: Path, slices: list[_Slice], name: str, *, allow_gaps: bool) -> Volume:
    first = slices[0]
    for other in slices[1:]:
        if other.pixels.shape != first.pixels.shape or (other.pixels.shape[0] > 1):
            raise ReadError(
                str(other.path),
                f"it is {other.pixels.shape}, but {first.path.name} of its series {first.pixels.shape}",
            )
        if other.spacing != first.spacing or not _same(other.orientation, first.orientation):
            raise ReadError(
                str(other.path), f"differs from {first.path.name} in PixelSpacing or ImageOrientationPatient"
            )
    step, positions, affine = first.thickness, None, None
    located = first.orientation is not None and all(s.position is not None for s in slices)
    if located and first.orientation is not None:
        row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
        normal = np.cross(row, column)
        if not 0.99 < np.linalg.norm(normal) < 1.01:
            raise ReadError(
                str(first.path),
                f"field ImageOrientationPatient is {first.orientation}, expected two unit vectors",
            )
        along = np.array([np.dot(normal, np.array(s.position)) for s in slices])
        order = np.argsort(along, kind="stable")
        slices, along = [slices[i] for i in order], along[order]
        if len(slices) > 1:
            steps = np.diff(along)
            step = float(np.median(steps))
            uneven = np.flatnonzero((steps <= 1e-4) | (np.abs(steps - step) > 0.05 * max(step, 1e-4)))
            if uneven.size and not (allow_gaps and steps.min() > 1e-4):
                i = int(uneven[0])
                raise ReadError(
                    str(slices[i + 1].path),
                    f"lies {steps[i]:.4g} mm behind {slices[i].path.name}, the others {step:.4g} mm: a slice is missing or repeated; "
                    "pass allow_gaps=True where only the spacing is uneven",
                )
            positions = along.tolist()
        dy, dx = first.spacing or (1.0, 1.0)
        if first.pixels.shape[0] == 1:
            origin = np.array(slices[0].position)
            span = np.array(slices[-1].position) - origin
            out = span / (len(slices) - 1) if len(slices) > 1 else normal * (step or 1.0)
            affine = np.eye(4)
            affine[:3, :3] = TO_RAS @ np.stack([out, column * dy, row * dx], axis=1)
            affine[:3, 3] = TO_RAS @ origin
    else:
        slices = sorted(slices, key=lambda s: (s.number, s.path.name))
    dy, dx = first.spacing or (1.0, 1.0)
    unit = "mm" if first.spacing else ""
    axes = (
        Axis("slice", "mm", step) if step > 0 else Axis("slice"),
        Axis("row", unit, dy),
        Axis("column", unit, dx),
    )
    # Slices of one series may have been rescaled to different types.
    array = np.concatenate([s.pixels for s in slices])
    metadata = {
        "format": "DICOM",
        **first.metadata,
        "positions_mm": positions,
        "files": [s.path.name for s in slices],
    }
    volume = as_volume(path, array, axes, metadata, name)
    return Volume(volume.array, axes, metadata, name, affine)


def _same(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> bool:
    return a == b or (a is not None and b is not None and bool(np.allclose(a, b, atol=1e-4)))
