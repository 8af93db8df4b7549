"""Regions of a session on a volume: which one is asked next, and what an answer about one says. `VolumeSession` inherits these."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.learning.pixels import Strengths, region_outline
from al_widgets.records import Query
from al_widgets.session.mask_ledger import paint
from al_widgets.session.regions import (
    ANOMALOUS,
    EXPECTED,
    MIN_VOXELS,
    THRESHOLDS,
    RegionQuery,
    find_regions,
    of_voxels,
    refined,
    region_id_of,
    region_parts,
)
from al_widgets.session.section_maps import cells
from al_widgets.session.volume_export import VolumeExports
from al_widgets.session.volume_readings import is_radar
from al_widgets.strategies.slices import Region
from al_widgets.task.strokes import IGNORE, UNLABELLED, pixel_value

Flags = npt.NDArray[np.bool_]


class VolumeRegions(VolumeExports):
    """The regions of a `VolumeSession`."""

    def regions(self, k: int = 1) -> list[RegionQuery]:
        """Return the `k` most doubtful regions that nobody has said anything of, the most useful first.

        Before there is a model the most anomalous ones; waits until the volume is read. Empty when nothing stands out.
        """
        self._check_open()
        self.start()
        self._encoding.wait()
        read, maps = self._rounds.read, self._rounds.maps
        if read is None:
            return []
        cell, modelled = read.cell, self._rounds.learner is not None
        with self._lock:
            self._sync()
            closed, cut = self._said_of_voxels(cell)
        whole = maps.foreground(self.volume.shape, cell) if modelled else _scaled(read.overview)
        thresholds = EXPECTED if modelled else THRESHOLDS
        least = max(1, MIN_VOXELS // cell**2)
        found = find_regions(whole, closed, cut, k, thresholds=thresholds, min_voxels=least)

        def foreground_of(index: int) -> npt.NDArray[np.floating[Any]]:
            if not modelled:
                return _scaled(read.section_anomaly(index))
            known = maps[index]
            return np.zeros(self.volume.shape[1:]) if known is None else known.foreground / np.float32(255)

        def cut_of(index: int) -> Flags:
            with self._lock:
                return self._said_of_section(index)[1]

        blobs = [refined(region, cell, foreground_of, cut_of) for region in found]
        # In a tomogram what surrounds an object is often as far from the volume's median: a model knows better where it ends.
        within = modelled and not is_radar(self.volume)
        blobs = [self._outlined(blob, read.strength, within=within) for blob in blobs]
        return [self._region_query(blob, modelled) for blob in blobs]

    def _outlined(self, blob: Region, strength: Strengths, *, within: bool) -> Region:
        """Return the object that a blob shows, as far as the annotator may label it: what is asked is what is answered.

        Parameters
        ----------
        within : bool
            Nothing beyond the blob.
        """
        voxels = region_outline(strength, blob.voxels)
        if within:
            flat, blobs = (np.ravel_multi_index(v, self.volume.shape) for v in (voxels, blob.voxels))
            inside = np.isin(flat, blobs)
            voxels = (voxels[0][inside], voxels[1][inside], voxels[2][inside])
        free = np.zeros(len(voxels[0]), bool)
        with self._lock:
            for index in set(voxels[0].tolist()) - self._queue.in_reserve:
                painted = self._ledger.painted(self._ids[index], self.annotator)
                here = np.flatnonzero((voxels[0] == index) & (voxels[2] < painted.shape[1]))
                free[here] = painted[voxels[1][here], voxels[2][here]] == UNLABELLED
        return of_voxels(blob, (voxels[0][free], voxels[1][free], voxels[2][free])) if free.any() else blob

    def _said_of_voxels(self, cell: int) -> tuple[Flags, Flags]:
        """Return where a blob is not asked again, and where one ends, by cells; the caller holds the lock.

        Not again: a part of the cell was judged or painted. Ends: all of it is background or may not be asked about.
        """
        n, rows, columns = self.volume.shape
        closed, cut = (np.zeros((n, -(-rows // cell), -(-columns // cell)), bool) for _ in range(2))
        for index in {self._row[i] for i in self._ledger.touched() & self._row.keys()}:
            judged, ends = self._said_of_section(index)
            closed[index], cut[index] = cells(judged, cell).any(axis=(1, 3)), cells(ends, cell).all(axis=(1, 3))
        said = {i for i in self._ledger.answered() if i in self._row and i not in self._ledger.labels}
        cut[sorted(self._queue.in_reserve | {self._row[i] for i in (*said, *self._problems)})] = True
        return closed, cut

    def _said_of_section(self, index: int) -> tuple[Flags, Flags]:
        """Return the pixels of a section that were judged or painted, and those that are background; the caller holds the lock."""
        item_id = self._ids[index]
        closed, cut = (np.zeros(self.volume.shape[1:], bool) for _ in range(2))
        for who in self._ledger.annotators(item_id):
            mask = self._ledger.mask(item_id, who)
            columns = mask.shape[1]
            closed[:, :columns] |= (mask != 0) & (mask != UNLABELLED)
            cut[:, :columns] |= mask == 0
            # What was called clutter is not asked again for the fringe that a new model gives it.
            judged = np.zeros(mask.shape, np.uint8)
            for stroke in self._ledger.strokes(item_id, who):
                values = {part["value"] for part in stroke.value["parts"]}
                if stroke.value["tool"] == "region" and values == {self._task.background}:
                    for part in stroke.value["parts"]:
                        if part["item_id"] == item_id:
                            paint(judged, part, 1)
            closed[:, :columns] |= judged > 0
            cut[:, :columns] &= judged == 0
        return closed, cut

    @property
    def _sought(self) -> str:
        """What is looked for: the only class beside the first, or whatever the first is not."""
        objects = [name for name in self._task.classes if name != self._task.background]
        return objects[0] if len(objects) == 1 else f"something other than {self._task.background}"

    def _region_query(self, region: Region, modelled: bool) -> RegionQuery:
        a, b, c, d, e, f = region.box
        round_ = 0 if self.snapshot is None else self.snapshot.round
        if modelled:
            reason = f"The model takes it for {self._sought} with {region.probability:.0%}."
        else:
            reason = "It differs most from its surroundings."
        query = Query(self._ids[region.section], "region", float(region.utility), None, round_, "new", reason)
        box = (a, b, c, d - a, e - b, f - c)
        return RegionQuery(query, region_id_of(region), box, region.voxels, region.probability)

    def region_stroke(self, region: RegionQuery, value: Any) -> dict[str, Any]:
        """Return the stroke that an answer about a region is: its voxels, on all its sections.

        Parameters
        ----------
        value : str, int or None
            A class; None, or 254: nobody can tell.
        """
        value = IGNORE if value is None else value
        name = pixel_value(value, self._task.classes)
        number = name if isinstance(name, int) else self._number_of(name)
        with self._lock:
            parts = region_parts(
                self._ids,
                region.voxels,
                number,
                lambda item_id: self._ledger.painted(item_id, self.annotator),
                self._queue.in_reserve,
            )
        _, row, column, _, rows, columns = region.box
        shape = {"points": [column, row, column + columns, row + rows]}
        return self._task.validate_stroke({"tool": "region", "parts": parts, "shape": shape, "recipe": ""})


def _scaled(anomaly: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the anomaly map as if it were a probability; always a copy."""
    scaled: npt.NDArray[np.float32] = np.clip(anomaly / np.float32(ANOMALOUS), 0, 1)
    return scaled
