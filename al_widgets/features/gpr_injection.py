"""Hyperbolae put into real radar sections: a picture whose truth is known by construction, with a real background.

Threat-image projection: the echo of a buried point (travel times and Ricker wavelet of `al_widgets.features.gpr_synthesis`) is added
to a section; adding is the Born approximation of a weak scatterer. How strong an echo is, is told against the clutter that it
lies in. Pure functions; a section that is given is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.gpr_synthesis import ricker, travel_time_ns

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

VISIBLE = 0.3
"""Share of an echo's strongest amplitude, as root mean square over one period, above which it counts as its response."""
FREQUENCIES = 0.02, 0.4
"""Share of the sampling rate between which a wavelet's frequency is looked for: below lies wow, above noise."""


@dataclass(frozen=True)
class PointEcho:
    """The echo of one buried point.

    Attributes
    ----------
    row, column : float
        Apex, in raw indices of the section.
    sign : {1, -1}
        Polarity.
    frequency_ghz, velocity_m_per_ns : float
        Of the wavelet's peak; in the ground.
    """

    row: float
    column: float
    sign: int
    frequency_ghz: float
    velocity_m_per_ns: float


def point_echo(
    time_ns: npt.ArrayLike,
    along_m: npt.ArrayLike,
    depth_m: float,
    *,
    velocity: float,
    frequency_ghz: float,
    separation_m: float = 0.0,
) -> FloatArray:
    """Return the field of a point at unit strength, (times, places): a Ricker wavelet at each two-way time, weaker the longer it is.

    Parameters
    ----------
    time_ns : array_like
        Times of the samples from time-zero.
    along_m : array_like
        Places of the traces relative to the point.
    """
    arrival = travel_time_ns(along_m, 0.0, depth_m, velocity=velocity, separation_m=separation_m)
    time = np.asarray(time_ns, np.float64)
    return np.asarray(ricker(time[:, None] - arrival[None], frequency_ghz) * (arrival.min() / arrival)[None])


def peak_frequency_ghz(section: npt.NDArray[Any], dt_ns: float) -> float:
    """Return the frequency at which a section's traces, without what they have in common, are strongest."""
    traces = without_mean_trace(section)
    power = np.square(np.abs(np.fft.rfft(traces * np.hanning(len(traces))[:, None], axis=0))).mean(axis=1)
    share = np.fft.rfftfreq(len(traces))
    inside = (share >= FREQUENCIES[0]) & (share <= FREQUENCIES[1])
    if not inside.any() or not power[inside].any():
        return float(np.mean(FREQUENCIES) / dt_ns)
    smooth = np.convolve(power, np.ones(5) / 5, mode="same")[inside]
    return float(share[inside][smooth.argmax()] / dt_ns)


def without_mean_trace(section: npt.NDArray[Any]) -> FloatArray:
    """Return a section less its mean trace: direct wave and flat layers are no clutter that hides an echo."""
    values = np.nan_to_num(np.asarray(section, np.float64))
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def echo_field(
    shape: tuple[int, int], echo: PointEcho, *, dt_ns: float, dx_m: float, time_zero_row: float
) -> FloatArray:
    """Return the echo alone in a section of a shape, its strongest amplitude 1 or -1."""
    rows, columns = shape
    depth = max(echo.row - time_zero_row, 0.5) * dt_ns * echo.velocity_m_per_ns / 2
    time = (np.arange(rows) - time_zero_row) * dt_ns
    along = (np.arange(columns) - echo.column) * dx_m
    field = point_echo(time, along, depth, velocity=echo.velocity_m_per_ns, frequency_ghz=echo.frequency_ghz)
    return np.asarray(echo.sign * field)


def response(field: FloatArray, period_rows: float) -> BoolArray:
    """Return where an echo is seen: its root mean square over one period above 0.3 of the strongest."""
    from scipy.ndimage import uniform_filter1d

    strength = np.sqrt(uniform_filter1d(field**2, max(1, round(period_rows)) | 1, axis=0, mode="constant").clip(0))
    return np.asarray(strength > VISIBLE * strength.max(initial=0.0))


def clutter_rms(section: npt.NDArray[Any], where: BoolArray) -> float:
    """Return the root mean square of what an echo at some pixels competes with."""
    values = without_mean_trace(section)[where]
    rms = float(np.sqrt(np.square(values).mean())) if values.size else 0.0
    return rms or float(np.sqrt(np.square(without_mean_trace(section)).mean())) or 1.0


def inject(section: npt.NDArray[Any], field: FloatArray, where: BoolArray, signal_db: float) -> npt.NDArray[Any]:
    """Return a section with an echo in it, of the section's dtype.

    Parameters
    ----------
    section : ndarray (rows, columns)
    field : ndarray, same shape
        The echo, its peak 1.
    where : ndarray of bool, same shape
        Pixels whose clutter it is measured against: those of `response`.
    signal_db : float
        Peak of the echo over the clutter's root mean square, 20 log10.
    """
    made = section + clutter_rms(section, where) * 10 ** (signal_db / 20) * field
    if section.dtype.kind in "iu":
        limits = np.iinfo(section.dtype)
        made = np.clip(np.rint(made), limits.min, limits.max)
    return np.ascontiguousarray(made.astype(section.dtype))
