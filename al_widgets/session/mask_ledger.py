"""The ledger of masks: what strokes add up to.

A mask is a pure fold: the standing strokes of an annotator on a section, painted over each other in the order of answering, whatever
the order in which they arrived; at last, where the section is finished, the rest. Undoing an older stroke leaves later ones standing.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.records import Annotation
from al_widgets.session.ledger import Ledger, order_of
from al_widgets.task import rle
from al_widgets.task.strokes import UNLABELLED

Mask = npt.NDArray[np.uint8]
Strokes = Literal["all", "hand", "region"]


def paint(mask: Mask, part: Mapping[str, Any], number: int) -> None:
    """Set the pixels of one part of a stroke; what lies outside the mask is left out."""
    row, column, height, width = part["box"]
    inside = mask[row : row + height, column : column + width]
    if inside.size:
        runs = rle.decode({"size": [height, width], "counts": part["runs"]})
        inside[runs[: inside.shape[0], : inside.shape[1]]] = number


def part_of(item_id: str, where: npt.NDArray[np.bool_], value: str | int) -> dict[str, Any] | None:
    """Return the part of a stroke that sets some pixels of a section; None where there are none."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not rows.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    box = where[top : rows[-1] + 1, left : columns[-1] + 1]
    return {
        "item_id": item_id,
        "value": value,
        "box": [top, left, *box.shape],
        "runs": rle.encode(box)["counts"],
    }


def parts_of(item_id: str, mask: Mask, name_of: Callable[[int], str | int] = int) -> list[dict[str, Any]]:
    """Return the parts that make up a mask, one a value; unlabelled pixels are in none.

    Parameters
    ----------
    name_of : callable
        Value in the mask → value of the part; default: the same.
    """
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    parts = (part_of(item_id, mask == v, name_of(int(v))) for v in values if v != UNLABELLED)
    return [part for part in parts if part is not None]


def items_of(stroke: Annotation) -> list[str]:
    """Return the sections that a stroke changes, each once; the one it was drawn on first."""
    return list(dict.fromkeys([stroke.item_id, *(part["item_id"] for part in stroke.value["parts"])]))


class MaskLedger(Ledger):
    """A ledger that adds up strokes beside answers. Not thread-safe: the session's lock guards it.

    Parameters
    ----------
    shape_of : callable
        Item id → (rows, columns), None where there is no such section.
    number_of : callable
        Class name → value in masks.
    """

    def __init__(self, shape_of: Callable[[str], tuple[int, int] | None], number_of: Callable[[str], int]) -> None:
        self._shape_of, self._number_of = shape_of, number_of
        self._strokes: dict[tuple[str, str], list[tuple[tuple[float, str, int], str]]] = {}
        self._masks: dict[
            tuple[str, str], dict[Strokes, tuple[int, Mask]]
        ] = {}  # strokes painted so far, and the result
        self._painters: dict[str, set[str]] = {}
        self._changes: dict[str, int] = {}
        super().__init__()

    def add(self, event: Annotation) -> bool:
        """Take in one event; False if it was known."""
        if not super().add(event):
            return False
        if event.kind == "stroke":
            for item_id in items_of(event):
                key, entry = (item_id, event.annotator), (order_of(event), event.event_id)
                strokes = self._strokes.setdefault(key, [])
                insort(strokes, entry)
                if strokes[-1] is not entry:  # it came late: what was painted after it lies on top
                    self._masks.pop(key, None)
                self._painters.setdefault(item_id, set()).add(event.annotator)
                self._changed(item_id)
        stroke = self.answer_behind(event.event_id)
        if event.kind == "undo" and stroke is not None and stroke.kind == "stroke":
            for item_id in items_of(stroke):
                self._masks.pop((item_id, stroke.annotator), None)
                self._changed(item_id)
        return True

    def _changed(self, item_id: str) -> None:
        self._changes[item_id] = self._changes.get(item_id, 0) + 1

    def _settle(self, item_id: str) -> None:
        super()._settle(item_id)
        self._changed(item_id)

    def _ballot(self, answer: Annotation) -> Hashable:
        return str(answer.value["rest"])

    def changes(self, item_id: str) -> int:
        """Return a number that grows with everything that may have changed a section's masks."""
        return self._changes.get(item_id, 0)

    def annotators(self, item_id: str) -> list[str]:
        """Return who has said something of a section's pixels, in order of name."""
        painters = {who for who in self._painters.get(item_id, ()) if self.strokes(item_id, who)}
        return sorted(painters | {who for who, e in self.answers(item_id).items() if e.kind == "label"})

    def said_by(self, item_id: str, annotator: str) -> bool:
        """Say whether an annotator has strokes (undone ones too) or an answer that stands on a section."""
        return annotator in self._painters.get(item_id, ()) or annotator in self.answers(item_id)

    def touched(self) -> set[str]:
        """Return the sections that have, or had, strokes or a finishing answer."""
        return {*self._painters, *self.labels}

    def strokes(self, item_id: str, annotator: str) -> list[Annotation]:
        """Return the strokes of an annotator on a section that stand, in their order."""
        found = (self._events[event_id] for _, event_id in self._strokes.get((item_id, annotator), ()))
        return [event for event in found if self.stands(event.event_id)]

    def by_hand(self, item_id: str) -> bool:
        """Say whether somebody painted on a section; what an answer about a region outlined there is not painted."""
        painters = self._painters.get(item_id, ())
        return any(stroke.value["tool"] != "region" for who in painters for stroke in self.strokes(item_id, who))

    def finished(self, item_id: str, annotator: str) -> Annotation | None:
        """Return the answer that finishes a section, None while it is open."""
        answer = self.answers(item_id).get(annotator)
        return answer if answer is not None and answer.kind == "label" else None

    def painted(self, item_id: str, annotator: str, strokes: Strokes = "all") -> Mask:
        """Return what an annotator painted on a section, as a copy: (rows, columns), 255 where nothing.

        Parameters
        ----------
        item_id, annotator : str
        strokes : {"all", "hand", "region"}
            All of them, or without answers about regions, or those alone.

        Raises
        ------
        KeyError
            If there is no such section.
        """
        shape = self._shape_of(item_id)
        if shape is None:
            raise KeyError(item_id)
        events = self._strokes.get((item_id, annotator), [])
        folds = self._masks.setdefault((item_id, annotator), {})
        done, mask = folds.get(strokes, (0, None))
        if mask is None:
            mask = np.full(shape, UNLABELLED, np.uint8)
        for _, event_id in events[done:]:
            event = self._events[event_id]
            kind = "region" if event.value["tool"] == "region" else "hand"
            if strokes in ("all", kind) and self.stands(event_id):
                self._paint(mask, event, item_id)
        folds[strokes] = (len(events), mask)
        return mask.copy()

    def _paint(self, mask: Mask, stroke: Annotation, item_id: str) -> None:
        for part in stroke.value["parts"]:
            if part["item_id"] == item_id:
                value = part["value"]
                paint(mask, part, self._number_of(value) if isinstance(value, str) else value)

    def mask(self, item_id: str, annotator: str, strokes: Strokes = "all") -> Mask:
        """Return what an annotator says of a section: what was painted and, once it is finished, the rest."""
        mask = self.painted(item_id, annotator, strokes)
        answer = self.finished(item_id, annotator)
        if answer is not None and (rest := answer.value["rest"]) is not None:
            mask[mask == UNLABELLED] = self._number_of(rest)
        return mask
