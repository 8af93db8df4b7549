"""Injected targets in a session on a volume: trials are asked like sections, and what they tell is read. `VolumeSession` inherits these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from al_widgets.errors import SessionError, TaskError, UnknownItemError
from al_widgets.oracles.injected import Detection, InjectedTargets, Trial
from al_widgets.records import Annotation, Query
from al_widgets.session.ledger import Ledger, order_of
from al_widgets.session.mask_ledger import MaskLedger, items_of
from al_widgets.session.queue import Pick
from al_widgets.session.section_maps import SectionMap
from al_widgets.session.trial_pictures import TrialPool, cover_of, field_of, is_trial_id, map_of
from al_widgets.session.trials import Background, Trials, occupied_columns
from al_widgets.session.velocity import ground_velocity
from al_widgets.session.volume_answers import VolumeAnswers
from al_widgets.session.volume_readings import is_radar, slices_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


DETECTION_COLUMNS = (
    "annotator", "n", "threshold_db", "low", "high", "seen", "n_catch",
    "false_alarm_rate", "false_alarm_low", "false_alarm_high",
)  # fmt: skip


class VolumeTrials(VolumeAnswers):
    """The trials of a `VolumeSession`."""

    _injected: InjectedTargets | None
    _trial_ledger: MaskLedger
    _trials: Trials | None = None
    _looking: dict[str, int]

    # ---- hooks of Session ---------------------------------------------------------------------------------------------

    def _make_pool(self, pool: Any) -> Any:
        sections = slices_of(pool)
        if self._injected is None:
            return sections
        volume: Any = sections.volume
        if not is_radar(volume) or volume.axes[1].unit != "ns" or volume.axes[2].unit != "m":
            told = ", ".join(f"{axis.name} in {axis.unit or 'samples'}" for axis in volume.axes)
            raise SessionError(
                f"injected targets are radar echoes: rows must be times in ns and columns places in m, not {told}; "
                "give the volume its axes with volume.with_axes(…)"
            )
        return TrialPool(sections, self.trial)

    def _make_ledger(self) -> Ledger:
        self._trial_ledger = MaskLedger(self._shape_of, self._number_of)
        if self._injected is not None:
            for item_id in self._injected.free:
                self._row_of(item_id)
            self._trials = Trials(
                self._injected, self._store, self._pool, self._trial_ledger, ground_velocity(self.volume)
            )
        return MaskLedger(self._shape_of, self._number_of)

    def _ledger_of(self, item_id: str) -> MaskLedger:
        return self._trial_ledger if is_trial_id(item_id) else self._ledger

    def _ledgers(self) -> tuple[MaskLedger, ...]:
        return (self._ledger, self._trial_ledger)

    def _shape_of(self, item_id: str) -> tuple[int, int] | None:
        trial = self.trial(item_id)
        return super()._shape_of(item_id) if trial is None else (self.volume.shape[1], trial.columns)

    def _check_item(self, item_id: str) -> None:
        if self.trial(item_id) is None:
            super()._check_item(item_id)

    def _check_value(self, event: Annotation) -> None:
        super()._check_value(event)
        others = set(items_of(event)) - {event.item_id} if event.kind == "stroke" else set()
        if others and any(map(is_trial_id, {event.item_id, *others})):
            raise TaskError("a stroke across sections does not touch a picture that is shown in the place of one")

    def _answers(self, annotator: str | None = None) -> list[Annotation]:
        """Return what time was spent on: trials take time like everything else."""
        with self._lock:
            told = [e for e in self._trial_ledger if e.kind != "undo" and annotator in (None, e.annotator)]
            return [*super()._answers(annotator), *told]

    def query(self, item_id: str) -> Query:
        """Return one section, or a trial, as a query, to look at it again or to relabel it."""
        trial = self.trial(item_id)
        return super().query(item_id) if trial is None else self._trial_query(trial)

    def changed_by(self, event_id: str) -> list[str]:
        """Return the sections, or the trial, whose masks an event changed: a stroke, an answer, or the undo of one."""
        with self._lock:
            event = self._trial_ledger.answer_behind(event_id)
        return super().changed_by(event_id) if event is None else [event.item_id]

    # ---- asking -------------------------------------------------------------------------------------------------------

    def draw(self, holder: str, n: int, *, have: Sequence[str] = (), keep: int | None = None) -> list[Query]:
        """Draw up to `n` sections for a holder and lease them; now and then a trial is the first of them."""
        trial = self._next_trial(holder) if n > 0 else None
        kept = have if keep is None else have[:keep]
        if trial is None or trial.item_id in kept:
            return super().draw(holder, n, have=have, keep=keep)
        return [self._trial_query(trial), *super().draw(holder, n - 1, have=have, keep=keep)]

    def _next_trial(self, holder: str) -> Trial | None:
        """Return the trial that this annotator gets now, None if it is none's turn."""
        trials, use = self._trials, self.budget
        if trials is None or (use is not None and use.spent):
            return None
        self._check_open()
        with self._lock:
            self._sync()
            mine = (e for e in self._ledger.history(self.annotator) if e.kind != "stroke")
            answered = [e for e in mine if self._ledger.stands(e.event_id) and e.item_id in self._row]
            if not trials.due(self.annotator, answered):
                return None
            known = trials.pending(self.annotator)
            if known is not None:
                return known
            lengths = dict(zip(self._ids, self._lengths(), strict=True))
            return trials.draw(self.annotator, self._backgrounds(), self._covers(holder), lengths, self._apexes())

    def _backgrounds(self) -> list[Background]:
        """Return sections that are finished, or known to be free, with the columns that are not; the caller holds the lock."""
        given = set(self._injected.free) if self._injected is not None else set()
        found = []
        for item_id, row in self._row.items():
            if row in self._queue.in_reserve or (item_id not in self._ledger.labels and item_id not in given):
                continue
            masks = [self._ledger.mask(item_id, who) for who in self._ledger.annotators(item_id)]
            free = np.zeros(self._lengths()[row], bool) if item_id in given and not masks else occupied_columns(masks)
            if not free.all():
                found.append(Background(item_id, free))
        return found

    def _covers(self, holder: str) -> list[str]:
        """Return the sections in whose place a trial may be shown: open, untouched, and on no screen; the caller holds the lock."""
        others = {i for i, who in self._store.leased().items() if who != holder}
        taken = (
            others | set(self._ledger.answered()) | self._ledger.touched() | self._problems.keys() | self._reserve_ids
        )
        looking = {self._ids[index] for index in self._looking.values()}
        return [i for i in self._ids if i not in taken and i not in looking]

    def _apexes(self) -> list[float]:
        """Return the highest rows of what was marked in finished sections; the caller holds the lock."""
        rows = []
        for item_id in self._ledger.labels:
            if item_id in self._row and self._row[item_id] not in self._queue.in_reserve:
                for who in self._ledger.annotators(item_id):
                    mask = self._ledger.mask(item_id, who)
                    marked = np.flatnonzero(((mask > 0) & (mask < 254)).any(axis=1))
                    rows += [float(marked[0])] if marked.size else []
        return rows

    def _trial_query(self, trial: Trial) -> Query:
        """Return a trial as a query; reason and opinion are those of the section in whose place it is shown."""
        with self._lock:
            asked = self._query(Pick(cover_of(trial.item_id), self.strategy, None, None, "injected"))
        return replace(asked, item_id=trial.item_id)

    @property
    def injected(self) -> InjectedTargets | None:
        """How targets are injected; None: not at all."""
        return self._injected

    # ---- reading ------------------------------------------------------------------------------------------------------

    def trial(self, item_id: str) -> Trial | None:
        """Return the trial of an id; None for sections, and where no targets are injected."""
        if self._trials is None or not is_trial_id(item_id):
            return None
        with self._lock:
            return self._trials.get(item_id)

    def trial_truth(self, item_id: str) -> npt.NDArray[np.bool_]:
        """Return where the target of a trial is seen, (rows, columns); of a catch trial, where it would be.

        Raises
        ------
        UnknownItemError
        """
        trial = self.trial(item_id)
        if trial is None:
            raise UnknownItemError(item_id)
        return field_of(trial, self.volume)[1]

    def trial_map(self, item_id: str) -> SectionMap | None:
        """Return what the model expects of a trial's section as it is without the target; None for sections, and before a model.

        So an opinion is shown as on any section, and points out nothing that was put in.
        """
        trial = self.trial(item_id)
        found = None if trial is None else self.section_map(self._row_of(trial.background))
        return (
            None
            if trial is None or found is None
            else map_of(trial, found, self._lengths()[self._row_of(trial.background)])
        )

    def detections(self) -> list[Detection]:
        """Return what each annotator can see, from their answers to injected targets; empty where there are none."""
        if self._trials is None:
            return []
        with self._lock:
            self._sync()
            return [self._trials.detection(who) for who in self._trials.annotators()]

    def detection(self) -> pd.DataFrame:
        """One row an annotator: annotator, n, threshold_db, low, high, seen, n_catch, false_alarm_rate, false_alarm_low, false_alarm_high.

        `threshold_db` is the strength (peak of the echo over the clutter's root mean square around it) that is seen half of the
        time, low and high its 90 % credible interval; `seen` of `n` targets were; the rate is the share of catch trials in which
        something was marked where nothing is, with its Wilson 95 % interval. NaN before there is anything to tell.
        """
        import pandas as pd

        from al_widgets.evaluation.detection import wilson

        rows = []
        for found in self.detections():
            t, alarms = found.threshold, wilson(found.false_alarms, len(found.catches))
            seen = sum(bool(r.seen) for r in found.targets)
            rows.append(
                (found.annotator, t.n, t.value, t.low, t.high, seen, alarms.n, alarms.value, alarms.low, alarms.high)
            )
        return pd.DataFrame(rows, columns=list(DETECTION_COLUMNS))

    def trials(self) -> pd.DataFrame:
        """One row an answered trial: item_id, annotator, background, signal_db (NaN: catch trial), kind, seen, elsewhere, answered_at."""
        import pandas as pd

        rows = []
        with self._lock:
            self._sync()
            for who in self._trials.annotators() if self._trials is not None else ():
                for r in self._trials.results(who) if self._trials is not None else ():
                    signal = np.nan if r.trial.signal_db is None else r.trial.signal_db
                    rows.append(
                        (r.trial.item_id, who, r.trial.background, signal, r.kind, r.seen, r.elsewhere, r.answered_at)
                    )
        columns = ["item_id", "annotator", "background", "signal_db", "kind", "seen", "elsewhere", "answered_at"]
        return pd.DataFrame(rows, columns=columns)

    def events_of(self, annotator: str) -> list[Annotation]:
        """Return an annotator's strokes and answers, to trials too, undone ones as well, oldest first."""
        with self._lock:
            return sorted((e for ledger in self._ledgers() for e in ledger.history(annotator)), key=order_of)

    def said_by(self, annotator: str) -> list[str]:
        """Return the sections, and trials, on which an annotator has strokes (undone ones too) or an answer."""
        with self._lock:
            sections = [i for i in self._ids if self._ledger.said_by(i, annotator)]
            shown = self._trial_ledger.touched() | set(self._trial_ledger.answered())
            return [
                *sections,
                *sorted(i for i in shown if self._shape_of(i) and self._trial_ledger.said_by(i, annotator)),
            ]

    @property
    def ledgers(self) -> tuple[MaskLedger, ...]:
        """What is said of sections, and of trials; hold `lock` while reading them."""
        return self._ledgers()

    def ledger_of(self, item_id: str) -> MaskLedger:
        """Return the ledger that what is said of a section, or of a trial, belongs to; hold `lock` while reading it."""
        return self._ledger_of(item_id)
