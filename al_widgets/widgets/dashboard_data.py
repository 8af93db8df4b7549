"""What the dashboard shows, as pure functions: tables of a session in, series and sentences out.

No widget, thread or session in here: every figure and sentence can be tested without a browser. A plot that
would mislead carries `why`: the sentence that is shown instead. Only the dashboard imports this.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from al_widgets.records import Estimate, Forecast, Terms
from al_widgets.widgets.dashboard_text import between, duration, money_text, nice, percent, plural, times_text

if TYPE_CHECKING:
    import pandas as pd

MOST_BARS = 12
"""Bars that fit the small figure; further classes are summed up in the last."""
NAME_LENGTH = 14
"""Characters of a class name that fit beside a bar."""
LAST_ANSWERS = 200
"""Answers shown in the plot of times: the pace of now, not of last week."""
WINDOW = 15
"""Answers under the running median of times."""
FEWEST_TIMES = 5
"""Answers below which a trend of times would be noise."""
FEWEST_FOR_MAJORITY = 10
"""Audit answers below which the largest class is not known well enough to draw a line."""


NO_OTHER = Terms()
"""What figures are called where a session has no words of its own."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A horizontal line to compare the accuracy with."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class AccuracyPlot:
    """Accuracy against labels, one value a training round.

    Attributes
    ----------
    n_labels, value, low, high : tuple of float
        Same length; rounds without an honest figure are left out.
    method : str
        Name of the interval.
    certified : tuple of (float, float, float)
        (labels, low, high) of the bounds that hold together, from the first one made.
    certified_method : str
        Name of the newest of them, empty where there is none.
    references : tuple of Reference
        Chance, majority class and target, where they are known.
    why : str
        Empty, or the sentence to show instead of a curve.
    summary : str
        The plot in words.
    """

    n_labels: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    method: str
    certified: tuple[tuple[float, float, float], ...]
    certified_method: str
    references: tuple[Reference, ...]
    why: str
    summary: str


@dataclass(frozen=True, slots=True)
class ClassPlot:
    """Labels of each class: unique short names for the axis, counts, and the plot in words."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    why: str
    summary: str


@dataclass(frozen=True, slots=True)
class TimePlot:
    """Seconds of the last answers and their running median.

    Attributes
    ----------
    number : tuple of int
        Number of the answer, from 1, over all answers of the store.
    seconds, trend : tuple of float
        Same length; `seconds` cut at `top`.
    top : float
        Upper end of the axis.
    """

    number: tuple[int, ...]
    seconds: tuple[float, ...]
    trend: tuple[float, ...]
    top: float
    why: str
    summary: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the head line: what it is, its value, and what it rests on."""

    name: str
    value: str
    note: str = ""


