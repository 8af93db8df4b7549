"""What is asked next: the new item that the strategy chose, one that has answers already, or one whose class is known.

The policies are `al_widgets.oracles.policies`; this module tells them what a session knows. The session's lock guards it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.oracles import policies
from al_widgets.oracles.accuracy_path import PRIOR
from al_widgets.oracles.dawid_skene import Consensus
from al_widgets.session.consensus import Agreed
from al_widgets.session.ledger import Ledger
from al_widgets.session.queue import Pick, hidden_place
from al_widgets.session.snapshot import Snapshot

BoolArray = npt.NDArray[np.bool_]

GAP = 50
"""Other answers after which people have forgotten what they said: then their own items may come again."""

CHECKS = 0.05
"""Share of queries that ask a lone annotator something again, or ask anybody a known item: they tell who is reliable."""

DOUBTED, MOST_AUDITS = 0.9, 3
"""Probability of an audit item's class below which another annotator is asked, and answers it gets at most."""


@dataclass(frozen=True)
class Circumstances:
    """What is decided upon, as the session knows it at one draw.

    Attributes
    ----------
    annotator : str
    ledger : Ledger
    agreed : Agreed
    snapshot : Snapshot or None
    ids : sequence of str
        Item ids of the pool's rows.
    row : mapping of str to int
        And back.
    reserve : set of str
        Audit items.
    busy : set of str
        Items that somebody holds, or that cannot be shown.
    seconds : callable, optional
        (item ids, kind of query) → expected seconds of this annotator, None where nothing is known; default: all alike.
    """

    annotator: str
    ledger: Ledger
    agreed: Agreed
    snapshot: Snapshot | None
    ids: Sequence[str]
    row: Mapping[str, int]
    reserve: AbstractSet[str]
    busy: AbstractSet[str]
    seconds: Callable[[Sequence[str], str], npt.NDArray[np.float64] | None] | None = None

    @cached_property
    def alone(self) -> bool:
        """Whether nobody else has answered anything."""
        return not self.ledger.everybody - {self.annotator}

    @property
    def accuracy(self) -> float:
        """Expected accuracy of this annotator's next answer; that of people in general where nothing is known."""
        known = self.agreed.accuracy_of(self.annotator)
        return PRIOR[0] / sum(PRIOR) if known is None else known

    @property
    def result(self) -> Consensus:
        """The fit; to be asked for only where there is one."""
        if self.agreed.result is None:
            raise AssertionError("there is no fit")
        return self.agreed.result

    @cached_property
    def counts(self) -> npt.NDArray[np.intp]:
        """Labels of each item of the fit."""
        return self.result.answers.labels_per_item()

    @cached_property
    def audited(self) -> BoolArray:
        """Which items of the fit are audit items."""
        return np.array([i in self.reserve for i in self.result.answers.items], np.bool_)

    @cached_property
    def allowed(self) -> BoolArray:
        """Which items of the fit this annotator may be asked again."""
        answers = self.result.answers
        labels = answers.is_label
        who = answers.annotators.index(self.annotator) if self.annotator in answers.annotators else -1
        may = policies.repeatable(
            answers.item[labels], answers.annotator[labels], who, len(answers.items), gap=GAP if self.alone else None
        )
        newer = self.ledger.newest_items(self.agreed.version)  # their fit is out of date
        for n in np.flatnonzero(may):
            item_id = answers.items[n]
            told = not self.alone and self.annotator in self.ledger.answers(item_id)  # also a skip, or "cannot tell"
            may[n] = not (told or item_id in newer or item_id in self.busy or item_id not in self.row)
        return may

    @cached_property
    def again_seconds(self) -> npt.NDArray[np.float64] | None:
        """Expected seconds of asking each item of the fit again; None where all count alike."""
        return None if self.seconds is None else self.seconds(self.result.answers.items, "repeat")

    def new_seconds(self, pick: Pick | None) -> float:
        """Return the expected seconds of a new item; 1 where all count alike."""
        found = None if self.seconds is None or pick is None else self.seconds([self.ids[pick.row]], "new")
        return 1.0 if found is None else float(found[0])

    @cached_property
    def weights(self) -> tuple[npt.NDArray[np.float64], float, float]:
        """What ActiveLab weighs: annotators' summed weights of each item, their mean, the model's."""
        result, counts = self.result, self.counts
        found = result.posterior.argmax(1)
        share = float(np.bincount(found[counts > 0]).max() / max((counts > 0).sum(), 1))
        right = []
        for n in np.flatnonzero(self.audited & (counts > 0)):
            row = self.row.get(result.answers.items[n])
            opinion = None if row is None or self.snapshot is None else self.snapshot.opinion(row)
            if opinion is not None:
                right.append(bool(opinion.argmax() == found[n]))
        model = float(np.mean(right)) if right else share
        each, of_model = policies.activelab_weights(
            result.next_accuracy, model, share, float(counts[counts > 0].mean())
        )
        labels = result.answers.is_label
        given = np.bincount(
            result.answers.item[labels], each[result.answers.annotator[labels]], len(result.answers.items)
        )
        return np.asarray(given, np.float64), float(each.mean()), of_model


