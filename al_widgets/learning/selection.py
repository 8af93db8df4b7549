"""Which learner a session gets when it names none."""

from __future__ import annotations

from al_widgets.learning.base import Learner


def default_learner() -> Learner:
    """Return a new, unfitted default learner."""
    from al_widgets.learning.graph import GraphLearner

    return GraphLearner()
