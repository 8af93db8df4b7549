"""A forward model of landmine radar: volumes with known truth, for teaching, tests and benchmarks.

Ray-based: arrivals are put into an impulse volume and convolved with a Ricker wavelet along time. Physics of each term stands
with its function; ranges follow hand-held demining radar (1 to 2 GHz, 2 to 20 cm deep). Pure functions of a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, pi, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

LIGHT_M_PER_NS = 0.299792458

FloatArray = npt.NDArray[np.float32]


def velocity_m_per_ns(permittivity: float) -> float:
    """Return the speed of waves in a low-loss ground of a relative permittivity."""
    return LIGHT_M_PER_NS / sqrt(permittivity)


def attenuation_np_per_m(conductivity_s_per_m: float, permittivity: float) -> float:
    """Return the amplitude loss of a low-loss ground: sigma/2 · sqrt(mu0 / eps)."""
    return 188.365 * conductivity_s_per_m / sqrt(permittivity)


def reflection_coefficient(outer: float, inner: float) -> float:
    """Return the amplitude reflected at normal incidence from permittivity `outer` into `inner`."""
    return (sqrt(outer) - sqrt(inner)) / (sqrt(outer) + sqrt(inner))


def ricker(time_ns: npt.ArrayLike, frequency_ghz: float) -> npt.NDArray[np.float64]:
    """Return the Ricker wavelet ``(1 - 2a) exp(-a)``, ``a = (pi f t)^2``."""
    a = (pi * frequency_ghz * np.asarray(time_ns, np.float64)) ** 2
    wavelet: npt.NDArray[np.float64] = (1 - 2 * a) * np.exp(-a)
    return wavelet


def travel_time_ns(
    along_m: npt.ArrayLike,
    across_m: npt.ArrayLike,
    depth_m: float,
    *,
    velocity: float,
    separation_m: float = 0.0,
    height_m: npt.ArrayLike = 0.0,
) -> npt.NDArray[np.float64]:
    """Return the two-way time to a point, from time-zero.

    Parameters
    ----------
    along_m, across_m : array_like
        Position of the antenna pair's middle relative to the point, along and across the line.
    depth_m : float
    velocity : float
        In the ground, m/ns.
    separation_m : float
        Of transmitter and receiver, along the line.
    height_m : array_like
        Of the antennas above the ground; rays are taken as vertical in air.
    """
    x, y = np.asarray(along_m, np.float64), np.asarray(across_m, np.float64)
    down = np.sqrt((x - separation_m / 2) ** 2 + y**2 + depth_m**2)
    up = np.sqrt((x + separation_m / 2) ** 2 + y**2 + depth_m**2)
    time: npt.NDArray[np.float64] = (down + up) / velocity + 2 * np.asarray(height_m, np.float64) / LIGHT_M_PER_NS
    return time


@dataclass(frozen=True)
class Scene:
    """What is surveyed, and how.

    Attributes
    ----------
    lines, samples, traces : int
    line_spacing_m, trace_spacing_m, dt_ns : float
    frequency_ghz : float
        Centre of the Ricker wavelet.
    permittivity, conductivity_s_per_m : float
        Of the soil.
    antenna_height_m, antenna_separation_m, roughness_m : float
    n_targets, n_clutter : int
        Objects to be found; weak scatterers (stones, roots), each with a hyperbola of its own.
    snr : float
        Strongest target amplitude over the standard deviation of white noise.
    """

    lines: int = 24
    samples: int = 256
    traces: int = 192
    line_spacing_m: float = 0.05
    trace_spacing_m: float = 0.02
    dt_ns: float = 0.04
    frequency_ghz: float = 1.5
    permittivity: float = 5.0
    conductivity_s_per_m: float = 0.01
    antenna_height_m: float = 0.03
    antenna_separation_m: float = 0.06
    roughness_m: float = 0.004
    n_targets: int = 6
    n_clutter: int = 350
    snr: float = 25.0

    @property
    def velocity(self) -> float:
        """Speed in the soil, m/ns."""
        return velocity_m_per_ns(self.permittivity)

    @property
    def time_zero_ns(self) -> float:
        """Time from the first sample to emission: room for the wavelet's first half."""
        return 1.2 / self.frequency_ghz


