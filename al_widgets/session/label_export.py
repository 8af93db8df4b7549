"""What leaves a session on pictures: a table of labels, or the pictures sorted by class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from al_widgets.errors import SessionError

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.pool import Pool


def export_labels(path: str | Path, frame: pd.DataFrame, pool: Pool, format: str | None) -> Path:  # noqa: A002 - as `Session.export`
    """Write the labels of a session; see `Session.export`."""
    from al_widgets import export

    path = Path(path)
    chosen = format or ("csv" if path.suffix.lower() == ".csv" else "folders" if path.suffix == "" else None)
    labels = dict(zip(frame["item_id"], frame["label"], strict=True))
    if chosen == "csv":
        more = {name: dict(zip(frame["item_id"], frame[name], strict=True)) for name in frame.columns[2:]}
        return export.write_labels(path, labels, more)
    if chosen == "folders":
        return export.write_class_folders(path, labels, lambda item_id: _picture(pool, item_id))
    raise SessionError(
        f"{path.name}: say format=…, 'csv' or 'folders'"
        if format is None
        else f"there is no format {format!r}; there are csv, folders"
    )


def _picture(pool: Pool, item_id: str) -> Any:
    """Return the file of an item, or its pixels where it has none."""
    path = getattr(pool, "path", None)
    return Path(path(item_id)) if path is not None else pool.image(item_id)
