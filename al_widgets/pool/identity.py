"""What a store remembers of a pool: digests of a few items that stay the same few when items are added.

Imported by pools. Pure functions; any thread.
"""

from __future__ import annotations

import hashlib
import heapq
import zlib
from collections.abc import Iterable, Sequence

SAMPLES = 32

_SEPARATE = b"\0"


def sample_ids(item_ids: Iterable[str], n: int = SAMPLES) -> list[str]:
    """Return at most `n` ids spread over the pool: those with the smallest checksums (bottom-k sampling).

    The choice does not depend on order, and adding m items to N replaces a share of about m / (N + m) of it only, so that a
    grown pool is still recognised. (Cohen and Kaplan, *Summarizing data using bottom-k sketches*, PODC 2007.)
    """
    return heapq.nsmallest(n, item_ids, key=lambda item: (zlib.crc32(item.encode("utf-8", "surrogatepass")), item))


def digest(*parts: bytes | memoryview) -> str:
    """Return 32 hex digits of a BLAKE2b digest of the parts; the parts' lengths count, so that none can run into the next."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little") if isinstance(part, bytes) else part.nbytes.to_bytes(8, "little"))
        state.update(_SEPARATE)
        state.update(part)
    return state.hexdigest()


def duplicates(ids: Sequence[str]) -> list[str]:
    """Return the ids that occur more than once, in order of their second occurrence."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for item in ids:
        if item in seen:
            twice[item] = None
        seen.add(item)
    return list(twice)
