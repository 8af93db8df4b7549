"""Rounds of training: when to train, on what, and the newest model.

`Rounds` runs on the trainer's thread; it asks the session for its state and gives it the new snapshot, both under the session's
lock, and computes in between without it: first what the annotators agree on, then the model of that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.blas_threads import one_blas_thread
from al_widgets.learning.base import Learner
from al_widgets.learning.trainer import Trainer
from al_widgets.oracles.fatigue import MIN_ANSWERS, advise_breaks
from al_widgets.records import Annotation
from al_widgets.session.consensus import Agreed, Witnesses, agree
from al_widgets.session.snapshot import Snapshot, TrainingInput, keep_model, train
from al_widgets.session.timing import Timing, fit_timing, main_directions
from al_widgets.strategies import Strategy, as_strategy

_log = logging.getLogger(__name__)
LOOK_EVERY = 10
"""Answers between two looks whether an annotator has turned."""
ALARM_JUMP = 0.01
"""How restless accuracies are taken to be for that: it finds a sudden change sooner."""
SPARE = 24
"""Items ranked beyond a batch, so that nobody waits while the next ranking is computed."""


@dataclass(frozen=True)
class State:
    """What the session knows when a round begins; all rows are pool rows."""

    version: int
    n_labels: int
    classes: tuple[str, ...]
    pool_size: int
    labelled: npt.NDArray[np.intp]
    labels: npt.NDArray[np.intp]
    candidates: npt.NDArray[np.intp]
    pending: npt.NDArray[np.intp]
    features: tuple[npt.NDArray[np.intp], npt.NDArray[Any]] | None = None
    """Rows, ascending, and their features, where the session holds them itself."""
    weights: npt.NDArray[np.floating[Any]] | None = None
    """Of the labels; None for equal ones."""
    witnesses: Witnesses | None = None
    """Whose agreement the labels are; None where `labels` are to be taken as they are."""
    timed: tuple[Annotation, ...] = ()
    """All answers, for what they took."""
    row: Mapping[str, int] = field(default_factory=dict)
    """Item id → pool row."""
    annotator: str = ""
    """Who is asked next."""


class Rounds:
    """Trains when there is something new, keeps the newest snapshot.

    Parameters
    ----------
    state : callable
        Returns the session's `State`; called on the trainer's thread.
    on_round : callable
        Takes the new `Snapshot`; called on the trainer's thread.
    on_error : callable
        Takes an exception that a round could not deal with.
    """

    def __init__(
        self,
        state: Callable[[], State],
        on_round: Callable[[Snapshot], None],
        on_error: Callable[[Exception], None],
        *,
        strategy: Any,
        learner: Any,
        batch_size: int,
        seed: int,
        first_round: int,
    ) -> None:
        self.strategy: Strategy = as_strategy(strategy)
        self._learner_spec = learner
        self._learner: Learner | None = None
        self._state, self._on_round, self._on_error = state, on_round, on_error
        self._batch_size, self._seed, self._round = batch_size, seed, first_round
        self._features: tuple[npt.NDArray[np.intp], npt.NDArray[Any]] | None = None
        self._unseen, self._seen_version = 0, -1
        self._lock = threading.Lock()
        self.snapshot: Snapshot | None = None
        self.agreed = Agreed(-1)
        self.timing: Timing | None = None
        self._directions: tuple[Any, npt.NDArray[np.floating[Any]]] | None = None
        self.pauses: dict[str, str] = {}
        self._watched = 0
        self._trainer = Trainer(self._train, on_error)

    @property
    def running(self) -> bool:
        """Whether a round is being computed."""
        return self._trainer.running

    def on_features(self, rows: npt.NDArray[np.intp], features: npt.NDArray[Any]) -> None:
        """Take the features that are ready so far; a round with them follows."""
        with self._lock:
            self._features = (rows, features)
        self._trainer.request()

    def answered(self) -> None:
        """Take note of one more answer; a round follows when a batch is complete."""
        self._unseen += 1
        if self._unseen >= self._batch_size:
            self.request()

    def request(self) -> None:
        """Ask for a round; nothing happens before there are features."""
        self._unseen = 0
        if self._features is not None:
            self._trainer.request()

    def request_if_behind(self, version: int) -> None:
        """Ask for a round if the newest model has not seen the given version."""
        if self._seen_version < version:
            self.request()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all rounds that were asked for are done."""
        return self._trainer.wait(timeout)

    def close(self) -> None:
        """Train no more."""
        self._trainer.close()

    def _train(self) -> None:
        with self._lock:
            features = self._features
        if features is None:
            return
        state = self._state()
        features = features if state.features is None else state.features
        self._agree(state, features)
        labels, weights = agreed_labels(state, self.agreed)
        self._time(state, features)
        if self._learner is None:
            from al_widgets.learning import as_learner, default_learner

            self._learner = default_learner() if self._learner_spec is None else as_learner(self._learner_spec)
        if self.strategy.name == "random":
            cold: Strategy = self.strategy
        else:
            cold = as_strategy("auto")
        snapshot = train(
            TrainingInput(
                round=self._round + 1,
                rows=features[0],
                features=features[1],
                weights=weights,
                learner=self._learner,
                strategy=self.strategy,
                cold_strategy=cold,
                length=self._batch_size + SPARE,
                rng=np.random.default_rng([self._seed, state.version]),
                version=state.version,
                classes=state.classes,
                pool_size=state.pool_size,
                labelled=state.labelled,
                labels=labels,
                candidates=state.candidates,
                pending=state.pending,
                n_labels=state.n_labels,
                cost=self._cost(features[0], state.annotator),
            )
        )
        if snapshot.learner is not None:
            self._round += 1
        self.snapshot = keep_model(snapshot, self.snapshot)
        self._seen_version = state.version
        self._on_round(self.snapshot)

    def _agree(self, state: State, features: tuple[npt.NDArray[np.intp], npt.NDArray[Any]]) -> None:
        """Work out what the annotators agree on; a failure leaves the votes, and is told."""
        if state.witnesses is None:
            return
        try:
            with one_blas_thread():
                self.agreed = agree(state.witnesses, *features, self.agreed)
                self._watch(state.witnesses, features)
        except Exception as error:
            _log.exception("the consensus failed")
            self.agreed = Agreed(state.version)
            self._on_error(error)

    def _time(self, state: State, features: tuple[npt.NDArray[np.intp], npt.NDArray[Any]]) -> None:
        """Learn how long answers take."""
        if not any(e.elapsed_s for e in state.timed):
            return
        rows, matrix = features
        if self._directions is None or self._directions[0] is not matrix:
            with one_blas_thread():
                self._directions = (matrix, main_directions(matrix))
        self.timing = fit_timing(state.timed, state.row, rows, self._directions[1])

    def _cost(self, rows: npt.NDArray[np.intp], annotator: str) -> Callable[[Any], Any] | None:
        """Return what tells a strategy the expected seconds of rows of the features; None while nothing is known."""
        timing = self.timing
        return None if timing is None else lambda index: timing.seconds(rows[index], "new", annotator)

    def _watch(self, witnesses: Witnesses, features: tuple[npt.NDArray[np.intp], npt.NDArray[Any]]) -> None:
        """Look every `LOOK_EVERY` answers whether an annotator has turned; what was said stays until it is over."""
        n = len(witnesses.answers)
        if n < MIN_ANSWERS or 0 <= n - self._watched < LOOK_EVERY:
            return
        self._watched = n
        result = agree(witnesses, *features, always=True, jump=ALARM_JUMP).result
        turned = {} if result is None else {a.annotator: a.why for a in advise_breaks(result) if a.suggested}
        self.pauses = {who: self.pauses.get(who, why) for who, why in turned.items()}

    @property
    def features(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any]] | None:
        """Pool rows that have features, and the features; None before there are any."""
        with self._lock:
            return self._features


def agreed_labels(state: State, agreed: Agreed) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.floating[Any]] | None]:
    """Return class numbers and weights to train on: what the annotators agree on, weighted by how sure that is."""
    if state.witnesses is None or agreed.result is None:
        return state.labels, state.weights
    number = {name: i for i, name in enumerate(state.classes)}
    item_of = {row: item_id for item_id, row in state.witnesses.row.items()}
    labels = state.labels.copy()
    weights = np.ones(len(labels)) if state.weights is None else np.array(state.weights, np.float64)
    for n, row in enumerate(state.labelled):
        label = agreed.labels.get(item_of.get(int(row), ""))
        if label is not None:
            labels[n] = number[label.label]
            weights[n] *= label.confidence
    return labels, weights
