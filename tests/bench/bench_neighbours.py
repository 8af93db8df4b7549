"""Nearest neighbours: ours against libraries of approximate neighbours, in time and recall.

``python tests/bench/bench_neighbours.py [--sizes 100000 1000000] [--kinds clusters manifold noise]``

Two tasks of the package: the 11 neighbours of every item (a graph), and the 10 nearest of 10,000 nodes for every item (placing
the pool on a graph). Kinds of data, 64 features, float32: overlapping clusters; a curved surface of 8 dimensions with noise, as
the features of pictures are; pure noise. Recall is against exact search, on 500 items. CPU seconds of one thread, building
included. The libraries run in an environment of their own, made at the first run. Prints Markdown.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from measuring import forked, linear_case, measured

HERE = Path(__file__).parent
D = 64


def data(kind, n):
    rng = np.random.default_rng(0)
    if kind == "clusters":
        return linear_case(n, D)[0]
    if kind == "noise":
        return rng.standard_normal((n, D), np.float32)
    inner = rng.standard_normal((n, 8), np.float32)
    mixed = np.tanh(inner @ rng.standard_normal((8, 128), np.float32))
    return mixed @ rng.standard_normal((128, D), np.float32) / 8 + 0.05 * rng.standard_normal((n, D), np.float32)


def ours(points, queries, k):
    from al_widgets.features.neighbours import nearest

    return nearest(points, queries, k)[1]


def ours_lists(points, queries, k):
    from al_widgets.features.neighbours import inverted_lists

    return inverted_lists(points, queries, k)[1]


def exact(points, queries, k):
    from al_widgets.features.neighbours import _exact

    return _exact(points, queries, k)[1]


def faiss_ivf(points, queries, k):
    import faiss

    cells = max(1, len(points) // 256)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, cells)
    index.cp.niter = 4
    index.train(points)
    index.add(points)
    index.nprobe = 8
    return index.search(queries, k)[1]


def faiss_hnsw(points, queries, k):
    import faiss

    index = faiss.IndexHNSWFlat(D, 16)
    index.hnsw.efConstruction = 64
    index.add(points)
    index.hnsw.efSearch = 32
    return index.search(queries, k)[1]


def hnswlib(points, queries, k):
    import hnswlib as library

    index = library.Index("l2", D)
    index.init_index(len(points), M=16, ef_construction=64)
    index.set_num_threads(1)
    index.add_items(points)
    index.set_ef(32)
    return index.knn_query(queries, k, num_threads=1)[0]


def usearch(points, queries, k):
    from usearch.index import Index

    index = Index(ndim=D, metric="l2sq", dtype="f32", connectivity=16, expansion_add=64, expansion_search=32)
    index.add(np.arange(len(points)), points, threads=1)
    return index.search(queries, k, threads=1).keys


def pynndescent(points, queries, k):
    import numba
    from pynndescent import NNDescent

    numba.set_num_threads(1)
    if points is queries:
        return NNDescent(points, n_neighbors=k, random_state=0, n_jobs=1).neighbor_graph[0]
    return NNDescent(points, n_neighbors=max(k, 15), random_state=0, n_jobs=1).query(queries, k)[0]


METHODS = {
    "ours": ours, "ours, all lists": ours_lists, "exact": exact, "faiss IVF": faiss_ivf, "faiss HNSW": faiss_hnsw,
    "hnswlib": hnswlib, "usearch": usearch, "pynndescent": pynndescent,
}  # fmt: skip


def recall(points, queries, found, k):
    """Return the share of the exact neighbours that were found, on 500 queries."""
    some = np.random.default_rng(1).choice(len(queries), 500, replace=False)
    truth = exact(points, queries[some], k)
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(truth, found[some], strict=True)]))


def measure(method, task, kind, n, limit):
    X = data(kind, n)
    points = (
        X if task == "graph" else np.ascontiguousarray(X[np.sort(np.random.default_rng(0).choice(n, 10_000, False))])
    )
    k = 11 if task == "graph" else 10
    if method == "pynndescent":  # compiled at the first call
        pynndescent(points[:2000].copy(), points[:100], k)
        few = points[:2000].copy()
        pynndescent(few, few, k)
    made = {}

    def run():
        made["rows"] = METHODS[method](points, X if task != "graph" else points, k)

    taken = measured(run, 0)
    return {"seconds": taken["first"], "recall": recall(points, X if task != "graph" else points, made["rows"], k)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000])
    parser.add_argument("--kinds", nargs="+", default=["clusters", "manifold", "noise"])
    parser.add_argument("--tasks", nargs="+", default=["graph", "place"])
    parser.add_argument("--methods", nargs="+", default=[m for m in METHODS if m != "exact"])
    parser.add_argument("--limit", type=float, default=120.0, help="CPU seconds after which one is ended")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.here:
        from peers_environment import WHERE, peers_python

        python = peers_python(HERE / "neighbours.txt", WHERE.with_name("neighbours"))
        # The libraries' Python runs all: SciPy is what ours needs beside NumPy.
        command = [python, __file__, "--here", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, check=False).returncode)
    sys.path.insert(0, str(HERE.parents[1]))
    print("| task | data | items | method | s | recall |\n|---|---|--:|---|--:|--:|")
    for task in args.tasks:
        for kind in args.kinds:
            for n in args.sizes:
                for method in args.methods:
                    ask = (method, task, kind, n, args.limit)
                    found = forked(lambda ask=ask: measure(*ask), args.limit)
                    told = found.get("failed") or f"{found['seconds']:.2f} | {found['recall']:.2f}"
                    print(f"| {task} | {kind} | {n:,} | {method} | {told} |", flush=True)
                    print(json.dumps({"ask": ask, **found}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
