"""The model applied to pictures outside the pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.errors import ReadError, SessionError
from al_widgets.pool import open_pool
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.features import Encoder

CHUNK = 32
"""Pictures encoded together."""


def predict(pictures: Any, encoder: Encoder, snapshot: Snapshot | None) -> pd.DataFrame:
    """Return what a model thinks of new pictures.

    Parameters
    ----------
    pictures : folder, list of paths, array (n, h, w[, c]), DataFrame or Pool
    encoder : Encoder
        The one the model was trained with, fitted.
    snapshot : Snapshot or None
        The model.

    Returns
    -------
    DataFrame
        item_id, predicted, confidence, then one column a class; NaN for pictures that cannot be read.

    Raises
    ------
    SessionError
        If there is no model.
    """
    import pandas as pd

    if snapshot is None or snapshot.learner is None:
        raise SessionError("there is no model yet: two classes need labels")
    pool = open_pool(pictures)
    table = np.full((len(pool), len(snapshot.classes)), np.nan)
    for start in range(0, len(pool), CHUNK):
        rows, images = _readable(pool, range(start, min(start + CHUNK, len(pool))))
        if rows:
            table[rows] = snapshot.learner.predict_proba(encoder.reduce(encoder.describe(images)))
    known = np.isfinite(table).all(axis=1)
    best = np.nan_to_num(table, nan=-1.0).argmax(axis=1)
    frame = pd.DataFrame(
        {
            "item_id": list(pool.item_ids),
            "predicted": [snapshot.classes[b] if ok else None for b, ok in zip(best, known, strict=True)],
            "confidence": table[np.arange(len(table)), best],
        }
    )
    return pd.concat([frame, pd.DataFrame(table, columns=list(snapshot.classes))], axis=1)


def _readable(pool: Any, rows: Sequence[int]) -> tuple[list[int], list[Any]]:
    good, images = [], []
    for row in rows:
        try:
            images.append(pool.image(pool.item_ids[row]))
        except ReadError:
            continue
        good.append(row)
    return good, images
