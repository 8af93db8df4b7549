"""Pictures of trials with injected targets: made from the volume's sections, and shown in the place of open ones.

`al_widgets.oracles.Trial` says all that is needed to make one again; nothing is kept but that. Pure functions but for `TrialPool`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.gpr_injection import PointEcho, echo_field, inject, response
from al_widgets.oracles.injected import Trial
from al_widgets.pool.slices import SlicePool
from al_widgets.readers.volume import Volume
from al_widgets.session.section_maps import SectionMap

BoolArray = npt.NDArray[np.bool_]
Picture = npt.NDArray[Any]

_TRIAL_ID = re.compile(r"/(\d+)~[0-9a-f]{8}$")


def trial_id(cover: str, token: str) -> str:
    """Return the id of a trial that is shown in the place of a section; `token` has 8 hex digits."""
    return f"{cover}~{token}"


def is_trial_id(item_id: str) -> bool:
    """Say whether an id is that of a trial, of whatever session."""
    return _TRIAL_ID.search(item_id) is not None


def cover_of(item_id: str) -> int:
    """Return the index of the section in whose place a trial is shown."""
    found = _TRIAL_ID.search(item_id)
    if found is None:
        raise ValueError(f"{item_id!r} is no trial's id")
    return int(found[1])


def background_of(trial: Trial, pool: SlicePool) -> Picture:
    """Return the section that a trial is made from, turned round and cut to length as the trial says."""
    section = SlicePool.image(pool, trial.background)
    return np.ascontiguousarray((section[:, ::-1] if trial.mirrored else section)[:, : trial.columns])


def map_of(trial: Trial, found: SectionMap, columns: int) -> SectionMap:
    """Return the map of a trial's background, of so many real columns, turned round and cut to length as the trial says."""

    def turned(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        real = values[:, :columns]
        shown = np.zeros_like(values)
        shown[:, : trial.columns] = (real[:, ::-1] if trial.mirrored else real)[:, : trial.columns]
        return shown

    classes, doubt, foreground = (turned(v) for v in (found.classes, found.doubt, found.foreground))
    return replace(found, classes=classes, doubt=doubt, foreground=foreground)


def field_of(trial: Trial, volume: Volume) -> tuple[npt.NDArray[np.float64], BoolArray]:
    """Return the echo of a trial, and where it is seen."""
    _, time, distance = _axes(volume)
    echo = PointEcho(trial.row, trial.column, trial.sign, trial.frequency_ghz, trial.velocity_m_per_ns)
    shape = (volume.shape[1], trial.columns)
    field = echo_field(shape, echo, dt_ns=time.step, dx_m=distance.step, time_zero_row=max(time.index(0.0), 0.0))
    return field, response(field, 1 / trial.frequency_ghz / time.step)


def picture_of(trial: Trial, pool: SlicePool) -> Picture:
    """Return what is shown in a trial."""
    background = background_of(trial, pool)
    if trial.signal_db is None:
        return background
    return inject(background, *field_of(trial, pool.volume), trial.signal_db)


def _axes(volume: Volume) -> Any:
    return volume.axes


class TrialPool(SlicePool):
    """The sections of a volume, and pictures of trials beside them: these are no items, but can be read like items.

    Parameters
    ----------
    pool : SlicePool
        Is not changed.
    trial : callable
        Item id → Trial, None where there is none.
    """

    def __init__(self, pool: SlicePool, trial: Callable[[str], Trial | None]) -> None:
        super().__init__(pool.volume)
        self._trial = trial

    def index(self, item_id: str) -> int:
        """Return the index of a section, or of the section in whose place a trial is shown."""
        if is_trial_id(item_id) and self._trial(item_id) is not None:
            return cover_of(item_id)
        return super().index(item_id)

    def image(self, item_id: str) -> Picture:
        """Return a section as stored, or the picture of a trial."""
        trial = self._trial(item_id) if is_trial_id(item_id) else None
        return super().image(item_id) if trial is None else picture_of(trial, self)
