"""Labels as a table: CSV in UTF-8, one row an item."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from al_widgets.errors import ReadError
from al_widgets.readers.fields import FREE_BYTES, file_size, read_bytes

COLUMNS = ("item_id", "label")


def write_labels(
    path: str | Path, labels: Mapping[str, str], more: Mapping[str, Mapping[str, object]] | None = None
) -> Path:
    """Write item → label, and further columns behind them.

    Parameters
    ----------
    path : path
        File; its folders are made.
    labels : mapping of str to str
    more : mapping of str to mapping, optional
        Column name → item → value; an item without one has an empty field.

    Returns
    -------
    Path
        The file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = dict(more or {})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
        writer.writerow([*COLUMNS, *columns])
        for item_id, label in labels.items():
            writer.writerow([item_id, label, *(values.get(item_id, "") for values in columns.values())])
    return path


def read_labels(path: str | Path) -> dict[str, str]:
    """Return item → label of a CSV file with at least the columns item_id and label, wherever they stand.

    Raises
    ------
    ReadError
        If the file is no such table, or an item stands in it twice.
    """
    path = Path(path)
    if file_size(path) > 16 * FREE_BYTES:
        raise ReadError(str(path), "it is too large for a table of labels")
    try:
        rows = csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True)
        head = next(rows, [])
        if not set(COLUMNS) <= set(head):
            raise ReadError(
                str(path), f"it has the columns {', '.join(head)[:80] or '(none)'}, expected item_id and label"
            )
        item, label = (head.index(name) for name in COLUMNS)
        labels: dict[str, str] = {}
        for number, row in enumerate(rows, 2):
            if len(row) != len(head):
                raise ReadError(str(path), f"row {number} has {len(row)} fields, expected {len(head)}")
            if row[item] in labels:
                raise ReadError(str(path), f"row {number}: the item {row[item][:80]!r} stands there twice")
            labels[row[item]] = row[label]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadError(str(path), f"it is no table of labels: {error}") from error
    return labels
