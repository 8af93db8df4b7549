"""Features of pixels: each section at several scales, and how anomalous its surroundings are across sections.

The recipe is fixed: it never depends on the gain or contrast that somebody looks at. Computed when asked, cached per section
within a budget of bytes; safe for several threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.anomaly import (
    SMOOTHING,
    FloatArray,
    Kind,
    anomaly_map,
    pooled_anomaly_map,
    section_scores,
    unpooled,
    whiten,
)
from al_widgets.features.gpr_processing import envelope
from al_widgets.features.strength import Strength

SIGMAS = (0.7, 1.6, 3.5, 7.0)
"""Scales in pixels, as in ilastik (Berg et al. 2019, Nature Methods 16, 1226)."""

ANOMALY_SCALES = ((0.0, 2.0, 1.5), (1.0, 4.0, 3.0), (2.0, 8.0, 6.0))
"""Gaussian widths (sections, rows, columns) of the cross-section anomaly maps."""

ENVELOPE_SCALES = (
    (0.0, 1.0, 1.0),
    (1.0, 1.5, 1.0),
    (0.0, 3.0, 2.0),
    (1.0, 5.0, 4.0),
    (0.0, 10.0, 8.0),
    (0.0, 2.0, 20.0),
)
"""Gaussian widths of the mean envelope, radar only: energy regardless of phase, locally and in wider surroundings."""

LARGE_VOXELS = 16_000_000
"""Pictures of more have their anomaly maps on a coarser grid."""

PER_SCALE = ("smooth", "gradient", "laplacian", "hessian_max", "hessian_min", "tensor_max", "tensor_min")


def _go_on() -> None:
    """Be called between two steps, and leave nothing off."""


def section_features(
    section: npt.NDArray[Any], sigmas: tuple[float, ...] = SIGMAS, between: Callable[[], None] = _go_on
) -> FloatArray:
    """Return features of every pixel of one section.

    The value itself; per scale the Gaussian mean, gradient magnitude, Laplacian, eigenvalues of the Hessian and of the
    structure tensor (smoothed with 1.5 sigma).

    Parameters
    ----------
    section : ndarray (rows, columns)
    sigmas : tuple of float
    between : callable
        Called between the steps; what it raises leaves off.

    Returns
    -------
    ndarray (rows, columns, 1 + 7 · len(sigmas)) of float32
    """
    from scipy.ndimage import gaussian_filter

    values = np.asarray(section, np.float32)
    if min(values.shape) < 2:  # no gradient along an axis of one pixel
        padded = np.pad(values, [(0, 2 - min(n, 2)) for n in values.shape], mode="edge")
        return section_features(padded, sigmas, between)[: values.shape[0], : values.shape[1]]
    features: list[npt.NDArray[Any]] = [values]
    for sigma in sigmas:
        between()
        smooth = gaussian_filter(values, sigma, mode="nearest")
        gy, gx = np.gradient(smooth)
        gyy, gyx = np.gradient(gy)
        gxx = np.gradient(gx, axis=1)
        features += [smooth, np.hypot(gx, gy), gxx + gyy, *_eigenvalues(gyy, gxx, gyx)]
        between()
        tensor = [gaussian_filter(p, 1.5 * sigma, mode="nearest") for p in (gy * gy, gx * gx, gx * gy)]
        features += _eigenvalues(*tensor)
    return np.stack(features, axis=-1).astype(np.float32)


def _eigenvalues(a: npt.NDArray[Any], b: npt.NDArray[Any], c: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return larger and smaller eigenvalue of the symmetric matrices [[a, c], [c, b]]."""
    mean, spread = (a + b) / 2, np.hypot((a - b) / 2, c)
    return [mean + spread, mean - spread]


def _mean_envelopes(whitened: FloatArray) -> list[FloatArray]:
    from scipy.ndimage import gaussian_filter

    strength = envelope(whitened)
    return [np.log1p(gaussian_filter(strength, scale, mode="nearest")) for scale in ENVELOPE_SCALES]


