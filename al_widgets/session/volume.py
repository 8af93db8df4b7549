"""A session on a volume: masks or boxes, stroke by stroke, with a model that answers every stroke.

Everything of `Session` is there; an item is a section. Any thread may call it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import LearnerError, TaskError
from al_widgets.learning.pixels import PixelLearner
from al_widgets.oracles.injected import InjectedTargets
from al_widgets.records import Estimate, Query
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.queue import Pick, ServingQueue
from al_widgets.session.rounds import Rounds
from al_widgets.session.sections import check_strategy
from al_widgets.session.snapshot import Snapshot
from al_widgets.session.training import Predictions
from al_widgets.session.volume_asking import Want, check_ask, wanted
from al_widgets.session.volume_readings import is_radar, pixel_features
from al_widgets.session.volume_rounds import Said, VolumePreparation, VolumeRounds, VolumeState
from al_widgets.session.volume_trials import VolumeTrials
from al_widgets.task import Segmentation

Mask = npt.NDArray[np.uint8]

LEAST_SECTIONS = 8
"""Sections of a volume from which on some are set aside to measure."""
RESERVED, RESERVE_SHARES = 6, (0.1, 0.25)
"""Wanted: 6 sections, but at least a tenth of the volume and at most a quarter."""


class VolumeQueue(ServingQueue):
    """The first sections that are asked are never audits: a model must be there before it can be measured."""

    def _is_audit(self, place: int) -> bool:
        return place >= 2 and super()._is_audit(place)


class VolumeSession(VolumeTrials):
    """An active-learning session on the sections of a volume. `Session` makes one when the task is one of pixels.

    Parameters
    ----------
    pool : SlicePool, Volume, path or ndarray (sections, rows, columns)
        What is labelled.
    task : Segmentation or Boxes
    strategy : str
        Which section is asked next: ``"auto"``, ``"uncertainty"``, ``"anomaly"``, ``"random"`` or ``"interval"``; see
        `al_widgets.session.sections`.
    ask : {"auto", "sections", "regions"}
        What the next question is about: see `al_widgets.session.volume_asking.ASK`. The annotator can always switch.
    learner : scikit-learn classifier or PixelLearner, optional
        Default: an ensemble of trees on features of pixels at several scales.
    audit : float
        Share of the sections asked that are of a random reserve, never trained on: the source of every accuracy. Volumes of
        fewer than 8 sections have none.
    injected : InjectedTargets, optional
        Radar only: simulated targets are put into sections known to be free of any and asked like these, to learn what each
        annotator can see; see `detection`. They are in no label, training, audit or export.
    store, annotator, target, hourly_rate, batch_size, seed
        As for `Session`; `target` is a Dice coefficient.

    Examples
    --------
    >>> import numpy as np, al_widgets as al
    >>> volume = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)
    >>> volume[:, 10:16, 10:16] += 5
    >>> session = al.Session(al.Volume(volume), al.Segmentation(["soil", "mine"]), store=":memory:")
    >>> query = next(session.queries())
    >>> mask = np.where(session.pool.image(query.item_id) > 3, 1, 0).astype(np.uint8)
    >>> event_id = session.submit(query, mask, elapsed_s=12.0)
    >>> session.wait()
    True
    >>> session.predict_section(0).shape
    (32, 32, 2)
    >>> session.close()
    """

    def __init__(
        self,
        pool: Any,
        task: Segmentation,
        *,
        strategy: str = "auto",
        ask: str = "auto",
        learner: Any = None,
        store: str | Path | None = None,
        annotator: str | None = None,
        audit: float = 0.2,
        target: float = 0.95,
        hourly_rate: float | None = None,
        batch_size: int = 1,
        injected: InjectedTargets | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(task, Segmentation):
            raise TaskError(f"sections are labelled with al.Segmentation or al.Boxes, not with {task!r}")
        self._choose, self._ask = check_strategy(strategy), check_ask(ask)
        self._pixel_learner = _pixel_learner(learner, seed)
        self._looking: dict[str, int] = {}
        self._injected = injected
        super().__init__(
            pool,
            task,
            strategy="random",  # of a pool of pictures; sections are chosen by their own
            store=store,
            annotator=annotator,
            audit=audit,
            target=target,
            hourly_rate=hourly_rate,
            batch_size=batch_size,
            seed=seed,
        )

    # ---- hooks of Session ---------------------------------------------------------------------------------------------

    def _make_queue(self, audit: float) -> ServingQueue:
        """Set some sections aside: drawn once a store, whatever is wanted later."""
        from al_widgets.evaluation import reserve_order

        n = len(self._ids)
        share = min(max(RESERVED / n, RESERVE_SHARES[0]), RESERVE_SHARES[1]) if audit and n >= LEAST_SECTIONS else 0.0
        kept = self._store.keep_setting("reserve", {"secret": secrets.token_hex(8), "fraction": share})
        order = reserve_order(kept["secret"], self._ids, 1.0)[: round(kept["fraction"] * n)]
        return VolumeQueue(n, [self._row[item_id] for item_id in order], audit, self.seed)

    def _make_rounds(self, strategy: Any, learner: Any, first_round: int) -> Rounds:
        del strategy, learner
        return VolumeRounds(
            self._state,
            self._on_round,
            self._on_error,
            on_section=self._on_section,
            looking=self.looking,
            lengths=self._lengths(),
            choose=self._choose,
            pixel_learner=self._pixel_learner,
            batch_size=self.batch_size,
            seed=self.seed,
            first_round=first_round,
        )

    def _make_encoding(self, encoder: Any) -> BackgroundEncoding:
        del encoder

        def make_features() -> Any:
            self._rounds.pixels = pixel_features(self.volume, radar=is_radar(self.volume))
            return self._rounds.pixels

        return VolumePreparation(
            make_table=make_features,
            order=list,
            on_progress=self._on_progress,
            on_ready=self._rounds.on_features,
            on_problem=lambda p: self.set_aside(p.item_id, p.reason),
            on_error=self._on_encoding_error,
        )

    def _state(self) -> VolumeState:
        """Return what a round begins with; on the trainer's thread."""
        with self._lock:
            self._sync()
            said: dict[int, Said] = {}
            for item_id in self._ledger.touched():
                row = self._row.get(item_id)
                if row is None or row in self._queue.in_reserve or not (who := self._ledger.annotators(item_id)):
                    continue
                changes = self._ledger.changes(item_id)
                known = self._rounds.knows(row, changes)
                painted = [] if known else [self._ledger.mask(item_id, name, "hand") for name in who]
                outlined = [] if known else [self._ledger.painted(item_id, name, "region") for name in who]
                said[row] = Said(changes, painted, outlined)
            answered = {self._row[i] for i in self._ledger.answered() if i in self._row}
            visible = {self._row[i] for ids in self._visible.values() for i in ids if i in self._row}
            closed = answered | visible | self._queue.in_reserve | {self._row[i] for i in self._problems}
            by_hand = {self._row[i] for i in self._ledger.touched() & self._row.keys() if self._ledger.by_hand(i)}
            labelled = (answered | visible | by_hand) - self._queue.in_reserve
            empty = np.empty(0, np.intp)
            return VolumeState(
                version=len(self._ledger),
                n_labels=self._said(),
                classes=self._task.classes,
                pool_size=len(self._ids),
                labelled=np.array(sorted(labelled), np.intp),
                labels=empty,
                candidates=np.array([r for r in range(len(self._ids)) if r not in closed], np.intp),
                pending=empty,
                said=said,
                hidden=self._queue.in_reserve,
                measuring=[self._row[i] for i in self._reserve_ids if i in self._ledger.labels],
            )

    def _on_section(self, index: int) -> None:
        """Tell of a new opinion, and whether somebody is waiting for it; on the trainer's thread."""
        self._observers.notify("prediction" if index in self.looking() else "prediction behind")

    def _said(self) -> int:
        """Return the number of strokes and finished sections that stand."""
        return sum(e.kind in ("stroke", "label") and self._ledger.stands(e.event_id) for e in self._ledger)

    def _judge(self, snapshot: Snapshot) -> tuple[Estimate, Predictions]:  # noqa: ARG002
        """Return the accuracy of a new model; of predictions whole masks would have to be kept."""
        return self.accuracy, ()

    def _query(self, pick: Pick) -> Query:
        """Return a section as a query; the reason is made the same way for audits, which cannot be told from the others."""
        query = super()._query(pick)
        found = self._rounds.maps[pick.row]
        if found is None:
            reason = "There is no model yet: sections that differ most from their surroundings come first."
            return replace(query, reason=reason)
        share = 1 - float(found.shares[0])
        return replace(
            query,
            reason=f"The model expects {self._sought} on {share:.1%} of it, and {_certainty(found.top_doubt)}.",
        )

    # ---- asking -------------------------------------------------------------------------------------------------------

    def propose(self, holder: str, strategy: str = "", *, have: Sequence[str] = ()) -> Query | None:
        """Draw the section that a holder is to label next, in place of what it has; None when nothing is left.

        Parameters
        ----------
        holder : str
        strategy : str
            Another than the session's own, for this once.
        have : sequence of str
            What the holder was asked before; given back unless it is drawn again.
        """
        name = check_strategy(strategy) if strategy else self._choose
        with self._lock:
            kept = self._queue.ranking
            if name != self._choose:
                self._visible.pop(holder, None)
                self._queue.install(self._rounds.rank(name, self._state())[0])
            try:
                drawn = self.draw(holder, 1, have=have, keep=0)
            finally:
                self._queue.install(kept)
        return drawn[0] if drawn else None

    @property
    def wants(self) -> Want:
        """What the next question is better about: ``"section"``, as `queries` asks them, or ``"region"``, of `regions`."""
        with self._lock:
            answers = (e for e in self._ledger if e.kind != "undo" and self._ledger.stands(e.event_id))
            return wanted(self._ask, answers, radar=is_radar(self.volume))

    def utilities(self) -> list[float | None]:
        """Return how worth asking each section is, 0 to 1; None where there is nothing to say."""
        return [None if np.isnan(value) else float(value) for value in self._rounds.worth]

    def look(self, holder: str, index: int) -> None:
        """Take note that a section is on a holder's screen: what the model expects of it comes first from now on."""
        self._row_of(self._ids[index])
        with self._lock:
            self._looking.pop(holder, None)
            self._looking[holder] = index

    def looking(self) -> list[int]:
        """Return the sections on screens, each once, the newest first."""
        with self._lock:
            return list(dict.fromkeys(reversed(list(self._looking.values()))))

    def looking_at(self) -> dict[str, int]:
        """Return holder → section on its screen."""
        with self._lock:
            return dict(self._looking)

    def release(self, holder: str) -> None:
        """Give back everything a holder holds, because it is gone."""
        with self._lock:
            self._looking.pop(holder, None)
        super().release(holder)


def _certainty(doubt: float) -> str:
    """Say how it is with the hundredth of a section that a model doubts most."""
    return "is sure of all" if doubt < 0.3 else "hesitates in places" if doubt < 0.7 else "cannot tell in places"


def _pixel_learner(what: Any, seed: int) -> PixelLearner:
    if what is None:
        return PixelLearner(random_state=seed)
    if isinstance(what, PixelLearner):
        return what
    if not hasattr(what, "predict_proba") or not hasattr(what, "fit"):
        raise LearnerError(f"a learner of pixels is a scikit-learn classifier with predict_proba, not {what!r}")
    return PixelLearner(what, random_state=seed)
