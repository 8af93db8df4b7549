"""The audit reserve: a fixed random part of the pool that is never trained on.

Nothing is stored but a seed and a fraction. Whether an item belongs to the reserve follows from its id alone, so that
the reserve of a pool stays the reserve when the pool grows, shrinks or is reordered. Drawing audits from what is left
of the pool instead would flatter the model: the strategy has taken the hard items away.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

RESERVE_ITEMS, RESERVE_SHARE, RESERVE_LIMIT = 150, 0.1, 0.3
"""Wanted: 150 items or 10 % of the pool, whichever is more, but never over 30 % of it."""


def reserve_fraction(pool_size: int) -> float:
    """Return the share of the pool to set aside; fixed once, when a session starts.

    min(max(150, 10 % of the pool), 30 % of the pool), as a fraction of the pool.
    """
    if pool_size < 0:
        raise ValueError(f"a pool cannot have {pool_size} items")
    if pool_size == 0:
        return RESERVE_SHARE
    return min(max(RESERVE_ITEMS / pool_size, RESERVE_SHARE), RESERVE_LIMIT)


def draw(seed: int | str, item_id: str) -> float:
    """Return the item's random number in [0, 1): the same for the same seed, unrelated between items."""
    key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
    digest = hashlib.blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # 53 bits: below 1 also after rounding


def in_reserve(seed: int | str, item_id: str, fraction: float) -> bool:
    """Say whether an item belongs to the audit reserve."""
    return draw(seed, item_id) < fraction


def reserve_order(seed: int | str, item_ids: Iterable[str], fraction: float) -> list[str]:
    """Return the items of the reserve in the order in which they are to be served.

    The order is that of the draws: any first part of it is a simple random sample of the reserve. Items added to the
    pool later take their places between the others.
    """
    drawn = sorted((draw(seed, item_id), item_id) for item_id in item_ids)
    return [item_id for number, item_id in drawn if number < fraction]


def audit_due(n_served: int, share: float) -> bool:
    """Say whether the query after `n_served` others should be an audit: `share` of all are, evenly spread.

    With a share of 0.2 the 5th, 10th, 15th … query is one.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the audit share lies between 0 and 1, not {share}")
    tiny = 1e-9  # 0.2 · 5 may round below 1
    return math.floor((n_served + 1) * share + tiny) > math.floor(n_served * share + tiny)
