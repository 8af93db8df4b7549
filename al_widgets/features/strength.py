"""How strong the surroundings of voxels are, computed where it is asked for: what outlines of objects are drawn from."""

from __future__ import annotations

import numpy as np

from al_widgets.features.anomaly import FloatArray, Kind
from al_widgets.features.gpr_processing import envelope


class Strength:
    """How strong each voxel's surroundings are: an array that is not negative, of which only what is asked for is computed.

    For radar the energy over about a period of the wave, so that an outline holds the wave train and not each of its halves.

    Parameters
    ----------
    whitened : ndarray (sections, rows, columns)
    kind : {"radar", "picture"}
    """

    def __init__(self, whitened: FloatArray, kind: Kind) -> None:
        self._whitened, self._kind = whitened, kind

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume."""
        a, b, c = self._whitened.shape
        return a, b, c

    def __getitem__(self, where: tuple[slice, slice, slice]) -> FloatArray:
        from scipy.ndimage import gaussian_filter

        sigmas = (0.0, 5.0, 0.0) if self._kind == "radar" else (1.0, 1.0, 1.0)
        outer, inner = [], []
        for part, sigma, n in zip(where, sigmas, self.shape, strict=True):
            start, stop, _ = part.indices(n)
            low, high = max(0, start - round(4 * sigma)), min(n, stop + round(4 * sigma))
            outer.append(slice(low, high))
            inner.append(slice(start - low, stop - low))
        if self._kind == "radar":  # an envelope is of whole traces
            values = envelope(self._whitened[outer[0], :, outer[2]])[:, outer[1]]
        else:
            values = np.abs(self._whitened[tuple(outer)])
        smooth: FloatArray = gaussian_filter(values, sigmas, mode="nearest")[tuple(inner)]
        return smooth
