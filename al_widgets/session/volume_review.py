"""Sections in question: where masks of two annotators, or a mask and the model, differ. `VolumeSession` inherits this."""

from __future__ import annotations

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


class VolumeReview(VolumeFigures):
    """The sections of a `VolumeSession` that are worth a second look."""

    def review(self) -> pd.DataFrame:
        """One row a finished section in question, worst first: item_id, n_annotations, agreement, model, doubt, why.

        `agreement` is the lowest overlap (Dice, over the classes but background) of two annotators' masks, NaN where one alone
        labelled; `model` that of what all say and what the model expects, NaN for audit sections, about which it has no say, and
        before there is one. It has learned from the other masks: where it contradicts them all the same, look. `doubt` is one
        minus the lower of the two.
        """
        import pandas as pd

        n_classes = len(self._task.classes)
        with self._lock:
            self._sync()
            finished = [i for i in self._ids if i in self._ledger.labels]
            masks = {i: {who: self._ledger.mask(i, who) for who in self._ledger.annotators(i)} for i in finished}
        rows = []
        for item_id in finished:
            said, row = masks[item_id], self._row[item_id]
            pairs = [(overlap(said[a], said[b], n_classes), a, b) for a, b in combinations(sorted(said), 2)]
            agreement, first, second = min(pairs, default=(np.nan, "", ""))
            found = None if row in self._queue.in_reserve else self.section_map(row)
            model = np.nan
            if found is not None:
                whole = consensus_of(list(said.values()), n_classes)
                model = overlap(whole, found.classes[:, : whole.shape[1]], n_classes)
            doubt = 1 - float(np.nanmin([agreement, model, 1.0]))
            if doubt < QUESTIONED:
                continue
            why = [f"{first} and {second} overlap by {agreement:.0%}."] if agreement <= 1 - QUESTIONED else []
            why += (
                [f"The model overlaps by {model:.0%}, although it learned from it."] if model <= 1 - QUESTIONED else []
            )
            rows.append((item_id, len(said), agreement, model, doubt, " ".join(why)))
        frame = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("doubt", ascending=False, kind="stable")
        return frame.astype(dict.fromkeys(("agreement", "model", "doubt"), "float64")).reset_index(drop=True)


def overlap(first: npt.NDArray[Any], second: npt.NDArray[Any], n_classes: int) -> float:
    """Return the mean Dice of two masks over the classes but background that occur in either; 1 where none does."""
    from al_widgets.oracles import dice

    a, b = (np.where(mask < IGNORE, mask.astype(np.intp), -1) for mask in (first, second))
    values = dice(a, b, n_classes)[1:]
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 1.0
