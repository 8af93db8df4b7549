"""Tables of measured figures beside what is promised; what is missed is remembered for the exit code."""

from __future__ import annotations

import numpy as np
from scipy import stats

_missed: list[str] = []
_title = [""]


def interval(values):
    """Mean and half width of its 95 % interval (Student) as text."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return f"{values.mean():.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ± {half:.3f}"


def proportion(hits, n):
    """A share with its 95 % Wilson interval as text."""
    from al_widgets.evaluation import wilson_interval

    low, high = wilson_interval(hits, n)
    return f"{hits / n:.3f} ({low:.3f} to {high:.3f}, n {n})"


def row(what, values, promise="", holds=None):
    """Print one figure."""
    shown = values if isinstance(values, str) else interval(values)
    if holds is not None and not holds:
        _missed.append(f"{_title[0]}: {what}: {shown}, promised {promise}")
    print(f"| {what} | {shown} | {promise} | {'' if holds is None else 'yes' if holds else 'NO'} |", flush=True)


def head(title):
    """Begin a table."""
    _title[0] = title
    print(f"\n## {title}\n\n| figure | measured | promised | holds |\n|---|---|---|---|", flush=True)


def missed():
    """Promises that did not hold so far."""
    return list(_missed)
