"""Rounds of a volume: a pixel learner is fitted to what was painted, then it says what it expects of every section.

The sections on screens come first, then those that measure, then the others, those with the oldest opinion first. When more was
painted meanwhile the rest is left to the next round: nobody waits for opinions that are stale already. Runs on the trainer's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import AlWidgetsError
from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.learning.pixels import PixelLearner
from al_widgets.learning.training_masks import training_masks
from al_widgets.learning.tree_threads import Stopped
from al_widgets.oracles.masks import UNPAINTED, mask_consensus
from al_widgets.session.encoding import BackgroundEncoding
from al_widgets.session.regions import ANOMALOUS, EXPECTED, THRESHOLDS
from al_widgets.session.rounds import Rounds, State
from al_widgets.session.section_maps import SectionMaps, section_map
from al_widgets.session.sections import rank_sections
from al_widgets.session.snapshot import Ranked, Snapshot
from al_widgets.strategies.slices import interval_sections
from al_widgets.task.strokes import IGNORE, UNLABELLED

if TYPE_CHECKING:
    from al_widgets.features.pixels import PixelFeatures

Mask = npt.NDArray[np.uint8]
ASSUMED = 2000
"""Pixels taken for background while only objects have been painted."""
PRESUMED_SECTIONS = 24
"""Sections on which background is presumed beside outlines of regions."""
QUIET = 0.8
"""Share of the threshold of regions below which pixels are inconspicuous."""


@dataclass(frozen=True)
class Said:
    """What the annotators have said of a section, one mask each; no masks where `VolumeRounds.knows` this number of changes.

    Attributes
    ----------
    changes : int
    painted : list of ndarray
        By hand, and what a finished section's rest is.
    outlined : list of ndarray
        By answers about regions.
    """

    changes: int
    painted: list[Mask]
    outlined: list[Mask]


@dataclass(frozen=True)
class VolumeState(State):
    """What a round of a volume begins with.

    Attributes
    ----------
    said : dict of int to Said
        Of the sections that may be trained on.
    hidden : frozenset of int
        Sections that may not.
    looking : list of int
        Sections on screens.
    measuring : list of int
        Finished sections of the audit reserve.
    """

    said: dict[int, Said] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    looking: list[int] = field(default_factory=list)
    measuring: list[int] = field(default_factory=list)


def consensus_of(masks: list[Mask], n_classes: int) -> Mask:
    """Return what several annotators' masks of a section add up to: (rows, columns), 254 and 255 as in masks.

    Where two or more have labelled pixels both, the consensus weighs who is right (`al_widgets.oracles.mask_consensus`); else
    what any of them said. Where just two said something, and not the same, nothing tells who is right: such a pixel stays open, or
    what one person saw would vanish because the other, who saw nothing, is like most of the section. A pixel that somebody wants
    ignored, and nobody labelled, is ignored.
    """
    if len(masks) == 1:
        return masks[0]
    stack = np.stack(masks).astype(np.int16)
    said = stack < IGNORE
    if (said.sum(axis=0) > 1).any():
        label = mask_consensus(np.where(said, stack, UNPAINTED), n_classes).label
        one, other = np.where(said, stack, n_classes).min(axis=0), np.where(said, stack, UNPAINTED).max(axis=0)
        label[(said.sum(axis=0) == 2) & (one != other)] = UNPAINTED
    else:
        label = np.where(said, stack, UNPAINTED).max(axis=0)
    ignored = (stack == IGNORE).any(axis=0)
    return np.where(label != UNPAINTED, label, np.where(ignored, IGNORE, UNLABELLED)).astype(np.uint8)


def _known(mask: Mask) -> Mask:
    """Return a mask without what is to be ignored."""
    return np.where(mask == IGNORE, UNLABELLED, mask).astype(np.uint8)


def _counts(mask: Mask) -> npt.NDArray[np.intp]:
    return np.bincount(mask.ravel(), minlength=256).astype(np.intp)


class VolumePreparation(BackgroundEncoding):
    """Evens out the volume and maps what is anomalous in it, behind the scenes; rounds begin afterwards."""

    @property
    def encoder(self) -> Any:
        """None: pictures from outside are no sections of this volume."""
        return

    def _run(self) -> None:
        try:
            self._on_progress(0, 1)
            self._make_table().prepare(self._on_progress)
            if not self._stop.is_set():
                self._on_ready(np.empty(0, np.intp), np.empty((0, 0), np.float32))
        except Exception as error:
            self._on_error(error)
        finally:
            self._finished.set()


class VolumeRounds(Rounds):
    """Trains on strokes, keeps the newest opinion of every section.

    Parameters
    ----------
    on_section : callable
        Takes the index of a section with a new opinion; called on the trainer's thread.
    looking : callable
        Returns the sections on screens now.
    lengths : sequence of int
        Real columns of each section.
    choose : str
        Name of the strategy for sections.
    **options
        Of `Rounds`.
    """

    def __init__(
        self,
        state: Callable[[], VolumeState],
        on_round: Callable[[Snapshot], None],
        on_error: Callable[[Exception], None],
        *,
        on_section: Callable[[int], None],
        looking: Callable[[], list[int]],
        lengths: list[int],
        choose: str,
        pixel_learner: PixelLearner,
        **options: Any,
    ) -> None:
        super().__init__(state, on_round, on_error, strategy="random", learner=None, **options)
        self._volume_state = state
        self._on_section, self._looking, self._lengths = on_section, looking, lengths
        self.choose, self._template = choose, pixel_learner
        self.maps = SectionMaps(len(lengths))
        self.worth: npt.NDArray[np.floating[Any]] = np.full(len(lengths), np.nan)
        self.pixels: Any = None
        """`PixelFeatures` of the volume, once they are there."""
        self._model: PixelLearner | None = None
        self._model_version, self._n_trained, self._fit_s = -1, 0, 0.0
        self._known_consensus: dict[int, tuple[int, Mask, Mask]] = {}

    @property
    def learner(self) -> PixelLearner | None:
        """The newest fitted learner."""
        return self._model

    @property
    def read(self) -> PixelFeatures | None:
        """The features of the volume's pixels, once they are computed; None before."""
        return None if self._features is None else self.pixels

    def rank(self, name: str, state: VolumeState) -> tuple[tuple[Ranked, ...], npt.NDArray[np.floating[Any]]]:
        """Rank sections by the strategy of a name, with what is known now."""
        rng = np.random.default_rng([self._seed, state.version])
        overview = None if self.read is None else self.read.overview
        return rank_sections(name, self.maps, overview, state.candidates, state.labelled, rng)

    def _train(self) -> None:
        if self.read is None:
            return
        state = self._volume_state()
        errors: tuple[AlWidgetsError, ...] = ()
        with one_blas_thread():
            if state.version != self._model_version:
                try:
                    self._fit(state)
                except AlWidgetsError as error:
                    errors = (error,)
            self._seen_version = state.version
            self._sweep(state, errors)

    def _fit(self, state: VolumeState) -> None:
        """Fit a new learner as soon as an object is known; what is missing of the background is presumed."""
        began = time.perf_counter()
        n_classes = len(state.classes)
        both = {index: self._consensus(index, said, n_classes) for index, said in state.said.items()}
        painted, outlined = ({i: pair[k] for i, pair in both.items() if (pair[k] < IGNORE).any()} for k in (0, 1))
        counts = sum((_counts(m) for m in (*painted.values(), *outlined.values())), np.zeros(256, np.intp))
        self._model_version = state.version
        if not counts[1:IGNORE].any():
            # Background alone, or nothing any more: no model can be made, and an old one is none of these strokes.
            self._model, self._n_trained = None, 0
            self.maps = SectionMaps(len(self._lengths))
            return
        masks = self._with_outlines(painted, outlined, state) if outlined else painted
        if not any((m == 0).any() for m in masks.values()):
            masks = self._with_background(masks)
        self._model = self._template.clone().fit(self.pixels, masks, n_classes)
        self._n_trained = int(counts[:IGNORE].sum())
        self._round += 1
        self._fit_s = time.perf_counter() - began

    def knows(self, index: int, changes: int) -> bool:
        """Say whether the masks of a section were taken in as they are at this number of changes."""
        known = self._known_consensus.get(index)
        return known is not None and known[0] == changes

    def _consensus(self, index: int, said: Said, n_classes: int) -> tuple[Mask, Mask]:
        """Return what all annotators together painted and outlined on a section, 255 also where pixels are to be ignored."""
        known = self._known_consensus.get(index)
        if known is None or known[0] != said.changes:
            painted, outlined = (_known(consensus_of(masks, n_classes)) for masks in (said.painted, said.outlined))
            known = self._known_consensus[index] = (said.changes, painted, outlined)
        return known[1], known[2]

    def _with_outlines(
        self, painted: dict[int, Mask], outlined: dict[int, Mask], state: VolumeState
    ) -> dict[int, Mask]:
        """Let outlines of regions count as much as they are worth, and presume background on sections nobody painted."""
        n, rows, columns = self.pixels.shape
        # Presumed pixels need the features of their section: a few sections show the background well enough.
        spread = set(interval_sections(n, PRESUMED_SECTIONS).tolist()) - state.hidden
        chosen = sorted(spread | painted.keys() | outlined.keys())
        doubtful = np.clip(np.stack([self.pixels.section_anomaly(i) for i in chosen]) / ANOMALOUS, 0, 1)
        for at, index in enumerate(chosen):
            if (found := self.maps[index]) is not None:
                # On the scale of the map: what a model gives the lowest chance of being asked about is as doubtful as there.
                doubtful[at] = found.foreground / np.float32(255) * (THRESHOLDS[0] / EXPECTED[0])

        def whole(masks: dict[int, Mask]) -> dict[int, Mask]:
            """Return masks as wide as the volume, by their place among the chosen ones."""
            wide = {}
            for at, index in enumerate(chosen):
                if index in masks:
                    wide[at] = np.full((rows, columns), UNLABELLED, np.uint8)
                    wide[at][:, : masks[index].shape[1]] = masks[index]
            return wide

        rng = np.random.default_rng(self._seed)
        below = QUIET * THRESHOLDS[0]
        masks = training_masks(whole(painted), whole(outlined), doubtful, below=below, rng=rng)
        return {chosen[at]: mask[:, : self._lengths[chosen[at]]] for at, mask in masks.items()}

    def _with_background(self, masks: dict[int, Mask]) -> dict[int, Mask]:
        """Take some unpainted, inconspicuous pixels for background: who paints objects first shall see a model too."""
        rng = np.random.default_rng(self._seed)
        found = {}
        for index, mask in masks.items():
            anomaly = self.pixels.section_anomaly(index)[:, : mask.shape[1]]
            quiet = np.flatnonzero((mask == UNLABELLED) & (anomaly <= np.median(anomaly)))
            filled = mask.copy()
            filled.ravel()[rng.permutation(quiet)[: ASSUMED // len(masks) + 1]] = 0
            found[index] = filled
        return found

    def _sweep(self, state: VolumeState, errors: tuple[AlWidgetsError, ...]) -> None:
        """Form an opinion of the sections, the most wanted first; leave off when the next round has begun to wait."""
        model, told = self._model, False
        if model is not None:
            try:
                for index in (*self._looking(), *state.measuring):
                    self._look_at(model, state, index)
                    if self._trainer.asked_again:
                        break
                self._publish(state, errors)
                told = True
                while not self._trainer.asked_again and (wanted := self._most_wanted()) is not None:
                    # What nobody looks at makes way at once for what somebody does.
                    with suppress(Stopped):
                        self._look_at(model, state, wanted, stop=partial(self._makes_way, wanted))
            except AlWidgetsError as error:
                errors, told = (*errors, error), False
        if not (told and self._trainer.asked_again):  # the next round ranks anew, and a stroke waits for it
            self._publish(state, errors)

    def _most_wanted(self) -> int | None:
        rounds = self.maps.rounds()
        stale = np.flatnonzero(rounds < self._round)
        if not len(stale):
            return None
        looking = self._looking()
        for index in looking:
            if rounds[index] < self._round:
                return index
        near = np.abs(stale[:, None] - np.asarray(looking or [0])[None, :]).min(axis=1)
        return int(stale[np.lexsort((near, rounds[stale]))[0]])

    def _makes_way(self, index: int) -> bool:
        """Say whether something is more urgent than the opinion of a section."""
        looking = self._looking()
        return index not in looking and (
            self._trainer.asked_again or any((m := self.maps[i]) is None or m.round < self._round for i in looking)
        )

    def _look_at(
        self, model: PixelLearner, state: VolumeState, index: int, stop: Callable[[], bool] | None = None
    ) -> None:
        known = self.maps[index]
        if known is not None and known.round >= self._round:
            return
        probabilities = model.probabilities(self.pixels, index, stop)
        self.maps.put(index, section_map(probabilities, self._lengths[index], self._round, state.version))
        self._on_section(index)

    def _publish(self, state: VolumeState, errors: tuple[AlWidgetsError, ...]) -> None:
        """Hand the model and a ranking to the session."""
        ranking, self.worth = self.rank(self.choose, state)
        rows = self.maps.known()
        shares = [m.shares for i in rows if (m := self.maps[int(i)]) is not None]
        matrix = np.zeros((len(shares), len(state.classes)))
        for row, share in zip(matrix, shares, strict=True):  # a class that was added after an opinion was formed
            row[: len(share)] = share
        learner: Any = self._model
        self.snapshot = Snapshot(
            version=state.version,
            round=self._round,
            classes=state.classes,
            n_labels=state.n_labels,
            n_trained=self._n_trained,
            rows=rows,
            probabilities=matrix if shares else None,
            learner=learner,
            ranking=ranking,
            fit_s=self._fit_s,
            errors=errors,
        )
        self._on_round(self.snapshot)
