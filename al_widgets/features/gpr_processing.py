"""Ground-penetrating radar: the display chain, as pure functions of sections ``(..., samples, traces)``.

Each step returns a new float32 array of the same shape: data are never changed, and sample i of the result is sample i of the
raw section, so that labels stay in raw indices. Time-zero is a number to be kept beside the data, not a shift of them.
Values that are not finite count as 0. Any layer above may import this module; SciPy is loaded when a step needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Section = npt.NDArray[Any]


def as_float(section: Section) -> FloatArray:
    """Return a float32 copy in which values that are not finite are 0."""
    values = np.asarray(section).astype(np.float32)
    np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return values


def time_zero(section: Section, threshold: float = 0.05) -> float:
    """Return the sample of the first arrival of the direct wave.

    The first sample at which the mean absolute amplitude over traces, less the median of the first fiftieth of samples, exceeds
    `threshold` of its maximum.
    """
    values = as_float(section)
    values = values.reshape(-1, *values.shape[-2:])
    quiet = max(3, values.shape[1] // 50)
    strength = np.abs(values - np.median(values[:, :quiet])).mean(axis=(0, 2))
    return float(np.argmax(strength > threshold * strength.max())) if strength.max() > 0 else 0.0


def dewow(section: Section, window: int) -> FloatArray:
    """Remove slow drifts along each trace: subtract the running mean over `window` samples (one to two periods)."""
    from scipy.ndimage import uniform_filter1d

    values = as_float(section)
    return _result(values - uniform_filter1d(values, _odd(window, values.shape[-2]), axis=-2, mode="nearest"))


def remove_background(
    section: Section, method: Literal["mean", "median"] = "median", window: int | None = None
) -> FloatArray:
    """Subtract the mean or median trace, of the whole section or of `window` traces around each.

    The whole-section mean leaves ghosts beside strong local objects and erases flat layers; the median and a window do less of
    either.
    """
    values = as_float(section)
    if window is None:
        whole = np.median(values, axis=-1, keepdims=True) if method == "median" else values.mean(-1, keepdims=True)
        return _result(values - whole)
    from scipy.ndimage import median_filter, uniform_filter1d

    size = _odd(window, values.shape[-1])
    if method == "mean":
        return _result(values - uniform_filter1d(values, size, axis=-1, mode="nearest"))
    footprint = (1,) * (values.ndim - 1) + (size,)
    return _result(values - median_filter(values, size=footprint, mode="nearest"))


def gain_sec(
    section: Section,
    dt_ns: float,
    *,
    time_zero_sample: float = 0.0,
    power: float = 1.0,
    alpha_per_ns: float = 0.0,
    max_gain: float | None = None,
) -> FloatArray:
    """Compensate spreading and exponential loss: multiply by ``(1 + t)^power · exp(alpha · t)``, t in ns from time-zero.

    The gain stops growing at `max_gain`, or, by default, where the signal sinks into the noise (see `noise_floor`): an uncapped
    exponential turns the lower half of the picture into noise.
    """
    values = as_float(section)
    n = values.shape[-2]
    t = np.maximum(np.arange(n) - time_zero_sample, 0) * dt_ns
    log_gain = power * np.log1p(t) + alpha_per_ns * t
    cap = log_gain[min(noise_floor(values), n - 1)] if max_gain is None else np.log(max(max_gain, 1e-30))
    gain = np.exp(np.clip(log_gain, -80, min(cap, 80))).astype(np.float32)
    return _result(values * gain[:, None])


def noise_floor(section: Section, factor: float = 1.5) -> int:
    """Return the sample from which the mean amplitude stays within `factor` of its level in the last tenth."""
    strength = np.abs(as_float(section)).reshape(-1, *np.shape(section)[-2:]).mean(axis=(0, 2))
    n = len(strength)
    floor = float(np.median(strength[-max(1, n // 10) :]))
    above = np.flatnonzero(strength > factor * floor)
    return int(above[-1]) + 1 if above.size else 0


def gain_agc(section: Section, window: int, max_gain: float = 1000.0) -> FloatArray:
    """Automatic gain control: divide by the root mean square over `window` samples (four to six periods).

    No sample is raised more than `max_gain` times relative to the strongest window. Relative amplitudes are lost: for eyes, not
    as the only input of a model.
    """
    from scipy.ndimage import uniform_filter1d

    values = as_float(section)
    size = _odd(window, values.shape[-2])
    power = uniform_filter1d(values.astype(np.float64) ** 2, size, axis=-2, mode="nearest")
    rms = np.sqrt(np.maximum(power, 0))
    strongest = float(rms.max())
    return _result(values / np.maximum(rms, strongest / max_gain)) if strongest > 0 else values


def bandpass(section: Section, dt_ns: float, low_mhz: float, high_mhz: float) -> FloatArray:
    """Keep `low_mhz` to `high_mhz`: Butterworth of order 4, forwards and backwards, so that no phase is shifted."""
    from scipy.signal import butter, sosfiltfilt

    values = as_float(section)
    nyquist = 500.0 / dt_ns
    if not 0 < low_mhz < high_mhz < nyquist:
        raise ValueError(f"the band {low_mhz} to {high_mhz} MHz must lie between 0 and {nyquist:g} MHz")
    sos = butter(4, [low_mhz / nyquist, high_mhz / nyquist], "band", output="sos")
    pad = min(3 * (2 * len(sos) + 1), values.shape[-2] - 1)
    return _result(sosfiltfilt(sos, values, axis=-2, padlen=pad))


def envelope(section: Section) -> FloatArray:
    """Return the instantaneous amplitude: the magnitude of the analytic signal along each trace."""
    from scipy.fft import next_fast_len
    from scipy.signal import hilbert

    values = as_float(section)
    n = values.shape[-2]
    return _result(np.abs(hilbert(values, next_fast_len(n), axis=-2).take(range(n), axis=-2)))


def migrate(
    section: Section, dt_ns: float, dx_m: float, velocity_m_per_ns: float, time_zero_sample: float = 0.0
) -> FloatArray:
    """Collapse hyperbolae to their apex: constant-velocity f-k migration (Stolt 1978, Geophysics 43, 23-48).

    The time axis stays: an apex at sample i of the section is at sample i of the result. Samples before time-zero become 0.

    Parameters
    ----------
    section : ndarray (..., samples, traces)
    dt_ns, dx_m : float
        Spacing of samples and traces.
    velocity_m_per_ns : float
        Of the ground; the exploding-reflector model uses half of it.
    time_zero_sample : float
    """
    values = as_float(section)
    start = int(np.clip(round(time_zero_sample), 0, values.shape[-2] - 1))
    out = np.zeros_like(values)
    for index in np.ndindex(values.shape[:-2]):
        out[index][start:] = _stolt(values[index][start:], dt_ns, dx_m, velocity_m_per_ns / 2)
    return out


def _stolt(section: FloatArray, dt: float, dx: float, speed: float) -> FloatArray:
    from scipy.fft import fft2, ifft2, next_fast_len

    nt, nx = section.shape
    # The spectrum is interpolated between frequencies: long padding and a time origin in the middle keep its phase slow.
    padded_t, padded_x = next_fast_len(4 * nt), next_fast_len(2 * nx)
    middle = dt * nt / 2
    omega = np.fft.fftfreq(padded_t, dt)[:, None]
    wavenumber = np.fft.fftfreq(padded_x, dx)[None, :]
    spectrum = fft2(section, (padded_t, padded_x)) * np.exp(2j * np.pi * omega * middle)
    source = np.sign(omega) * np.hypot(omega, speed * wavenumber)
    position = source * padded_t * dt  # in bins of the frequency axis, negative frequencies negative
    below = np.floor(position)
    weight = position - below
    inside = np.abs(position) < padded_t // 2 - 1
    low = below.astype(np.int64) % padded_t
    moved = (1 - weight) * np.take_along_axis(spectrum, low, 0)
    moved += weight * np.take_along_axis(spectrum, (low + 1) % padded_t, 0)
    jacobian = np.abs(omega) / np.maximum(np.abs(source), 1e-12)
    moved *= np.where(inside, jacobian, 0) * np.exp(-2j * np.pi * source * middle)
    result: FloatArray = ifft2(moved).real[:nt, :nx].astype(np.float32)
    return result


@dataclass(frozen=True)
class Recipe:
    """What is done to a section before it is shown; stored beside labels, JSON by `to_dict`. Never applied to what is stored.

    Attributes
    ----------
    dewow_ns : float or None
        Window of `dewow`.
    background : {"none", "mean", "median"}
    background_m : float or None
        Window of `remove_background`; None: the whole section.
    band_mhz : tuple of two floats or None
    gain : {"none", "sec", "agc"}
    sec_power, sec_alpha_per_ns, max_gain
        Of `gain_sec`.
    agc_ns : float
        Window of `gain_agc`.
    velocity_m_per_ns : float or None
        Migrate with this velocity; None: not at all.
    show_envelope : bool
    """

    dewow_ns: float | None = None
    background: Literal["none", "mean", "median"] = "median"
    background_m: float | None = None
    band_mhz: tuple[float, float] | None = None
    gain: Literal["none", "sec", "agc"] = "none"
    sec_power: float = 1.0
    sec_alpha_per_ns: float = 0.0
    max_gain: float | None = None
    agc_ns: float = 5.0
    velocity_m_per_ns: float | None = None
    show_envelope: bool = False

    def apply(self, section: Section, dt_ns: float, dx_m: float, time_zero_sample: float = 0.0) -> FloatArray:
        """Return the processed section; sample and trace indices are those of the raw one.

        Order: dewow, background, band, migration, gain, envelope.
        """
        steps: list[Callable[[Section], FloatArray]] = []
        if self.dewow_ns:
            window = round(self.dewow_ns / dt_ns)
            steps.append(lambda s: dewow(s, window))
        if self.background != "none":
            method, traces = self.background, round(self.background_m / dx_m) if self.background_m else None
            steps.append(lambda s: remove_background(s, method, traces))
        if self.band_mhz:
            low, high = self.band_mhz
            steps.append(lambda s: bandpass(s, dt_ns, low, high))
        if self.velocity_m_per_ns:
            velocity = self.velocity_m_per_ns
            steps.append(lambda s: migrate(s, dt_ns, dx_m, velocity, time_zero_sample))
        if self.gain == "sec":
            steps.append(
                lambda s: gain_sec(
                    s,
                    dt_ns,
                    time_zero_sample=time_zero_sample,
                    power=self.sec_power,
                    alpha_per_ns=self.sec_alpha_per_ns,
                    max_gain=self.max_gain,
                )
            )
        elif self.gain == "agc":
            steps.append(lambda s: gain_agc(s, round(self.agc_ns / dt_ns)))
        if self.show_envelope:
            steps.append(envelope)
        result = as_float(section)
        for step in steps:
            result = step(result)
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Return the recipe that `to_dict` gave."""
        band = values.get("band_mhz")
        return cls(**{**values, "band_mhz": tuple(band) if band else None})


def _odd(window: int, n: int) -> int:
    """Return an odd window between 1 and n or n + 1."""
    return max(1, min(int(window), n)) | 1


def _result(values: npt.NDArray[Any]) -> FloatArray:
    return values.astype(np.float32, copy=False)
