"""Evaluation: accuracy that stays honest, forecasts, cost, advice when to stop."""

from __future__ import annotations

from al_widgets.evaluation.accuracy import (
    audit_estimate,
    chance_accuracy,
    correct_for_annotator,
    majority_share,
    ppi_estimate,
    wilson_interval,
)
from al_widgets.evaluation.budget import budget_use
from al_widgets.evaluation.certified import (
    certified_estimate,
    certified_path,
    clopper_pearson_interval,
    look_number,
    ppr_interval,
    ppr_interval_iid,
)
from al_widgets.evaluation.cost import Effort, effort, fence, spent
from al_widgets.evaluation.curves import Band, bands, compare_curves, default_target
from al_widgets.evaluation.forecast import forecast_to_target
from al_widgets.evaluation.reserve import audit_due, in_reserve, reserve_fraction, reserve_order
from al_widgets.evaluation.stopping import advise, change_bound, cohen_kappa, stability
from al_widgets.evaluation.timing import TimeModel, fit_time_model, timing_features

__all__ = [
    "Band",
    "Effort",
    "TimeModel",
    "advise",
    "audit_due",
    "audit_estimate",
    "bands",
    "budget_use",
    "certified_estimate",
    "certified_path",
    "chance_accuracy",
    "change_bound",
    "clopper_pearson_interval",
    "cohen_kappa",
    "compare_curves",
    "correct_for_annotator",
    "default_target",
    "effort",
    "fence",
    "fit_time_model",
    "forecast_to_target",
    "in_reserve",
    "look_number",
    "majority_share",
    "ppi_estimate",
    "ppr_interval",
    "ppr_interval_iid",
    "reserve_fraction",
    "reserve_order",
    "spent",
    "stability",
    "timing_features",
    "wilson_interval",
]