@dataclass(frozen=True)
class Target:
    """One buried object and where its echo lies.

    Attributes
    ----------
    kind : {"mine_ap_plastic", "mine_at_metal", "clutter_metal"}
    x_m, y_m, depth_m, radius_m : float
        Along and across the lines; depth of the top.
    apex : tuple of three floats
        (line, sample, trace), fractional raw indices.
    box : tuple of six ints
        (line, sample, trace) first, then one beyond the last; all 0 if the echo lies outside the volume.
    voxels : int
        Size of the echo in the truth mask.
    """

    kind: str
    x_m: float
    y_m: float
    depth_m: float
    radius_m: float
    apex: tuple[float, float, float]
    box: tuple[int, int, int, int, int, int]
    voxels: int


@dataclass(frozen=True, eq=False)
class SyntheticSurvey:
    """A simulated survey with its truth.

    Attributes
    ----------
    array : ndarray (lines, samples, traces) of float32
    labels : ndarray of uint8, same shape
        0 for soil, i for the response of ``targets[i - 1]``: root mean square of the object's own field over one period
        above 0.3 of its maximum.
    targets : tuple of Target
    axes : tuple of three (name, unit, step, origin)
        As `al_widgets.readers.Volume` takes them.
    scene : Scene
    """

    array: FloatArray
    labels: npt.NDArray[np.uint8]
    targets: tuple[Target, ...]
    axes: tuple[tuple[str, str, float, float], ...]
    scene: Scene = field(repr=False)


KINDS = {"mine_ap_plastic": (0.045, 0.05), "mine_at_metal": (0.14, 0.10), "clutter_metal": (0.02, 0.02)}
"""Kind → (radius, height) in metres."""
PLASTIC = 3.0
"""Relative permittivity of a plastic mine: in dry sand of the same permittivity it is invisible, as in the field."""


def synthesize(scene: Scene | None = None, seed: int = 0) -> SyntheticSurvey:
    """Simulate a survey.

    Echo amplitude: reflection · cos² of the angle · exp(-2 alpha r) / r. A plastic mine echoes at its top and, inverted, at its
    bottom; metal once, with a weak ring. To it come the surface bounce at ``2 h / c`` over rough ground, the direct wave and its
    ringing, layered soil, wow, 3 % gain jitter of traces and white noise.
    """
    from scipy.ndimage import uniform_filter1d

    scene = scene or Scene()
    period = max(1, round(1 / scene.frequency_ghz / scene.dt_ns)) | 1
    rng = np.random.default_rng(seed)
    x = np.arange(scene.traces) * scene.trace_spacing_m
    y = np.arange(scene.lines) * scene.line_spacing_m
    shape = (scene.lines, scene.samples, scene.traces)
    height = scene.antenna_height_m + scene.roughness_m * _gaussian_field(rng, (scene.lines, scene.traces), (3, 6))
    clutter = np.zeros(shape, np.float32)
    for _ in range(scene.n_clutter):
        at = (rng.uniform(0, x[-1]), rng.uniform(0, y[-1]), rng.uniform(0.01, 0.45))
        _scatter(clutter, scene, height, at, 0.1 * rng.standard_normal(), 0.0)
    data = _convolve(clutter, scene).real
    labels = np.zeros(shape, np.uint8)
    targets = []
    strongest = 1e-6
    for number in range(1, scene.n_targets + 1):
        target, field_ = _place_target(scene, rng, x, y, height)
        peak = float(np.abs(field_).max())
        # Mean energy over one period: what somebody outlines is the wave train, not each of its half-waves.
        strength = np.sqrt(uniform_filter1d(field_.real**2, period, axis=1, mode="constant").clip(0))
        mask = strength > 0.3 * strength.max() if peak > 0 else np.zeros(shape, bool)
        labels[mask] = number
        where = np.nonzero(mask)
        box = (*(int(w.min()) for w in where), *(int(w.max()) + 1 for w in where)) if mask.any() else (0,) * 6
        targets.append(Target(*target, box=box, voxels=int(mask.sum())))  # type: ignore[arg-type]
        data = data + field_.real
        strongest = max(strongest, peak)
    data = _surroundings(scene, rng, data, height)
    data += strongest / scene.snr * rng.standard_normal(shape).astype(np.float32)
    axes = (
        ("line", "m", scene.line_spacing_m, 0.0),
        ("time", "ns", scene.dt_ns, -scene.time_zero_ns),
        ("distance", "m", scene.trace_spacing_m, 0.0),
    )
    return SyntheticSurvey(data.astype(np.float32), labels, tuple(targets), axes, scene)


