"""Nearest neighbours among features: exact for small sets, inverted lists for large ones. Pure functions, any thread.

Everything above the layer `features` may import this module. No library of approximate neighbours is needed: because all
queries of a cell share the cells they probe, inverted lists are matrix products, as quick as the quickest library. CPU seconds
of one thread and recall, 100,000 × 64 float32, building included (``tests/bench/bench_neighbours.py``, machine busy):

=================================  ============  ============  ============
task, library                      clusters      a surface     pure noise
=================================  ============  ============  ============
10 of 10,000 nodes: here           2.1 s, 1.00   1.4 s, 0.98   3.0 s, 0.76
10 of 10,000 nodes: faiss IVF      2.1 s, 1.00   1.6 s, 0.99   1.6 s, 0.53
10 of 10,000 nodes: exact          5.7 s         6.2 s         6.2 s
11 of all: here                    3.0 s, 1.00   2.6 s, 0.91   4.2 s, 0.28
11 of all: faiss IVF               2.9 s, 0.97   3.9 s, 0.96   3.9 s, 0.29
11 of all: faiss HNSW              13.3 s, 0.93
11 of all: hnswlib                 12.3 s, 0.92
11 of all: usearch                 23.4 s, 0.92
=================================  ============  ============  ============

(faiss 1.15 with 8 probed cells of 256, hnswlib 0.8 and usearch 2.26 with 16 links and a search width of 32; pynndescent was
not measured to the end.) The first task is the package's: a pool placed on a graph of at most
10,000 nodes. The time grows linearly with the queries.

References
----------
Sivic and Zisserman, Video Google, ICCV 2003 (inverted lists); Johnson et al., Billion-scale similarity search with GPUs,
IEEE Trans. Big Data 2019 (the layout and the number of probed cells).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.intp]

#: So many distances, 20,000 × 20,000, are computed one and all: they take a second or two of one thread.
EXACT = 20_000**2
#: Among so few points, too: lists would save nothing.
FEW = 4096
_CELL = 64
_MOST_CELLS = 2048
_PROBES = 48
_BLOCK = 1024


def nearest(points: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Return squared distances and positions of the `k` nearest points of each query, nearest first.

    Parameters
    ----------
    points : ndarray (n, d) of float32
        What is searched; finite.
    queries : ndarray (m, d) of float32
        What is looked for; pass `points` itself for a neighbour graph (a point then finds itself first).
    k : int
        How many, at most n.

    Returns
    -------
    squared : ndarray (m, k) of float32
    positions : ndarray (m, k) of int
    """
    k = min(k, len(points))
    if len(points) <= FEW or len(queries) * len(points) <= EXACT:
        return _exact(points, queries, k)
    return inverted_lists(points, queries, k)


def _exact(points: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Search all points, in blocks of queries."""
    squared = np.empty((len(queries), k), np.float32)
    positions = np.empty((len(queries), k), np.intp)
    norms = np.einsum("ij,ij->i", points, points)
    turned = -2 * points
    for start in range(0, len(queries), _BLOCK):
        where = slice(start, start + _BLOCK)
        squared[where], positions[where] = _search(turned, norms, queries[where], k)
    return squared, positions


def _search(turned: FloatArray, norms: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Search one block exactly, given −2 x and ‖x‖² of the points."""
    gap = queries @ turned.T
    gap += norms
    if k == 1:  # partitions take five times as long
        found = gap.argmin(axis=1)[:, None]
    elif k < len(turned):
        found = np.argpartition(gap, k - 1, axis=1)[:, :k]
    else:
        found = np.broadcast_to(np.arange(len(turned)), gap.shape)
    value = np.take_along_axis(gap, found, axis=1)
    if k > 1:
        order = np.argsort(value, axis=1, kind="stable")
        value, found = np.take_along_axis(value, order, axis=1), np.take_along_axis(found, order, axis=1)
    value += np.einsum("ij,ij->i", queries, queries)[:, None]
    return np.maximum(value, 0, out=value), found


def inverted_lists(points: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Search the cells nearest to each query only: approximate, near-linear in the number of points.

    Cells hold about 64 points; queries of a cell share the 48 cells they probe, so that the work is matrix products. Few large
    cells would take longer and find less: what lies beyond the border of the probed ones is missed.
    """
    rng = np.random.default_rng(0)
    n_cells = min(max(1, len(points) // _CELL), _MOST_CELLS)
    centres = points[rng.choice(len(points), n_cells, replace=False)].copy()
    for _ in range(2):
        sample = rng.choice(len(points), min(len(points), 20 * len(centres)), replace=False)
        belongs = _exact(centres, points[sample], 1)[1][:, 0]
        centres = group_means(points[sample], belongs, centres)
    own = _exact(centres, points, 1)[1][:, 0]
    asked = own if queries is points else _exact(centres, queries, 1)[1][:, 0]
    members, bounds = _grouped(own, len(centres))
    askers, ask_bounds = _grouped(asked, len(centres))
    probed = _exact(centres, centres, min(_PROBES, len(centres)))[1]
    norms = np.einsum("ij,ij->i", points, points)
    squared = np.full((len(queries), k), np.inf, np.float32)
    positions = np.zeros((len(queries), k), np.intp)
    for cell in range(len(centres)):
        rows = askers[ask_bounds[cell] : ask_bounds[cell + 1]]
        if not len(rows):
            continue
        near = np.concatenate([members[bounds[c] : bounds[c + 1]] for c in probed[cell]])
        if len(near) < k:
            near = np.arange(len(points))
        turned = -2 * points[near]
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            squared[block], found = _search(turned, norms[near], queries[block], k)
            positions[block] = near[found]
    return squared, positions


def group_means(points: FloatArray, group: IntArray, previous: FloatArray) -> FloatArray:
    """Return the mean of each group, shape (g, d); an empty group keeps its previous centre. One step of k-means."""
    from scipy.sparse import csr_matrix

    size = len(previous)
    ones = np.ones(len(group), np.float32)
    total = csr_matrix((ones, (group, np.arange(len(group)))), (size, len(group))) @ points
    count = np.bincount(group, minlength=size)
    means: FloatArray = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], previous)
    return means.astype(np.float32)


def _grouped(group: IntArray, n_groups: int) -> tuple[IntArray, IntArray]:
    """Return members sorted by group, and where each group starts (n_groups + 1,)."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(n_groups + 1))
