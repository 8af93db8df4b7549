"""Data with known truth, made on the spot: nothing is downloaded, nothing is shipped."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError
from al_widgets.features.gpr_synthesis import Scene, Target, synthesize
from al_widgets.readers.volume import Volume

__all__ = ["GprSurvey", "Scene", "Target", "gpr_survey"]


@dataclass(frozen=True, eq=False)
class GprSurvey:
    """A simulated ground-penetrating radar survey and what is buried in it.

    Attributes
    ----------
    volume : Volume
        ``(lines, samples, traces)`` with axes in metres and nanoseconds.
    objects : ndarray of uint8, shape of the volume
        0 for soil, i for the echo of ``targets[i - 1]``.
    targets : tuple of Target
        Kind, position, depth, and where the echo has its apex and its box; an echo that cannot be seen has no voxel.
    scene : Scene
        What was simulated.
    """

    volume: Volume
    objects: npt.NDArray[np.uint8]
    targets: tuple[Target, ...]
    scene: Scene = field(repr=False)

    @property
    def mask(self) -> npt.NDArray[np.uint8]:
        """The truth of two classes, for ``al.Segmentation(["soil", "object"])``: 1 in the echo of an object, 0 elsewhere."""
        return (self.objects > 0).astype(np.uint8)

    @property
    def found_at_best(self) -> int:
        """Objects whose echo is in the data at all: nobody can find more."""
        return sum(target.voxels > 0 for target in self.targets)


def gpr_survey(seed: int = 0, **scene: Any) -> GprSurvey:
    """Simulate a survey of landmine radar with known truth.

    Six objects by default (plastic and metal mines, scraps of metal) among 350 weak scatterers, rough ground, layers, wow and
    noise; a plastic mine in dry sand is nearly invisible, as in the field. The same seed gives the same survey.

    Parameters
    ----------
    seed : int
    **scene
        Fields of `Scene` that are to differ, for example ``lines=12``, ``n_targets=3``, ``permittivity=9.0``, ``snr=10.0``.

    Raises
    ------
    PoolError
        If a field is unknown.

    Examples
    --------
    >>> survey = gpr_survey(1, lines=4, samples=96, traces=64, n_targets=2)
    >>> survey.volume.array.shape, survey.volume.axes[0].unit, len(survey.targets)
    ((4, 96, 64), 'm', 2)
    """
    known = {f.name for f in fields(Scene)}
    unknown = sorted(set(scene) - known)
    if unknown:
        raise PoolError(f"a survey has no {unknown[0]!r}; what can be set: {', '.join(sorted(known))}")
    made = synthesize(Scene(**scene), seed)
    volume = Volume(
        made.array,
        axes=made.axes,
        metadata={"format": "synthetic survey", "seed": seed, "velocity_m_per_ns": made.scene.velocity},
        name=f"survey{seed}",
    )
    return GprSurvey(volume, made.labels, made.targets, made.scene)
