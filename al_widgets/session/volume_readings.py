"""What a session on a volume knows of its pixels: masks, and what the model expects. `VolumeSession` inherits these."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError, ReadError, SessionError, UnknownItemError
from al_widgets.pool import open_pool
from al_widgets.pool.slices import SlicePool
from al_widgets.readers import read
from al_widgets.readers.volume import Volume
from al_widgets.records import Annotation
from al_widgets.session.mask_ledger import MaskLedger
from al_widgets.session.section_maps import SectionMap
from al_widgets.session.session import Session
from al_widgets.session.volume_rounds import VolumeRounds, consensus_of
from al_widgets.task import Segmentation
from al_widgets.task.strokes import UNLABELLED

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.features.pixels import PixelFeatures

Mask = npt.NDArray[np.uint8]


PICTURES = (
    "Masks and boxes are drawn on the sections of a volume: grey pictures of one size are one as an array (n, rows, columns). "
    "Whole pictures, also in colour, are labelled with al.Classification([...])."
)
"""What is said of pictures that are no volume."""


def slices_of(what: Any) -> SlicePool:
    """Return a volume's slices as a pool: of a pool, a volume, a path (see `al_widgets.read`) or an array (n, rows, columns).

    Raises
    ------
    PoolError, ReadError
        If it is no volume.
    """
    if isinstance(what, SlicePool):
        return what
    if isinstance(what, Volume):
        return SlicePool(what)
    if isinstance(what, str | Path) or (isinstance(what, list | tuple) and what and isinstance(what[0], str | Path)):
        try:
            return SlicePool(read(what))
        except ReadError as error:
            if isinstance(what, str | Path) and _holds_pictures(what):
                raise PoolError(f"{what} holds pictures. {PICTURES}") from error
            raise
    if isinstance(what, np.ndarray):
        if what.ndim == 4:
            raise PoolError(f"an array of shape {what.shape} is no volume but pictures in colour. {PICTURES}")
        return SlicePool(Volume(what))
    raise PoolError(
        f"masks and boxes are labelled on volumes, not on a {type(what).__name__}: give al.SlicePool(al.read(path)), "
        "an al.Volume, a path or an array (sections, rows, columns)"
    )


def _holds_pictures(folder: str | Path) -> bool:
    try:
        return len(open_pool(folder)) > 0
    except PoolError:
        return False


def pixel_features(volume: Volume, *, radar: bool) -> PixelFeatures:
    """Return the features of a volume's pixels, as radar or as pictures."""
    from al_widgets.features.pixels import PixelFeatures

    return PixelFeatures(volume.array, "radar" if radar else "picture", valid=volume.valid)


def is_radar(volume: Volume) -> bool:
    """Say whether the rows of a volume's sections are two-way times."""
    axes: Any = volume.axes
    return bool(axes[1].name == "time")


