"""Radar sections with an injected echo: a physical generator whose truth is known by construction.

A reflection of a buried point is added to a real or simulated background (threat-image projection): travel times of
`al_widgets.features.gpr_synthesis`, a Ricker wavelet, spherical spreading. Adding echoes is the Born approximation of a weak
scatterer. Pure after construction; any thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.features.gpr_injection import point_echo
from al_widgets.features.gpr_synthesis import Scene, synthesize, velocity_m_per_ns
from al_widgets.session.generators import FloatArray, Pixels

TARGET, EMPTY = "target", "empty"


class Echoes:
    """Sections (samples, traces) with or without one hyperbola.

    Parameters are depth in metres, place along the section (0 to 1), relative permittivity of the ground, strength in dB over
    the background, and a coin: below `catch` the section is left empty.

    Parameters
    ----------
    backgrounds : array_like (n, samples, traces), optional
        Sections without targets, time-zero at the first sample; default: simulated ones.
    scene : Scene, optional
        Spacing, time step and wavelet of the backgrounds.
    strength_db : (float, float)
    catch : float
        Share of empty sections.
    seed : int

    Examples
    --------
    >>> echoes = Echoes(seed=1)
    >>> parameters = np.array([0.1, 0.5, 5.0, 10.0, 1.0])
    >>> echoes.make(parameters).shape, echoes.truth(parameters)
    ((128, 96), 'target')
    """

    name = "made"
    for_people = True

    def __init__(
        self,
        backgrounds: npt.ArrayLike | None = None,
        scene: Scene | None = None,
        *,
        strength_db: tuple[float, float] = (-20.0, 10.0),
        catch: float = 0.2,
        seed: int = 0,
    ) -> None:
        if not 0 <= catch < 1:
            raise SessionError(f"catch is the share of empty sections, 0 or more and below 1, not {catch!r}")
        self._scene = scene or Scene(lines=4, samples=128, traces=96, n_targets=0, roughness_m=0.002)
        sections = self._simulated(seed) if backgrounds is None else np.asarray(backgrounds, np.float32)
        if sections.ndim != 3 or 0 in sections.shape:
            raise SessionError(f"backgrounds are sections (n, samples, traces), not of shape {sections.shape}")
        self._sections = sections
        self._rms = float(np.sqrt(np.square(sections, dtype=np.float64).mean())) or 1.0
        self._catch = catch
        self.ranges = (
            (0.03, 0.2),
            (0.15, 0.85),
            (3.0, 9.0),
            (float(strength_db[0]), float(strength_db[1])),
            (0.0, 1.0),
        )

    def make(self, parameters: FloatArray) -> Pixels:
        """Return the section, float32."""
        depth, place, permittivity, strength, coin = (float(p) for p in parameters)
        pick = int(np.random.default_rng(np.asarray(parameters).view(np.uint32)).integers(len(self._sections)))
        section: npt.NDArray[np.float32] = self._sections[pick]
        if coin < self._catch:
            return section.copy()
        scene = self._scene
        samples, traces = section.shape
        x = (np.arange(traces) - place * (traces - 1)) * scene.trace_spacing_m
        velocity = velocity_m_per_ns(permittivity)
        time = np.arange(samples) * scene.dt_ns - scene.time_zero_ns
        echo = point_echo(
            time,
            x,
            depth,
            velocity=velocity,
            frequency_ghz=scene.frequency_ghz,
            separation_m=scene.antenna_separation_m,
        )
        return np.asarray(section + self._rms * 10 ** (strength / 20) * echo, np.float32)

    def truth(self, parameters: FloatArray) -> str:
        """Return ``"target"`` or ``"empty"``: what is in the section, whether or not anybody can see it."""
        return EMPTY if float(parameters[4]) < self._catch else TARGET

    def accepts(self, pixels: Pixels) -> bool:
        """Accept everything: each section is physically possible."""
        del pixels
        return True

    def _simulated(self, seed: int) -> npt.NDArray[np.float32]:
        """Return sections of an empty survey, direct wave and surface taken away, with receiver noise."""
        from dataclasses import replace

        survey = synthesize(replace(self._scene, n_targets=0), seed).array
        cleaned = survey - survey.mean(axis=2, keepdims=True)
        noise = np.random.default_rng([seed, 3]).standard_normal(cleaned.shape).astype(np.float32)
        return np.asarray(cleaned + 0.05 * cleaned.std() * noise, np.float32)
