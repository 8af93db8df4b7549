"""The named strategies that score candidates by the model's probabilities."""

from __future__ import annotations

from al_widgets.strategies import uncertainty
from al_widgets.strategies.batch import BatchMode
from al_widgets.strategies.scored import Scored, from_probabilities


def least_confidence(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where the largest probability is smallest."""
    return Scored("least_confidence", from_probabilities(uncertainty.least_confidence), batch)


def margin(batch: BatchMode = "repulsion", name: str = "margin") -> Scored:
    """Return the strategy that asks where the two likeliest classes are closest."""
    return Scored(name, from_probabilities(uncertainty.margin), batch)


def ratio(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where the second class is relatively likeliest."""
    return Scored("ratio", from_probabilities(uncertainty.ratio), batch)


def entropy(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where the probabilities are flattest."""
    return Scored("entropy", from_probabilities(uncertainty.entropy), batch)
