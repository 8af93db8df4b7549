"""The trials of a session: when the next injected target comes, where, how strong, and what was said of the ones before.

Everything drawn is kept in the store before it is shown, so that a page that is loaded again, or a kernel that died, shows the same.
Answers to trials have a ledger of their own: what reads the session's ledger (labels, training, audit, exports) never sees them.
Not thread-safe: the session's lock guards it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from zlib import crc32

import numpy as np
import numpy.typing as npt

from al_widgets.features.gpr_injection import peak_frequency_ghz
from al_widgets.oracles.injected import Detection, InjectedTargets, Trial, TrialResult
from al_widgets.pool.slices import SlicePool
from al_widgets.records import Annotation
from al_widgets.session.ledger import order_of
from al_widgets.session.mask_ledger import MaskLedger
from al_widgets.session.queue import hidden_place
from al_widgets.session.trial_pictures import field_of, trial_id
from al_widgets.store import Store
from al_widgets.task.strokes import IGNORE

BoolArray = npt.NDArray[np.bool_]

TRIES = 40
"""Places that are tried before it is said that none is free."""
SPREAD = 0.1
"""How far velocity and frequency stray from what is known, as a share."""
LEAST_APEXES = 3
"""Real targets from which on injected ones lie as deep as these."""


@dataclass(frozen=True)
class Background:
    """A section that may be shown in a trial.

    Attributes
    ----------
    item_id : str
    occupied : ndarray of bool (columns,)
        Columns in which something is known, or nothing is known to be missing.
    """

    item_id: str
    occupied: BoolArray


class Trials:
    """Draws trials and reads what was said of them.

    Parameters
    ----------
    config : InjectedTargets
    store : Store
    pool : SlicePool
    ledger : MaskLedger
        Of answers to trials.
    velocity : float
        In the ground, m/ns.
    """

    def __init__(
        self, config: InjectedTargets, store: Store, pool: SlicePool, ledger: MaskLedger, velocity: float
    ) -> None:
        self.config, self.ledger = config, ledger
        self._store, self._pool, self._velocity = store, pool, velocity
        self._known: dict[str, Trial] = {}
        self._drawn: dict[str, list[Trial]] = {}
        self._secret = str(store.keep_setting("injected", {"secret": secrets.token_hex(8)})["secret"])

    def get(self, item_id: str) -> Trial | None:
        """Return a trial by its id."""
        if item_id not in self._known:
            kept = self._store.setting(f"injected:{item_id}")
            if kept is None:
                return None
            self._known[item_id] = _trial_of(kept)
        return self._known[item_id]

    def due(self, annotator: str, answered: Sequence[Annotation]) -> bool:
        """Say whether a trial comes next: one at a hidden place of every block of 1/rate queries of an annotator.

        Parameters
        ----------
        answered : sequence of Annotation
            The annotator's answers to real sections that stand, oldest first.
        """
        newest = max((r.answered_at for r in self.results(annotator)), default=None)
        after = -1 if newest is None else sum(e.answered_at <= newest for e in answered)
        key = f"injected:{self._secret}:{annotator}"
        return any(hidden_place(place, self.config.rate, key) for place in range(after + 1, len(answered) + 1))

    def drawn(self, annotator: str) -> list[Trial]:
        """Return the trials that were drawn for an annotator, in this process or another."""
        trials = self._drawn.setdefault(annotator, [])
        while (kept := self._store.setting(f"injected:{annotator}:{len(trials)}")) is not None:
            # Kept a second time under its own id, in case that this was cut off.
            trial = _trial_of(self._store.keep_setting(f"injected:{kept['item_id']}", kept))
            self._known[trial.item_id] = trial
            trials.append(trial)
        return trials

    def pending(self, annotator: str) -> Trial | None:
        """Return the trial that was drawn for an annotator and is not answered."""
        open_ = (t for t in self.drawn(annotator) if annotator not in self.ledger.answers(t.item_id))
        return next(open_, None)

    def draw(
        self,
        annotator: str,
        backgrounds: Sequence[Background],
        covers: Sequence[str],
        lengths: Mapping[str, int],
        apexes: Sequence[float],
    ) -> Trial | None:
        """Draw the next trial of an annotator and keep it; None where no place is free.

        Parameters
        ----------
        backgrounds : sequence of Background
            What it may be made from.
        covers : sequence of str
            Open sections in whose place it may be shown.
        lengths : mapping of str to int
            Item id → columns.
        apexes : sequence of float
            Rows of real targets' apexes.
        """
        number = len(self.drawn(annotator))
        rng = np.random.default_rng([int(self._secret, 16), crc32(annotator.encode()), number])
        caught = self.config.catch > 0 and hidden_place(number, self.config.catch, f"catch:{self._secret}:{annotator}")
        signal = None if caught else self.detection(annotator).staircase.next_amplitude
        clear = [b for b in backgrounds if not b.occupied.any()]
        for _ in range(TRIES if covers else 0):
            cover = covers[int(rng.integers(len(covers)))]
            wide = [b for b in clear or backgrounds if lengths[b.item_id] >= lengths[cover]]
            if not wide:
                continue
            background = wide[int(rng.integers(len(wide)))]
            trial = self._place(rng, annotator, number, cover, background, lengths[cover], apexes, signal)
            occupied = background.occupied[::-1] if trial.mirrored else background.occupied
            if not (field_of(trial, self._pool.volume)[1].any(axis=0) & occupied[: trial.columns]).any():
                self._store.keep_setting(f"injected:{annotator}:{number}", asdict(trial))
                return self.pending(annotator)
        return None

    def _place(
        self,
        rng: np.random.Generator,
        annotator: str,
        number: int,
        cover: str,
        background: Background,
        columns: int,
        apexes: Sequence[float],
        signal: float | None,
    ) -> Trial:
        section = SlicePool.image(self._pool, background.item_id)
        time = self._pool.volume.section(0).axes[0]
        frequency = peak_frequency_ghz(section, time.step) * rng.uniform(1 - SPREAD, 1 + SPREAD)
        zero, period = max(time.index(0.0), 0.0), 1 / frequency / time.step
        if len(apexes) >= LEAST_APEXES:
            low, high = min(apexes), max(apexes)
        else:
            low, high = zero + 1.5 * period, zero + 0.6 * (len(section) - zero)
        return Trial(
            item_id=trial_id(cover, f"{rng.integers(1 << 32):08x}"),
            annotator=annotator,
            number=number,
            background=background.item_id,
            mirrored=bool(rng.random() < 0.5),
            columns=columns,
            row=float(rng.uniform(low, max(low + period / 2, high))),
            column=float(rng.uniform(0.1, 0.9) * columns),
            sign=int(rng.choice([-1, 1])),
            frequency_ghz=float(frequency),
            velocity_m_per_ns=float(self._velocity * rng.uniform(1 - SPREAD, 1 + SPREAD)),
            clear=not background.occupied.any(),
            signal_db=signal,
        )

    # ---- what was said ------------------------------------------------------------------------------------------------

    def annotators(self) -> list[str]:
        """Return who has answered trials."""
        return sorted({e.annotator for i in self.ledger.answered() for e in self.ledger.answers(i).values()})

    def results(self, annotator: str) -> list[TrialResult]:
        """Return what an annotator said of their trials, oldest first."""
        found = []
        for item_id in self.ledger.answered_by(annotator):
            trial = self.get(item_id)
            if trial is not None and trial.annotator == annotator:
                found.append((order_of(answer := self.ledger.answers(item_id)[annotator]), self._result(trial, answer)))
        return [result for _, result in sorted(found, key=lambda pair: pair[0])]

    def _result(self, trial: Trial, answer: Annotation) -> TrialResult:
        mask = self.ledger.mask(trial.item_id, trial.annotator)
        painted, where = (mask > 0) & (mask < IGNORE), field_of(trial, self._pool.volume)[1]
        seen = None if answer.kind == "skip" else answer.kind == "label" and bool((painted & where).any())
        elsewhere = trial.clear and answer.kind == "label" and bool((painted & ~where).any()) and not seen
        return TrialResult(trial, answer.kind, seen, elsewhere, answer.answered_at)

    def detection(self, annotator: str) -> Detection:
        """Return what an annotator can see."""
        return Detection.of(annotator, self.results(annotator), self.config.strength_db)


def occupied_columns(masks: Sequence[npt.NDArray[np.uint8]]) -> BoolArray:
    """Return the columns in which somebody marked something, or left something open."""
    return np.asarray(np.any([(mask != 0).any(axis=0) for mask in masks], axis=0))


def _trial_of(kept: Mapping[str, object]) -> Trial:
    names = {f.name for f in fields(Trial)}
    return Trial(**{name: value for name, value in kept.items() if name in names})  # type: ignore[arg-type]
