"""Neighbours and the graph of a pool."""

import numpy as np
import pytest

from al_widgets.features import graph, neighbours


def blobs(n, d=8, seed=0):
    rng = np.random.default_rng(seed)
    return (4 * rng.standard_normal((6, d))[rng.integers(0, 6, n)] + rng.standard_normal((n, d))).astype(np.float32)


def test_nearest_equals_sorting_all_distances():
    X, Q = blobs(200), blobs(30, seed=1)
    squared, found = neighbours.nearest(X, Q, 5)
    gap = ((Q[:, None] - X[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(found, np.argsort(gap, axis=1)[:, :5])
    np.testing.assert_allclose(squared, np.sort(gap, axis=1)[:, :5], rtol=1e-3, atol=1e-3)


def test_inverted_lists_find_nearly_all_neighbours():
    X = blobs(6000)
    _, exact = neighbours.nearest(X, X, 10)
    _, found = neighbours.inverted_lists(X, X, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall > 0.9


def test_smoothest_by_filtering_equals_the_exact_eigenvectors():
    S, _ = graph.affinity(blobs(1200))
    values, vectors = graph.smoothest(S, 40)
    exact = np.linalg.eigvalsh(S.toarray().astype(float))[-40:]
    np.testing.assert_allclose(values[-20:], exact[-20:], atol=1e-3)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(40), atol=1e-4)


def test_affinity_keeps_weights_in_spite_of_copies():
    X = np.repeat(blobs(20), 15, axis=0)
    S, widths = graph.affinity(X)
    assert np.isfinite(S.data).all()
    assert (widths > 0).all()


def test_kernel_has_mean_diagonal_one():
    made = graph.build(blobs(300))
    diagonal = (made.vectors**2) @ made.weights(40)
    assert diagonal.mean() == pytest.approx(1, abs=1e-3)


def test_placement_gives_a_row_near_a_node_its_coordinates():
    X = blobs(300)
    made = graph.build(X)
    placed = made.place(X[:5] + 1e-4)
    np.testing.assert_allclose(placed.sum(axis=1), 1, rtol=1e-5)
    assert (np.asarray(placed.argmax(axis=1)).ravel() == np.arange(5)).all()


def test_spectral_map_is_built_once_for_the_same_features():
    X = blobs(100)
    assert graph.spectral_map(X) is graph.spectral_map(X)
    assert graph.spectral_map(X.copy()) is not graph.spectral_map(X)


def test_large_pools_are_placed_among_a_sample_of_nodes(monkeypatch):
    monkeypatch.setattr(graph, "MAX_NODES", 200)
    X = blobs(1000)
    made = graph.build(X)
    assert made.points.shape == (200, 8)
    assert made.placement.shape == (1000, 200)
    np.testing.assert_allclose(made.placement.sum(axis=1), 1, rtol=1e-4)


def test_spectral_map_keeps_the_graph_while_the_pool_grows_a_little(monkeypatch):
    X = blobs(300)
    built = []
    honest = graph.build
    monkeypatch.setattr(graph, "build", lambda features: built.append(len(features)) or honest(features))
    first = X[:200].copy()
    small = graph.spectral_map(first)
    more = X[:280].copy()
    grown = graph.spectral_map(more)
    assert built == [200]
    assert grown.placement.shape == (280, 200)
    np.testing.assert_array_equal(grown.coordinates(np.arange(200)), small.coordinates(np.arange(200)))
    much = X.copy()
    assert graph.spectral_map(much).placement.shape == (300, 300)
    assert built == [200, 300]


def test_spectral_map_is_built_anew_when_earlier_rows_changed():
    X = blobs(260)
    first = X[:200].copy()
    graph.spectral_map(first)
    changed = 2 * X
    assert graph.spectral_map(changed).placement.shape == (260, 260)
