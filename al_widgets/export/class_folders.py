"""Labelled pictures sorted into one folder a class, as most training programs read them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.names import INDEX, fields, inside, read_json, stems, write_json

Picture = Path | npt.NDArray[np.generic]
"""A file to copy, or pixels to write."""


def write_class_folders(folder: str | Path, labels: Mapping[str, str], picture: Callable[[str], Picture]) -> Path:
    """Copy each labelled picture into the folder of its class.

    Files are copied as they are. Pixels become PNG where PNG holds them exactly (8 bit grey or colour, 16 bit grey), else
    ``.npy``. An index beside the folders tells which file is which item; names that no file system takes are encoded.

    Parameters
    ----------
    folder : path
        Must not exist, or be empty: nothing is overwritten.
    labels : mapping of str to str
    picture : callable
        Item → path of its file, or its pixels, shape (h, w) or (h, w, 3).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    TaskError
        If the folder holds something.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder} is there already and not empty; nothing is overwritten: give another folder")
    classes = stems(dict.fromkeys(labels.values()))
    names = stems(labels)
    items = {}
    for item_id, label in labels.items():
        what = picture(item_id)
        # Flat within a class: that is what training programs take for its pictures.
        place, stem = folder / classes[label].replace("/", "%2F"), names[item_id].replace("/", "__")
        place.mkdir(parents=True, exist_ok=True)
        if isinstance(what, Path):
            target = _free(place, stem, what.suffix.lower())
            shutil.copyfile(what, target)
        else:
            suffix, data = _encoded(what)
            target = _free(place, stem, suffix)
            target.write_bytes(data)
        items[target.relative_to(folder).as_posix()] = {"item_id": item_id, "label": label}
    write_json(folder / INDEX, {"format": "class folders", "items": items})
    return folder


def read_class_folders(folder: str | Path) -> tuple[dict[str, str], dict[str, Path]]:
    """Return item → label and item → file of what `write_class_folders` wrote.

    Raises
    ------
    ReadError
        If the index is missing or broken, or a file it names is not there.
    """
    folder = Path(folder)
    index = folder / INDEX
    (items,) = fields(index, read_json(index), items=dict)
    labels, files = {}, {}
    for name, entry in items.items():
        path = inside(folder, name)
        if not isinstance(entry, dict):
            raise ReadError(str(index), f"field items, {name!r} is {str(entry)[:80]!r}, expected an object")
        item_id, label = fields(index, entry, item_id=str, label=str)
        if not path.is_file():
            raise ReadError(str(path), "there is no such file; the index names it")
        labels[item_id], files[item_id] = label, path
    return labels, files


def _free(folder: Path, stem: str, suffix: str) -> Path:
    """Return a path in a folder that no file has, also where file systems ignore case."""
    target, number = folder / f"{stem}{suffix}", 1
    while target.exists():
        number += 1
        target = folder / f"{stem}-{number}{suffix}"
    return target


def _encoded(pixels: npt.NDArray[np.generic]) -> tuple[str, bytes]:
    """Return suffix and bytes of a file that holds these pixels exactly."""
    from PIL import Image

    file = io.BytesIO()
    exact = (pixels.dtype == np.uint8 and (pixels.ndim == 2 or pixels.shape[2:] == (3,))) or (
        pixels.dtype == np.uint16 and pixels.ndim == 2
    )
    if exact:
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
        return ".png", file.getvalue()
    np.save(file, pixels, allow_pickle=False)
    return ".npy", file.getvalue()
