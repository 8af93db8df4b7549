"""The session's figures: its records handed to `al_widgets.evaluation` in the form that needs them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.errors import SessionError
from al_widgets.records import Advice, Annotation, Estimate, Forecast, Round
from al_widgets.session.ledger import Label
from al_widgets.session.snapshot import Snapshot

if TYPE_CHECKING:
    from al_widgets.pool import Pool
    from al_widgets.store import Store

KEPT_PREDICTIONS = 400
"""Audit items whose prediction is kept with every round: more are hardly ever answered."""


def check_settings(*, audit: float, target: float, hourly_rate: float | None, batch_size: int) -> None:
    """Raise `SessionError` for a setting that makes no sense, with the range it must lie in."""
    if not (audit == 0 or 0.01 <= audit <= 0.5):
        raise SessionError(f"audit is the share of queries that measure the accuracy: 0, or 0.01 to 0.5, not {audit!r}")
    if not 0 < target < 1:
        raise SessionError(f"target is an accuracy between 0 and 1, not {target!r}")
    if hourly_rate is not None and not (hourly_rate >= 0 and np.isfinite(hourly_rate)):
        raise SessionError(f"hourly_rate is what an hour costs, 0 or more, not {hourly_rate!r}")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise SessionError(f"batch_size is a number of answers, 1 or more, not {batch_size!r}")


def reserve_rows(store: Store, ids: Sequence[str], audit: float) -> list[int]:
    """Return the rows of the audit reserve in serving order; its secret and its share are drawn once a store."""
    from al_widgets.evaluation.reserve import reserve_fraction, reserve_order

    if not audit or not len(ids):
        return []
    kept = store.keep_setting("reserve", {"secret": secrets.token_hex(8), "fraction": reserve_fraction(len(ids))})
    row = {item_id: i for i, item_id in enumerate(ids)}
    return [row[item_id] for item_id in reserve_order(ids, kept["secret"], kept["fraction"])]
