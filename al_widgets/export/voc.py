"""Pascal VOC: one XML file a picture, corners counted from 1, last pixel included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.boxes import Box, check_boxes
from al_widgets.export.names import INDEX, fields, inside, read_json, stems, write_json
from al_widgets.readers.fields import MAX_HEADER_TEXT, file_size, read_bytes


def write_voc(
    folder: str | Path,
    classes: Sequence[str],
    boxes: Mapping[str, Sequence[Box]],
    sizes: Mapping[str, tuple[int, int]],
) -> Path:
    """Write ``Annotations/<item>.xml`` and ``index.json``; parameters and errors as `al_widgets.export.yolo.write_yolo`."""
    folder = Path(folder)
    names = stems(sorted(boxes))
    for item_id, name in names.items():
        if item_id not in sizes:
            raise TaskError(f"{item_id}: sizes must give the height and width of every item")
        height, width = sizes[item_id]
        check_boxes(item_id, boxes[item_id], (height, width), classes)
        root = ET.Element("annotation")
        _add(root, "filename", name)
        size = ET.SubElement(root, "size")
        for tag, value in (("width", width), ("height", height), ("depth", 1)):
            _add(size, tag, str(value))
        for box in boxes[item_id]:
            thing = ET.SubElement(root, "object")
            # XML cannot hold every character of a name: the number decides, the name is for other programs.
            _add(thing, "name", "".join(c if c.isprintable() else " " for c in box.label))
            thing.set("class", str(classes.index(box.label)))
            for tag in ("truncated", "difficult"):
                _add(thing, tag, "0")
            corners = ET.SubElement(thing, "bndbox")
            edges = (box.x + 1, box.y + 1, box.x + box.width, box.y + box.height)
            for tag, edge in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True):
                _add(corners, tag, str(int(edge)) if edge == int(edge) else repr(float(edge)))
        path = folder / "Annotations" / f"{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.indent(root)
        path.write_bytes(ET.tostring(root, encoding="utf-8"))
    items = {name: {"item_id": i, "height": sizes[i][0], "width": sizes[i][1]} for i, name in names.items()}
    write_json(folder / INDEX, {"format": "voc", "classes": list(classes), "items": items})
    return folder


def read_voc(folder: str | Path) -> tuple[tuple[str, ...], dict[str, tuple[Box, ...]], dict[str, tuple[int, int]]]:
    """Return classes, boxes and sizes that `write_voc` wrote.

    Raises
    ------
    ReadError
        If a file is missing, malformed, or declares a document type (which may hold endless entities).
    """
    folder = Path(folder)
    classes, items = fields(folder / INDEX, read_json(folder / INDEX), classes=list, items=dict)
    boxes: dict[str, tuple[Box, ...]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for name, item in items.items():
        path = inside(folder / "Annotations", f"{name}.xml")
        if file_size(path) > MAX_HEADER_TEXT:
            raise ReadError(str(path), "it is too large for a VOC file")
        data = read_bytes(path)
        if b"<!" in data or b"\0" in data:
            raise ReadError(str(path), "it declares a document type or is not UTF-8; neither is read")
        try:
            root = ET.fromstring(data)  # noqa: S314 - without a document type there are no entities to expand
            found = []
            for thing in root.iter("object"):
                label = classes[int(thing.get("class", "-1"))] if thing.get("class") else thing.findtext("name", "")
                x1, y1, x2, y2 = (float(thing.findtext(f"bndbox/{t}", "")) for t in ("xmin", "ymin", "xmax", "ymax"))
                found.append(Box(label, x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1))
            boxes[item["item_id"]] = tuple(found)
            sizes[item["item_id"]] = (int(item["height"]), int(item["width"]))
        except (ET.ParseError, KeyError, TypeError, ValueError, IndexError) as error:
            raise ReadError(str(path), f"it is no VOC file: {type(error).__name__}: {error}") from error
    return tuple(classes), boxes, sizes


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
