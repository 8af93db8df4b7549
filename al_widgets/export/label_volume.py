"""Labels of a whole volume in one file: .npy, zarr, or NIfTI with the affine of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import MissingExtraError, TaskError
from al_widgets.export.names import fields, read_json, write_json
from al_widgets.readers.dispatch import read
from al_widgets.readers.nifti import FLIP
from al_widgets.readers.volume import Volume

Labels = npt.NDArray[np.uint8]


def write_label_volume(
    path: str | Path,
    labels: Labels,
    classes: Sequence[str],
    *,
    source: Volume | None = None,
    info: Mapping[str, Any] | None = None,
) -> Path:
    """Write labels (sections, rows, columns) in raw indices; the suffix chooses .npy, .zarr, .nii or .nii.gz.

    Beside it, ``<path>.json`` holds class names, the axes of the source (index → metres, nanoseconds) and `info`.

    Raises
    ------
    TaskError
        If labels do not fit the source or the classes, or the suffix is another.
    MissingExtraError
        If zarr or nibabel is needed and missing.
    """
    path = Path(path)
    labels = np.asarray(labels)
    if labels.dtype != np.uint8 or labels.ndim != 3 or labels.size == 0:
        raise TaskError(f"labels must be uint8 (sections, rows, columns), not {labels.dtype} {labels.shape}")
    if source is not None and labels.shape != source.shape:
        raise TaskError(f"labels have shape {labels.shape}, the volume {source.name!r} has {source.shape}")
    if ((labels >= len(classes)) & (labels != 255)).any():
        raise TaskError(f"labels hold a class beyond the {len(classes)} there are")
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.lower()
    if name.endswith(".npy"):
        np.save(path, labels, allow_pickle=False)
    elif name.endswith(".zarr"):
        _zarr().save_array(str(path), labels)
    elif name.endswith((".nii", ".nii.gz")):
        _write_nifti(path, labels, source)
    else:
        raise TaskError(f"{path}: labels are written as .npy, .zarr, .nii or .nii.gz")
    axes = [asdict(a) for a in source.axes] if source is not None else []
    write_json(_sidecar(path), {"classes": list(classes), "axes": axes, "info": dict(info or {})})
    return path


def read_label_volume(path: str | Path) -> tuple[Labels, tuple[str, ...], dict[str, Any]]:
    """Return labels, classes and info that `write_label_volume` wrote.

    Raises
    ------
    ReadError
        If a file is missing or broken.
    """
    path = Path(path)
    sidecar = _sidecar(path)
    classes, info = fields(sidecar, read_json(sidecar), classes=list, info=dict)
    labels = read(path).array.astype(np.uint8)
    return labels, tuple(classes), info


def _write_nifti(path: Path, labels: Labels, source: Volume | None) -> None:
    try:
        nibabel: Any = import_module("nibabel")
    except ImportError as error:
        raise MissingExtraError("writing NIfTI files", "nibabel", "medical") from error
    affine = source.affine if source is not None else None
    forms = source.metadata.get("header", {}) if source is not None and source.metadata.get("format") == "NIfTI" else {}
    if affine is None:
        steps = [a.step for a in source.axes] if source is not None else [1.0, 1.0, 1.0]
        affine = np.diag([*steps, 1.0])
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels.transpose(2, 1, 0)), affine @ FLIP)
    if (
        forms
    ):  # both forms of the source with their codes, so that every program puts the labels where it puts the source
        image.set_qform(np.array(forms["qform"]), forms["qform_code"])
        image.set_sform(np.array(forms["sform"]) if forms["sform_code"] else None, forms["sform_code"])
    nibabel.save(image, path)


def _zarr() -> Any:
    try:
        return import_module("zarr")
    except ImportError as error:
        raise MissingExtraError("writing zarr folders", "zarr", "zarr") from error


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")
