"""YOLO: a folder with one text file a picture (class, centre and size in shares of the picture) and ``data.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.boxes import Box, check_boxes
from al_widgets.export.names import INDEX, fields, inside, read_json, stems, write_json
from al_widgets.readers.fields import read_bytes


def write_yolo(
    folder: str | Path,
    classes: Sequence[str],
    boxes: Mapping[str, Sequence[Box]],
    sizes: Mapping[str, tuple[int, int]],
) -> Path:
    """Write ``labels/<item>.txt``, ``data.yaml`` with the class names, and ``index.json`` for reading back.

    Parameters
    ----------
    folder : path
    classes : sequence of str
    boxes : mapping of str to sequence of Box
        An item without boxes gets an empty file: it was looked at and holds nothing.
    sizes : mapping of str to (height, width)

    Raises
    ------
    TaskError
        If a size is missing, a box lies outside, or its class does not exist.
    """
    folder = Path(folder)
    names = stems(sorted(boxes))
    for item_id, name in names.items():
        if item_id not in sizes:
            raise TaskError(f"{item_id}: sizes must give the height and width of every item")
        height, width = sizes[item_id]
        check_boxes(item_id, boxes[item_id], (height, width), classes)
        lines = [
            f"{classes.index(b.label)} {(b.x + b.width / 2) / width!r} {(b.y + b.height / 2) / height!r}"
            f" {b.width / width!r} {b.height / height!r}\n"
            for b in boxes[item_id]
        ]
        path = folder / "labels" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="ascii")
    folder.mkdir(parents=True, exist_ok=True)
    listing = "".join(f"  {i}: {json.dumps(name)}\n" for i, name in enumerate(classes))
    (folder / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnames:\n{listing}", encoding="utf-8")
    items = {name: {"item_id": i, "height": sizes[i][0], "width": sizes[i][1]} for i, name in names.items()}
    write_json(folder / INDEX, {"format": "yolo", "classes": list(classes), "items": items})
    return folder


def read_yolo(folder: str | Path) -> tuple[tuple[str, ...], dict[str, tuple[Box, ...]], dict[str, tuple[int, int]]]:
    """Return classes, boxes and sizes that `write_yolo` wrote; pixels are rounded to a millionth.

    Raises
    ------
    ReadError
        If a file is missing or malformed.
    """
    folder = Path(folder)
    classes, items = fields(folder / INDEX, read_json(folder / INDEX), classes=list, items=dict)
    boxes: dict[str, tuple[Box, ...]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for name, item in items.items():
        path = inside(folder / "labels", f"{name}.txt")
        text = read_bytes(path).decode("latin-1")
        try:
            height, width = int(item["height"]), int(item["width"])
            found = []
            for line in text.splitlines():
                number, *values = line.split()
                cx, cy, w, h = (float(v) for v in values)
                corner = (round((cx - w / 2) * width, 6), round((cy - h / 2) * height, 6))
                found.append(Box(classes[int(number)], *corner, round(w * width, 6), round(h * height, 6)))
            boxes[item["item_id"]] = tuple(found)
            sizes[item["item_id"]] = (height, width)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ReadError(str(path), f"it is no YOLO label file: {type(error).__name__}: {error}") from error
    return tuple(classes), boxes, sizes
