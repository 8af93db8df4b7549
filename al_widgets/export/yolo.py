"""YOLO: a folder with one text file a picture (class, centre and size in shares of the picture) and ``data.yaml``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from al_widgets.export.box_files import BoxLabels, Size, read_box_files, write_box_files
from al_widgets.export.boxes import Box
from al_widgets.export.names import stems
from al_widgets.readers.fields import read_bytes

PLACE = "labels/{}.txt"


def write_yolo(
    folder: str | Path,
    classes: Sequence[str],
    boxes: Mapping[str, Sequence[Box]],
    sizes: Mapping[str, Size],
    *,
    picture_of: Callable[[str], npt.NDArray[np.uint8]] | None = None,
) -> Path:
    """Write ``labels/<item>.txt``, ``data.yaml`` with the class names, and ``index.json`` for reading back.

    With `picture_of` also ``images/<item>.png``; without, ``data.yaml`` names no pictures: only their owner knows where they are.

    Parameters
    ----------
    folder : path
    classes : sequence of str
    boxes : mapping of str to sequence of Box
        An item without boxes gets an empty file: it was looked at and holds nothing.
    sizes : mapping of str to (height, width)
    picture_of : callable, optional
        Item id → picture of bytes, (height, width) or (height, width, 3).

    Raises
    ------
    TaskError
        If a size is missing, a box lies outside, or its class does not exist.
    """

    def written(_name: str, found: Sequence[Box], size: Size) -> bytes:
        height, width = size
        lines = [
            f"{classes.index(b.label)} {(b.x + b.width / 2) / width!r} {(b.y + b.height / 2) / height!r}"
            f" {b.width / width!r} {b.height / height!r}\n"
            for b in found
        ]
        return "".join(lines).encode("ascii")

    folder = Path(folder)
    write_box_files(folder, "yolo", PLACE, classes, boxes, sizes, written)
    listing = "".join(f"  {i}: {json.dumps(name)}\n" for i, name in enumerate(classes))
    where = "" if picture_of is None else "train: images\nval: images\n"
    (folder / "data.yaml").write_text(f"path: .\n{where}names:\n{listing}", encoding="utf-8")
    if picture_of is not None:
        for item_id, name in stems(sorted(boxes)).items():
            path = folder / "images" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture_of(item_id)).save(path)
    return folder


def read_yolo(folder: str | Path) -> BoxLabels:
    """Return classes, boxes and sizes that `write_yolo` wrote; pixels are rounded to a millionth.

    Raises
    ------
    ReadError
        If a file is missing or malformed.
    """
    return read_box_files(folder, PLACE, "YOLO label file", _parsed)


def _parsed(path: Path, classes: list[str], size: Size) -> list[Box]:
    height, width = size
    boxes = []
    for line in read_bytes(path).decode("latin-1").splitlines():
        number, *values = line.split()
        cx, cy, w, h = (float(v) for v in values)
        corner = (round((cx - w / 2) * width, 6), round((cy - h / 2) * height, 6))
        boxes.append(Box(classes[int(number)], *corner, round(w * width, 6), round(h * height, 6)))
    return boxes
