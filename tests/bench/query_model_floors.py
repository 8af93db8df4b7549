"""Floors of what walks the pool's graph or asks models again: optimal designs, auto, BatchBALD, expected error reduction.

As in `query_floors`: the same arithmetic as plain float32 BLAS passes on arrays that are there, without checks, protocol or
protection. The graph is given, as it is to ours; ours and the floor of expected error call the same scikit-learn fits.
"""

import numpy as np

STEP = 8192


def greedy_design(phi, weights, total, known, k, criterion, worth=None):
    """Take k rows of a Gaussian process on weighted coordinates phi (m, p), each as if those before were labelled."""
    seen = known.astype(np.float64)
    inner = np.linalg.inv(0.02 * np.eye(len(seen)) + seen @ seen.T)
    C = np.eye(phi.shape[1]) - seen.T @ inner @ seen
    P = phi @ C.astype(np.float32)
    variance = np.einsum("ij,ij->i", P, phi)
    if criterion == "v":
        squares = np.square(P) @ weights
    elif criterion == "sigma":
        sums = phi @ (C @ total).astype(np.float32)
    picks = []
    for _ in range(k):
        if criterion == "v":
            score = squares / (variance + 0.02)
        elif criterion == "sigma":
            score = sums**2 / (variance + 0.02)
        else:
            score = variance if worth is None else worth * np.sqrt(variance)
        j = int(score.argmax())
        picks.append(j)
        if worth is not None:
            worth[j] = -1
        v = C @ phi[j]
        s = float(phi[j] @ v) + 0.02
        along = phi @ v.astype(np.float32)
        if criterion == "v":
            across = phi @ (C @ (weights * v)).astype(np.float32)
            squares += along * (along * (float(v @ (weights * v)) / s) - 2 * across) / s
        elif criterion == "sigma":
            sums -= along * (float(total @ v) / s)
        variance -= along**2 / s
        C -= np.outer(v, v / s)
    return picks


def coordinates(X, rows, labelled):
    """Return weighted coordinates of rows on the pool's graph, the weights, the sum over all nodes, and the labelled rows'."""
    from al_widgets.features.graph import spectral_map

    graph = spectral_map(X)  # remembered
    weights = graph.weights(min(300, max(20, len(graph.points) // 8)))
    used = weights > 0
    vectors = graph.vectors[:, used]
    root = np.sqrt(weights[used])
    total = root * vectors.sum(axis=0)
    return (graph.placement[rows] @ vectors) * root, weights[used], total, (graph.placement[labelled] @ vectors) * root


def designed(criterion):
    def floor(X, W, b, labelled, committee, k):
        rows = np.sort(np.random.default_rng(0).choice(len(X), min(10_000, len(X)), replace=False))
        return rows[greedy_design(*coordinates(X, rows, labelled), k, criterion)]

    return floor


def auto(X, W, b, labelled, solution, k):
    """The process's scores at all items, the margin, and the greedy design on half the most uncertain, half random ones."""
    rng, settings = np.random.default_rng(0), solution.settings
    worth = np.empty(len(X), np.float32)
    placement = solution.graph.placement
    for start in range(0, len(X), STEP):
        rows = slice(start, start + STEP)
        z = placement[rows] @ solution.nodes
        if settings.share < 1:
            x = (X[rows] - solution.centre) * solution.scale
            if settings.width == 0:
                z += (1 - settings.share) * (x @ (solution.basis.T @ solution.alpha))
            else:
                g = x @ solution.basis.T
                g *= 2
                g -= np.einsum("ij,ij->i", x, x)[:, None]
                g -= np.einsum("ij,ij->i", solution.basis, solution.basis)
                g *= settings.width
                z += (1 - settings.share) * (np.exp(g, out=g) @ solution.alpha)
        z *= settings.temperature
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)
        two = np.partition(z, z.shape[1] - 2, axis=1)
        worth[rows] = 1 - (two[:, -1] - two[:, -2])
    rows = np.arange(len(X))
    if len(X) > 10_000:
        rows = np.union1d(np.argpartition(-worth, 5000)[:5000], rng.choice(len(X), 5000, replace=False))
    return rows[greedy_design(*coordinates(X, rows, labelled), k, "variance", worth[rows])]


def batchbald(X, W, b, labelled, committee, k):
    """Information of all items, then joint entropies of the 500 best under 512 configurations."""
    from query_floors import information_of, members, squared

    rng = np.random.default_rng(0)
    score = np.empty(len(X), np.float32)
    for start, block in members(X, committee):
        score[start : start + STEP] = information_of(block)
    short = np.argpartition(-score, min(500, len(X) - 1))[:500]
    points = X[short]
    squared(points, points)  # which are copies
    z = np.stack([points @ W + b for W, b in committee])
    z = np.exp(z - z.max(axis=2, keepdims=True))
    p = z / z.sum(axis=2, keepdims=True)  # (M, m, K)
    conditional = -(p * np.log(p + 1e-30)).sum(axis=2).mean(axis=0)
    table, share, picks = np.ones((1, len(p)), np.float32), np.ones(1, np.float32), []
    for _ in range(k):
        gain = -conditional.copy()
        for c in range(p.shape[2]):
            chance = table @ p[:, :, c] / len(p)
            gain -= share @ (chance * np.log(chance + 1e-30))
        gain[picks] = -np.inf
        j = int(gain.argmax())
        picks.append(j)
        longer = table[:, None, :] * p[:, j].T
        mean = longer.mean(axis=2)
        share = (share[:, None] * mean).ravel()
        table = (longer / mean[:, :, None]).reshape(-1, len(p))
        if len(table) > 512:
            kept = rng.choice(len(table), 512, p=share.astype(np.float64) / share.sum(dtype=np.float64))
            table, share = table[kept], np.full(512, 1 / 512, np.float32)
    return short[picks]


def expected_error(X, W, b, labelled, y, k):
    """The margin of all items; for 30 of them, for each likely class, a refit and its risk over 500 others."""
    from query_floors import scores_of
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    score = scores_of(X, W, b)
    limit = max(30, 2 * k)
    short = np.union1d(np.argpartition(-score, limit // 2)[: limit // 2], rng.choice(len(X), limit // 2, replace=False))
    references = X[rng.choice(len(X), min(500, len(X)), replace=False)]
    risk = np.empty(len(short))
    for i, row in enumerate(short):
        z = np.exp(X[row] @ W + b - (X[row] @ W + b).max())
        chance = z / z.sum()
        likely = np.flatnonzero(chance >= min(0.01, chance.max()))
        total = 0.0
        rows = np.append(labelled, row)
        for c in likely:
            model = LogisticRegression(C=1.0, max_iter=200).fit(X[rows], np.append(y[labelled], c))
            q = references @ model.coef_.T.astype(np.float32) + model.intercept_.astype(np.float32)
            q = np.exp(q - q.max(axis=1, keepdims=True))
            total += chance[c] * float(1 - (q.max(axis=1) / q.sum(axis=1)).mean())
        risk[i] = total / chance[likely].sum()
    return short[np.argsort(risk)[:k]]


MODEL_FLOORS = {
    "variance": designed("variance"),
    "v_optimal": designed("v"),
    "sigma_optimal": designed("sigma"),
    "auto": auto,
    "batchbald": batchbald,
    "expected_error": expected_error,
}
