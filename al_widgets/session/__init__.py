"""The session: the loop that ties pool, store, learner and strategy together."""

from __future__ import annotations

from al_widgets.session.session import Session

__all__ = ["Session"]
