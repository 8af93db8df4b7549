"""Sections in question: where masks of two annotators, or a mask and the model, differ. `VolumeSession` inherits this."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.session.volume_figures import VolumeFigures
from al_widgets.session.volume_rounds import consensus_of
from al_widgets.task.strokes import IGNORE

if TYPE_CHECKING:
    import pandas as pd

QUESTIONED = 0.2
"""Doubt from which on a section is in question: masks of the same echo by two careful people overlap by about 0.8."""
COLUMNS = ("item_id", "n_annotations", "agreement", "model", "doubt", "why")


@dataclass(frozen=True)
class SectionDoubt:
    """A finished section in question.

    Attributes
    ----------
    item_id : str
    n_annotations : int
    agreement, model, doubt : float
        As in `VolumeReview.review`.
    why : str
    between : tuple of str
        Who differs most there: two annotators, or ``"labels"`` and ``"model"``.
    masks : tuple of ndarray (rows, columns)
        Of those two; 254 and 255 as in masks.
    """

    item_id: str
    n_annotations: int
    agreement: float
    model: float
    doubt: float
    why: str
    between: tuple[str, str]
    masks: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


class VolumeReview(VolumeFigures):
    """The sections of a `VolumeSession` that are worth a second look."""

    _visited = ""
    _doubted: dict[str, tuple[tuple[int, int], SectionDoubt | None]] | None = None
    """Item id → what it was compared at (changes of its masks, round of the model), and what came of it."""

    def review(self) -> pd.DataFrame:
        """One row a finished section in question, worst first: item_id, n_annotations, agreement, model, doubt, why.

        `agreement` is the lowest overlap (Dice, over the classes but background) of two annotators' masks, NaN where one alone
        labelled; `model` that of what all say and what the model expects, NaN for audit sections, about which it has no say, and
        before there is one. It has learned from the other masks: where it contradicts them all the same, look. `doubt` is one
        minus the lower of the two. `al_widgets.ReviewGallery` shows the same with pictures.
        """
        import pandas as pd

        rows = [tuple(getattr(found, name) for name in COLUMNS) for found in self.section_doubts()]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.astype(dict.fromkeys(("agreement", "model", "doubt"), "float64"))

    def section_doubts(self) -> list[SectionDoubt]:
        """Return the rows of `review` as records, with the masks that differ most."""
        with self._lock:
            self._sync()
            finished = {i: self._ledger.changes(i) for i in self._ids if i in self._ledger.labels}
        known = self._doubted or {}
        found: dict[str, tuple[tuple[int, int], SectionDoubt | None]] = {}
        for item_id, changes in finished.items():
            newest = self.section_map(self._row[item_id])
            at = changes, 0 if newest is None else newest.round
            old = known.get(item_id)
            found[item_id] = old if old is not None and old[0] == at else (at, self._doubt_of(item_id))
        self._doubted = found
        return sorted((d for _, d in found.values() if d is not None), key=lambda d: -d.doubt)

    def _doubt_of(self, item_id: str) -> SectionDoubt | None:
        n_classes, row = len(self._task.classes), self._row[item_id]
        with self._lock:
            said = {who: self._ledger.mask(item_id, who) for who in self._ledger.annotators(item_id)}
        pairs = [(overlap(said[a], said[b], n_classes), a, b) for a, b in combinations(sorted(said), 2)]
        agreement, first, second = min(pairs, default=(np.nan, "", ""))
        known = None if row in self._queue.in_reserve else self.section_map(row)
        model, whole = np.nan, consensus_of(list(said.values()), n_classes)
        if known is not None:
            expected = known.classes[:, : whole.shape[1]]
            model = overlap(whole, expected, n_classes)
        doubt = 1 - float(np.nanmin([agreement, model, 1.0]))
        if doubt < QUESTIONED:
            return None
        why = [f"{first} and {second} overlap by {agreement:.0%}."] if agreement <= 1 - QUESTIONED else []
        why += [f"The model overlaps by {model:.0%}, although it learned from it."] if model <= 1 - QUESTIONED else []
        people = known is None or agreement <= model
        return SectionDoubt(
            item_id,
            len(said),
            agreement,
            model,
            doubt,
            " ".join(why),
            (first, second) if people else ("labels", "model"),
            (said[first], said[second]) if people else (whole, expected),
        )

    def visit(self, item_id: str) -> None:
        """Ask the widgets that show this session to go to a section."""
        self._visited = self._ids[self._row_of(item_id)]
        self._observers.notify("visit")

    @property
    def visited(self) -> str:
        """The section that was last asked to be shown by `visit`; empty where none was."""
        return self._visited


def overlap(first: npt.NDArray[Any], second: npt.NDArray[Any], n_classes: int) -> float:
    """Return the mean Dice of two masks over the classes but background that occur in either; 1 where none does."""
    from al_widgets.oracles import dice

    a, b = (np.where(mask < IGNORE, mask.astype(np.intp), -1) for mask in (first, second))
    values = dice(a, b, n_classes)[1:]
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 1.0
