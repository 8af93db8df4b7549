"""What strategies that ask the model have in common: without an opinion they cover the pool."""

from __future__ import annotations

from abc import ABC, abstractmethod

from al_widgets.strategies.base import Context, Selection
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.strategies.opinion import has_opinion
from al_widgets.strategies.ranking import checked_size, nothing


class Informed(ABC):
    """A strategy that chooses by what the model thinks; before there is a model, `UncertaintyHerding` chooses for it."""

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        if not self._is_informed(context):
            return UncertaintyHerding().query(context, batch_size)
        return self._choose(context, size)

    def _is_informed(self, context: Context) -> bool:
        return has_opinion(context)

    @abstractmethod
    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows, at least one and no more than there are candidates; the model has an opinion."""