class PixelFeatures:
    """Features of the pixels of a volume, section by section.

    Parameters
    ----------
    volume : ndarray (sections, rows, columns)
    kind : {"radar", "picture"}
        How background and scale are evened out; see `al_widgets.features.anomaly.whiten`.
    valid : ndarray (sections, columns) of bool, optional
        False where a line has no trace.
    sigmas, anomaly_scales
        Scales within sections, and across them; no anomaly scales: two-dimensional features only.
    cache_bytes : int
        What cached sections may take; 39 float16 features of 512 x 512 pixels take 20 MB.
    """

    def __init__(
        self,
        volume: npt.NDArray[Any],
        kind: Kind = "radar",
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        sigmas: tuple[float, ...] = SIGMAS,
        anomaly_scales: tuple[tuple[float, float, float], ...] = ANOMALY_SCALES,
        cache_bytes: int = 512 * 2**20,
    ) -> None:
        self._kind: Kind = kind
        self._valid = valid
        self._sigmas = sigmas
        self._scales = anomaly_scales
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[int, npt.NDArray[np.float16]] = OrderedDict()
        self._lock = threading.Lock()
        self._whitened = whiten(volume, kind, valid)
        self._maps: npt.NDArray[np.float16] | None = None
        self._anomaly: FloatArray | None = None
        self._is_large = kind == "picture" and self._whitened.size > LARGE_VOXELS
        self._pooled: dict[tuple[float, float, float], tuple[npt.NDArray[np.float16], int]] = {}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume."""
        a, b, c = self._whitened.shape
        return a, b, c

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of columns."""
        within = [f"{name}_{sigma:g}" for sigma in self._sigmas for name in PER_SCALE]
        across = [f"anomaly_{'_'.join(f'{w:g}' for w in scale)}" for scale in self._scales]
        if self._kind == "radar":
            energy = [f"envelope_{'_'.join(f'{w:g}' for w in scale)}" for scale in ENVELOPE_SCALES]
            across = [*across, *energy, "row"]
        return ("value", *within, *across)

    def __len__(self) -> int:
        return len(self._whitened)

    def prepare(self, on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Compute what every section needs of the whole volume; takes numbers of steps done and of all."""
        steps: list[Callable[[], object]] = [lambda: self.anomaly, self._across]
        if self._is_large:
            steps = [partial(self._pool, scale) for scale in (SMOOTHING, *self._scales)]
        for done, step in enumerate(steps):
            on_progress(done, len(steps))
            step()
        on_progress(len(steps), len(steps))

    @property
    def anomaly(self) -> FloatArray:
        """The map that needs no label, shape of the volume; of a large picture it is put together anew each time."""
        if self._is_large:
            return np.stack([self.section_anomaly(i) for i in range(len(self))])
        with self._lock:
            if self._anomaly is None:
                self._anomaly = anomaly_map(self._whitened, self._kind, valid=self._valid, whitened=True)
            return self._anomaly

    @property
    def cell(self) -> int:
        """Rows and columns that one value of `overview` stands for."""
        return self._pool()[1] if self._is_large else 1

    @property
    def overview(self) -> FloatArray:
        """The map that needs no label, to rank sections and find regions by: of a large picture coarser within sections."""
        pooled: FloatArray = self._pool()[0].astype(np.float32) if self._is_large else self.anomaly
        return pooled

    def section_anomaly(self, index: int) -> FloatArray:
        """Return the map that needs no label of one section."""
        if self._is_large:
            pooled, cell = self._pool()
            return unpooled(pooled[index], cell, self.shape[1:])
        section: FloatArray = self.anomaly[index]
        return section

    def _pool(self, scale: tuple[float, float, float] = SMOOTHING) -> tuple[npt.NDArray[np.float16], int]:
        with self._lock:
            if scale not in self._pooled:
                self._pooled[scale] = pooled_anomaly_map(self._whitened, scale)
            return self._pooled[scale]

    @property
    def strength(self) -> Strength:
        """How strong each voxel's surroundings are, for outlines of objects."""
        return Strength(self._whitened, self._kind)

    def scores(self) -> npt.NDArray[np.float64]:
        """Return one anomaly score a section, to rank sections before there is a label."""
        return section_scores(self.anomaly)

    def section(self, index: int, between: Callable[[], None] = _go_on) -> FloatArray:
        """Return the features of a section, shape (rows · columns, n features), float32; rows of pixels first.

        `between` is called between the steps where they are computed; what it raises leaves off.
        """
        return self._cached(index, between).astype(np.float32)

    def pixels(self, index: int, flat: npt.NDArray[np.intp]) -> FloatArray:
        """Return the features of some pixels of a section, by their flat indices."""
        return self._cached(index)[flat].astype(np.float32)

    def _cached(self, index: int, between: Callable[[], None] = _go_on) -> npt.NDArray[np.float16]:
        with self._lock:
            cached = self._cache.get(index)
            if cached is not None:
                self._cache.move_to_end(index)
        if cached is None:
            cached = self._compute(index, between)
            with self._lock:
                self._cache[index] = cached
                while len(self._cache) > 1 and len(self._cache) * cached.nbytes > self._cache_bytes:
                    self._cache.popitem(last=False)
        return cached

    def _compute(self, index: int, between: Callable[[], None]) -> npt.NDArray[np.float16]:
        within = section_features(self._whitened[index], self._sigmas, between)
        between()
        if self._is_large:
            pooled = [self._pool(scale) for scale in self._scales]
            across = [unpooled(maps[index], cell, self.shape[1:]) for maps, cell in pooled]
            parts = [within, *(section[..., None] for section in across)]
        else:
            parts = [within, np.moveaxis(self._across()[:, index], 0, -1).astype(np.float32)]
        if self._kind == "radar":  # what is usual depends on the two-way time
            rows, columns = within.shape[:2]
            parts.append(np.broadcast_to((np.arange(rows, dtype=np.float32) / rows)[:, None, None], (rows, columns, 1)))
        features = np.concatenate(parts, axis=-1)
        compact: npt.NDArray[np.float16] = np.clip(features, -60000, 60000).astype(np.float16)
        return compact.reshape(-1, features.shape[-1])

    def _across(self) -> npt.NDArray[np.float16]:
        usual = self.anomaly if SMOOTHING in self._scales else None
        with self._lock:
            if self._maps is None:
                maps = [
                    usual
                    if usual is not None and scale == SMOOTHING
                    else anomaly_map(self._whitened, self._kind, smoothing=scale, valid=self._valid, whitened=True)
                    for scale in self._scales
                ]
                if self._kind == "radar":
                    maps += _mean_envelopes(self._whitened)
                self._maps = np.stack(maps).astype(np.float16) if maps else np.zeros((0, *self.shape), np.float16)
            return self._maps
