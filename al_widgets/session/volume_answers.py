"""What a session on a volume records: strokes, masks, finished sections, judged regions. `VolumeSession` inherits these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError, UnknownItemError
from al_widgets.records import Annotation, Query
from al_widgets.session.mask_ledger import items_of, parts_of
from al_widgets.session.regions import RegionQuery
from al_widgets.session.volume_regions import VolumeRegions
from al_widgets.task.strokes import IGNORE, UNLABELLED

Mask = npt.NDArray[np.uint8]


class VolumeAnswers(VolumeRegions):
    """The recording half of `VolumeSession`."""

    def submit(self, query: Query | RegionQuery | str, value: Any, *, elapsed_s: float | None = None) -> str:
        """Record an answer; returns the id of the event, which is on the disk then.

        Parameters
        ----------
        query : Query, RegionQuery or str
            A section, by query or item id, or a region.
        value : ndarray, dict, or class of a region
            A mask (rows, columns) of class numbers, 254 to be ignored and 255 unlabelled, which finishes the section;
            ``{"rest": class or None}``, which finishes it as it is; a stroke (`al_widgets.task.strokes.check_stroke`), which
            leaves it open. Of a region: a class name or number.
        elapsed_s : float, optional
            Since the section was shown or the answer before, whichever is later.

        Raises
        ------
        TaskError
            If the answer does not fit the task or the section; nothing is recorded.
        UnknownItemError, StoreError
        """
        if isinstance(query, RegionQuery):
            return self._answer(query.query, "stroke", self.region_stroke(query, value), elapsed_s, "")
        if isinstance(value, Mapping) and "tool" in value:
            return self._answer(query, "stroke", self._task.validate_stroke(value), elapsed_s, "")
        if isinstance(value, Mapping):
            return self._answer(query, "label", self._task.validate(value), elapsed_s, "")
        asked = query if isinstance(query, Query) else self.query(query)
        parts = parts_of(asked.item_id, self._checked_mask(asked.item_id, value))
        if parts:
            whole = {"tool": "mask", "parts": parts, "shape": None, "recipe": ""}
            self._answer(asked, "stroke", self._task.validate_stroke(whole), None, "")
        return self._answer(asked, "label", {"rest": None}, elapsed_s, "")

    def skip(self, query: Query | RegionQuery | str, reason: str = "", *, elapsed_s: float | None = None) -> str:
        """Record that a section, or a region, is left out, with a reason; the pixels of a region are ignored from then on."""
        if isinstance(query, RegionQuery):
            return self._answer(query.query, "stroke", self.region_stroke(query, IGNORE), elapsed_s, reason)
        return super().skip(query, reason, elapsed_s=elapsed_s)

    def unsure(self, query: Query | RegionQuery | str, reason: str = "", *, elapsed_s: float | None = None) -> str:
        """Record that the annotator cannot tell; the pixels of a region are ignored from then on."""
        if isinstance(query, RegionQuery):
            return self._answer(query.query, "stroke", self.region_stroke(query, IGNORE), elapsed_s, reason or "unsure")
        return super().unsure(query, reason, elapsed_s=elapsed_s)

    def _checked_mask(self, item_id: str, mask: Any) -> Mask:
        """Return a mask as bytes, checked to fit its section and the classes."""
        array, shape = np.asarray(mask), self._shape_of(item_id)
        if shape is None:
            raise UnknownItemError(item_id)
        if array.dtype.kind not in "biu" or array.shape != shape:
            raise TaskError(
                f"the mask of {item_id!r} needs whole numbers and the shape (rows, columns) = {shape}, "
                f"not {array.dtype} of shape {array.shape}"
            )
        n = len(self._task.classes)
        wrong = array[(array < 0) | ((array >= n) & (array != IGNORE) & (array != UNLABELLED))]
        if wrong.size:
            raise TaskError(
                f"the mask of {item_id!r} holds {int(wrong[0])}; there are classes 0 to {n - 1}, {IGNORE} = to be ignored, "
                f"{UNLABELLED} = unlabelled"
            )
        return array.astype(np.uint8)

    def _check_value(self, event: Annotation) -> None:
        if event.kind == "label" and self._task.validate(event.value) != event.value:
            raise TaskError(f"{event.value!r} is not in the form that is kept; use task.validate(value)")
        if event.kind != "stroke":
            return
        if self._task.validate_stroke(event.value) != event.value:
            raise TaskError("the stroke is not in the form that is kept; use task.validate_stroke(value)")
        for number, part in enumerate(event.value["parts"]):
            self._check_item(part["item_id"])
            rows, columns = self._shape_of(part["item_id"]) or (0, 0)
            top, left, height, width = part["box"]
            if top + height > rows or left + width > columns:
                raise TaskError(
                    f"parts[{number}]: the box {part['box']} lies outside {part['item_id']!r}, "
                    f"which has {rows} rows and {columns} columns"
                )

    def changed_by(self, event_id: str) -> list[str]:
        """Return the sections whose masks an event changed: a stroke, an answer, or the undo of one."""
        with self._lock:
            event = self._ledger.answer_behind(event_id)
        if event is None:
            return []
        return items_of(event) if event.kind == "stroke" else [event.item_id]
