"""What leaves a session on a volume: boxes, shapes, alarms, and files that other programs read. `VolumeSession` inherits these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.records import Annotation
from al_widgets.session.mask_ledger import paint
from al_widgets.session.volume_readings import VolumeReadings
from al_widgets.task import rle
from al_widgets.task.strokes import IGNORE, NUMBERS, UNLABELLED

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.export import Alarm, Box

Mask = npt.NDArray[np.uint8]
Format = Literal["coco", "yolo", "voc", "png", "npy", "zarr", "nifti", "alarms"]
FORMATS: dict[Format, tuple[str, ...]] = {
    "coco": (".json",),
    "alarms": (".csv",),
    "npy": (".npy",),
    "zarr": (".zarr",),
    "nifti": (".nii", ".nii.gz"),
    "png": (),
    "yolo": (),
    "voc": (),
}
"""Format → suffixes by which it is chosen; those without one are folders and must be named."""
KEPT_SHARE = 0.5
"""Share of a box's pixels that must still be of its class; what was painted over since is no box any more."""


class VolumeExports(VolumeReadings):
    """The exporting part of `VolumeSession`."""

    def boxes(self) -> dict[str, list[Box]]:
        """Return the boxes of every section that somebody labelled: those that were drawn, and those around other pieces.

        A section without any has an empty list: it was looked at. Pieces are connected pixels of one class but the first.
        """
        from scipy.ndimage import find_objects, label

        from al_widgets.export import Box

        found: dict[str, list[Box]] = {}
        for item_id in self._labelled_ids():
            mask = self.mask(item_id)
            rest = np.where(mask < IGNORE, mask, 0)
            boxes: list[Box] = []
            for part in self._drawn_boxes(item_id):
                row, column, height, width = part["box"]
                inside = mask[row : row + height, column : column + width]
                if (inside == self._number_of(part["value"])).mean() < KEPT_SHARE:
                    continue
                box = Box(part["value"], column, row, width, height)
                if box not in boxes:
                    boxes.append(box)
                    rest[row : row + height, column : column + width] = 0
            for number in range(1, len(self._task.classes)):
                pieces, _ = label(rest == number, np.ones((3, 3)))
                for where in find_objects(pieces):
                    rows, columns = where
                    boxes.append(
                        Box(
                            self._task.classes[number],
                            columns.start,
                            rows.start,
                            columns.stop - columns.start,
                            rows.stop - rows.start,
                        )
                    )
            found[item_id] = boxes
        return found

    def _labelled_ids(self) -> list[str]:
        """Return the sections of which something is said, in the volume's order."""
        with self._lock:
            self._sync()
            touched = {i for i in self._ledger.touched() if self._ledger.annotators(i)}
        return [i for i in self._ids if i in touched]

    def _drawn_boxes(self, item_id: str) -> list[dict[str, Any]]:
        return [
            part
            for stroke in self._standing_strokes(item_id)
            if stroke.value["tool"] == "box"
            for part in stroke.value["parts"]
            if part["item_id"] == item_id and isinstance(part["value"], str) and part["value"] != self._task.background
        ]

    def _standing_strokes(self, item_id: str) -> list[Annotation]:
        with self._lock:
            return [e for who in self._ledger.annotators(item_id) for e in self._ledger.strokes(item_id, who)]

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

    def alarms(
        self,
        source: Literal["labels", "model", "all"] = "labels",
        *,
        min_confidence: float = 0.5,
        min_voxels: int = 20,
        velocity_m_per_ns: float | None = None,
    ) -> list[Alarm]:
        """Return what was called an object: one alarm a connected piece of the volume, the surest first.

        An alarm lies at the apex of its piece: the middle of its uppermost pixels on the section where it is largest. Hyperbolas
        that were fitted bring their own time and depth.

        Parameters
        ----------
        source : {"labels", "model", "all"}
            What annotators said; what the model expects where nobody has said anything; or both.
        min_confidence : float
            Of the model's: least probability of a pixel of a piece. An annotator's has the share of annotators of its pixels that
            agree.
        min_voxels : int
            Smaller pieces that the model expects are noise.
        velocity_m_per_ns : float, optional
            For the depth; default: from the file's permittivity, where it has one.

        Raises
        ------
        SessionError
            If the model is asked for and there is none.
        """
        if source not in ("labels", "model", "all"):
            raise SessionError(f'alarms come from "labels", "model" or "all", not from {source!r}')
        velocity = velocity_m_per_ns or _velocity(self.volume.metadata.get("permittivity"))
        labels = self.label_volume()
        found: list[Alarm] = []
        if source != "model":
            found += self._labelled_alarms(labels, velocity)
        if source != "labels":
            if self._rounds.learner is None:
                raise SessionError("there is no model yet: paint an object, then session.wait()")
            found += self._expected_alarms(labels, min_confidence, min_voxels, velocity)
        return sorted(found, key=lambda a: (-a.confidence, a.line, a.x_m or 0.0))

    def _labelled_alarms(self, labels: Mask, velocity: float | None) -> list[Alarm]:
        from al_widgets.export import alarm_at

        alarms = []
        for number, voxels in _pieces(labels):
            strokes: dict[str, Annotation] = {}
            agreed: list[float] = []
            for index in np.unique(voxels[0]):
                here = voxels[0] == index
                where = (voxels[1][here], voxels[2][here])
                item_id = self._ids[int(index)]
                with self._lock:
                    masks = [self._ledger.mask(item_id, who) for who in self._ledger.annotators(item_id)]
                said = np.stack([m[where] for m in masks])
                agreed += ((said == number).sum(axis=0) / np.maximum((said < IGNORE).sum(axis=0), 1)).tolist()
                for stroke in self._standing_strokes(item_id):
                    if _touches(stroke, item_id, masks[0].shape, where):
                        strokes[stroke.event_id] = stroke
            names = sorted({e.annotator for e in strokes.values()})
            times = [e.elapsed_s for e in strokes.values() if e.elapsed_s is not None]
            alarm = alarm_at(
                self.volume,
                _apex(voxels),
                self._task.classes[number],
                float(np.mean(agreed)),
                velocity_m_per_ns=velocity,
                annotator=", ".join(names),
                seconds=float(sum(times)) if times else None,
            )
            alarms.append(_with_fit(alarm, strokes.values()))
        return alarms

    def _expected_alarms(self, labels: Mask, threshold: float, least: int, velocity: float | None) -> list[Alarm]:
        from al_widgets.export import alarm_at

        foreground = self._rounds.maps.foreground(self.volume.shape)
        foreground[labels != UNLABELLED] = 0
        foreground[~np.broadcast_to(self.volume.valid[:, None], self.volume.shape)] = 0
        alarms = []
        for _, voxels in _pieces((foreground >= max(threshold, 1e-3)).astype(np.uint8)):
            if len(voxels[0]) < least:
                continue
            votes = np.zeros(len(self._task.classes), np.intp)
            for index in np.unique(voxels[0]):
                here = voxels[0] == index
                found = self._rounds.maps[int(index)]
                if found is not None:
                    counted = np.bincount(found.classes[voxels[1][here], voxels[2][here]], minlength=len(votes))
                    votes += counted[: len(votes)]
            name = self._task.classes[int(votes[1:].argmax()) + 1]
            confidence = float(foreground[voxels].mean())
            alarms.append(
                alarm_at(self.volume, _apex(voxels), name, confidence, velocity_m_per_ns=velocity, annotator="model")
            )
        return alarms

    def export(self, path: str | Path, format: Format | None = None, **options: Any) -> Path:  # noqa: A002 - the word users look for
        """Write what is labelled for another program; every format can be read back with `al_widgets.export`.

        Parameters
        ----------
        path : path
            File or folder.
        format : str, optional
            ``"coco"`` (.json: masks, drawn boxes and shapes), ``"alarms"`` (.csv), ``"npy"``, ``"zarr"``, ``"nifti"`` (label
            volume, NIfTI with the source's affine); and the folders ``"png"`` (index masks), ``"yolo"`` and ``"voc"`` (boxes),
            which no suffix tells.
        **options
            Of alarms: as for `alarms`.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        SessionError
            If the format is not known.
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
        classes = self._task.classes
        if chosen == "alarms":
            return export.write_alarms(path, self.alarms(**options))
        if options:
            raise SessionError(f"the format {chosen} has no option {', '.join(options)}")
        if chosen in ("yolo", "voc"):
            boxes = self.boxes()
            sizes = {i: self._shape_of(i) or (0, 0) for i in boxes}
            write = export.write_yolo if chosen == "yolo" else export.write_voc
            # Objects only: in these formats a class number counts from the first object.
            return write(path, classes[1:], boxes, sizes)
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


def _velocity(permittivity: Any) -> float | None:
    from al_widgets.features.gpr_synthesis import velocity_m_per_ns

    known = isinstance(permittivity, int | float) and 1 <= permittivity <= 100
    return velocity_m_per_ns(float(permittivity)) if known else None


def _pieces(labels: Mask) -> list[tuple[int, tuple[npt.NDArray[np.intp], ...]]]:
    """Return class number and voxels of every connected piece (26 neighbours) of a class but the first."""
    from scipy.ndimage import find_objects, label

    found = []
    for number in np.unique(labels):
        if not 0 < number < IGNORE:
            continue
        pieces, _ = label(labels == number, np.ones((3, 3, 3)))
        for piece, where in enumerate(find_objects(pieces), 1):
            inside = np.nonzero(pieces[where] == piece)
            voxels = tuple((a + s.start).astype(np.intp) for a, s in zip(inside, where, strict=True))
            found.append((int(number), voxels))
    return found


def _apex(voxels: Sequence[npt.NDArray[np.intp]]) -> tuple[float, float, float]:
    """Return (section, row, column) of the middle of the uppermost pixels, on the section with most of them."""
    sections, counts = np.unique(voxels[0], return_counts=True)
    section = int(sections[counts.argmax()])
    here = voxels[0] == section
    rows, columns = voxels[1][here], voxels[2][here]
    top = int(rows.min())
    return section, top, float(np.median(columns[rows == top]))


def _touches(
    stroke: Annotation, item_id: str, shape: tuple[int, ...], where: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
) -> bool:
    """Say whether a stroke changed any of some pixels of a section to a class."""
    changed = np.zeros(shape, np.uint8)
    for part in stroke.value["parts"]:
        if part["item_id"] == item_id and isinstance(part["value"], str):
            paint(changed, part, 1)
    return bool(changed[where].any())


def _with_fit(alarm: Alarm, strokes: Any) -> Alarm:
    """Return the alarm with place, time and depth of the newest hyperbola that was fitted to it."""
    from dataclasses import replace

    shapes = [e.value["shape"] for e in strokes if e.value["tool"] == "hyperbola" and e.value["shape"]]
    if not shapes:
        return alarm
    fit = {"x0_m": "x_m", "t0_ns": "t_ns", "depth_m": "depth_m"}
    fields: Any = {field: shapes[-1][name] for name, field in fit.items() if name in shapes[-1]}
    return replace(alarm, **fields)
