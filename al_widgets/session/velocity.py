"""How fast waves are in the ground, what depths are told by: as the file knows it, or assumed."""

from __future__ import annotations

from math import isfinite
from typing import Any

from al_widgets.errors import SessionError
from al_widgets.features.gpr_synthesis import velocity_m_per_ns
from al_widgets.readers.volume import Volume

ASSUMED_M_PER_NS = 0.1
"""Moist sand: what is assumed where the file knows nothing."""
SLOWEST, FASTEST = 0.01, 0.3
"""Less than in water, and light in air."""


def ground_velocity(volume: Volume) -> float:
    """Return the velocity that a file's metadata tell, by themselves or by the permittivity; else `ASSUMED_M_PER_NS`."""
    told, known = volume.metadata.get("velocity_m_per_ns"), volume.metadata.get("permittivity")
    if isinstance(told, int | float) and SLOWEST <= told <= FASTEST:
        return float(told)
    if isinstance(known, int | float) and 1 <= known <= 100:
        return velocity_m_per_ns(float(known))
    return ASSUMED_M_PER_NS


def check_velocity(value: Any) -> float:
    """Return a velocity in metres a nanosecond.

    Raises
    ------
    SessionError
        If it is no number, or none that waves have in the ground.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not number or not SLOWEST <= value <= FASTEST:
        raise SessionError(f"velocity_m_per_ns is a number from {SLOWEST} to {FASTEST}, for example 0.1; not {value!r}")
    return float(value)