class VolumeReadings(Session):
    """Masks and maps of a `VolumeSession`."""

    _pool: SlicePool
    _task: Segmentation
    _ledger: MaskLedger
    _rounds: VolumeRounds

    @property
    def pool(self) -> SlicePool:
        """The volume's sections."""
        return self._pool

    @property
    def task(self) -> Segmentation:
        """What may be answered, classes that were added included."""
        return self._task

    @property
    def ledger(self) -> MaskLedger:
        """What the events add up to; hold `lock` while reading it."""
        return self._ledger

    @property
    def volume(self) -> Volume:
        """What is labelled."""
        return self._pool.volume

    @property
    def strategy(self) -> str:
        """Name of the strategy that chooses sections."""
        return self._rounds.choose

    def _shape_of(self, item_id: str) -> tuple[int, int] | None:
        row = self._row.get(item_id)
        return None if row is None else (self.volume.shape[1], self._lengths()[row])

    def _ledger_of(self, item_id: str) -> MaskLedger:
        del item_id
        return self._ledger

    def _lengths(self) -> list[int]:
        volume = self.volume
        return list(volume.lengths or [volume.shape[2]] * len(volume))

    def _number_of(self, name: str) -> int:
        if name not in self._task.classes:  # somebody else added it
            self._task = self._task.with_class(name)
        return self._task.classes.index(name)

    def is_kept_aside(self, item_id: str) -> bool:
        """Say whether a section is of the audit reserve: it measures the accuracy, and nothing is learned from it.

        Annotators are told of sections that they have finished only: knowing it before would change how they paint.
        """
        self._check_item(item_id)
        return self._row.get(item_id) in self._queue.in_reserve

    # ---- masks --------------------------------------------------------------------------------------------------------

    def mask(self, item_id: str, annotator: str | None = None) -> Mask:
        """Return what is said of a section's pixels, (rows, columns) of uint8 in raw indices.

        Parameters
        ----------
        item_id : str
        annotator : str, optional
            Default: what all annotators say together; where two or more labelled the same pixels, their consensus.

        Returns
        -------
        ndarray of uint8
            Class numbers, 254 to be ignored, 255 unlabelled.

        Raises
        ------
        UnknownItemError
        """
        if self._shape_of(item_id) is None:
            raise UnknownItemError(item_id)
        with self._lock:
            self._sync()
            ledger = self._ledger_of(item_id)
            who = ledger.annotators(item_id) if annotator is None else [annotator]
            masks = [ledger.mask(item_id, name) for name in who or [self.annotator]]
        return consensus_of(masks, len(self._task.classes))

    def label_volume(self, annotator: str | None = None) -> Mask:
        """Return the masks of all sections as one array with the volume's shape; 255 where nothing is said, or is."""
        labels = np.full(self.volume.shape, UNLABELLED, np.uint8)
        with self._lock:
            self._sync()
            touched = self._ledger.touched()
        for index, item_id in enumerate(self._ids):
            if item_id in touched:
                mask = self.mask(item_id, annotator)
                labels[index, :, : mask.shape[1]] = mask
        return labels

    def _labelled_ids(self) -> list[str]:
        """Return the sections of which something is said, in the volume's order."""
        with self._lock:
            self._sync()
            touched = {i for i in self._ledger.touched() if self._ledger.annotators(i)}
        return [i for i in self._ids if i in touched]

    def _standing_strokes(self, item_id: str) -> list[Annotation]:
        with self._lock:
            return [e for who in self._ledger.annotators(item_id) for e in self._ledger.strokes(item_id, who)]

    # ---- what the model expects ---------------------------------------------------------------------------------------

    def section_map(self, index: int) -> SectionMap | None:
        """Return the newest opinion of a section, as bytes; None before there is one. Never waits."""
        return self._rounds.maps[index]

    def predict_section(self, index: int) -> npt.NDArray[np.float32]:
        """Return class probabilities of a section, (rows, columns, classes), by the newest model; computes them now.

        Raises
        ------
        SessionError
            If there is no model yet: an object must have been painted.
        """
        model, features = self._rounds.learner, self._rounds.pixels
        if model is None or features is None:
            raise SessionError("there is no model yet: paint an object, then session.wait()")
        self._row_of(self._ids[index])
        return np.asarray(model.probabilities(features, index))

    def predict(self, pictures: Any) -> Any:
        """Apply the newest model to another volume; waits for training.

        Parameters
        ----------
        pictures : Volume, SlicePool, path or ndarray (sections, rows, columns)

        Returns
        -------
        ndarray (sections, rows, columns) of uint8
            Most probable classes.

        Raises
        ------
        SessionError
            If there is no model yet.
        """
        self.wait()
        model = self._rounds.learner
        if model is None:
            raise SessionError("there is no model yet: paint an object first")
        features = pixel_features(slices_of(pictures).volume, radar=is_radar(self.volume))
        maps = [model.probabilities(features, i).argmax(axis=-1) for i in range(len(features))]
        return np.stack(maps).astype(np.uint8)

    def predictions(self) -> pd.DataFrame:
        """Every section: item_id, predicted (class expected most, background left out), confidence, then a column a class.

        A class' column is the share of the section that it is expected to take; `confidence` is one minus the mean doubt of the
        most doubtful hundredth. NaN before there is a model.
        """
        import pandas as pd

        classes = self._task.classes
        rows: list[list[Any]] = []
        for index, item_id in enumerate(self._ids):
            found = self._rounds.maps[index]
            if found is None:
                rows.append([item_id, None, np.nan, *[np.nan] * len(classes)])
                continue
            shares = [*found.shares.tolist(), *[0.0] * (len(classes) - len(found.shares))]
            seen = np.bincount(found.classes.ravel(), minlength=len(classes))
            best = int(seen[1:].argmax()) + 1 if seen[1:].any() else 0
            rows.append([item_id, classes[best], 1 - found.top_doubt, *shares])
        return pd.DataFrame(rows, columns=["item_id", "predicted", "confidence", *classes])
