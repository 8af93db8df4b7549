"""How well the model does, what it took, what is still to come: accuracy, cost, forecast and advice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.records import Advice, BudgetUse, Estimate, Forecast, Round
from al_widgets.session import frames, measures
from al_widgets.session.agreed_readings import AgreedReadings, idle_annotators

if TYPE_CHECKING:
    import pandas as pd


class FigureReadings(AgreedReadings):
    """The readings in numbers."""

    _use: tuple[int, BudgetUse | None] | None = None
    _hindsight: tuple[tuple[int, dict[str, Any]], list[Round]] | None = None
    _certification: tuple[tuple[int, list[tuple[str, Any]]], list[Estimate]] | None = None

    def history(self) -> pd.DataFrame:
        """One row a training round: labels, accuracy with its interval, seconds and money spent.

        `low` and `high` bound the accuracy at one look, by `method`; `certified_low` and `certified_high` hold together however
        often somebody looks, see `certified`.
        """
        return frames.history_frame(self.rounds(), self._certified_path())

    def rounds(self) -> list[Round]:
        """Return the training rounds as records, oldest first, each measured on all audit items answered by now."""
        with self._lock:
            past, labels = tuple(self._past), self._labels()
            truth = {i: labels[i].label for i in self._reserve_ids if i in labels}
        known = self._hindsight
        if known is None or known[0] != (len(past), truth):
            known = self._hindsight = ((len(past), truth), measures.in_hindsight(past, truth))
        return known[1]

    @property
    def accuracy(self) -> Estimate:
        """Accuracy of the present model, on the audit items answered so far."""
        with self._lock:
            found = measures.accuracy(self._rounds.snapshot, self._labels(), self._row, self._reserve_ids)
        if self._rounds.snapshot is None and self.last_error:
            return replace(found, why=f"There is no model: {self.last_error}")
        return found

    @property
    def corrected_accuracy(self) -> Estimate:
        """Accuracy with people's own errors in the audit answers taken out, as far as they are known.

        `accuracy` is agreement with the audit answers: where people err, a perfect model disagrees with them. How often those answers
        are right is what the consensus believes of them without asking the model. The correction (agreement = θa + (1 - θ)e, solved for
        θ) takes the model's errors and people's to be independent, so it stands beside `accuracy`, never in its place.
        """
        return self._corrected(self.accuracy)

    def _corrected(self, agreement: Estimate) -> Estimate:
        with self._lock:
            labels, agreed = self._labels(), self._rounds.agreed
            return measures.corrected(agreement, labels, self._reserve_ids, agreed, len(self._task.classes))

    @property
    def certified(self) -> Estimate:
        """What is certified of the accuracy: bounds that hold, all together with 95 %, for whoever watches all the time.

        Clopper-Pearson intervals that share the error among ten looks, made when the audit reaches 30 answers and whenever it has
        grown by 30 % since; between looks the last one stands, unless the model stands too: then it is watched after every answer
        (prior-posterior ratio, PPR). `method` says which. The interval of `accuracy` is narrower and valid at one look only.
        """
        from al_widgets.evaluation import certified_estimate

        path = self._certified_path()
        return path[-1] if path else certified_estimate(())

    def _certified_path(self) -> list[Estimate]:
        """Return what was certified after each round."""
        with self._lock:
            past, labels = list(self._past), self._labels()
            audited = [i for i in self._reserve_ids if i in labels]
            first = {i: min((e.answered_at for e in self._ledger.witnesses(i)), default=0.0) for i in audited}
        audited.sort(key=lambda i: (first[i], i))
        answers = [(i, labels[i].label) for i in audited]
        known = self._certification
        if known is None or known[0] != (len(past), answers):
            known = self._certification = ((len(past), answers), measures.certified_path(past, answers))
        return known[1]

    def spent(self) -> tuple[float, float | None]:
        """Return seconds and money spent on all answers of this store."""
        seconds = measures.spent_seconds(self._answers())
        return seconds, None if self.hourly_rate is None else seconds / 3600 * self.hourly_rate

    @property
    def budget(self) -> BudgetUse | None:
        """How much of the budget is spent; None where none was given."""
        if self._limits is None:
            return None
        with self._lock:
            version, known = len(self._ledger), self._use
            labels = sum(label.n_annotations for label in self._ledger.labels.values())
        if known is None or known[0] != version:
            use = measures.use_of(self._limits, self._answers(), labels, self.hourly_rate)
            known = self._use = (version, use)
        return known[1]

    def forecast(self) -> Forecast:
        """Labels, seconds and money still needed to reach `target`, with 80 % intervals."""
        return self._forecast_to(self.target)

    def _forecast_to(self, target: float) -> Forecast:
        with self._lock:
            rounds, labels = list(self._past), self._labels()
        return measures.forecast(
            rounds,
            labels,
            self._answers(),
            self._reserve_ids,
            target,
            self.hourly_rate,
            self.seed,
            self._expected_seconds(),
        )

    def _expected_seconds(self) -> float | None:
        """Return the expected seconds of this annotator's answers to what would be asked next; None where nothing tells."""
        timing, snapshot = self._rounds.timing, self._rounds.snapshot
        if timing is None or snapshot is None or not snapshot.ranking:
            return None
        rows = np.array([ranked.row for ranked in snapshot.ranking], np.intp)
        return float(timing.seconds(rows, "new", self.annotator).mean())

    def advice(self) -> Advice:
        """Whether to stop, and why, with all reasons; and whether this annotator should take a break.

        A session never stops by itself, but for a budget that is spent.
        """
        with self._lock:
            rounds = list(self._past)
            left = self._left()
            agreed = self._rounds.agreed
        return measures.advice(
            rounds,
            self.target,
            left,
            certified=self.certified,
            forecast=self.forecast(),
            next_point=self._next_point(),
            use=self.budget,
            pause=self.pause,
            idle=tuple(idle_annotators(agreed).values()),
        )

    def _left(self) -> int:
        """Return how many items have no label yet; the caller holds the lock."""
        return len(self._ids) - len(self._problems) - len(self._ledger.labels)

    def _next_point(self) -> Forecast | None:
        """Forecast one percentage point more than the present accuracy."""
        now = self.accuracy.value
        return None if now is None or now >= 0.99 else self._forecast_to(now + 0.01)

    @property
    def pause(self) -> str:
        """Why this annotator should take a break, by the newest look at their answers; empty if they need none."""
        return self._rounds.pauses.get(self.annotator, "")

    def notices(self) -> tuple[str, ...]:
        """Return what an annotator should be told now: that a break would do good, that the budget is near its end."""
        use = self.budget
        pause = f"{self.pause[0].upper()}{self.pause[1:]}." if self.pause else ""
        return tuple(text for text in (pause, "" if use is None else use.message) if text)

    def pace(self) -> tuple[float | None, float | None]:
        """Return this annotator's median seconds an answer and answers a minute, of the newest answers; None before one."""
        return measures.pace(self._answers(self.annotator))
