"""How the dashboard writes numbers: durations, money, shares, intervals. Pure functions, no state."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``"42 s"``, ``"12 min"``, ``"1 h 05 min"``.

    >>> duration(42), duration(754), duration(3900), duration(float("inf"))
    ('42 s', '13 min', '1 h 05 min', 'no end in sight')
    """
    if not math.isfinite(seconds):
        return "no end in sight"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def money_text(amount: float) -> str:
    """Return an amount without a currency, which the session does not know."""
    if not math.isfinite(amount):
        return "no end in sight"
    return f"{amount:,.2f}" if abs(amount) < 100 else f"{amount:,.0f}"


def plural(n: int, word: str) -> str:
    """Return ``"1 label"``, ``"2 labels"``."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def percent(value: float) -> str:
    """Return a share with one decimal: ``"93.1 %"``."""
    return f"{100 * value:.1f} %"


def between(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    """Return an interval in words; `write` writes one end."""
    if low is None or high is None:
        return ""
    if not math.isfinite(high):
        return f"at least {write(low)}"
    return f"{write(low)} to {write(high)}"


def times_text(seconds: float) -> str:
    """Return the seconds of one answer with a fitting number of decimals."""
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def nice(value: float) -> float:
    """Return the next larger 1, 2, 3, 5 or 8 times a power of ten: an end of an axis that does not tremble.

    >>> nice(0.7), nice(41), nice(50)
    (0.8, 50.0, 50.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 3, 5, 8, 10) if step * power >= value * (1 - 1e-9))


def ticks(end: float) -> npt.NDArray[np.float64]:
    """Return round marks from 0 to an end that `nice` gave.

    >>> ticks(30.0).tolist(), ticks(0.8).tolist()
    ([0.0, 10.0, 20.0, 30.0], [0.0, 0.2, 0.4, 0.6000000000000001, 0.8])
    """
    lead = round(end / 10.0 ** math.floor(math.log10(end) + 1e-9))
    return np.linspace(0.0, end, {2: 4, 3: 3, 8: 4}.get(lead, 5) + 1)
