"""The default: cover the pool first, then ask what is uncertain and would teach the rest."""

from __future__ import annotations

from dataclasses import dataclass

from al_widgets.strategies.base import Context, Selection
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.strategies.opinion import has_opinion
from al_widgets.strategies.scored import Scored, from_probabilities
from al_widgets.strategies.uncertainty import margin


@dataclass(frozen=True)
class Auto:
    """Herding until each class could have been seen twice, then margin with repulsion."""

    name: str = "auto"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        if not has_opinion(context) or len(context.labelled) < 4 * context.n_classes:
            return UncertaintyHerding().query(context, batch_size)
        return Scored("margin", from_probabilities(margin)).query(context, batch_size)