def accuracy_plot(
    history: pd.DataFrame,
    estimate: Estimate,
    classes: Sequence[str],
    audit_counts: Mapping[str, int],
    target: float | None,
    terms: Terms = NO_OTHER,
) -> AccuracyPlot:
    """Turn the rounds into a curve with its band.

    Parameters
    ----------
    history : DataFrame
        `Session.history`: n_labels, accuracy, low, high, method; certified_low and certified_high where anything is certified.
    estimate : Estimate
        `Session.accuracy`: its `why` explains an empty curve.
    audit_counts : mapping of str to int
        Answers to the random reserve by class; the majority class is read from these, because the chosen
        labels are no fair sample of the pool.
    terms : Terms
        What the session calls its figures.
    """
    rows = history[history["accuracy"].notna()] if len(history) else history
    columns = ("n_labels", "accuracy", "low", "high")
    x, y, low, high = (tuple(float(v) for v in rows[name]) if len(rows) else () for name in columns)
    # Where there is no interval the band is as wide as the curve.
    low, high = (tuple(v if math.isnan(e) else e for e, v in zip(ends, y, strict=True)) for ends in (low, high))
    method = str(rows["method"].iloc[-1]) if len(rows) else estimate.method
    references = [Reference("chance", 1 / len(classes))] if len(classes) > 1 and terms.chance else []
    n_audit = sum(audit_counts.values())
    if n_audit >= FEWEST_FOR_MAJORITY and terms.chance:
        references.append(Reference("majority class", max(audit_counts.values()) / n_audit))
    if target is not None:
        references.append(Reference("target", target))
    lines = ", ".join(f"{r.name} {percent(r.value)}" for r in references)
    if not x:
        why = estimate.why or f"no {terms.audited} yet"
        said = f"No {terms.measure if terms.measure.isupper() else terms.measure.lower()} yet: {why.rstrip('.')}."
        return AccuracyPlot((), (), (), (), method, (), "", tuple(references), why, said)
    interval = f"{method} {between(low[-1], high[-1], percent)}" if rows["low"].notna().iloc[-1] else "no interval yet"
    certified = _certified(rows)
    certified_method = str(rows["certified_method"].iloc[-1]) if certified else ""
    if certified:
        interval += f", {certified_method} for all looks together {between(*certified[-1][1:], percent)}"
    compare = f" Compare: {lines}." if lines else ""
    summary = (
        f"{terms.measure} {percent(y[-1])} after {plural(int(x[-1]), terms.answer)}, {interval}; "
        f"first {percent(y[0])} after {int(x[0])}.{compare}"
    )
    return AccuracyPlot(x, y, low, high, method, certified, certified_method, tuple(references), "", summary)


def _certified(rows: pd.DataFrame) -> tuple[tuple[float, float, float], ...]:
    """Return (labels, low, high) of the rounds in which something was certified."""
    if "certified_low" not in rows:
        return ()
    known = rows[rows["certified_low"].notna()]
    columns = (known[name].astype(float) for name in ("n_labels", "certified_low", "certified_high"))
    return tuple(zip(*columns, strict=True))


