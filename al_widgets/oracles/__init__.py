"""Oracles: what annotators' answers add up to, how reliable each is, whom to ask again, simulated ones.

Names are resolved when they are first used, so that importing the package loads neither pandas nor SciPy.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Answers": "answers",
    "BoxConsensus": "agreement",
    "BreakAdvice": "fatigue",
    "Consensus": "dawid_skene",
    "Decision": "policies",
    "Detection": "injected",
    "InjectedTargets": "injected",
    "KernelRidge": "kernel_ridge",
    "MaskConsensus": "masks",
    "ResponseTime": "response_time",
    "SimulatedAnswer": "simulated",
    "SimulatedOracle": "simulated",
    "SimulatedPainter": "simulated_painter",
    "Situation": "policies",
    "Staircase": "staircase",
    "Trial": "injected",
    "TrialResult": "injected",
    "advise_breaks": "fatigue",
    "aggregate": "aggregation",
    "apex_distance": "agreement",
    "box_consensus": "agreement",
    "consensus": "aggregation",
    "consensus_multilabel": "aggregation",
    "dice": "agreement",
    "doubts": "review",
    "iou": "agreement",
    "label_frame": "aggregation",
    "mask_consensus": "masks",
    "match_boxes": "agreement",
    "mutual_information": "policies",
    "out_of_sample": "review",
    "pairwise_dice": "agreement",
    "read_annotations": "answers",
    "reliability": "aggregation",
    "reliability_frame": "aggregation",
    "uninformative_annotators": "uninformative",
}
_MODULES = ("policies",)

__all__ = sorted([*_HOME, *_MODULES])  # noqa: PLE0605  # one list, not two


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"al_widgets.oracles.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"al_widgets.oracles.{name}")
    else:
        raise AttributeError(f"module 'al_widgets.oracles' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
