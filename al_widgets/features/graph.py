"""A neighbour graph of the pool and its smoothest functions: what the unlabelled items say about which items belong together.

Depends on features only, never on labels; built once a pool and shared by learners and strategies. Pure functions and
frozen results, any thread.

References
----------
Zelnik-Manor and Perona, Self-tuning spectral clustering, NIPS 2004 (local widths);
Zhou et al., Learning with local and global consistency, NIPS 2003 (the kernel 1 / (1 − α λ));
Zhou, Saad et al., Self-consistent-field calculations using Chebyshev-filtered subspace iteration, J. Comput. Phys. 2006.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.features.neighbours import nearest

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.intp]

#: Neighbours of each node, eigenvectors kept, and α of the kernel.
NEIGHBOURS = 10
DIMENSION = 300
ALPHA = 0.99
#: Larger pools are represented by a random sample of nodes; other rows are placed among their neighbours in it.
MAX_NODES = 10_000
#: Rows placed at a time.
_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class SpectralMap:
    """The smoothest functions on the graph: coordinates in which the graph's kernels are weighted dot products.

    Attributes
    ----------
    points : ndarray (n, d) of float32
        Features of the nodes.
    widths : ndarray (n,) of float32
        Distance of each node to its k-th neighbour.
    vectors : ndarray (n, m) of float32
        Orthonormal eigenvectors of the normalised affinity, smoothest last.
    values : ndarray (m,) of float32
        Their eigenvalues, rising, at most 1.
    placement : scipy.sparse.csr_matrix (N, n)
        Row i says of which nodes pool row i is made: ``placement @ vectors`` are coordinates of all rows.
    """

    points: FloatArray
    widths: FloatArray
    vectors: FloatArray
    values: FloatArray
    placement: Any

    def weights(self, dimension: int) -> FloatArray:
        """Return the weight of each coordinate (m,) in the kernel k(x, x′) = Σ wᵢ xᵢ x′ᵢ, of mean diagonal 1.

        w = 1 / (1 − α λ) for the `dimension` smoothest, 0 for the others.
        """
        weights = 1 / (1 - ALPHA * np.minimum(self.values.astype(np.float64), 1))
        weights[: max(0, len(weights) - dimension)] = 0
        scaled: FloatArray = (weights * (len(self.vectors) / weights.sum())).astype(np.float32)
        return scaled

    def coordinates(self, rows: IntArray) -> FloatArray:
        """Return coordinates of some rows of the pool, shape (len(rows), m)."""
        placed: FloatArray = self.placement[rows] @ self.vectors
        return placed

    def spread(self, values: npt.NDArray[Any]) -> FloatArray:
        """Return values of nodes (n, c) at all rows of the pool, shape (N, c)."""
        everywhere: FloatArray = self.placement @ values
        return everywhere

    def place(self, features: npt.NDArray[Any]) -> Any:
        """Return how new rows (m, d) are made of nodes: a sparse matrix (m, n) whose rows sum to 1."""
        return placed_among(self.points, self.widths, features)


def placed_among(points: FloatArray, widths: FloatArray, features: npt.NDArray[Any]) -> Any:
    """Return the weights of the nearest nodes of each row as a sparse matrix (m, n), rows summing to 1."""
    from scipy.sparse import csr_matrix

    queries = np.ascontiguousarray(features, np.float32)
    k = min(NEIGHBOURS, len(points))
    squared, found = nearest(points, queries, k)
    for start in range(0, len(queries), _BLOCK):
        where = slice(start, start + _BLOCK)
        near = squared[where]
        scale = np.sqrt(near[:, -1:]) * widths[found[where]] + np.finfo(np.float32).tiny
        # Weights are relative to the nearest node, so that a far row is placed too.
        weights = np.exp((near[:, :1] - near) / scale)
        near[:] = weights / weights.sum(axis=1, keepdims=True)
    bounds = np.arange(0, found.size + 1, k)
    return csr_matrix((squared.ravel(), found.ravel().astype(np.int32), bounds), (len(queries), len(points)))


def affinity(points: FloatArray, k: int = NEIGHBOURS) -> tuple[Any, FloatArray]:
    """Return the normalised affinity S = D^-½ W D^-½ of a neighbour graph (n, n), and the widths (n,).

    W has the weight exp(−‖xᵢ − xⱼ‖² / (hᵢ hⱼ)) where one is among the `k` nearest of the other.
    """
    from scipy.sparse import csr_matrix, diags

    n = len(points)
    k = min(k, n - 1)
    if k < 1:
        return csr_matrix(np.ones((n, n), np.float32)), np.ones(n, np.float32)
    squared, found = nearest(points, points, k + 1)
    # Copies of a point may come before the point itself: drop the point wherever it stands, else the farthest.
    own = found == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True
    squared, found = squared[~own].reshape(n, k), found[~own].reshape(n, k)
    widths = np.sqrt(squared[:, -1])
    typical = float(np.median(widths[widths > 0])) if (widths > 0).any() else 1.0
    widths = np.maximum(widths, np.float32(1e-3 * typical))
    weights = np.exp(-squared / (widths[:, None] * widths[found]))
    graph = csr_matrix((weights.ravel(), (np.repeat(np.arange(n), k), found.ravel())), (n, n))
    graph = graph.maximum(graph.T)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    scale = diags(1 / np.sqrt(np.maximum(degree, np.finfo(np.float32).tiny)))
    return (scale @ graph @ scale).tocsr().astype(np.float32), widths.astype(np.float32)


def smoothest(graph: Any, m: int) -> tuple[FloatArray, FloatArray]:
    """Return the `m` largest eigenvalues (m,) of a normalised affinity, rising, and eigenvectors (n, m).

    Small graphs exactly, others by Chebyshev-filtered subspace iteration: about 40 sparse products, in float32. The last
    few eigenvectors are not exact; their weight in the kernel is small.
    """
    n = graph.shape[0]
    m = min(m, n)
    if n <= 800:
        values, vectors = np.linalg.eigh(graph.toarray().astype(np.float64))
        return values[-m:].astype(np.float32), vectors[:, -m:].astype(np.float32)
    block = min(n, m + max(20, m // 5))
    basis = np.random.default_rng(0).standard_normal((n, block), np.float32)
    values = np.empty(0, np.float32)
    bound = 0.8  # what is damped: eigenvalues in [-1, bound]
    for degree in (10, 14, 16):
        centre, radius = (bound - 1) / 2, (bound + 1) / 2
        before, now = basis, (graph @ basis - centre * basis) / radius
        for _ in range(degree):
            before, now = now, (2 / radius) * (graph @ now - centre * now) - before
        basis, _ = np.linalg.qr(now)
        values, turn = np.linalg.eigh(basis.T @ (graph @ basis))
        basis = basis @ turn
        bound = float(np.clip(values[(block - m) // 2], -0.9, 0.99))
    return values[-m:], np.ascontiguousarray(basis[:, -m:])


def spectral_map(features: npt.NDArray[Any]) -> SpectralMap:
    """Return the map of a pool, from memory when it was built for the same features before.

    Parameters
    ----------
    features : ndarray (N, d)
        Finite; at least 2 rows.

    Returns
    -------
    SpectralMap
    """
    return _memory.get(features)


def build(features: npt.NDArray[Any]) -> SpectralMap:
    """Build the map of a pool; see `spectral_map`."""
    from scipy.sparse import identity

    n = len(features)
    if n <= MAX_NODES:
        points = np.ascontiguousarray(features, np.float32)
    else:
        nodes = np.sort(np.random.default_rng(0).choice(n, MAX_NODES, replace=False))
        points = np.ascontiguousarray(features[nodes], np.float32)
    graph, widths = affinity(points)
    values, vectors = smoothest(graph, DIMENSION)
    whole = n <= MAX_NODES
    placement = identity(n, np.float32, format="csr") if whole else placed_among(points, widths, features)
    return SpectralMap(points, widths, vectors, values, placement)


def extended(small: SpectralMap, features: npt.NDArray[Any]) -> SpectralMap:
    """Return the map of a pool that has grown: the graph stays, new rows are placed among its nodes.

    Parameters
    ----------
    small : SpectralMap
        Of the first rows of `features`.
    features : ndarray (N, d)
    """
    from scipy.sparse import vstack

    known = small.placement.shape[0]
    more = placed_among(small.points, small.widths, features[known:])
    return replace(small, placement=vstack([small.placement, more], format="csr"))


#: A pool that has grown by less than this factor since its graph was built keeps the graph.
GROWTH = 1.5


@dataclass(frozen=True)
class _Entry:
    """One remembered pool: how to recognise it, and its map."""

    alive: weakref.ref[Any]
    place: int
    shape: tuple[int, ...]
    dtype: str
    sample: bytes
    built: int
    made: SpectralMap

    def is_of(self, features: npt.NDArray[Any]) -> bool:
        """Tell whether this is the map of these features."""
        return self.shape == features.shape and self.place == _place(features) and self.is_start_of(features)

    def is_start_of(self, features: npt.NDArray[Any]) -> bool:
        """Tell whether this is the map of the first rows of these features."""
        n, d = self.shape
        return (
            features.shape[1] == d
            and len(features) >= n
            and features.dtype.str == self.dtype
            and _sample(features[:n]) == self.sample
        )


class _Memory:
    """The maps of the last few pools, recognised by where they lie in memory and a sample of their rows."""

    def __init__(self, size: int = 3) -> None:
        self._lock = threading.Lock()
        self._kept: list[_Entry] = []
        self._size = size

    def get(self, features: npt.NDArray[Any]) -> SpectralMap:
        """Return the map, making it under the lock: two threads never make the same one twice."""
        with self._lock:
            for i, entry in enumerate(self._kept):
                if entry.is_of(features):
                    self._kept.append(self._kept.pop(i))
                    return entry.made
            n = len(features)
            built, made = n, None
            for entry in reversed(self._kept):
                if entry.shape[0] < n < GROWTH * entry.built and entry.is_start_of(features):
                    built, made = entry.built, extended(entry.made, features)
                    break
            if made is None:
                made = build(features)
            fresh = _Entry(
                weakref.ref(features),
                _place(features),
                features.shape,
                features.dtype.str,
                _sample(features),
                built,
                made,
            )
            self._kept = [*[entry for entry in self._kept if entry.alive() is not None][1 - self._size :], fresh]
            return made


def _place(features: npt.NDArray[Any]) -> int:
    """Return the address of the first element."""
    return int(features.__array_interface__["data"][0])


def _sample(features: npt.NDArray[Any]) -> bytes:
    """Return about 64 rows, evenly spaced."""
    return np.ascontiguousarray(features[:: max(1, len(features) // 64)]).tobytes()


_memory = _Memory()