def class_plot(labels: Sequence[str], classes: Sequence[str], counted: str = "label") -> ClassPlot:
    """Count the labels of each class, in the order of the task's classes; `counted` says what one of them is."""
    counts = dict.fromkeys(classes, 0)
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    names, values = list(counts), list(counts.values())
    if len(names) > MOST_BARS:
        order = sorted(range(len(names)), key=lambda i: (-values[i], i))
        kept, rest = sorted(order[: MOST_BARS - 1]), order[MOST_BARS - 1 :]
        names = [*(names[i] for i in kept), f"{len(rest)} others"]
        values = [*(values[i] for i in kept), sum(values[i] for i in rest)]
    missing = [name for name, n in counts.items() if not n]
    said = ", ".join(f"{name} {n}" for name, n in zip(names, values, strict=True))
    summary = f"{plural(len(labels), counted)}: {said}." if len(labels) else "No label yet."
    if labels and missing:
        summary += f" {len(missing)} of {len(counts)} classes without a label."
    return ClassPlot(short_names(names), tuple(values), "" if len(labels) else "no label yet", summary)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Shorten names to fit an axis and keep them different: an ordinal axis merges equal names."""
    taken: set[str] = set()
    result = []
    for name in names:
        short = _cut(name, NAME_LENGTH)
        tail = 2
        unique = short
        while unique in taken:
            unique = f"{_cut(name, NAME_LENGTH - 3)} ·{tail}"
            tail += 1
        taken.add(unique)
        result.append(unique)
    return tuple(result)


def _cut(name: str, room: int) -> str:
    """Return a name, its end cut off where it takes more room than that many narrow letters."""
    widths = list(itertools.accumulate(map(_width, name)))
    if not widths or widths[-1] <= room:
        return name
    return name[: sum(width <= room - 1 for width in widths)] + "…"


def _width(character: str) -> float:
    """Return about how wide a character is drawn; a narrow letter is 1."""
    if unicodedata.east_asian_width(character) in "WF":
        return 2.0
    return 1.35 if character.isupper() or character in "mw@%<>=+~" else 1.0


def time_plot(elapsed_s: Sequence[float]) -> TimePlot:
    """Turn the seconds of all answers, oldest first, into the last points and their running median."""
    total = len(elapsed_s)
    if total < FEWEST_TIMES:
        why = f"{plural(total, 'timed answer')}: too few for a trend"
        return TimePlot((), (), (), 1.0, why, f"No trend yet: {why}.")
    first = max(0, total - LAST_ANSWERS)
    times = np.asarray(elapsed_s[first:], dtype=float)
    padded = np.asarray(elapsed_s[max(0, first - WINDOW + 1) :], dtype=float)
    lead = len(padded) - len(times)
    trend = np.array([np.median(padded[max(0, i - WINDOW + 1) : i + 1]) for i in range(lead, len(padded))])
    top = nice(max(3.0 * float(np.median(times)), 1.3 * float(trend.max()), 1e-3))
    beyond = int((times > top).sum())
    median, now = times_text(float(np.median(times))), times_text(float(trend[-1]))
    summary = f"Median of the last {len(times)} answers {median}, now {now}."
    if beyond:
        are = "is" if beyond == 1 else "are"
        summary += f" {plural(beyond, 'pause')} longer than {times_text(top)} {are} drawn at the edge."
    numbers = tuple(range(first + 1, total + 1))
    return TimePlot(numbers, tuple(np.minimum(times, top).tolist()), tuple(trend.tolist()), top, "", summary)


def tiles(
    *,
    n_labels: int,
    n_items: int,
    estimate: Estimate,
    seconds: float,
    money: float | None,
    forecast: Forecast | None,
    terms: Terms = NO_OTHER,
) -> tuple[Tile, ...]:
    """Return the head line: labels, accuracy, what was spent, what is still to come."""
    result = [Tile("Labels", f"{n_labels:,}", f"of {plural(n_items, terms.item)}")]
    if estimate.value is None:
        result.append(Tile(terms.measure, "–", estimate.why or f"no {terms.audited} yet"))
    else:
        interval = f"{between(estimate.low, estimate.high, percent)} ({estimate.method})"
        if estimate.low is None:
            interval = "no interval yet"
        note = f"{interval}, {plural(estimate.n, terms.audited)}"
        result.append(Tile(terms.measure, percent(estimate.value), note))
    spent = "time of labeling" if money is None else f"costs {money_text(money)}"
    result.append(Tile("Spent", duration(seconds), spent))
    if forecast is not None:
        result.append(_forecast_tile(forecast))
    return tuple(result)


def _forecast_tile(forecast: Forecast) -> Tile:
    name = f"To {percent(forecast.target)}"
    labels = forecast.labels
    if forecast.why or labels.value is None:
        return Tile(name, "–", forecast.why or labels.why or "too early to say")
    if labels.high == 0:
        return Tile(name, "reached", f"the whole interval of today's figure lies above it ({labels.method})")
    reached = math.isfinite(labels.value)
    value = plural(round(labels.value), "more label") if reached else "may never be reached"
    notes = []
    if labels.low is not None and labels.high is not None:
        notes.append(f"{between(labels.low, labels.high, lambda v: f'{v:,.0f}')} ({labels.method})")
    if forecast.seconds.value is not None and math.isfinite(forecast.seconds.value):
        notes.append(duration(forecast.seconds.value))
    if forecast.money.value is not None and math.isfinite(forecast.money.value):
        notes.append(f"costs {money_text(forecast.money.value)}")
    if forecast.never:
        notes.append(f"{percent(forecast.never)} of the curves never get there")
    return Tile(name, value, ", ".join(notes))


def axis_end(n: float) -> float:
    """Return the right end of the axis of labels: steps of a quarter, so that it moves seldom."""
    end = 20.0
    while end < n:
        end = nice(end * 1.26)
    return end
