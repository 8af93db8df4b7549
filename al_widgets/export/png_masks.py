"""Index masks: one 8-bit palette PNG an item, pixel value = class number, 255 where nobody labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError, TaskError
from al_widgets.export.names import INDEX, fields, inside, read_json, stems, write_json
from al_widgets.readers.fields import file_size, foreign
from al_widgets.task.rle import MAX_PIXELS

Mask = npt.NDArray[np.uint8]
COLOURS = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""The first is for class 0; the others are told apart by the colour-blind too (Okabe and Ito 2008)."""


def write_png_masks(
    folder: str | Path, classes: Sequence[str], masks: Mapping[str, Mask], *, info: Mapping[str, Any] | None = None
) -> Path:
    """Write ``masks/<item>.png`` and ``index.json`` with class names, item ids and `info`.

    Raises
    ------
    TaskError
        If a mask is no 2-D uint8 array, or holds a class that there is not.
    """
    from PIL import Image

    folder = Path(folder)
    palette = [255] * 768
    for value in range(255):
        palette[3 * value : 3 * value + 3] = COLOURS[value % len(COLOURS)] if value < len(COLOURS) else (value,) * 3
    names = stems(sorted(masks))
    for item_id, name in names.items():
        mask = np.asarray(masks[item_id])
        if mask.dtype != np.uint8 or mask.ndim != 2 or mask.size == 0:
            raise TaskError(f"{item_id}: a mask must be uint8 (rows, columns), not {mask.dtype} {mask.shape}")
        if ((mask >= len(classes)) & (mask != 255)).any():
            raise TaskError(f"{item_id}: the mask holds a class beyond the {len(classes)} there are")
        path = folder / "masks" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(mask)
        image.putpalette(palette)
        image.save(path, optimize=False)
    items = {name: {"item_id": item_id} for item_id, name in names.items()}
    write_json(folder / INDEX, {"format": "png", "classes": list(classes), "items": items, "info": dict(info or {})})
    return folder


def read_png_masks(folder: str | Path) -> tuple[tuple[str, ...], dict[str, Mask], dict[str, Any]]:
    """Return classes, masks and info that `write_png_masks` wrote.

    Raises
    ------
    ReadError
        If a file is missing, or no 8-bit PNG with one channel.
    """
    from PIL import Image

    folder = Path(folder)
    classes, items, info = fields(folder / INDEX, read_json(folder / INDEX), classes=list, items=dict, info=dict)
    masks: dict[str, Mask] = {}
    for name, item in items.items():
        path = inside(folder / "masks", f"{name}.png")
        file_size(path)
        with foreign(path, "PNG mask"), Image.open(path, formats=["PNG"]) as image:
            if image.mode not in ("P", "L") or image.width * image.height > MAX_PIXELS:
                raise ReadError(str(path), f"it is no index mask: mode {image.mode}, {image.width} x {image.height}")
            masks[str(item["item_id"])] = np.array(image, np.uint8)
    return tuple(classes), masks, info
