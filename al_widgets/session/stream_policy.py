"""What becomes of one item of a stream: asked to measure, asked to learn, or let go. State in memory, no thread, no lock.

The order is fixed: audits are planned beforehand and asked whatever the item is; then the allowance says whether a question is
possible; only then the manager looks at the item.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.strategies.allowance import Allowance, AuditPlan
from al_widgets.strategies.stream import BudgetManager, Offer

Fate = Literal["audit", "asked", "cold start", "certain", "budget", "busy", "known", "unreadable"]
"""Asked to measure; asked by the manager; asked because there is no model; let go by the manager; let go for want of budget;
let go because the annotator has enough to do; seen and answered before; not a picture that can be read."""
ASKED = ("audit", "asked", "cold start")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about an item, and the probability with which it would be asked, where chance took part."""

    fate: Fate
    propensity: float | None = None

    @property
    def asked(self) -> bool:
        """Whether it is asked."""
        return self.fate in ASKED


class StreamPolicy:
    """Allowance, audit plan and budget manager of one stream.

    Parameters
    ----------
    manager : BudgetManager
    budget : float
        Share of the stream that may be asked, audits included.
    audit : float
        Share of the questions that measure.
    seed : int
    """

    def __init__(self, manager: BudgetManager, budget: float, audit: float, seed: int) -> None:
        self.manager = manager
        self.budget = budget
        self._allowance = Allowance(budget)
        self._plan = AuditPlan(audit, self._allowance, seed)
        self._budget = budget * (1 - audit)
        self._state: Any = manager.start()
        self._rng = np.random.default_rng([seed, 11])
        self._next_audit = self._plan.next(0)
        self.seen = 0
        self.fates: Counter[Fate] = Counter()

    @property
    def asked(self) -> int:
        """Items asked so far."""
        return sum(n for fate, n in self.fates.items() if fate in ASKED)

    @property
    def budget_used(self) -> float:
        """Share of the items seen that were asked."""
        return self.asked / self.seen if self.seen else 0.0

    def known(self) -> Verdict:
        """Pass over an item that is known: it costs nothing and counts for nothing."""
        return self._say(Verdict("known"))

    def unreadable(self) -> Verdict:
        """Pass over something that cannot be read."""
        return self._say(Verdict("unreadable"))

    def decide(
        self, probabilities: npt.NDArray[Any] | None, features: npt.NDArray[np.float32] | None, *, busy: bool
    ) -> Verdict:
        """Decide about the next item.

        Parameters
        ----------
        probabilities : ndarray (K,) or None
            The model's opinion; None before there is a model.
        features : ndarray (d,) or None
        busy : bool
            Whether the annotator has enough to do.
        """
        if self.seen:
            self._allowance = self._allowance.grown()
        position, self.seen = self.seen, self.seen + 1
        offer = None if probabilities is None else Offer(probabilities, features, self._budget)
        audit = position == self._next_audit
        if audit:
            self._next_audit = self._plan.next(position + 1)
        if busy:
            return self._let_go("busy", offer)
        if audit:
            self._allowance = self._allowance.spent()
            return self._let_go("audit", offer)
        if not self._allowance.allows(None if self._next_audit is None else self._next_audit - position):
            return self._let_go("budget", offer)
        if offer is None:
            self._allowance = self._allowance.spent()
            return self._say(Verdict("cold start"))
        decision = self.manager.decide(self._state, offer, self._rng)
        self._state = decision.state
        if decision.ask:
            self._allowance = self._allowance.spent()
        return self._say(Verdict("asked" if decision.ask else "certain", decision.propensity))

    def changed(self) -> None:
        """Begin anew: the stream has changed."""
        self._state = self.manager.start()

    def _let_go(self, fate: Fate, offer: Offer | None) -> Verdict:
        """Tell the manager of an item on which it had no say."""
        if offer is not None:
            self._state = self.manager.let_go(self._state, offer)
        return self._say(Verdict(fate))

    def _say(self, verdict: Verdict) -> Verdict:
        self.fates[verdict.fate] += 1
        return verdict
