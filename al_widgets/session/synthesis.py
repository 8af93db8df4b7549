"""Membership query synthesis: queries are made, not drawn.

With an experiment or a simulation as the oracle this is the right tool: it answers anywhere, and bisection is exponentially
faster than drawing. With people it is not, as a rule: what teaches most has no answer. Where there is a pool, draw from it; make
pictures for what a pool lacks: rare cases, known truth (`echoes`), an annotator's threshold.

Any thread may call a session.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.pool.growing import GrowingPool
from al_widgets.records import Estimate, Query
from al_widgets.session.generators import Generator, as_generator, scaled
from al_widgets.session.synthesis_making import LAST, SynthesisMaking
from al_widgets.session.synthesis_plan import Plan, Strategy, strategy_for
from al_widgets.task import Task

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]


class SynthesisSession(SynthesisMaking):
    """An active-learning session whose items are made by a generator.

    Everything of `Session` is there, so the query widget works on it. Made items never measure an accuracy, and their ids are in
    no other pool, so that their labels cannot get into the export of a real one.

    Parameters
    ----------
    generator : Generator or list of (lowest, highest)
        Ranges of an experiment's parameters; or `al_widgets.session.Blends`, `Echoes` and the like.
    task : Task or list of str
    strategy : {"auto", "bisect", "climb", "random"}
        Bisection of opposite answers to a precision; hill-climbing of the model's uncertainty; at random. ``"auto"`` bisects one
        parameter and climbs several.
    precision : float
        Of a bisection, as a share of the ranges.
    waiting : int
        Made items that wait for an answer at most.
    learner, encoder, store, annotator, hourly_rate, batch_size, seed
        As for `Session`; the encoder is for pictures that people look at.

    Examples
    --------
    >>> import al_widgets as al
    >>> session = al.SynthesisSession([(0.0, 100.0)], ["solid", "liquid"], store=":memory:")
    >>> session.run(lambda parameters: "liquid" if parameters[0] > 31.4 else "solid", limit=16)
    16
    >>> bracket = session.brackets().iloc[0]
    >>> bool(bracket.low < 31.4 < bracket.high and bracket.high - bracket.low < 0.01)
    True
    >>> session.close()
    """

    _kind = "synthesis"

    def __init__(
        self,
        generator: Any,
        task: Task | Sequence[str],
        *,
        strategy: str = "auto",
        precision: float = 1e-4,
        waiting: int = 4,
        learner: Any = None,
        encoder: Any = None,
        store: str | Path | None = None,
        annotator: str | None = None,
        target: float = 0.95,
        hourly_rate: float | None = None,
        batch_size: int = 1,
        seed: int = 0,
    ) -> None:
        self._generator: Generator = as_generator(generator)
        if not 0 < precision < 1:
            raise SessionError(f"precision is a share of the ranges, above 0 and below 1, not {precision!r}")
        if isinstance(waiting, bool) or not isinstance(waiting, int) or waiting < 1:
            raise SessionError(f"waiting is a number of items, 1 or more, not {waiting!r}")
        self._seed_labels: list[str] = []
        self._way: Strategy = strategy_for(strategy, self._generator)
        self._most_waiting = waiting
        self._points: dict[str, FloatArray] = {}
        self._reach = 1.0
        self._last: deque[bool] = deque(maxlen=LAST)
        self.dropped = ""
        self._making = threading.RLock()
        super().__init__(
            GrowingPool(self._generator.name, "synthesis"),
            task,
            window=5_000,
            audit_window=0,
            strategy="random",
            learner=learner,
            encoder=encoder,
            store=store,
            annotator=annotator,
            audit=0.0,
            target=target,
            hourly_rate=hourly_rate,
            batch_size=batch_size,
            seed=seed,
        )
        self._plan = Plan(len(self._generator.ranges), precision, np.random.default_rng([seed, 13]))
        self._open()

    # ---- asking ---------------------------------------------------------------------------------------------------------

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` made items, making them first; see `Session.draw`."""
        self._check_open()
        self._prepare(n + len(have))
        return super().draw(holder, n, have=have, keep=keep)

    def run(self, oracle: Callable[[FloatArray], Any], limit: int | None = None) -> int:
        """Let an experiment or a simulation answer: ``oracle(parameters)`` gives a class, or None for "cannot tell".

        Returns
        -------
        int
            Number of answers; fewer than `limit` when the precision is reached, or the generator was given up.
        """
        n = 0
        for query in self.queries(limit):
            n += 1
            answer = oracle(self.parameters(query.item_id))
            if answer is None:
                self.unsure(query)
            else:
                self.submit(query, answer)
        return n

    # ---- readings -------------------------------------------------------------------------------------------------------

    @property
    def generator(self) -> Generator:
        """What makes the items."""
        return self._generator

    @property
    def strategy(self) -> str:
        """How queries are made."""
        return f"synthesis: {self._way}"

    @property
    def accuracy(self) -> Estimate:
        """None: what was made measures nothing about what exists."""
        why = "Made items do not measure an accuracy: label a random sample of real ones in a Session."
        return Estimate(None, None, None, 0, "", why)

    def brackets(self) -> pd.DataFrame:
        """One row a boundary that was bisected: the parameters on either side, and the answers there.

        Columns: low, high (numbers for one parameter, arrays for several), answer_low, answer_high; None for "cannot tell".
        """
        import pandas as pd

        points, labels, _ = self._answers_so_far()
        at = {point.tobytes(): int(label) for point, label in zip(points, labels, strict=True)}
        names = [*self._task.classes, None]
        rows = []
        for ends in self._plan.brackets(points, labels):
            values: list[Any] = [scaled(self._generator, end) for end in ends]
            if len(self._generator.ranges) == 1:
                values = [float(value[0]) for value in values]
            rows.append((*values, *(names[at[end.tobytes()]] for end in ends)))
        frame = pd.DataFrame(rows, columns=["low", "high", "answer_low", "answer_high"], dtype=object)
        return frame.astype({"low": float, "high": float}) if len(self._generator.ranges) == 1 else frame

    def labels(self) -> pd.DataFrame:
        """One row an item that has a label, as `Session.labels`, and a column that says it was made."""
        return super().labels().assign(made=True)

    def counts(self) -> dict[str, int]:
        """Return as `Session.counts`, and how many were made."""
        return {**super().counts(), "made": len(self._points), "waiting": self._queue.waiting}

    def idle(self) -> tuple[Literal["waiting", "done"], str]:
        """Return what a page says when it has nothing to show."""
        if self.dropped:
            return "done", self.dropped
        if self._queue.waiting:
            return "waiting", "Other annotators hold the items that wait."
        return "done", "Nothing is left to ask: every boundary is known to the precision that was asked for."

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return what the dashboard adds."""
        unsure = self.counts()["unsure"]
        return (("Made", f"{len(self._points):,}", self.dropped or f"{unsure:,} could not be told"),)
