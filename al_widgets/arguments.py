"""One way to check a number that a caller gave, and to say what is wrong with it. Everybody above `errors` may use it."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def check_number(
    value: Any,
    what: str,
    error: type[Exception],
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    whole: bool = False,
) -> None:
    """Raise `error` unless a value is a finite number in a range.

    Parameters
    ----------
    value : Any
    what : str
        Name of the argument and, after a comma, what it means.
    error : type of Exception
    low, high : float
        The range, both ends included.
    above : bool
        Leave `low` out.
    whole : bool
        Whole numbers only.

    Examples
    --------
    >>> from al_widgets.errors import TaskError
    >>> check_number(95, "level, the share of the interval", TaskError, 0, 1)
    Traceback (most recent call last):
    ...
    al_widgets.errors.TaskError: level, the share of the interval, must be a number from 0 to 1, not 95
    """
    numeric = not isinstance(value, bool) and isinstance(value, Integral if whole else Real)
    if numeric and math.isfinite(value) and (low < value if above else low <= value) and value <= high:
        return
    raise error(f"{what}{',' if ',' in what else ''} must be {_wanted(low, high, above, whole)}, not {value!r}")


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, or NaN, as pandas writes empty cells."""
    return value is None or (isinstance(value, Real) and math.isnan(value))


def _wanted(low: float, high: float, above: bool, whole: bool) -> str:
    kind = "a whole number" if whole else "a number"
    if math.isinf(low) and math.isinf(high):
        return kind
    if math.isinf(high):
        return f"{kind} above {low:g}" if above else f"{kind}, {low:g} or more"
    return f"{kind} above {low:g}, at most {high:g}" if above else f"{kind} from {low:g} to {high:g}"
