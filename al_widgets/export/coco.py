"""COCO JSON: masks as run lengths, and boxes; readable by pycocotools and back without loss.

Pixels of index masks become one annotation for each connected piece of a class; a box that was drawn is one annotation with the
pixels of its class inside, so that no object is there twice. What COCO has no place for (pixels that nobody
labelled, the class of the background, empty classes, the recipe of the display) stands in extra fields that other programs skip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.boxes import Box, check_boxes
from al_widgets.export.names import fields, read_json, write_json
from al_widgets.task.rle import decode, encode

Mask = npt.NDArray[np.uint8]
UNLABELLED = 255


@dataclass(frozen=True)
class CocoLabels:
    """What a COCO file holds.

    Attributes
    ----------
    classes : tuple of str
    masks : dict of str to ndarray (rows, columns) of uint8
        Item id → class numbers; 255 where nobody labelled. Only items that have a mask.
    boxes : dict of str to tuple of Box
        Item id → boxes; only items that were exported with boxes.
    info : dict
    """

    classes: tuple[str, ...]
    masks: dict[str, Mask] = field(default_factory=dict)
    boxes: dict[str, tuple[Box, ...]] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


def write_coco(
    path: str | Path,
    classes: Sequence[str],
    *,
    masks: Mapping[str, Mask] | None = None,
    boxes: Mapping[str, Sequence[Box]] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    background: str | None = None,
    info: Mapping[str, Any] | None = None,
) -> Path:
    """Write masks and boxes as one COCO JSON file.

    Parameters
    ----------
    path : path
    classes : sequence of str
        Category i + 1 is ``classes[i]``.
    masks : mapping of str to ndarray (rows, columns) of uint8, optional
        Item id → class numbers, 255 where nobody labelled.
    boxes : mapping of str to sequence of Box, optional
    sizes : mapping of str to (height, width), optional
        Of items that have boxes only.
    background : str, optional
        A class that is not written as annotations: what no annotation covers belongs to it. Default: all classes are written.
    info : mapping, optional
        JSON values, for example the display recipe and the axes of the volume.

    Raises
    ------
    TaskError
        If a mask holds a class that there is not, or a box lies outside.
    """
    masks, boxes, sizes = masks or {}, boxes or {}, sizes or {}
    if background is not None and background not in classes:
        raise TaskError(f"background {background!r} is no class; there are: {', '.join(classes)}")
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, item_id in enumerate(sorted({*masks, *boxes}), 1):
        mask = masks.get(item_id)
        if mask is None and item_id not in sizes:
            raise TaskError(f"{item_id}: sizes must give the height and width of items without a mask")
        height, width = mask.shape if mask is not None else sizes[item_id]
        image: dict[str, Any] = {"id": number, "file_name": item_id, "height": int(height), "width": int(width)}
        drawn: Sequence[Box] = boxes.get(item_id, ())
        check_boxes(item_id, drawn, (height, width), classes)
        if item_id in boxes:
            image["al_boxes"] = True
        if mask is not None:
            image["al_mask"] = True
            if (mask == UNLABELLED).any():
                image["al_unlabelled"] = encode(mask == UNLABELLED)
        for one in _objects(item_id, mask, drawn, classes, background):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **one, "iscrowd": 0})
        images.append(image)
    path = Path(path)
    write_json(
        path,
        {
            "info": {"description": "labels from al_widgets", **(info or {}), "al_background": background},
            "images": images,
            "annotations": annotations,
            "categories": [{"id": i + 1, "name": name, "supercategory": ""} for i, name in enumerate(classes)],
        },
    )
    return path


def _objects(
    item_id: str, mask: Mask | None, boxes: Sequence[Box], classes: Sequence[str], background: str | None
) -> Iterator[dict[str, Any]]:
    """Give each object of an item once: boxes that were drawn, with the pixels of their class inside, then all other pieces."""
    rest = None if mask is None else mask.copy()
    for box in boxes:
        number = classes.index(box.label)
        corner = [box.x, box.y, box.width, box.height]
        common = {"category_id": number + 1, "bbox": corner, "al_box": True}
        if mask is None or rest is None:
            right, lower = box.x + box.width, box.y + box.height
            outline = [box.x, box.y, right, box.y, right, lower, box.x, lower]
            yield {**common, "segmentation": [outline], "area": box.width * box.height}
            continue
        rows, columns = (slice(round(a), round(a + n)) for a, n in ((box.y, box.height), (box.x, box.width)))
        piece = np.zeros(mask.shape, bool)
        piece[rows, columns] = mask[rows, columns] == number
        rest[piece] = UNLABELLED
        yield {**common, "segmentation": encode(piece), "area": int(piece.sum())}
    if rest is not None:
        for category, piece, around in _pieces(item_id, rest, classes, background):
            yield {
                "category_id": category + 1,
                "bbox": around,
                "segmentation": encode(piece),
                "area": int(piece.sum()),
            }


def _pieces(
    item_id: str, mask: Mask, classes: Sequence[str], background: str | None
) -> list[tuple[int, npt.NDArray[np.bool_], list[int]]]:
    """Return class, mask and box of every connected piece (8 neighbours)."""
    from scipy.ndimage import find_objects, label

    pieces = []
    for value in np.unique(mask).tolist():
        if value == UNLABELLED:
            continue
        if value >= len(classes):
            raise TaskError(f"{item_id}: the mask holds class {value}, but there are {len(classes)} classes")
        if classes[value] == background:
            continue
        labels, _ = label(mask == value, np.ones((3, 3)))
        for n, (rows, columns) in enumerate(find_objects(labels), 1):
            box = [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]
            pieces.append((value, labels == n, box))
    return pieces


def read_coco(path: str | Path) -> CocoLabels:
    """Read a COCO JSON file with run-length masks and boxes; the inverse of `write_coco`.

    Of files from other programs, annotations with run lengths are read as masks, those without segmentation as boxes; their
    polygons are refused.

    Raises
    ------
    ReadError
        If it is no such file.
    """
    path = Path(path)
    content = read_json(path)
    images, annotations, categories = fields(path, content, images=list, annotations=list, categories=list)
    given = content.get("info")
    info: dict[str, Any] = given if isinstance(given, dict) else {}
    try:
        names = {c["id"]: str(c["name"]) for c in categories}
        numbers = {c["id"]: i for i, c in enumerate(categories)}
        background = info.get("al_background")
        fill = list(names.values()).index(background) if background is not None else UNLABELLED
        by_id = {image["id"]: image for image in images}
        masks: dict[str, Mask] = {}
        boxes: dict[str, list[Box]] = {}
        for image in images:
            if image.get("al_mask"):
                masks[image["file_name"]] = _blank(image, fill)
            if image.get("al_boxes"):
                boxes[image["file_name"]] = []
        for annotation in annotations:
            image, category = by_id[annotation["image_id"]], annotation["category_id"]
            name = image["file_name"]
            segmentation = annotation.get("segmentation")
            is_box = annotation.get("al_box", not segmentation)
            if isinstance(segmentation, dict):
                mask = masks.setdefault(name, _blank(image, fill)) if name not in masks else masks[name]
                mask[decode(segmentation)] = numbers[category]
            elif segmentation and not is_box:
                raise ReadError(str(path), f"annotation {annotation.get('id')} is a polygon; only run lengths are read")
            if is_box:
                boxes.setdefault(name, []).append(Box(names[category], *annotation["bbox"]))
        for image in images:
            if "al_unlabelled" in image:
                masks[image["file_name"]][decode(image["al_unlabelled"])] = UNLABELLED
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ReadError(str(path), f"it is no COCO file: {type(error).__name__}: {error}") from error
    kept = {k: v for k, v in info.items() if k not in ("al_background", "description")}
    return CocoLabels(tuple(names.values()), masks, {k: tuple(v) for k, v in boxes.items()}, kept)


def _blank(image: dict[str, Any], fill: int) -> Mask:
    # An encoding of the size is checked against the same limit as the runs, which may be few.
    decode({"size": [image["height"], image["width"]], "counts": [image["height"] * image["width"]]})
    return np.full((image["height"], image["width"]), fill, np.uint8)
