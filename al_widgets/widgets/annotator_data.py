"""What the annotator page shows, as pure functions: tables of a session in, series and sentences out; no widget in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.evaluation import fence
from al_widgets.records import Estimate, Forecast
from al_widgets.widgets.dashboard_data import Tile
from al_widgets.widgets.dashboard_text import between, duration, money_text, nice, percent, plural, times_text

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 4
"""Annotators with a line of their own: those with the most answers."""
MOST_POINTS = 400
"""Points of a line at most."""
WINDOW = 15
"""Answers under the running median of times."""
FEWEST = 5
"""Answers of an annotator below which nothing is drawn of them."""
FEWEST_SECTIONS = 2
"""Sections that others finished too below which nothing is drawn of an annotator's masks."""
FEWEST_ROUNDS = 6
"""Rounds with an accuracy below which no price of a point is given."""


@dataclass(frozen=True, slots=True)
class Path:
    """One line with its band: an annotator over their answers.

    Attributes
    ----------
    name : str
    number : tuple of int
        Number of the answer, from 1.
    value, low, high : tuple of float
        `low` and `high` are empty where there is no band.
    """

    name: str
    number: tuple[int, ...]
    value: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PathPlot:
    """Lines of several annotators; `why` instead of them where there are none; the plot in words."""

    paths: tuple[Path, ...]
    end: float
    top: float
    why: str
    summary: str


@dataclass(frozen=True, slots=True)
class CostPlot:
    """Accuracy against what was spent, and how far it is to the target.

    Attributes
    ----------
    spent, value, low, high : tuple of float
        Of each round with an accuracy; `spent` in `unit`.
    target : float or None
    reach : tuple of float
        Spending at which the target is reached, 10 % and 90 %: empty where it is too early to say; the second may be infinite.
    chosen : tuple of (float, float)
        (spent, cross-validation on chosen items): what is not an accuracy; empty unless it is asked for.
    """

    spent: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    unit: str
    target: float | None
    reach: tuple[float, ...]
    chosen: tuple[tuple[float, float], ...]
    end: float
    why: str
    summary: str
    measure: str = "Accuracy"


def reliability_plot(reliability: pd.DataFrame) -> PathPlot:
    """Turn `Session.reliability` into a line with its band for each annotator."""
    paths = []
    for name, rows in _by_activity(reliability):
        at = _thinned(len(rows))
        number, value, low, high = (tuple(rows[c].to_numpy()[at].tolist()) for c in ("n", "accuracy", "low", "high"))
        paths.append(Path(name, number, value, low, high))
    said = "; ".join(
        f"{p.name} {percent(p.value[-1])} now ({between(p.low[-1], p.high[-1], percent)}), after {plural(p.number[-1], 'label')}"
        for p in paths
    )
    if not paths:
        why = "nothing is known of the annotators yet"
        return PathPlot((), 20.0, 1.0, why, f"No reliability yet: {why}.")
    end = nice(max(20.0, *(p.number[-1] for p in paths)))
    return PathPlot(tuple(paths), end, 1.0, "", f"Probability of a right answer, with 90 % interval: {said}.")


def agreement_plot(agreement: pd.DataFrame) -> PathPlot:
    """Turn `VolumeSession.mask_agreement` into a running mean for each annotator; the words tell how far apexes are apart."""
    paths, said = [], []
    for name, rows in _by_activity(agreement, FEWEST_SECTIONS):
        dice = rows["dice"].to_numpy(np.float64)
        trend = np.array([dice[max(0, i - WINDOW + 1) : i + 1].mean() for i in range(len(dice))])
        at = _thinned(len(trend))
        paths.append(Path(name, tuple((at + 1).tolist()), tuple(trend[at].tolist())))
        far = float(rows["apex_m"].tail(WINDOW).median())
        apart = "" if math.isnan(far) else f", apexes {far:.2f} m off"
        said.append(f"{name} {percent(trend[-1])} over {plural(min(len(dice), WINDOW), 'section')}{apart}")
    if not paths:
        why = f"fewer than {FEWEST_SECTIONS} sections were finished by two annotators"
        return PathPlot((), 20.0, 1.0, why, f"No agreement yet: {why}.")
    end = nice(max(5.0, *(p.number[-1] for p in paths)))
    summary = f"Mean Dice of the last {WINDOW} sections with what the others painted: {'; '.join(said)}."
    return PathPlot(tuple(paths), end, 1.0, "", summary)


