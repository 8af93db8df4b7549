"""Query strategies: pure functions from arrays to the rows that should be labelled next."""

from al_widgets.strategies.base import Context, Selection, Strategy
from al_widgets.strategies.registry import Catalogue, as_strategy, get, names, register

__all__ = ["Catalogue", "Context", "Selection", "Strategy", "as_strategy", "get", "names", "register"]
