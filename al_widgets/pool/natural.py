"""Natural order of names: ``img2`` before ``img10``. Pure functions."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[list[tuple[str, int]], str]:
    """Return a sort key: runs of digits count as numbers, letters without regard to case, the name itself breaks ties."""
    parts = _DIGITS.split(name.casefold())
    # split gives text, digits, text, digits, ..., text: every pair is one step of the comparison.
    steps = [(parts[i], int(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]
    steps.append((parts[-1], -1))
    return steps, name