def pace_plot(annotations: pd.DataFrame) -> PathPlot:
    """Turn the times of `Session.annotations` into a running median for each annotator; pauses are fenced out."""
    timed = annotations[(annotations["kind"] != "undo") & annotations["elapsed_s"].notna()]
    timed = timed[timed["elapsed_s"] > 0].sort_values("answered_at", kind="stable")
    paths, pauses = [], 0
    for name, rows in _by_activity(timed):
        seconds, pause = fence(rows["elapsed_s"].to_numpy(np.float64))
        pauses += int(pause.sum())
        trend = np.array([np.median(seconds[max(0, i - WINDOW + 1) : i + 1]) for i in range(len(seconds))])
        at = _thinned(len(trend))
        paths.append(Path(name, tuple((at + 1).tolist()), tuple(trend[at].tolist())))
    if not paths:
        why = f"fewer than {FEWEST} timed answers"
        return PathPlot((), 20.0, 1.0, why, f"No pace yet: {why}.")
    said = "; ".join(
        f"{p.name} {times_text(p.value[-1])} now, {times_text(float(np.median(p.value)))} in the middle" for p in paths
    )
    summary = f"Median seconds of the last {WINDOW} answers: {said}."
    if pauses:
        summary += f" {plural(pauses, 'pause')} taken out."
    end = nice(max(20.0, *(p.number[-1] for p in paths)))
    top = nice(max(1e-3, 1.15 * max(max(p.value) for p in paths)))
    return PathPlot(tuple(paths), end, top, "", summary)


def cost_plot(
    history: pd.DataFrame,
    seconds: float,
    hourly_rate: float | None,
    target: float | None,
    forecast: Forecast | None,
    chosen: Sequence[tuple[float, float]] = (),
    measure: str = "Accuracy",
) -> CostPlot:
    """Turn the rounds and the forecast into accuracy against cost.

    Parameters
    ----------
    history : DataFrame
        `Session.history`.
    seconds : float
        Spent until now.
    hourly_rate : float or None
        With it the axis is money, else minutes.
    target : float or None
    forecast : Forecast or None
    chosen : sequence of (float, float)
        (seconds spent, cross-validation on chosen items).
    measure : str
        What the session calls its accuracy.
    """
    unit, per_second = ("minutes", 1 / 60) if not hourly_rate else ("money", hourly_rate / 3600)
    rows = history[history["accuracy"].notna()] if len(history) else history
    spent, value, low, high = (
        tuple(rows[c].astype(float).tolist()) if len(rows) else () for c in ("seconds", "accuracy", "low", "high")
    )
    spent = tuple(s * per_second for s in spent)
    reach: tuple[float, ...] = ()
    if forecast is not None and forecast.seconds.value is not None:
        ends = (forecast.seconds.low, forecast.seconds.high)
        reach = tuple((seconds + (math.inf if e is None else e)) * per_second for e in ends)
    points = tuple((s * per_second, v) for s, v in chosen)
    if not spent:
        why = "no accuracy yet: audit items measure it"
        return CostPlot((), (), (), (), unit, target, (), points, 1.0, why, f"No cost curve: {why}.", measure)
    far = [r for r in reach if math.isfinite(r) and r < 4 * max(spent)]
    end = nice(max(1e-6, 1.05 * max(*spent, *far, *(s for s, _ in points), 0.0)))
    summary = f"{measure} {percent(value[-1])} for {_amount(spent[-1], unit)}."
    if reach and target is not None:
        summary += f" {percent(target)} is forecast at {between(reach[0], reach[1], lambda v: _amount(v, unit))} in all (80 %)."
    if points:
        gap = 100 * (points[-1][1] - value[-1])
        summary += (
            f" Cross-validation on the chosen items says {percent(points[-1][1])}, {abs(gap):.1f} points "
            f"{'above' if gap > 0 else 'below'} the audit: it is no accuracy, because the items were not drawn at random."
        )
    return CostPlot(spent, value, low, high, unit, target, reach, points, end, "", summary, measure)