@dataclass
class Asking:
    """Decides for each query whether something else than the next new or audit item is asked.

    Parameters
    ----------
    policy : str or callable
        See `al_widgets.oracles.policies.get`.
    gold : mapping of str to str
        Item id → class that is known to be true.
    seed : int
        Of the places of checks.

    Raises
    ------
    StrategyError
        If there is no policy of that name.
    """

    policy: Any = "auto"
    gold: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Look the policy up."""
        self._decide = policies.get(self.policy)

    @property
    def never(self) -> bool:
        """Whether items are asked once only, whatever happens."""
        return self._decide is policies.never and not self.gold

    def choose(self, pick: Pick | None, place: int, now: Circumstances, taken: AbstractSet[str]) -> Pick | None:
        """Return what to ask in place of `pick`; None: nothing is worth asking.

        Parameters
        ----------
        pick : Pick or None
            The next new or audit item, None when none is left.
        place : int
            How manieth query of the store it is.
        taken : set of str
            Items that are about to be served.
        """
        check = hidden_place(place, CHECKS, f"check:{self.seed}")
        if self.gold and (check or pick is None):
            known = self._known(now, taken)
            if known is not None:
                return known
        if self._decide is policies.never:
            return pick
        if now.alone and self._decide is policies.auto:
            again = self._own(now, taken) if check and pick is not None and pick.kind == "new" else None
        elif pick is not None and pick.kind == "audit":
            # Every other audit goes to an item whose class people do not agree on, if there is one.
            again = self._audit(now, taken) if hidden_place(place, 0.5, f"audit:{self.seed}") else None
        else:
            again = self._policy(self._decide, pick, now, taken)
            if again is None and pick is None:
                again = self._audit(now, taken)
        return pick if again is None else again

    def _known(self, now: Circumstances, taken: AbstractSet[str]) -> Pick | None:
        """Return the next item of known class that this annotator has not seen."""
        for item_id in self.gold:
            if item_id not in now.busy and item_id not in taken and now.annotator not in now.ledger.answers(item_id):
                return Pick(now.row[item_id], "gold", None, None, "gold")
        return None

    def _own(self, now: Circumstances, taken: AbstractSet[str]) -> Pick | None:
        """Return an item that a lone annotator answered long ago: the most doubtful; before anything is known, the oldest."""
        if now.agreed.result is not None:
            return self._policy(policies.information, None, now, taken)
        own = [
            e.item_id for e in now.ledger.history(now.annotator) if e.kind == "label" and now.ledger.stands(e.event_id)
        ]
        recent = set(own[-GAP:])
        for item_id in own:
            if item_id not in recent and item_id in now.row and item_id not in now.reserve | now.busy | taken:
                return Pick(now.row[item_id], "repeat", None, None, "repeat")
        return None

    def _open(self, now: Circumstances, taken: AbstractSet[str], *, audits: bool) -> BoolArray:
        may: BoolArray = now.allowed & (now.audited == audits)
        for n in np.flatnonzero(may):
            item_id = now.result.answers.items[n]
            may[n] = item_id not in taken and item_id not in self.gold
        return may

    def _policy(
        self, decide: policies.Policy, pick: Pick | None, now: Circumstances, taken: AbstractSet[str]
    ) -> Pick | None:
        """Ask a policy; None means the new item."""
        if now.agreed.result is None:
            return None
        result = now.result
        allowed = self._open(now, taken, audits=False)
        if not allowed.any():
            return None
        opinion = None if pick is None or now.snapshot is None else now.snapshot.opinion(pick.row)
        if opinion is not None and len(opinion) != len(result.answers.classes):
            opinion = None  # a class was added since
        weights, mean, model = now.weights
        decision = decide(
            policies.Situation(
                beliefs=result.posterior,
                counts=now.counts,
                allowed=allowed,
                accuracy=now.accuracy,
                new_belief=None if opinion is None else np.asarray(opinion, np.float64),
                has_new=pick is not None,
                seconds=now.again_seconds,
                new_seconds=now.new_seconds(pick),
                weights=weights,
                mean_weight=mean,
                model_weight=model,
            )
        )
        if decision.repeat is None:
            return None
        utility = float(decision.utilities[decision.repeat]) if len(decision.utilities) else None
        return Pick(now.row[result.answers.items[decision.repeat]], "repeat", utility, None, "repeat")

    def _audit(self, now: Circumstances, taken: AbstractSet[str]) -> Pick | None:
        """Return the audit item that people are least sure of, for another annotator; None if they are sure of all."""
        if now.agreed.result is None or now.alone:
            return None
        best = now.result.posterior.max(1)
        doubtful = self._open(now, taken, audits=True) & (best < DOUBTED) & (now.counts < MOST_AUDITS)
        if not doubtful.any():
            return None
        n = int(np.flatnonzero(doubtful)[best[doubtful].argmin()])
        return Pick(now.row[now.result.answers.items[n]], "audit", None, None, "audit")
