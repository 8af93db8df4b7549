"""What the annotator page shows of injected targets, as a pure function of `VolumeSession.detections`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_widgets.evaluation.detection import wilson
from al_widgets.oracles.injected import Detection
from al_widgets.widgets.dashboard_text import between, percent, plural

MOST_SHOWN = 4
"""Annotators with a curve of their own: those with the most answers."""
N_POINTS = 60


@dataclass(frozen=True, slots=True)
class Seeing:
    """One annotator's chance of seeing a target, over its strength.

    Attributes
    ----------
    name : str
    chance, low, high : tuple of float
        At `DetectionPlot.strengths`.
    threshold : (float, float, float)
        Strength that is seen half of the time, and its interval, dB.
    seen, missed : tuple of float
        Strengths of the targets that were, and were not.
    """

    name: str
    chance: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    threshold: tuple[float, float, float]
    seen: tuple[float, ...]
    missed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DetectionPlot:
    """Curves of several annotators; `why` instead of them where there are none; the plot in words."""

    curves: tuple[Seeing, ...]
    strengths: tuple[float, ...]
    why: str
    summary: str


def detection_plot(detections: Sequence[Detection], strength_db: tuple[float, float]) -> DetectionPlot:
    """Turn what injected targets tell into a curve with its band for each annotator."""
    strengths = np.linspace(*strength_db, N_POINTS)
    told = sorted((d for d in detections if d.targets), key=lambda d: -len(d.results))[:MOST_SHOWN]
    if not told:
        why = "no injected target was answered yet"
        return DetectionPlot((), tuple(strengths.tolist()), why, f"Nothing is known of what is seen: {why}.")
    curves, said = [], []
    for found in told:
        mean, low, high = (tuple(v.tolist()) for v in found.staircase.curve(strengths))
        threshold, targets = found.threshold, found.targets
        value, least, most = (float(v or 0.0) for v in (threshold.value, threshold.low, threshold.high))
        strength = {
            seen: tuple(float(r.trial.signal_db or 0.0) for r in targets if r.seen is seen) for seen in (True, False)
        }
        curves.append(Seeing(found.annotator, mean, low, high, (value, least, most), strength[True], strength[False]))
        said.append(
            f"{found.annotator} sees half of the targets at {_db(value)} ({between(least, most, _db)}, 90 % credible, "
            f"after {plural(len(targets), 'target')}); {_alarms(found)}"
        )
    return DetectionPlot(tuple(curves), tuple(strengths.tolist()), "", f"{'. '.join(said)}.")


def _alarms(found: Detection) -> str:
    n = len(found.catches)
    if not n:
        return "no picture without a target was answered yet"
    rate = wilson(found.false_alarms, n)
    return f"something was marked in {found.false_alarms} of {plural(n, 'picture')} without one ({between(rate.low, rate.high, percent)})"


def _db(value: float) -> str:
    return f"{value:.1f} dB".replace("-", "−")
