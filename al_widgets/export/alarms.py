"""Alarms as a CSV table: where something was called, as what, how surely, by whom and in what time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from al_widgets.errors import ReadError, TaskError
from al_widgets.readers.fields import read_bytes
from al_widgets.readers.volume import Volume

COLUMNS = (
    *("line", "x_m", "y_m", "t_ns", "depth_m", "class", "confidence", "annotator", "seconds"),
    *("velocity_m_per_ns", "row", "column"),
)
DIGITS = {"x_m": 3, "y_m": 3, "t_ns": 3, "depth_m": 4, "confidence": 4, "seconds": 2, "velocity_m_per_ns": 4}
"""Number → digits behind the point that mean anything: millimetres, picoseconds."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One call.

    Attributes
    ----------
    line : int
        Raw index of the section.
    x_m, y_m : float or None
        Along the line, and across the lines; None where the axis has no metres.
    t_ns, depth_m : float or None
        Two-way time from time-zero; depth for a velocity.
    label : str
    confidence : float
    annotator : str
    seconds : float or None
        What the answer took.
    velocity_m_per_ns : float or None
        What the depth is told by.
    row, column : float or None
        Raw indices in the section; also where no axis has a unit.
    """

    line: int
    x_m: float | None
    y_m: float | None
    t_ns: float | None
    depth_m: float | None
    label: str
    confidence: float
    annotator: str = ""
    seconds: float | None = None
    velocity_m_per_ns: float | None = None
    row: float | None = None
    column: float | None = None


def rounded(alarm: Alarm) -> Alarm:
    """Return an alarm with the digits that mean anything."""
    numbers = {name: getattr(alarm, name) for name in DIGITS}
    fields: Any = {name: None if v is None else round(v, DIGITS[name]) for name, v in numbers.items()}
    return replace(alarm, **fields)


def alarm_at(
    volume: Volume,
    index: tuple[float, float, float],
    label: str,
    confidence: float,
    *,
    velocity_m_per_ns: float | None = None,
    annotator: str = "",
    seconds: float | None = None,
) -> Alarm:
    """Return the alarm at a raw (section, row, column) index of a volume, in metres and nanoseconds."""
    across, time, along = volume.axes
    section, row, column = index
    t_ns = time.coordinate(row) if time.unit == "ns" else None
    depth = max(t_ns, 0.0) * velocity_m_per_ns / 2 if t_ns is not None and velocity_m_per_ns else None
    alarm = Alarm(
        line=int(section),
        x_m=along.coordinate(column) if along.unit == "m" else None,
        y_m=across.coordinate(section) if across.unit == "m" else None,
        t_ns=t_ns,
        depth_m=depth,
        label=label,
        confidence=confidence,
        annotator=annotator,
        seconds=seconds,
        velocity_m_per_ns=None if depth is None else velocity_m_per_ns,
        row=float(row),
        column=float(column),
    )
    return rounded(alarm)


def write_alarms(path: str | Path, alarms: Iterable[Alarm]) -> Path:
    """Write alarms as CSV (UTF-8, header line; numbers with all their digits, empty where unknown).

    Raises
    ------
    TaskError
        If a number is not finite, or a text holds a NUL.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    table.writerow(COLUMNS)
    for a in alarms:
        numbers = (a.x_m, a.y_m, a.t_ns, a.depth_m, a.confidence, a.seconds, a.velocity_m_per_ns, a.row, a.column)
        if not all(v is None or isfinite(v) for v in numbers) or "\0" in a.label + a.annotator:
            raise TaskError(f"{a} holds a number that is not finite, or a NUL")
        place = [None if v is None else float(v) for v in numbers]
        table.writerow([a.line, *place[:4], a.label, place[4], a.annotator, *place[5:]])
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    return path


def read_alarms(path: str | Path) -> list[Alarm]:
    """Return the alarms that `write_alarms` wrote.

    Raises
    ------
    ReadError
        If a column is missing or a value is no number.
    """
    path = Path(path)
    try:
        rows = list(csv.reader(io.StringIO(read_bytes(path).decode("utf-8", "surrogatepass"), newline=""), strict=True))
        if not rows or tuple(rows[0]) != COLUMNS:
            raise ReadError(str(path), f"it has the columns {rows[0] if rows else []}, expected {', '.join(COLUMNS)}")
        alarms = []
        for line, x, y, t, depth, label, confidence, annotator, *more in rows[1:]:
            x_m, y_m, t_ns, depth_m = (float(v) if v else None for v in (x, y, t, depth))
            seconds, velocity, row, column = (float(v) if v else None for v in more)
            place = (x_m, y_m, t_ns, depth_m, label, float(confidence), annotator)
            alarms.append(Alarm(int(line), *place, seconds, velocity, row, column))
    except (ValueError, csv.Error) as error:
        raise ReadError(str(path), f"it is no table of alarms: {error}") from error
    return alarms