def _place_target(
    scene: Scene,
    rng: np.random.Generator,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    height: FloatArray,
) -> tuple[tuple[str, float, float, float, float, tuple[float, float, float]], npt.NDArray[np.complex64]]:
    kind = str(rng.choice(list(KINDS), p=[0.5, 0.3, 0.2]))
    radius, thickness = KINDS[kind]
    edge = min(0.15, x[-1] / 4)
    at_x = float(rng.uniform(edge, x[-1] - edge))
    at_y = float(rng.uniform(min(0.1, y[-1] / 4), max(y[-1] - 0.1, y[-1] * 0.75)))
    depth = float(rng.uniform(0.03, 0.18))
    impulses = np.zeros((scene.lines, scene.samples, scene.traces), np.float32)
    if kind == "mine_ap_plastic":
        gamma = reflection_coefficient(scene.permittivity, PLASTIC)
        bottom = depth + thickness * sqrt(PLASTIC / scene.permittivity)
        echoes = ((depth, 1.2 * gamma), (bottom, -0.8 * gamma))
    else:
        echoes = ((depth, -1.2), (depth + 0.06, -0.35))
    for level, amplitude in echoes:
        _scatter(impulses, scene, height, (at_x, at_y, level), amplitude, radius / 2)
    straight = travel_time_ns(0.0, 0.0, depth, velocity=scene.velocity, separation_m=scene.antenna_separation_m)
    air = 2 * scene.antenna_height_m / LIGHT_M_PER_NS
    sample = (float(straight) + air + scene.time_zero_ns) / scene.dt_ns
    apex = (at_y / scene.line_spacing_m, sample, at_x / scene.trace_spacing_m)
    return (kind, at_x, at_y, depth, radius, apex), _convolve(impulses, scene)


def _scatter(
    impulses: FloatArray,
    scene: Scene,
    height: FloatArray,
    at: tuple[float, float, float],
    amplitude: float,
    flat: float,
) -> None:
    """Add one scatterer's arrivals; `flat` is the half-width of a flat top, over which the echo stays at normal incidence."""
    at_x, at_y, depth = at
    x = np.arange(scene.traces) * scene.trace_spacing_m - at_x
    y = np.arange(scene.lines) * scene.line_spacing_m - at_y
    along = (np.maximum(np.abs(x) - flat, 0) * np.sign(x))[None, :]
    across = np.maximum(np.abs(y) - flat, 0)[:, None]
    time = travel_time_ns(
        along, across, depth, velocity=scene.velocity, separation_m=scene.antenna_separation_m, height_m=height
    )
    path = (time - 2 * height / LIGHT_M_PER_NS) * scene.velocity / 2
    loss = np.exp(-2 * attenuation_np_per_m(scene.conductivity_s_per_m, scene.permittivity) * path)
    strength = amplitude * (depth / path) ** 2 * loss * 0.1 / (0.05 + path)
    position = (time + scene.time_zero_ns) / scene.dt_ns
    sample = position.astype(np.intp)
    weight = position - sample
    line, trace = np.nonzero(sample < scene.samples - 1)
    sample, weight, strength = sample[line, trace], weight[line, trace], strength[line, trace]
    # One arrival a trace: no index occurs twice, plain addition is safe.
    impulses[line, sample, trace] += strength * (1 - weight)
    impulses[line, sample + 1, trace] += strength * weight


