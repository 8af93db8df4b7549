"""Boxes in one file a picture, with an index beside the files: what VOC and YOLO have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.boxes import Box, check_boxes
from al_widgets.export.names import INDEX, fields, inside, read_json, stems, write_json

Size: TypeAlias = tuple[int, int]
"""Height and width."""
BoxLabels: TypeAlias = tuple[tuple[str, ...], dict[str, tuple[Box, ...]], dict[str, Size]]
"""Classes; the boxes of each item; the size of each item."""


def write_box_files(
    folder: Path,
    kind: str,
    place: str,
    classes: Sequence[str],
    boxes: Mapping[str, Sequence[Box]],
    sizes: Mapping[str, Size],
    written: Callable[[str, Sequence[Box], Size], bytes],
) -> None:
    """Write the files and the index.

    Parameters
    ----------
    folder : Path
    kind : str
        How the index calls the format.
    place : str
        Path of the file of a picture, with ``{}`` in place of its name.
    classes, boxes, sizes
        As for `al_widgets.export.yolo.write_yolo`.
    written : callable
        Name, boxes and size of a picture → what its file holds.

    Raises
    ------
    TaskError
        If a size is missing, a box lies outside, or its class does not exist.
    """
    names = stems(sorted(boxes))
    for item_id, name in names.items():
        if item_id not in sizes:
            raise TaskError(f"{item_id}: sizes must give the height and width of every item")
        check_boxes(item_id, boxes[item_id], sizes[item_id], classes)
        path = folder / place.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(name, boxes[item_id], sizes[item_id]))
    items = {name: {"item_id": i, "height": sizes[i][0], "width": sizes[i][1]} for i, name in names.items()}
    write_json(folder / INDEX, {"format": kind, "classes": list(classes), "items": items})


def read_box_files(
    folder: str | Path, place: str, what: str, parsed: Callable[[Path, list[str], Size], list[Box]]
) -> BoxLabels:
    """Return what `write_box_files` wrote.

    Parameters
    ----------
    folder : path
    place : str
        As for `write_box_files`.
    what : str
        What a file should be, for the message when it is not.
    parsed : callable
        File, classes and size of a picture → its boxes.

    Raises
    ------
    ReadError
        If a file is missing or malformed.
    """
    folder = Path(folder)
    classes, items = fields(folder / INDEX, read_json(folder / INDEX), classes=list, items=dict)
    boxes: dict[str, tuple[Box, ...]] = {}
    sizes: dict[str, Size] = {}
    for name, item in items.items():
        path = inside(folder, place.format(name))
        try:
            size = int(item["height"]), int(item["width"])
            boxes[item["item_id"]] = tuple(parsed(path, classes, size))
            sizes[item["item_id"]] = size
        except (SyntaxError, KeyError, TypeError, ValueError, IndexError) as error:  # XML's errors are of syntax
            raise ReadError(str(path), f"it is no {what}: {type(error).__name__}: {error}") from error
    return tuple(classes), boxes, sizes
