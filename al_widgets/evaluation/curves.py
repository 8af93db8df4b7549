"""Learning curves compared: bands over seeds, area under the curve, labels to a target and their ratio to random's.

Reads the table of `al_widgets.simulate`. Pure; used by notebooks, `plot_curves` and benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import CurveError

if TYPE_CHECKING:
    import pandas as pd

Float64Array = npt.NDArray[np.float64]
Against = Literal["n_labels", "cost_s"]

#: The target where none is named, as a share of the best final accuracy.
SHARE = 0.95
_COLUMNS = ("strategy", "seed", "n_labels", "accuracy", "cost_s")
_POINTS = 200


@dataclass(frozen=True, eq=False)
class Band:
    """One strategy's accuracy over its seeds.

    Attributes
    ----------
    strategy : str
    x : ndarray (m,)
        Labels or seconds, where every seed has a curve.
    middle, low, high : ndarray (m,)
        Median and quartiles.
    n_seeds : int
    """

    strategy: str
    x: Float64Array
    middle: Float64Array
    low: Float64Array
    high: Float64Array
    n_seeds: int


def bands(curves: pd.DataFrame, against: Against = "n_labels") -> list[Band]:
    """Return a band a strategy, in the table's order; between the points of a seed its curve is a straight line.

    Parameters
    ----------
    curves : DataFrame
        Of `al_widgets.simulate`.
    against : {"n_labels", "cost_s"}
    """
    found = []
    for strategy, runs in _runs(curves, against).items():
        start, end = max(x[0] for x, _ in runs), min(x[-1] for x, _ in runs)
        points = np.unique(np.concatenate([x for x, _ in runs]))
        points = points[(points >= start) & (points <= end)]
        if len(points) > _POINTS:
            points = np.linspace(start, end, _POINTS)
        values = np.array([np.interp(points, x, y) for x, y in runs])
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        found.append(Band(strategy, points, middle, low, high, len(runs)))
    return found


def default_target(curves: pd.DataFrame) -> float:
    """Return 95 % of the best median accuracy with which a strategy ends."""
    finals = [float(np.median([y[-1] for _, y in runs])) for runs in _runs(curves, "n_labels").values()]
    return SHARE * max(finals)


def compare_curves(curves: pd.DataFrame, target: float | None = None, against: Against = "n_labels") -> pd.DataFrame:
    """Compare strategies by area under the curve and by what a target costs.

    Parameters
    ----------
    curves : DataFrame
        Of `al_widgets.simulate`.
    target : float, optional
        Accuracy between 0 and 1; default: 95 % of the best median final accuracy.
    against : {"n_labels", "cost_s"}
        Count labels or seconds.

    Returns
    -------
    DataFrame
        One row a strategy: seeds; area (mean accuracy along the curve, median over seeds; over the stretch that all curves
        share, so that areas compare); target; to_target, low, high (labels or seconds at which the target is first met:
        median and quartiles over seeds, infinite where it never is); reached (share of seeds that meet it); ratio_to_random
        (to_target ÷ random's; below 1 is better. Where random never meets it, its last point stands in: "at most").

    Raises
    ------
    CurveError
        If the table lacks columns or rows, or the target is no share.
    """
    import pandas as pd

    runs = _runs(curves, against)
    goal = default_target(curves) if target is None else float(target)
    if not 0 < goal <= 1:
        raise CurveError(f"target must be an accuracy between 0 and 1, not {goal}")
    flat = [x for group in runs.values() for x, _ in group]
    start, end = max(x[0] for x in flat), min(x[-1] for x in flat)
    rows = []
    random = np.nan
    for strategy, group in runs.items():
        met = np.array([_first(x, y, goal) for x, y in group])
        low, high = float(np.quantile(met, 0.25, method="lower")), float(np.quantile(met, 0.75, method="higher"))
        middle = float(np.median(met))
        if strategy == "random":
            random = middle if np.isfinite(middle) else float(np.median([x[-1] for x, _ in group]))
        area = float(np.median([_mean_height(x, y, start, end) for x, y in group]))
        rows.append((strategy, len(group), area, goal, middle, low, high, float(np.isfinite(met).mean())))
    columns = ["strategy", "seeds", "area", "target", "to_target", "low", "high", "reached"]
    table = pd.DataFrame(rows, columns=columns)
    table["ratio_to_random"] = np.where(table.strategy == "random", 1.0, table.to_target / random)
    return table


def _runs(curves: pd.DataFrame, against: str) -> dict[str, list[tuple[Float64Array, Float64Array]]]:
    """Return {strategy: [(x, accuracy) of each seed]}, x rising."""
    missing = [name for name in _COLUMNS if name not in curves.columns]
    if missing:
        raise CurveError(f"curves lack the column {missing[0]!r}; give what al_widgets.simulate returns")
    if against not in {"n_labels", "cost_s"}:
        raise CurveError(f"against must be 'n_labels' or 'cost_s', not {against!r}")
    if not len(curves):
        raise CurveError("there are no curves: the table is empty")
    found: dict[str, list[tuple[Float64Array, Float64Array]]] = {}
    for (strategy, _), run in curves.groupby(["strategy", "seed"], sort=False):
        ordered: Any = run.sort_values(against)
        found.setdefault(str(strategy), []).append(
            (ordered[against].to_numpy(np.float64), ordered.accuracy.to_numpy(np.float64))
        )
    return found


def _first(x: Float64Array, y: Float64Array, goal: float) -> float:
    met = np.flatnonzero(y >= goal)
    return float(x[met[0]]) if len(met) else np.inf


def _mean_height(x: Float64Array, y: Float64Array, start: float, end: float) -> float:
    """Return the mean of a curve between two points that it spans."""
    if end <= start:
        return float(np.interp(start, x, y))
    points = np.unique(np.concatenate([x[(x > start) & (x < end)], [start, end]]))
    return float(np.trapezoid(np.interp(points, x, y), points) / (end - start))