def cost_tiles(
    history: pd.DataFrame, seconds: float, money: float | None, estimate: Estimate, forecast: Forecast | None
) -> tuple[Tile, ...]:
    """Return what was spent, what is still to come, and what a further percentage point costs."""
    rate = money / seconds if money is not None and seconds > 0 else None
    spent = Tile(
        "Spent", duration(seconds) if money is None else money_text(money), "" if money is None else duration(seconds)
    )
    return (spent, _to_come(forecast, rate), _point(history, estimate, forecast, rate))


def _to_come(forecast: Forecast | None, rate: float | None) -> Tile:
    if forecast is None:
        return Tile("Still to come", "–", "no target")
    name = f"Still to come, to {percent(forecast.target)}"
    part, write = (forecast.seconds, duration) if rate is None else (forecast.money, money_text)
    if forecast.why or part.value is None:
        return Tile(name, "–", forecast.why or part.why or "too early to say")
    if not math.isfinite(part.value):
        return Tile(
            name, "may never be reached", "" if forecast.never is None else f"{percent(forecast.never)} of the curves"
        )
    return Tile(name, write(part.value), f"{between(part.low, part.high, write)} (80 %)")


def _point(history: pd.DataFrame, estimate: Estimate, forecast: Forecast | None, rate: float | None) -> Tile:
    """Return the price of one more percentage point: by the forecast, else by what the last half of the rounds brought."""
    name = "A further point"
    write = duration if rate is None else money_text
    if forecast is not None and estimate.value is not None and forecast.seconds.value is not None:
        points = 100 * (forecast.target - estimate.value)
        if points > 0.1 and math.isfinite(forecast.seconds.value):
            price = forecast.seconds.value / points
            return Tile(name, f"about {write(price * (rate or 1))}", f"on the way to {percent(forecast.target)}")
    rows = history[history["accuracy"].notna()] if len(history) else history
    if len(rows) < FEWEST_ROUNDS:
        return Tile(name, "–", "too early to say")
    late = rows.iloc[len(rows) // 2 :]
    spent, gained = late["seconds"].to_numpy(np.float64), 100 * late["accuracy"].to_numpy(np.float64)
    spread = spent - spent.mean()
    slope = float(spread @ gained / (spread @ spread)) if (spread @ spread) > 0 else 0.0
    if slope <= 1e-9 or slope * (spent[-1] - spent[0]) < 0.5:
        return Tile(name, "no gain seen", f"in the last {plural(len(late), 'round')}")
    return Tile(name, f"about {write((rate or 1) / slope)}", f"by the last {plural(len(late), 'round')}")


def _amount(value: float, unit: str) -> str:
    return duration(60 * value) if unit == "minutes" else money_text(value)


def _by_activity(frame: pd.DataFrame, fewest: int = FEWEST) -> list[tuple[str, Any]]:
    """Return (annotator, rows) of those with the most rows, the busiest first."""
    groups = [(str(name), rows) for name, rows in frame.groupby("annotator", sort=True) if len(rows) >= fewest]
    return sorted(groups, key=lambda g: -len(g[1]))[:MOST_SHOWN]


def _thinned(n: int) -> np.ndarray:
    """Return at most `MOST_POINTS` of n positions, first and last included."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(int))
