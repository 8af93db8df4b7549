"""How well each annotator's masks agree with those of the others. `VolumeSession` inherits this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.session.volume_readings import is_radar
from al_widgets.session.volume_review import VolumeReview, overlap
from al_widgets.session.volume_rounds import consensus_of
from al_widgets.task.strokes import IGNORE

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("annotator", "n", "item_id", "n_others", "dice", "apex_m")

Mask = npt.NDArray[np.uint8]


class VolumeAgreement(VolumeReview):
    """What the masks of several annotators say of each of them."""

    _agreement: tuple[int, pd.DataFrame] | None = None

    def mask_agreement(self) -> pd.DataFrame:
        """One row an annotator and section that others finished too: annotator, n, item_id, n_others, dice, apex_m.

        `n` counts the annotator's rows in the order of their answers. `dice` is the overlap, over the classes but background, with
        what the others together say; their own mask has no part in it. `apex_m` is, of radar, how far the tops of their objects
        lie from the nearest top of the others' objects along the line, in the middle; NaN where either has none. Nobody is right
        by definition: two people who agree may err together.
        """
        import pandas as pd

        n_classes = len(self._task.classes)
        with self._lock:
            self._sync()
            version = len(self._ledger)
            if self._agreement is not None and self._agreement[0] == version:
                return self._agreement[1].copy()
            finished = {
                item_id: {who: a.answered_at for who, a in self._ledger.answers(item_id).items() if a.kind == "label"}
                for item_id in self._ids
                if item_id in self._ledger.labels
            }
            masks = {
                item_id: {who: self._ledger.mask(item_id, who) for who in when}
                for item_id, when in finished.items()
                if len(when) > 1
            }
        step_m = abs(self.volume.axes[2].step) if is_radar(self.volume) else np.nan
        rows: list[tuple[Any, ...]] = []
        for item_id, said in masks.items():
            for who, mask in said.items():
                others = consensus_of([m for name, m in said.items() if name != who], n_classes)
                far = apex_distance(mask, others) * step_m
                dice = overlap(mask, others, n_classes)
                rows.append((who, finished[item_id][who], item_id, len(said) - 1, dice, far))
        frame = pd.DataFrame(rows, columns=["annotator", "at", *COLUMNS[2:]]).sort_values(["annotator", "at"])
        frame.insert(1, "n", frame.groupby("annotator").cumcount() + 1)
        found = frame.drop(columns="at").astype({"dice": "float64", "apex_m": "float64"}).reset_index(drop=True)
        with self._lock:
            self._agreement = version, found
        return found.copy()


def apexes(mask: Mask) -> npt.NDArray[np.float64]:
    """Return the column of the top of every connected object of a mask."""
    from scipy.ndimage import find_objects, label

    numbered, _ = label((mask > 0) & (mask < IGNORE), np.ones((3, 3)))
    tops = []
    for number, where in enumerate(find_objects(numbered), 1):
        row = numbered[where][0] == number
        tops.append(where[1].start + float(np.flatnonzero(row).mean()))
    return np.array(tops, np.float64)


def apex_distance(mask: Mask, others: Mask) -> float:
    """Return how many columns the tops of a mask's objects lie from the nearest of the others', in the middle; NaN without any."""
    own, theirs = apexes(mask), apexes(others)
    if not len(own) or not len(theirs):
        return float("nan")
    return float(np.median(np.abs(own[:, None] - theirs[None, :]).min(axis=1)))
