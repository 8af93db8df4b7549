"""The ledger: a pure fold over the log of events.

Events may arrive in any order and more than once; the result is the same. An event stands unless a standing ``undo`` names it.
Of the standing answers of one annotator to one item the latest counts: by the annotator's clock, then by client and number. A
later answer to a query of kind ``repeat`` stands beside it, for it was asked for as another witness; an answer given in review
settles the item.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from al_widgets.records import Annotation

REVIEW = "review"
"""Strategy of an answer that was given with all others in view: it settles what the item is."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the annotations of an item add up to: the answer given in review, else the most frequent, on a tie the latest."""

    item_id: str
    label: Any
    confidence: float
    n_annotations: int


def order_of(event: Annotation) -> tuple[float, str, int]:
    """Return what events are ordered by, wherever they came from and whenever they arrived."""
    return (event.answered_at, event.client, event.seq)


class Ledger:
    """What the events so far add up to. Not thread-safe: the session's lock guards it."""

    def __init__(self, events: Iterable[Annotation] = ()) -> None:
        self._events: dict[str, Annotation] = {}
        self._undos: dict[str, list[str]] = {}
        self._of_item: dict[str, list[str]] = {}
        self._standing: dict[str, dict[str, Annotation]] = {}
        self._counting: dict[str, tuple[Annotation, ...]] = {}
        self._n_counting = 0
        self._annotators: set[str] = set()
        self._labels: dict[str, Label] = {}
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._events

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._events.values())

    def add(self, event: Annotation) -> bool:
        """Take in one event; False if it was known."""
        if event.event_id in self._events:
            return False
        self._events[event.event_id] = event
        item_id = event.item_id
        if event.kind != "undo":
            self._annotators.add(event.annotator)
        if event.kind == "undo":
            if event.target is None:
                return True
            self._undos.setdefault(event.target, []).append(event.event_id)
            answer = self.answer_behind(event.target)
            if answer is None:
                return True  # what it undoes has not arrived yet
            item_id = answer.item_id
        elif event.kind != "stroke":  # strokes add up instead of replacing each other
            self._of_item.setdefault(item_id, []).append(event.event_id)
        self._settle(item_id)
        return True

    def event(self, event_id: str) -> Annotation | None:
        """Return an event, or None."""
        return self._events.get(event_id)

    def stands(self, event_id: str) -> bool:
        """Whether no standing undo names the event."""
        return self._stands(event_id, frozenset())

    def _stands(self, event_id: str, above: frozenset[str]) -> bool:
        if event_id in above:  # a circle of undos can only be forged; none of it stands
            return False
        above = above | {event_id}
        return not any(self._stands(undo, above) for undo in self._undos.get(event_id, ()))

    def answer_behind(self, event_id: str) -> Annotation | None:
        """Return the answer that an event is, or that a chain of undos ends at; None if it is not there."""
        seen: set[str] = set()
        event = self._events.get(event_id)
        while event is not None and event.kind == "undo" and event.event_id not in seen:
            seen.add(event.event_id)
            event = self._events.get(event.target or "")
        return None if event is None or event.kind == "undo" else event

    def _settle(self, item_id: str) -> None:
        events = sorted((self._events[i] for i in self._of_item.get(item_id, ()) if self.stands(i)), key=order_of)
        standing = {e.annotator: e for e in events}
        # A correction replaces all before; repeats stand beside.
        first = {e.annotator: n for n, e in enumerate(events) if e.query_kind != "repeat"}
        counting = tuple(e for n, e in enumerate(events) if n >= first.get(e.annotator, 0))
        self._n_counting += len(counting) - len(self._counting.get(item_id, ()))
        if standing:
            self._standing[item_id], self._counting[item_id] = standing, counting
        else:
            self._standing.pop(item_id, None)
            self._counting.pop(item_id, None)
        answers = [e for e in counting if e.kind == "label"]
        if not answers:
            self._labels.pop(item_id, None)
            return
        votes = Counter(self._ballot(e) for e in answers)
        most = max(votes.values())
        reviewed = [e for e in answers if e.strategy == REVIEW]
        winner = max(reviewed or (e for e in answers if votes[self._ballot(e)] == most), key=order_of)
        share = votes[self._ballot(winner)] / len(answers)
        self._labels[item_id] = Label(item_id, winner.value, 1.0 if reviewed else share, len(answers))

    def _ballot(self, answer: Annotation) -> Hashable:
        """Return what makes two answers the same vote."""
        ballot: Hashable = answer.value
        return ballot

    @property
    def labels(self) -> dict[str, Label]:
        """Item id → label, of all items that have one. Not to be changed."""
        return self._labels

    def answers(self, item_id: str) -> dict[str, Annotation]:
        """Annotator → answer that stands, of one item."""
        return self._standing.get(item_id, {})

    def witnesses(self, item_id: str) -> tuple[Annotation, ...]:
        """Answers of one item that count, oldest first: one an annotator, and the repeats beside them."""
        return self._counting.get(item_id, ())

    def n_given(self, item_id: str, annotator: str) -> int:
        """Return how many answers an annotator has given to an item, undone ones included."""
        return sum(self._events[i].annotator == annotator for i in self._of_item.get(item_id, ()))

    @property
    def n_counting(self) -> int:
        """Number of answers that count, of any kind."""
        return self._n_counting

    @property
    def everybody(self) -> frozenset[str]:
        """Who has answered anything, undone answers included."""
        return frozenset(self._annotators)

    def newer(self, version: int) -> list[Annotation]:
        """Return the events that came after `version` of them were known, the newest first."""
        n = max(0, len(self._events) - max(version, 0))
        return list(itertools.islice(reversed(self._events.values()), n))

    def newest_items(self, version: int) -> set[str]:
        """Return the items of the events that came after `version` of them were known."""
        return {event.item_id for event in self.newer(version)}

    def answered(self) -> Iterator[str]:
        """Ids of all items with an answer that stands, of any kind."""
        return iter(self._standing)

    def answered_by(self, annotator: str) -> set[str]:
        """Ids of the items that an annotator has answered (label, skip or unsure)."""
        return {item_id for item_id, answers in self._standing.items() if annotator in answers}

    def history(self, annotator: str) -> list[Annotation]:
        """All answers of an annotator, undone ones too, oldest first."""
        mine = (e for e in self._events.values() if e.annotator == annotator and e.kind != "undo")
        return sorted(mine, key=order_of)

    def newest(self, annotator: str, *, undone: bool = False) -> Annotation | None:
        """Return an annotator's newest answer that stands (or, with `undone`, the newest that does not)."""
        for event in reversed(self.history(annotator)):
            if self.stands(event.event_id) != undone:
                return event
        return None

    def newest_undo(self, target: str) -> Annotation | None:
        """Return the standing undo of an event, or None."""
        standing = [self._events[u] for u in self._undos.get(target, ()) if self.stands(u)]
        return max(standing, key=order_of) if standing else None
