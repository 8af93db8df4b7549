"""Which sections of a volume are asked next: strategies by name, over `al_widgets.strategies.slices`.

Choosing sections gains little over random or even spacing (see there); the model and questions about regions gain a lot. So
``"random"`` and ``"interval"`` stand beside ``"auto"``. Pure functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import StrategyError
from al_widgets.session.section_maps import SectionMaps
from al_widgets.session.snapshot import Ranked
from al_widgets.strategies.section_coverage import TOGETHER, coverage_order
from al_widgets.strategies.slices import interval_sections, next_sections, section_utilities

IntArray = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.floating[Any]]

STRATEGIES = {
    "auto": "Three sections that together show most objects, those that stand out and those that may lie anywhere; then the doubt of the most doubtful hundredth × distance to "
    "labelled sections, per second",
    "uncertainty": "Doubt of the most doubtful hundredth of the pixels",
    "anomaly": "Sections that together show most objects, as far as anomalies tell; needs no model",
    "random": "Sections at random",
    "interval": "Evenly spaced sections, the spacing halved again and again",
}
"""Name → what it does."""


def check_strategy(name: Any) -> str:
    """Return the name of a strategy for sections, or raise `StrategyError` with those there are."""
    if isinstance(name, str) and name in STRATEGIES:
        return name
    raise StrategyError(f"sections are asked by one of {', '.join(STRATEGIES)}; not {name!r}")


def rank_sections(
    name: str,
    maps: SectionMaps,
    anomaly: npt.NDArray[np.float32] | None,
    candidates: IntArray,
    labelled: IntArray,
    rng: np.random.Generator,
) -> tuple[tuple[Ranked, ...], FloatArray]:
    """Rank the candidates, best first, and say how worth asking each section is.

    Parameters
    ----------
    name : str
        Of `STRATEGIES`.
    maps : SectionMaps
        Empty before there is a model.
    anomaly : ndarray (sections, rows, columns) or None
        None while it is not computed: ``"random"`` is used instead of strategies that need it.
    candidates, labelled : ndarray of int
        Sections that may be asked; that somebody painted or is looking at.

    Returns
    -------
    tuple of Ranked
    ndarray (sections,)
        0 to 1, NaN where there is nothing to say.
    """
    n = len(maps)
    worth = np.full(n, np.nan)
    if not len(candidates):
        return (), worth
    modelled = len(maps.known()) > 0
    # By the map alone at first: it shows most of what there is sooner than a young model's doubt does.
    covering = name == "auto" and len(labelled) < TOGETHER and anomaly is not None
    if name in ("auto", "uncertainty") and modelled and not covering:
        done = labelled if name == "auto" else np.empty(0, np.intp)
        utilities = section_utilities(
            maps.top_doubt(), done, foreground=maps.foreground_share() if name == "auto" else None
        )
        reach = max(1.0, n / 12) if name == "auto" else 1e-9
        order = next_sections(utilities, candidates, len(candidates), reach=reach)
        worth[candidates] = utilities[candidates] / max(float(utilities[candidates].max()), 1e-12)
        return tuple(Ranked(int(i), float(utilities[i]), None, name) for i in order), worth
    if name == "interval":
        order = interval_order(n)
        chosen = set(candidates.tolist())
        return tuple(Ranked(int(i), None, None, name) for i in order if int(i) in chosen), worth
    if name == "random" or anomaly is None:
        share = 1 / len(candidates)
        return tuple(Ranked(int(i), None, share, "random") for i in rng.permutation(candidates)), worth
    ranked = coverage_order(anomaly, n, candidates=candidates, labelled=labelled).tolist()
    ranked += sorted(set(candidates.tolist()).difference(ranked))  # begun, but not finished
    worth[ranked] = np.linspace(1, 0, len(ranked), endpoint=False)
    return tuple(Ranked(i, float(worth[i]), None, name) for i in ranked), worth


def interval_order(n: int) -> IntArray:
    """Return all sections, evenly spaced ones first: one in the middle, then at half the spacing, and so on."""
    order: dict[int, None] = {}
    k = 1
    while len(order) < n:
        order.update(dict.fromkeys(interval_sections(n, k).tolist()))
        k *= 2
    return np.array(list(order), np.intp)
