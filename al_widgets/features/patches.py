"""A filter bank learned from patches, and its pooled responses for a batch of pictures.

Method: A. Coates, A. Ng, *Learning feature representations with k-means*, in Neural Networks: Tricks of the Trade, 2012. The bank
that ships with the package is made by ``python -m al_widgets.features.patches`` from five pictures of scikit-image that are
CC0 or in the public domain (`PICTURES`); it never changes with the pool, so that responses can be cached.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SIDE = 32
"""Side of the pictures that the bank is applied to, in pixels."""

PATCH = 6
"""Side of a patch, in pixels."""

PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "camera")
"""Functions of `skimage.data`: public domain, CC0, CC0, public domain, CC0, by their documentation."""

_FILE = Path(__file__).with_name("filter_bank.npz")
_THRESHOLD = np.float32(0.3)
_NOISE = np.float32(10.0)  # grey levels squared: keeps flat patches flat


def patch_responses(pictures: npt.NDArray[np.uint8], stride: int = 2, grid: int = 2) -> FloatArray:
    """Return the mean rectified response to each filter in each of ``grid x grid`` parts.

    Parameters
    ----------
    pictures : ndarray (n, 32, 32, 3) of uint8

    Returns
    -------
    ndarray (n, grid² · K), float32
    """
    weights, bias = filter_bank()
    patches = _normalised(_cut(pictures, stride))
    n, across = patches.shape[:2]
    response = np.maximum(patches.reshape(-1, patches.shape[-1]) @ weights + bias, 0).reshape(n, across, across, -1)
    edges = np.linspace(0, across, grid + 1).astype(int)
    spans = [slice(edges[part], edges[part + 1]) for part in range(grid)]
    return np.concatenate([response[:, rows, columns].mean(axis=(1, 2)) for rows in spans for columns in spans], axis=1)


@cache
def filter_bank() -> tuple[FloatArray, FloatArray]:
    """Return the bank that ships with the package: weights (108, K) and bias (K,)."""
    with np.load(_FILE, allow_pickle=False) as file:
        return file["weights"].astype(np.float32), file["bias"].astype(np.float32)


def learn_filter_bank(
    pictures: Sequence[npt.NDArray[np.uint8]], n_filters: int = 400, n_patches: int = 60_000, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Learn filters by spherical k-means of whitened patches.

    Whitening and threshold are folded in: the response to a normalised patch x is ``max(0, x @ weights + bias)``.

    Parameters
    ----------
    pictures : sequence of ndarray (h, w, 3) of uint8
        At least 128 pixels a side; squares of 32 to 512 pixels are cut from them and shrunk.

    Returns
    -------
    tuple of ndarray
        Weights (108, n_filters) and bias (n_filters,).
    """
    from al_widgets.features.canvas import canvases

    rng = np.random.default_rng(seed)
    squares = []
    for picture in pictures:
        for _ in range(150):
            side = int(min(SIDE * 2 ** rng.uniform(0, 4), *picture.shape[:2]))
            top, left = (int(rng.integers(0, length - side + 1)) for length in picture.shape[:2])
            squares.append(picture[top : top + side, left : left + side])
    every = _cut(canvases(squares, SIDE), 1).reshape(-1, 3 * PATCH**2)
    patches = _normalised(every[rng.choice(len(every), min(n_patches, len(every)), replace=False)])
    patches = patches[np.square(patches).mean(axis=1) > 0.25]  # flat ones teach nothing
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches.T))
    whitening = (vectors / np.sqrt(values + 0.1)) @ vectors.T
    filters = _spherical_k_means((patches - mean) @ whitening, n_filters, rng)
    weights = whitening @ filters.T
    return weights.astype(np.float32), (-mean @ weights - _THRESHOLD).astype(np.float32)


def _cut(pictures: npt.NDArray[np.uint8], stride: int) -> npt.NDArray[np.uint8]:
    """Return all patches, shape (n, p, p, 108)."""
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (PATCH, PATCH), axis=(1, 2))[:, ::stride, ::stride]
    return np.ascontiguousarray(windows).reshape(*windows.shape[:3], -1)


def _normalised(patches: npt.NDArray[np.uint8]) -> FloatArray:
    """Take out brightness and contrast of each patch."""
    values = patches.astype(np.float32)
    values -= values.mean(axis=-1, keepdims=True)
    values /= np.sqrt(np.square(values).mean(axis=-1, keepdims=True) + _NOISE)
    return values


def _spherical_k_means(
    rows: npt.NDArray[np.float64], k: int, rng: np.random.Generator, rounds: int = 15
) -> npt.NDArray[np.float64]:
    """Return k unit vectors; each row pulls the one it projects on most, empty ones start again at a row."""
    seeds = rows[rng.choice(len(rows), k, replace=False)]
    centres: npt.NDArray[np.float64] = seeds / np.linalg.norm(seeds, axis=1, keepdims=True)
    for _ in range(rounds):
        projection = rows @ centres.T
        nearest = projection.argmax(axis=1)
        total = np.zeros_like(centres)
        np.add.at(total, nearest, rows * projection[np.arange(len(rows)), nearest, None])
        length = np.linalg.norm(total, axis=1, keepdims=True)
        empty = length[:, 0] < 1e-9
        total[empty] = rows[rng.choice(len(rows), int(empty.sum()), replace=False)]
        length[empty] = np.linalg.norm(total[empty], axis=1, keepdims=True)
        centres = total / length
    return centres


def _main() -> None:
    import skimage.data

    pictures = [np.atleast_3d(getattr(skimage.data, name)()) for name in PICTURES]
    rgb = [np.broadcast_to(picture, (*picture.shape[:2], 3)) for picture in pictures]
    weights, bias = learn_filter_bank([np.ascontiguousarray(picture, np.uint8) for picture in rgb])
    np.savez_compressed(_FILE, weights=weights.astype(np.float16), bias=bias.astype(np.float16))


if __name__ == "__main__":
    _main()
