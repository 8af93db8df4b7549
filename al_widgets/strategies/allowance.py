"""How much of a stream may be asked: an allowance that grows with every item and is spent by questions.

A token bucket. Over every window of `long` items or more, and from the start of the stream to any item, at most
``budget * items + 1`` questions are asked, whatever the managers want. Pure functions; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from al_widgets.errors import StrategyError

BURST = 5.0
"""Questions that can be saved up, for the moment when the stream changes."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may still be asked.

    Parameters
    ----------
    budget : float
        Share of the stream, above 0, at most 1. At 1 everything may be asked.
    burst : float
        Questions that can be saved up, at least 1.
    tokens : float
        Questions that could be asked now.

    Raises
    ------
    StrategyError
        If the budget is no such share.
    """

    budget: float
    burst: float = BURST
    tokens: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.budget <= 1:
            raise StrategyError(
                f"the budget is the share of the stream that is asked, above 0 and at most 1, not {self.budget!r}"
            )
        if not self.burst >= 1:
            raise StrategyError(f"at least one question must be possible at a time, not {self.burst!r}")

    @property
    def long(self) -> int:
        """Items of the shortest window over which the promise holds: those in which a hundred questions may be asked."""
        return int(np.ceil(100 / self.budget))

    @property
    def rate(self) -> float:
        """Growth an item: a little under the budget, which pays for the burst."""
        return self.budget - (self.burst - 1) / self.long

    @property
    def unlimited(self) -> bool:
        """Whether everything may be asked."""
        return self.budget >= 1

    def grown(self) -> Allowance:
        """Return the allowance after one more item of the stream."""
        return replace(self, tokens=min(self.burst, self.tokens + self.rate))

    def spent(self) -> Allowance:
        """Return the allowance after a question."""
        return self if self.unlimited else replace(self, tokens=self.tokens - 1)

    def allows(self, audit_in: int | None = None) -> bool:
        """Whether a question may be asked now; `audit_in` items later one must be possible again."""
        tiny = 1e-9  # 0.1 added ten times is less than 1
        if self.unlimited:
            return True
        if self.tokens < 1 - tiny:
            return False
        return audit_in is None or self.tokens - 1 + self.rate * audit_in >= 1 - tiny


@dataclass(frozen=True)
class AuditPlan:
    """Which positions of a stream are audits: one at a random place in the first half of every block.

    Random positions fixed beforehand, so that nothing about an item decides whether it measures; never so close together that
    the allowance cannot pay for both.

    Parameters
    ----------
    share : float
        Share of the questions that are audits, 0 to 0.5.
    allowance : Allowance
        Of the whole stream, audits included.
    seed : int
    """

    share: float
    allowance: Allowance
    seed: int = 0

    @property
    def block(self) -> int:
        """Items an audit; 0 for no audits."""
        if not self.share:
            return 0
        rate = 1.0 if self.allowance.unlimited else self.allowance.rate
        return max(2, int(np.ceil(1 / (self.share * rate))))

    def next(self, position: int) -> int | None:
        """Return the first audit at `position` or after it; None if there are none."""
        if not self.block:
            return None
        number = (position + self._phase()) // self.block
        while (at := self._place(number)) < position:
            number += 1
        return at

    def _phase(self) -> int:
        return int(np.random.default_rng([self.seed, 1]).integers(self.block))

    def _place(self, number: int) -> int:
        within = int(np.random.default_rng([self.seed, 2, number]).integers((self.block + 1) // 2))
        return number * self.block + within - self._phase()
