"""What the newest models expect of the sections of a volume: class and doubt of every pixel, as bytes.

Written by the trainer's thread, read by any; each section is replaced as a whole, under a lock of its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.strategies.slices import margin_uncertainty, top_mean

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SectionMap:
    """What a model expects of one section.

    Attributes
    ----------
    round, version : int
        Of the model; how many events it had seen.
    classes, doubt, foreground : ndarray (rows, columns) of uint8
        Most probable class; ``1 - (p1 - p2)`` and the probability of being no background, both times 255.
    shares : ndarray (n_classes,)
        Mean probability of each class.
    top_doubt : float
        Mean of the most doubtful hundredth.
    """

    round: int
    version: int
    classes: Bytes
    doubt: Bytes
    foreground: Bytes
    shares: npt.NDArray[np.float64]
    top_doubt: float


def section_map(probabilities: npt.NDArray[np.floating[Any]], columns: int, round_: int, version: int) -> SectionMap:
    """Return the map of a section from its class probabilities (rows, columns, n_classes); real columns count only."""
    doubt = margin_uncertainty(probabilities)
    real = probabilities[:, :columns]
    return SectionMap(
        round_,
        version,
        probabilities.argmax(axis=-1).astype(np.uint8),
        np.rint(255 * doubt).astype(np.uint8),
        np.rint(255 * (1 - probabilities[..., 0])).clip(0, 255).astype(np.uint8),
        real.reshape(-1, real.shape[-1]).mean(axis=0).astype(np.float64),
        top_mean(doubt[:, :columns]),
    )


class SectionMaps:
    """The newest map of each section.

    Parameters
    ----------
    n : int
        Number of sections.
    """

    def __init__(self, n: int) -> None:
        self._maps: list[SectionMap | None] = [None] * n
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, index: int) -> SectionMap | None:
        return self._maps[index]

    def put(self, index: int, new: SectionMap) -> None:
        """Replace the map of a section, unless there is one of a later model."""
        with self._lock:
            old = self._maps[index]
            if old is None or old.round <= new.round:
                self._maps[index] = new

    def rounds(self) -> npt.NDArray[np.intp]:
        """Return the round of each section's map, 0 where there is none."""
        return np.array([0 if m is None else m.round for m in self._maps], np.intp)

    def known(self) -> npt.NDArray[np.intp]:
        """Return the sections that have a map."""
        return np.flatnonzero([m is not None for m in self._maps])

    def top_doubt(self) -> npt.NDArray[np.float64]:
        """Return the top-percentile doubt of each section; where there is no map, that of the most doubtful one."""
        values = np.array([np.nan if m is None else m.top_doubt for m in self._maps])
        return np.where(np.isnan(values), np.nanmax(values) if np.isfinite(values).any() else 0.0, values)

    def foreground_share(self) -> npt.NDArray[np.float64]:
        """Return the share of each section that is expected to be foreground; the mean where there is no map."""
        values = np.array([np.nan if m is None else 1 - m.shares[0] for m in self._maps])
        return np.where(np.isnan(values), np.nanmean(values) if np.isfinite(values).any() else 0.0, values)

    def foreground(self, shape: tuple[int, int, int], cell: int = 1) -> npt.NDArray[np.float32]:
        """Return the probability of being no background of every voxel, 0 where there is no map.

        Parameters
        ----------
        shape : tuple of three ints
            Of the volume.
        cell : int
            Rows and columns that one value is the mean of.
        """
        n, rows, columns = shape
        volume = np.zeros((n, -(-rows // cell), -(-columns // cell)), np.float32)
        for index, found in enumerate(self._maps):
            if found is not None:
                volume[index] = found.foreground if cell == 1 else cells(found.foreground, cell).mean(axis=(1, 3))
        volume /= 255
        return volume


def cells(section: npt.NDArray[Any], cell: int) -> npt.NDArray[Any]:
    """Return a section as (rows, pixels, columns, pixels) of square cells, those at the end filled up with its last pixels."""
    rows, columns = section.shape
    whole = np.pad(section, [(0, -rows % cell), (0, -columns % cell)], mode="edge")
    return whole.reshape(whole.shape[0] // cell, cell, whole.shape[1] // cell, cell)