def _convolve(impulses: FloatArray, scene: Scene) -> npt.NDArray[np.complex64]:
    """Convolve with the wavelet along time; the analytic signal: its real part is the field, its magnitude the envelope."""
    from scipy.fft import fft, ifft, next_fast_len

    half = ceil(1.2 / scene.frequency_ghz / scene.dt_ns)
    wavelet = ricker(np.arange(-half, half + 1) * scene.dt_ns, scene.frequency_ghz).astype(np.float32)
    n = next_fast_len(scene.samples + 2 * half)
    analytic = fft(wavelet, n)
    analytic[n // 2 + 1 :] = 0
    analytic[1 : (n + 1) // 2] *= 2
    result = np.zeros(impulses.shape, np.complex64)
    busy = impulses.any(axis=1)
    traces = impulses.transpose(0, 2, 1)[busy]
    convolved = ifft(fft(traces, n, axis=1) * analytic.astype(np.complex64), axis=1)[:, half : half + scene.samples]
    result.transpose(0, 2, 1)[busy] = convolved
    return result


def _surroundings(scene: Scene, rng: np.random.Generator, data: FloatArray, height: FloatArray) -> FloatArray:
    """Add layers, direct wave, surface bounce, gain jitter and wow."""
    t = (np.arange(scene.samples) * scene.dt_ns).astype(np.float32)
    shape = (scene.lines, scene.samples, scene.traces)
    layers = _convolve(_gaussian_field(rng, shape, (3, 1.2, 10)), scene).real
    data = data + 0.02 * layers * np.exp(-0.25 * t)[None, :, None]
    direct = scene.antenna_separation_m / LIGHT_M_PER_NS + scene.time_zero_ns
    for delay, amplitude in ((0.0, 1.0), (0.55, 0.25), (1.3, -0.12), (2.4, 0.06)):
        data += (amplitude * ricker(t - direct - delay, scene.frequency_ghz)).astype(np.float32)[None, :, None]
    bounce = 2 * height / LIGHT_M_PER_NS + scene.time_zero_ns
    surface = reflection_coefficient(1.0, scene.permittivity)
    data += (surface * ricker(t[None, :, None] - bounce[:, None, :], scene.frequency_ghz)).astype(np.float32)
    data *= 1 + 0.03 * rng.standard_normal((scene.lines, 1, scene.traces)).astype(np.float32)
    wow = _gaussian_field(rng, (scene.lines, 1, scene.traces), (2, 1, 20))
    result: FloatArray = data + 0.02 * wow * np.exp(-t / 6)[None, :, None]
    return result


def _gaussian_field(rng: np.random.Generator, shape: tuple[int, ...], lengths: tuple[float, ...]) -> FloatArray:
    """Return a Gaussian random field of unit variance with Gaussian correlation of given lengths, in samples."""
    from scipy.fft import fftfreq, irfftn, rfftfreq, rfftn

    spectrum = rfftn(rng.standard_normal(shape, np.float32))
    for axis, (n, length) in enumerate(zip(shape, lengths, strict=True)):
        frequency = rfftfreq(n) if axis == len(shape) - 1 else fftfreq(n)
        factor = np.exp(-2 * (pi * frequency * length) ** 2).astype(np.float32)
        spectrum *= factor.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    values = irfftn(spectrum, shape)
    result: FloatArray = (values / values.std()).astype(np.float32)
    return result
