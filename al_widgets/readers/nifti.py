"""NIfTI-1/2 files (.nii, .nii.gz, .hdr/.img); needs nibabel (extra ``medical``)."""

from __future__ import annotations

from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from al_widgets.errors import MissingExtraError, ReadError
from al_widgets.readers.arrays import as_volume
from al_widgets.readers.fields import check_expansion, file_size, foreign, sibling
from al_widgets.readers.volume import Axis, Volume

FLIP = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
"""Exchanges the first and third index: NIfTI counts (column, row, slice), a volume (slice, row, column)."""


def read_nifti(path: str | Path, *, frame: int | None = None, max_bytes: int | None = None) -> Volume:
    """Read a NIfTI image; the affine is kept, scaling (``scl_slope``) is applied.

    Parameters
    ----------
    path : path
    frame : int, optional
        Which volume of a series (fourth dimension); needed when there are several.
    max_bytes : int, optional

    Returns
    -------
    Volume
        ``(k, j, i)`` of the file's ``(i, j, k)``; `Volume.affine` maps (k, j, i) to RAS+ millimetres.
        ``metadata["header"]`` holds both of the file's forms with their codes.

    Raises
    ------
    ReadError
        If it is no intact NIfTI file.
    MissingExtraError
        If nibabel is not installed.
    """
    try:
        nibabel: Any = import_module("nibabel")
    except ImportError as error:
        raise MissingExtraError("reading NIfTI files", "nibabel", "medical") from error
    path = Path(path)
    stored = file_size(path)
    data_file = sibling(path, ".img") if path.suffix.lower() == ".hdr" else None
    stored += file_size(data_file) if data_file else 0
    name = path.name.removesuffix(".gz").removesuffix(".nii") if path.suffix == ".gz" else path.stem
    with foreign(path, "NIfTI file"):
        image = nibabel.load(path)
        if not isinstance(image, nibabel.Nifti1Pair):
            raise ReadError(str(path), f"it is no NIfTI file but {type(image).__name__}")
        shape, dtype = tuple(image.shape), image.get_data_dtype()
        if dtype.kind not in "biuf":
            raise ReadError(str(path), f"header field datatype is {dtype}, expected real numbers")
        if len(shape) not in (2, 3, 4) or min(shape) < 1:
            raise ReadError(str(path), f"header field dim is {shape}, expected two to four dimensions")
        # Scaled values are float64 while they are read, whatever their type in the file.
        check_expansion(
            path,
            f"header field dim {shape} of {dtype}",
            prod(shape) * max(dtype.itemsize, 8),
            stored,
            max_bytes,
        )
        frames = shape[3] if len(shape) == 4 else 1
        if (frame is None and frames > 1) or not 0 <= (frame or 0) < frames:
            raise ReadError(str(path), f"it has {frames} frames; pass frame=0 to frame={frames - 1}")
        proxy = image.dataobj
        data = np.asarray(proxy[..., frame or 0] if len(shape) == 4 else proxy[...])
        header, affine = image.header, np.asarray(image.affine, np.float64)
        forms = {
            "sform_code": int(header["sform_code"]),
            "qform_code": int(header["qform_code"]),
            "sform": np.asarray(header.get_sform(), np.float64).tolist(),
            "qform": np.asarray(header.get_qform(), np.float64).tolist(),
        }
    if not np.isfinite(affine).all():
        raise ReadError(str(path), "header field affine (sform, qform) is not finite")
    if data.dtype == np.float64 and dtype.itemsize <= 4:
        data = data.astype(np.float32)
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    i, j, k = (float(z) if np.isfinite(z) and z > 0 else 1.0 for z in zooms)
    axes = (Axis("slice", "mm", k), Axis("row", "mm", j), Axis("column", "mm", i))
    array = data.reshape(*data.shape[:2], -1).transpose(2, 1, 0)
    metadata = {"format": "NIfTI", "frames": frames, "header": forms}
    volume = as_volume(path, np.ascontiguousarray(array), axes, metadata, name)
    return Volume(volume.array, axes, metadata, name, affine @ FLIP)
