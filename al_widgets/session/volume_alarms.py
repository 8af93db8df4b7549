"""Alarms of a session on a volume: what was called an object, or is expected to be one, and where. `VolumeSession` inherits these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.records import Annotation
from al_widgets.session.mask_ledger import paint
from al_widgets.session.velocity import check_velocity, ground_velocity
from al_widgets.session.volume_agreement import VolumeAgreement
from al_widgets.task.strokes import IGNORE, UNLABELLED

if TYPE_CHECKING:
    from al_widgets.export import Alarm

Mask = npt.NDArray[np.uint8]


class VolumeAlarms(VolumeAgreement):
    """The alarms of a `VolumeSession`."""

    _velocity: float | None = None

    @property
    def velocity_m_per_ns(self) -> float:
        """How fast waves are in the ground: what depths are told by, here and on the page; the newest setting of either counts.

        At first as the file tells it, by a velocity or a permittivity; else 0.1 m/ns.
        """
        return ground_velocity(self.volume) if self._velocity is None else self._velocity

    @velocity_m_per_ns.setter
    def velocity_m_per_ns(self, value: float) -> None:
        self._velocity = check_velocity(value)

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
        that were fitted bring their own time and depth. What one of two people took for an object is one, of confidence 0.5.

        Parameters
        ----------
        source : {"labels", "model", "all"}
            What annotators said; what the model expects where nobody has said anything; or both, an object that goes on
            where nobody has painted once.
        min_confidence : float
            Of the model's: least probability of a pixel of a piece. An annotator's has the share of annotators of its pixels that
            agree.
        min_voxels : int
            Smaller pieces that the model expects are noise.
        velocity_m_per_ns : float, optional
            For the depths, for this once; default: the session's own. Each alarm tells the one it is by.

        Raises
        ------
        SessionError
            If the model is asked for and there is none, or the velocity is none that waves have in the ground.
        """
        if source not in ("labels", "model", "all"):
            raise SessionError(f'alarms come from "labels", "model" or "all", not from {source!r}')
        velocity = self.velocity_m_per_ns if velocity_m_per_ns is None else check_velocity(velocity_m_per_ns)
        labels = self._claimed()
        found: list[Alarm] = []
        if source != "model":
            found += self._labelled_alarms(labels, velocity)
        if source != "labels":
            if self._rounds.learner is None:
                raise SessionError("there is no model yet: paint an object, then session.wait()")
            found += self._expected_alarms(labels, min_confidence, min_voxels, velocity, apart=source == "all")
        return sorted(found, key=lambda a: (-a.confidence, a.line, a.x_m or 0.0))

    def _claimed(self) -> Mask:
        """Return the label volume, and where two people differ what the one who saw an object says: half agreed, but no less an alarm."""
        labels = self.label_volume()
        for item_id in self._labelled_ids():
            with self._lock:
                masks = [self._ledger.mask(item_id, name) for name in self._ledger.annotators(item_id)]
            if len(masks) > 1:
                seen = np.max([np.where(mask < IGNORE, mask, 0) for mask in masks], axis=0)
                here = labels[self._row[item_id], :, : seen.shape[1]]
                claimed = (here == UNLABELLED) & (seen > 0)
                here[claimed] = seen[claimed]
        return labels

    def _labelled_alarms(self, labels: Mask, velocity: float) -> list[Alarm]:
        from al_widgets.export import alarm_at

        alarms = []
        numbered = ((number, v) for number in range(1, len(self._task.classes)) for v in _pieces(labels, number))
        for number, voxels in numbered:
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

    def _expected_alarms(
        self, labels: Mask, threshold: float, least: int, velocity: float, *, apart: bool
    ) -> list[Alarm]:
        """Return an alarm a piece that the model expects; `apart`: but for those that go on where an object was labelled."""
        from al_widgets.export import alarm_at

        maps = self._rounds.maps
        expected = np.zeros(self.volume.shape, np.uint8)
        for index in maps.known():
            found: Any = maps[int(index)]
            free = (labels[index] == UNLABELLED) & self.volume.valid[index]
            expected[index] = free & (found.foreground >= 255 * max(threshold, 1e-3))
        alarms = []
        for voxels in _pieces(expected, 1):
            if len(voxels[0]) < least or (apart and _touches_object(voxels, labels)):
                continue
            votes, total = np.zeros(len(self._task.classes), np.intp), 0
            for index in np.unique(voxels[0]):
                here = voxels[0] == index
                found = maps[int(index)]
                counted = np.bincount(found.classes[voxels[1][here], voxels[2][here]], minlength=len(votes))
                votes += counted[: len(votes)]
                total += int(found.foreground[voxels[1][here], voxels[2][here]].sum())
            name = self._task.classes[int(votes[1:].argmax()) + 1]
            confidence = total / 255 / len(voxels[0])
            alarms.append(
                alarm_at(self.volume, _apex(voxels), name, confidence, velocity_m_per_ns=velocity, annotator="model")
            )
        return alarms


def _touches_object(voxels: Sequence[npt.NDArray[np.intp]], labels: Mask) -> bool:
    """Say whether an object was labelled on, or next to, any of the voxels (26 neighbours)."""
    from scipy.ndimage import binary_dilation

    low = [max(0, int(axis.min()) - 1) for axis in voxels]
    block = labels[tuple(slice(a, int(axis.max()) + 2) for a, axis in zip(low, voxels, strict=True))]
    piece = np.zeros(block.shape, np.bool_)
    piece[tuple(axis - a for axis, a in zip(voxels, low, strict=True))] = True
    near = binary_dilation(piece, np.ones((3, 3, 3)))
    return bool((near & (block > 0) & (block < IGNORE)).any())


def _pieces(labels: Mask, number: int) -> list[tuple[npt.NDArray[np.intp], ...]]:
    """Return the voxels of every connected piece (26 neighbours) of a class."""
    from scipy.ndimage import find_objects, label

    hits = (labels == number).view(np.uint8)
    around = next(iter(find_objects(hits)), None)  # a large volume is mostly empty
    if around is None:
        return []
    pieces, _ = label(hits[around], np.ones((3, 3, 3)))
    found = []
    for piece, where in enumerate(find_objects(pieces), 1):
        inside = np.nonzero(pieces[where] == piece)
        found.append(
            tuple(
                (axis + inner.start + outer.start).astype(np.intp)
                for axis, inner, outer in zip(inside, where, around, strict=True)
            )
        )
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
    from al_widgets.export.alarms import rounded

    fit = {"x0_m": "x_m", "t0_ns": "t_ns", "depth_m": "depth_m", "velocity_m_per_ns": "velocity_m_per_ns"}
    fields: Any = {field: shapes[-1][name] for name, field in fit.items() if name in shapes[-1]}
    return rounded(replace(alarm, **fields))
