"""What leaves a session on a volume: boxes, shapes, and files that other programs read. `VolumeSession` inherits these."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.session.label_export import export_labels
from al_widgets.session.volume_alarms import VolumeAlarms
from al_widgets.session.volume_readings import is_radar
from al_widgets.task import rle
from al_widgets.task.strokes import IGNORE, NUMBERS, UNLABELLED

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.export import Box

Mask = npt.NDArray[np.uint8]
Format = Literal["csv", "alarms", "coco", "yolo", "voc", "png", "npy", "zarr", "nifti"]
FORMATS: dict[Format, tuple[str, ...]] = {
    "csv": (".csv",),
    "alarms": (".csv",),
    "coco": (".json",),
    "npy": (".npy",),
    "zarr": (".zarr",),
    "nifti": (".nii", ".nii.gz"),
    "png": (),
    "yolo": (),
    "voc": (),
}
"""Format → suffixes of its files, by which the first one of a suffix is chosen; those without one are folders and must be named."""
SHOWN_SHARE = 0.98
"""Share of a volume's values that pictures of its sections tell apart."""
KEPT_SHARE = 0.5
"""Share of a box's pixels that must still be of its class; what was painted over since is no box any more."""


class VolumeExports(VolumeAlarms):
    """The exporting part of `VolumeSession`."""

    def boxes(self, annotator: str | None = None) -> dict[str, list[Box]]:
        """Return the boxes of every section that somebody labelled: those that were drawn, and those around other pieces.

        A section without any has an empty list: it was looked at. Pieces are connected pixels of one class but the first.

        Parameters
        ----------
        annotator : str, optional
            Default: what all say together. Boxes that several drew around the same object are one, edge by edge their median; one
            that the consensus of their masks contradicts is left out.
        """
        from scipy.ndimage import find_objects, label

        from al_widgets.export import Box

        found: dict[str, list[Box]] = {}
        for item_id in self._labelled_ids():
            if annotator is not None and not self._is_labelled_by(item_id, annotator):
                continue
            mask = self.mask(item_id, annotator)
            rest = np.where(mask < IGNORE, mask, 0)
            boxes: list[Box] = []
            for box in self._drawn_boxes(item_id, annotator):
                left, top, width, height = (int(v) for v in (box.x, box.y, box.width, box.height))
                where = slice(top, top + height), slice(left, left + width)
                if (mask[where] == self._number_of(box.label)).mean() < KEPT_SHARE:
                    continue
                boxes.append(box)
                rest[where] = 0
            for number in range(1, len(self._task.classes)):
                pieces, _ = label(rest == number, np.ones((3, 3)))
                for rows, columns in find_objects(pieces):
                    width, height = columns.stop - columns.start, rows.stop - rows.start
                    boxes.append(Box(self._task.classes[number], columns.start, rows.start, width, height))
            found[item_id] = boxes
        return found

    def _is_labelled_by(self, item_id: str, annotator: str) -> bool:
        with self._lock:
            return annotator in self._ledger.annotators(item_id)

    def _drawn_boxes(self, item_id: str, annotator: str | None = None) -> list[Box]:
        """Return the boxes that were drawn, those of several annotators around the same object as one.

        The same object is what boxes overlap on by half; on radargrams, where limbs are followed more or less far, what has its
        apex at the same place.
        """
        from al_widgets.export import Box
        from al_widgets.oracles import box_consensus

        drawn: dict[str, dict[str, list[list[int]]]] = {}
        for stroke in self._standing_strokes(item_id):
            if stroke.value["tool"] != "box" or annotator not in (None, stroke.annotator):
                continue
            for part in stroke.value["parts"]:
                name = part["value"]
                if part["item_id"] == item_id and isinstance(name, str) and name != self._task.background:
                    top, left, height, width = part["box"]
                    own = drawn.setdefault(name, {}).setdefault(stroke.annotator, [])
                    if (edges := [left, top, width, height]) not in own:
                        own.append(edges)
        by: Literal["iou", "apex"] = "apex" if is_radar(self.volume) else "iou"
        return [
            Box(name, *(round(v) for v in edges))
            for name, said in drawn.items()
            for edges in box_consensus(list(said.values()), least=0.0, by=by).boxes.tolist()
        ]

    def shapes(self) -> pd.DataFrame:
        """One row a stroke that was drawn as a shape and stands: boxes, points, polygons, hyperbolas with their fit.

        Columns: event_id, item_id, annotator, tool, label, points (column, row, column, row, …), radius, x0_m, t0_ns,
        velocity_m_per_ns, depth_m, elapsed_s.
        """
        import pandas as pd

        rows = []
        for item_id in self._labelled_ids():
            for e in self._standing_strokes(item_id):
                shape = e.value["shape"]
                if shape is None or e.item_id != item_id or e.value["tool"] == "region":
                    continue
                names = [p["value"] for p in e.value["parts"] if isinstance(p["value"], str)]
                numbers = [shape.get(name) for name in NUMBERS]
                label = names[0] if names else None
                rows.append(
                    [e.event_id, item_id, e.annotator, e.value["tool"], label, shape["points"], *numbers, e.elapsed_s]
                )
        columns = ["event_id", "item_id", "annotator", "tool", "label", "points", *NUMBERS, "elapsed_s"]
        return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys((*NUMBERS, "elapsed_s"), "float64"))

    def export(self, path: str | Path, format: str | None = None, **options: Any) -> Path:  # noqa: A002 - the word users look for
        """Write what is labelled for another program; every format can be read back with `al_widgets.export`.

        Parameters
        ----------
        path : path
            File or folder.
        format : str, optional
            ``"csv"`` (.csv: one row a section, as `labels`), ``"coco"`` (.json: masks, drawn boxes and shapes), ``"npy"``,
            ``"zarr"``, ``"nifti"`` (label volume, NIfTI with the source's affine). No suffix tells ``"alarms"`` (.csv: one row an
            object, as `alarms`) and the folders ``"png"`` (index masks), ``"yolo"`` (boxes and pictures) and ``"voc"`` (boxes).
        **options
            Of alarms: as for `alarms`.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        SessionError
            If the format is not known, or the file's suffix is that of another.
        """
        from al_widgets import export

        path = Path(path)
        chosen = format or next((f for f, ends in FORMATS.items() if ends and path.name.lower().endswith(ends)), None)
        if chosen not in FORMATS:
            raise SessionError(
                f"{path.name}: say format=…, one of {', '.join(FORMATS)}"
                if format is None
                else f"there is no format {format!r}; there are {', '.join(FORMATS)}"
            )
        ends = FORMATS[chosen]
        if format is None and chosen == "csv" and "alarm" in path.stem.lower():
            raise SessionError(
                f'{path.name}: say format="alarms" (one row an object) or format="csv" (one row a section)'
            )
        if ends and not path.name.lower().endswith(ends):
            raise SessionError(f"{path.name}: files of the format {chosen} end in {' or '.join(ends)}")
        classes = self._task.classes
        if chosen == "alarms":
            return export.write_alarms(path, self.alarms(**options))
        if options:
            raise SessionError(f"the format {chosen} has no option {', '.join(options)}")
        if chosen == "csv":
            return export_labels(path, self.labels(), self._pool, "csv")
        if chosen in ("yolo", "voc"):
            boxes = self.boxes()
            sizes = {i: self._shape_of(i) or (0, 0) for i in boxes}
            # Objects only: in these formats a class number counts from the first object.
            if chosen == "voc":
                return export.write_voc(path, classes[1:], boxes, sizes)
            return export.write_yolo(path, classes[1:], boxes, sizes, picture_of=self._grey)
        masks = {item_id: self.mask(item_id) for item_id in self._labelled_ids()}
        info = self._export_info(masks)
        plain = {i: np.where(m == IGNORE, UNLABELLED, m).astype(np.uint8) for i, m in masks.items()}
        if chosen == "coco":
            drawn = {i: b for i, b in self.boxes().items() if self._drawn_boxes(i)}
            return export.write_coco(
                path, classes, masks=plain, boxes=drawn, background=self._task.background, info=info
            )
        if chosen == "png":
            return export.write_png_masks(path, classes, plain, info=info)
        volume = self.label_volume()
        volume[volume == IGNORE] = UNLABELLED
        return export.write_label_volume(path, volume, classes, source=self.volume, info=info)

    def _grey(self, item_id: str) -> npt.NDArray[np.uint8]:
        """Return a section as a grey picture: one scale for the whole volume, that nothing but the outermost values is lost by."""
        low, high = self._shown_range
        share = (np.asarray(self.volume.array[self._row[item_id]], np.float64) - low) / max(high - low, 1e-12)
        _, columns = self._shape_of(item_id) or share.shape
        grey: npt.NDArray[np.uint8] = np.rint(255 * np.nan_to_num(share).clip(0, 1))[:, :columns].astype(np.uint8)
        return grey

    @cached_property
    def _shown_range(self) -> tuple[float, float]:
        values: npt.NDArray[Any] = self.volume.array.reshape(-1)[:: max(1, self.volume.array.size // 1_000_000)]
        edge = (1 - SHOWN_SHARE) / 2
        low, high = np.nanquantile(values, [edge, 1 - edge])
        return float(low), float(high)

    def _export_info(self, masks: dict[str, Mask]) -> dict[str, Any]:
        """Return what the formats have no place for: axes, shapes as they were drawn, ignored pixels, display recipes."""
        axes: Any = self.volume.axes
        shapes = self.shapes()
        recipes = {e.value["recipe"] for i in masks for e in self._standing_strokes(i) if e.value["recipe"]}
        return {
            "volume": self.volume.name,
            "axes": [{"name": a.name, "unit": a.unit, "step": a.step, "origin": a.origin} for a in axes],
            "ignored": {i: rle.encode(m == IGNORE) for i, m in masks.items() if (m == IGNORE).any()},
            "shapes": [
                {name: value for name, value in row.items() if not (isinstance(value, float) and np.isnan(value))}
                for row in shapes.to_dict("records")
            ],
            "recipes": sorted(recipes),
        }
