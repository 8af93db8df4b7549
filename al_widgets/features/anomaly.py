"""Where a volume differs from its own background: a map without any label, to rank sections and to feed pixel learners.

Radar sections are compared with their line's median trace and with what is usual at the same two-way time; pictures (tomograms)
with their neighbourhood. A compact object recurs on neighbouring sections, so the map is smoothed across them too. Pure functions.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from al_widgets.features.gpr_processing import as_float, envelope, remove_background

FloatArray = npt.NDArray[np.float32]
Kind = Literal["radar", "picture"]

SMOOTHING = (1.0, 4.0, 3.0)
"""Gaussian widths in sections, samples and traces."""


def robust_scale(values: npt.NDArray[Any], axis: int | tuple[int, ...]) -> npt.NDArray[Any]:
    """Return 1.4826 · median absolute deviation, at least a thousandth of its largest value (1 where all are 0)."""
    center = np.median(values, axis=axis, keepdims=True)
    scale = 1.4826 * np.median(np.abs(values - center), axis=axis, keepdims=True)
    largest = float(scale.max())
    result: npt.NDArray[Any] = np.maximum(scale, 1e-3 * largest if largest > 0 else 1.0)
    return result


def whiten(volume: npt.NDArray[Any], kind: Kind, valid: npt.NDArray[np.bool_] | None = None) -> FloatArray:
    """Return the volume with its background removed and its scale made even: what features are computed from.

    Radar: per line the median trace is removed, then all amplitudes of the same sample are divided by their robust scale, so
    that late echoes count as much as early ones. Pictures: median and robust scale of the volume.

    Parameters
    ----------
    volume : ndarray (sections, rows, columns)
    kind : {"radar", "picture"}
    valid : ndarray (sections, columns) of bool, optional
        False where a line has no trace; there the result is 0.
    """
    values = as_float(volume)
    if kind == "picture":
        sample = _sample(values)
        center, scale = np.median(sample), robust_scale(sample, 0)
        values -= center
        values /= scale
    else:
        padded = valid is not None and not valid.all()
        for i, section in enumerate(values):
            columns = valid[i] if padded and valid is not None else slice(None)
            section[:, columns] = remove_background(section[:, columns], "median")
            if padded and valid is not None:
                section[:, ~valid[i]] = 0
        values /= _even_scale(values)
    # An amplitude far beyond all others tells no more than one just beyond, and its square must stay finite.
    np.clip(values, -100, 100, out=values)
    return values


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return about a million of the values: medians of more tell nothing else."""
    return values.reshape(-1)[:: max(1, values.size // 1_000_000)]


def _even_scale(values: FloatArray) -> npt.NDArray[Any]:
    """Return the robust scale of each sample over all sections and traces, smoothed along time: (1, samples, 1)."""
    from scipy.ndimage import gaussian_filter1d

    sample = values[:, :, :: max(1, values.size // 4_000_000)]
    scale = robust_scale(sample, (0, 2))
    result: npt.NDArray[Any] = np.exp(gaussian_filter1d(np.log(scale), 3.0, axis=1, mode="nearest"))
    return result


def anomaly_map(
    volume: npt.NDArray[Any],
    kind: Kind = "radar",
    *,
    smoothing: tuple[float, float, float] = SMOOTHING,
    valid: npt.NDArray[np.bool_] | None = None,
    whitened: bool = False,
) -> FloatArray:
    """Return how far each voxel's energy lies above what is usual: ``sign(z) log(1 + |z|)``, shape of the volume.

    z is the robust z-score, per sample (radar) or over all voxels, of the Gaussian mean of the squared envelope (radar) or of
    the squared deviation (pictures).

    Parameters
    ----------
    volume : ndarray (sections, rows, columns)
    kind : {"radar", "picture"}
    smoothing : tuple of three floats
        Gaussian widths in sections, rows and columns.
    valid : ndarray (sections, columns) of bool, optional
    whitened : bool
        The volume comes from `whiten` already.
    """
    from scipy.ndimage import gaussian_filter

    values = volume if whitened else whiten(volume, kind, valid)
    energy = envelope(values) ** 2 if kind == "radar" else values**2
    smooth = gaussian_filter(energy, smoothing, mode="nearest")
    if kind == "radar":
        score = (smooth - np.median(smooth, axis=(0, 2), keepdims=True)) / robust_scale(smooth, (0, 2))
    else:
        score = _score(smooth)
    result = np.sign(score) * np.log1p(np.abs(score))
    if valid is not None:
        result = np.where(valid[:, None, :], result, 0)
    final: FloatArray = result.astype(np.float32)
    return final


def _score(smooth: npt.NDArray[Any]) -> npt.NDArray[Any]:
    sample = _sample(smooth)
    score: npt.NDArray[Any] = (smooth - np.median(sample)) / robust_scale(sample, 0)
    return score


def pooled_anomaly_map(
    whitened: FloatArray, smoothing: tuple[float, float, float] = SMOOTHING
) -> tuple[npt.NDArray[np.float16], int]:
    """Return `anomaly_map` of a large picture on a grid that is coarser within sections, and by how much: 1, 2 or 4.

    Means over cells that are small beside the Gaussian lose nothing of it; time and memory are a tenth.
    """
    from scipy.ndimage import gaussian_filter

    fineness = min(smoothing[1:]) / 0.75
    cell = 4 if fineness >= 4 else 2 if fineness >= 2 else 1
    n, rows, columns = whitened.shape
    high, wide = -(-rows // cell), -(-columns // cell)
    energy = np.empty((n, high, wide), np.float32)
    for section, pooled in zip(whitened, energy, strict=True):
        whole = np.pad(section * section, [(0, high * cell - rows), (0, wide * cell - columns)], mode="edge")
        pooled[:] = whole.reshape(high, cell, wide, cell).mean(axis=(1, 3))
    a, b, c = smoothing
    score = _score(gaussian_filter(energy, (a, b / cell, c / cell), mode="nearest"))
    return (np.sign(score) * np.log1p(np.abs(score))).astype(np.float16), cell


def unpooled(pooled: npt.NDArray[Any], cell: int, shape: tuple[int, int]) -> FloatArray:
    """Return one section of a pooled map as fine as the section."""
    from scipy.ndimage import zoom

    coarse = pooled.astype(np.float32)
    fine = coarse if cell == 1 else zoom(coarse, cell, order=1, mode="nearest", grid_mode=True)
    return np.ascontiguousarray(fine[: shape[0], : shape[1]])


def section_scores(anomaly: FloatArray, top: float = 0.01) -> npt.NDArray[np.float64]:
    """Return one score a section: the mean of the `top` share of its most anomalous voxels."""
    flat = anomaly.reshape(len(anomaly), -1)
    k = max(1, int(top * flat.shape[1]))
    scores: npt.NDArray[np.float64] = np.partition(flat, -k, axis=1)[:, -k:].mean(axis=1).astype(np.float64)
    return scores
