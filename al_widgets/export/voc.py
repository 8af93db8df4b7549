"""Pascal VOC: one XML file a picture, corners counted from 1, last pixel included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from al_widgets.errors import ReadError
from al_widgets.export.box_files import BoxLabels, Size, read_box_files, write_box_files
from al_widgets.export.boxes import Box
from al_widgets.readers.fields import MAX_HEADER_TEXT, file_size, read_bytes

PLACE = "Annotations/{}.xml"
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_voc(
    folder: str | Path,
    classes: Sequence[str],
    boxes: Mapping[str, Sequence[Box]],
    sizes: Mapping[str, Size],
) -> Path:
    """Write ``Annotations/<item>.xml`` and ``index.json``; parameters and errors as `al_widgets.export.yolo.write_yolo`."""

    def written(name: str, found: Sequence[Box], size: Size) -> bytes:
        root = ET.Element("annotation")
        _add(root, "filename", name)
        shape = ET.SubElement(root, "size")
        for tag, value in (("width", size[1]), ("height", size[0]), ("depth", 1)):
            _add(shape, tag, str(value))
        for box in found:
            thing = ET.SubElement(root, "object")
            # XML cannot hold every character of a name: the number decides, the name is for other programs.
            _add(thing, "name", "".join(c if c.isprintable() else " " for c in box.label))
            thing.set("class", str(classes.index(box.label)))
            for tag in ("truncated", "difficult"):
                _add(thing, tag, "0")
            corners = ET.SubElement(thing, "bndbox")
            edges = (box.x + 1, box.y + 1, box.x + box.width, box.y + box.height)
            for tag, edge in zip(CORNERS, edges, strict=True):
                _add(corners, tag, str(int(edge)) if edge == int(edge) else repr(float(edge)))
        ET.indent(root)
        data: bytes = ET.tostring(root, encoding="utf-8")
        return data

    folder = Path(folder)
    write_box_files(folder, "voc", PLACE, classes, boxes, sizes, written)
    return folder


def read_voc(folder: str | Path) -> BoxLabels:
    """Return classes, boxes and sizes that `write_voc` wrote.

    Raises
    ------
    ReadError
        If a file is missing, malformed, or declares a document type (which may hold endless entities).
    """
    return read_box_files(folder, PLACE, "VOC file", _parsed)


def _parsed(path: Path, classes: list[str], _size: Size) -> list[Box]:
    if file_size(path) > MAX_HEADER_TEXT:
        raise ReadError(str(path), "it is too large for a VOC file")
    data = read_bytes(path)
    if b"<!" in data or b"\0" in data:
        raise ReadError(str(path), "it declares a document type or is not UTF-8; neither is read")
    boxes = []
    for thing in ET.fromstring(data).iter("object"):  # noqa: S314 - without a document type there are no entities to expand
        label = classes[int(thing.get("class", "-1"))] if thing.get("class") else thing.findtext("name", "")
        x1, y1, x2, y2 = (float(thing.findtext(f"bndbox/{tag}", "")) for tag in CORNERS)
        boxes.append(Box(label, x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1))
    return boxes


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
