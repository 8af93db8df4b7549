"""File names for item ids, reversible through an index that is written beside the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from al_widgets.errors import ReadError
from al_widgets.readers.fields import FREE_BYTES, file_size, read_bytes

INDEX = "index.json"
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".dcm", ".dt1", ".dzt")


def stems(item_ids: Iterable[str]) -> dict[str, str]:
    """Return item id → relative path without suffix, all different, also where file systems ignore case.

    A clean relative path stays as it is, less the suffix of a picture, so that training programs find the label beside its
    picture; anything else is percent-encoded into one name.
    """
    taken: set[str] = set()
    names: dict[str, str] = {}
    for item_id in item_ids:
        path = PurePosixPath(item_id)
        short = str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else str(path)
        wanted = short if _clean(item_id) else _encoded(item_id)
        if wanted.casefold() in taken:
            wanted = _encoded(item_id)
        if wanted.casefold() in taken:
            wanted = f"{wanted[:100]}-{sha256(item_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        taken.add(wanted.casefold())
        names[item_id] = wanted
    return names


def _clean(item_id: str) -> bool:
    parts = item_id.split("/")
    return len(item_id) < 200 and all(
        p and not p.startswith((".", " ")) and not p.endswith((".", " ")) and _encoded(p) == p for p in parts
    )


def _encoded(item_id: str) -> str:
    name = quote(item_id.encode("utf-8", "surrogatepass"), safe=" ()+,=@")
    if len(name) < 150 and not name.startswith((".", " ")) and not name.endswith((".", " ")):
        return name
    return f"{name[:100].strip('. ')}-{sha256(item_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def write_json(path: Path, content: Any) -> None:
    """Write JSON, readable and without NaN."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object.

    Raises
    ------
    ReadError
        If there is none.
    """
    if file_size(path) > 16 * FREE_BYTES:
        raise ReadError(str(path), "it is too large for an index of labels")
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise ReadError(str(path), f"it is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ReadError(str(path), f"it holds a JSON {type(content).__name__}, expected an object")
    return content


def inside(folder: Path, name: Any) -> Path:
    """Return the path of a file named by an index; an index must not lead out of its folder.

    Raises
    ------
    ReadError
        If it does.
    """
    if (
        not isinstance(name, str)
        or "\0" in name
        or PurePosixPath(name).is_absolute()
        or ".." in PurePosixPath(name).parts
    ):
        raise ReadError(str(folder / INDEX), f"it names the file {name!r}, which does not lie in its folder")
    return folder / name


def fields(path: Path, content: Mapping[str, Any], **kinds: type) -> list[Any]:
    """Return the fields of a JSON object, checked to be of their kinds.

    Raises
    ------
    ReadError
        If one is missing or of another kind.
    """
    values = []
    for name, kind in kinds.items():
        value = content.get(name)
        if not isinstance(value, kind):
            raise ReadError(str(path), f"field {name} is {str(value)[:80]!r}, expected {kind.__name__}")
        values.append(value)
    return values
