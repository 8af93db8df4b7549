"""Floors: the same arithmetic as plain float32 BLAS passes, without checks, protocol or protection.

Each takes ``(X, W, b, labelled, committee, k)`` with a fitted linear model (W, b) and gives k rows. Sizes of samples and short
lists are those of ours. What walks the pool's graph or asks models again is in `query_model_floors`.
"""

import numpy as np
from query_model_floors import MODEL_FLOORS

STEP = 8192


def softmax_blocks(X, W, b):
    for start in range(0, len(X), STEP):
        z = X[start : start + STEP] @ W
        z += b
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)
        yield start, z


def scored(score):
    def floor(X, W, b, labelled, committee, k):
        s = np.empty(len(X), np.float32)
        for start, p in softmax_blocks(X, W, b):
            s[start : start + STEP] = score(p)
        return np.argpartition(-s, k)[:k]

    return floor


def margin_of(p):
    two = np.partition(p, p.shape[1] - 2, axis=1)
    return 1 - (two[:, -1] - two[:, -2])


def ratio_of(p):
    two = np.partition(p, p.shape[1] - 2, axis=1)
    return two[:, -2] / two[:, -1]


def entropy_of(p):
    return -(p * np.log(p + 1e-12)).sum(axis=1)


def members(X, committee):
    for start in range(0, len(X), STEP):
        block = []
        for W, b in committee:
            z = X[start : start + STEP] @ W
            z += b
            z -= z.max(axis=1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(axis=1, keepdims=True)
            block.append(z)
        yield start, block


def committee_floor(score):
    def floor(X, W, b, labelled, committee, k):
        s = np.empty(len(X), np.float32)
        for start, block in members(X, committee):
            s[start : start + STEP] = score(block)
        return np.argpartition(-s, k)[:k]

    return floor


def votes_of(block):
    share = np.zeros_like(block[0])
    rows = np.arange(len(share))
    for p in block:
        share[rows, p.argmax(axis=1)] += 1
    return entropy_of(share / len(block))


def consensus_of(block):
    return entropy_of(sum(block) / len(block))


def information_of(block):
    return consensus_of(block) - sum(entropy_of(p) for p in block) / len(block)


def k_center(X, W, b, labelled, committee, k):
    norms = np.einsum("ij,ij->i", X, X)
    centres = X[labelled]
    half = np.einsum("ij,ij->i", centres, centres)
    nearest = np.empty(len(X), np.float32)
    for start in range(0, len(X), STEP):
        g = X[start : start + STEP] @ centres.T
        g *= -2
        g += half
        nearest[start : start + STEP] = g.min(axis=1)
    nearest += norms
    picks = []
    for _ in range(k):
        j = int(nearest.argmax())
        picks.append(j)
        g = X @ X[j]
        g *= -2
        g += norms
        g += norms[j]
        np.minimum(nearest, g, out=nearest)
    return picks


def badge(X, W, b, labelled, committee, k):
    rng = np.random.default_rng(0)
    A = np.empty((len(X), W.shape[1]), np.float32)
    for start, p in softmax_blocks(X, W, b):
        p[np.arange(len(p)), p.argmax(axis=1)] -= 1
        A[start : start + STEP] = p
    norms = np.einsum("ij,ij->i", A, A) * np.einsum("ij,ij->i", X, X)
    j = int(norms.argmax())
    picks, nearest = [j], None
    while True:
        g = (A @ A[j]) * (X @ X[j])
        g *= -2
        g += norms
        g += norms[j]
        nearest = np.maximum(g, 0) if nearest is None else np.minimum(nearest, np.maximum(g, 0))
        nearest[j] = 0
        if len(picks) == k:
            return picks
        total = np.cumsum(nearest, dtype=np.float64)
        j = int(np.searchsorted(total, rng.random() * total[-1]))
        picks.append(j)


def typical_clusters(X, W, b, labelled, committee, k):
    rng = np.random.default_rng(0)
    n = len(labelled) + k
    sample = X[rng.choice(len(X), min(20_000, len(X)), replace=False)]
    centres = sample[rng.choice(len(sample), n, replace=False)]
    for _ in range(6):
        at = assign(sample, centres)
        for c in range(n):
            own = at == c
            if own.any():
                centres[c] = sample[own].mean(axis=0)
    at = assign(X, centres)
    size = np.bincount(at, minlength=n)
    size[np.unique(at[labelled])] = 0
    picks = []
    for c in np.argsort(-size)[:k]:
        rows = np.flatnonzero(at == c)
        P = X[rows if len(rows) <= 1000 else rng.choice(rows, 1000, replace=False)]
        g = np.einsum("ij,ij->i", P, P)[:, None] + np.einsum("ij,ij->i", P, P) - 2 * P @ P.T
        near = min(21, len(P))
        picks.append(int(rows[np.partition(g, near - 1, axis=1)[:, :near].sum(axis=1).argmin()]))
    return picks


def assign(X, centres):
    half = np.einsum("ij,ij->i", centres, centres)
    at = np.empty(len(X), np.int64)
    for start in range(0, len(X), STEP):
        at[start : start + STEP] = (half - 2 * (X[start : start + STEP] @ centres.T)).argmin(axis=1)
    return at


def density(X, W, b, labelled, committee, k):
    centre = X.mean(axis=0)
    direction = np.zeros(X.shape[1], np.float32)
    s = np.empty(len(X), np.float32)
    for start in range(0, len(X), STEP):
        z = X[start : start + STEP] - centre
        direction += (z / np.sqrt(np.einsum("ij,ij->i", z, z))[:, None]).sum(axis=0)
    for start, p in softmax_blocks(X, W, b):
        z = X[start : start + STEP] - centre
        s[start : start + STEP] = margin_of(p) * (1 + z @ direction / np.sqrt(np.einsum("ij,ij->i", z, z)) / len(X))
    return np.argpartition(-s, k)[:k]


def scores_of(X, W, b):
    s = np.empty(len(X), np.float32)
    for start, p in softmax_blocks(X, W, b):
        s[start : start + STEP] = margin_of(p)
    return s


def squared(A, B):
    g = A @ B.T
    g *= -2
    g += np.einsum("ij,ij->i", A, A)[:, None]
    g += np.einsum("ij,ij->i", B, B)
    return g


def random_rows(X, W, b, labelled, committee, k):
    return np.random.default_rng(0).choice(len(X), k, replace=False)


def herding(X, W, b, labelled, committee, k):
    s = scores_of(X, W, b)
    short = np.argpartition(-s, max(1000, 4 * k))[: max(1000, 4 * k)]
    some = np.random.default_rng(0).choice(len(X), min(1500, len(X)), replace=False)
    gamma = np.float32(4 / X[some].var(axis=0).sum())
    left = np.exp(-gamma * squared(X[short], X[some]))
    left -= np.exp(-gamma * squared(X[labelled], X[some]).min(axis=0))
    np.maximum(left, 0, out=left)
    picks = []
    for _ in range(k):
        j = int((left @ s[some]).argmax())
        picks.append(short[j])
        left -= left[j].copy()
        np.maximum(left, 0, out=left)
    return picks


def pure_radius(P, clusters, rng):
    """The largest ball of which 95 % holds one cluster only."""
    centres = P[rng.choice(len(P), clusters, replace=False)].copy()
    for _ in range(20):
        at = squared(P, centres).argmin(axis=1)
        for c in range(clusters):
            own = at == c
            if own.any():
                centres[c] = P[own].mean(axis=0)
    other = np.where(at[:, None] != at, squared(P, P), np.inf).min(axis=1)
    return np.quantile(other, 0.05)


def probability_coverage(X, W, b, labelled, committee, k):
    rng = np.random.default_rng(0)
    some = rng.choice(len(X), min(4000, len(X)), replace=False)
    able = rng.choice(len(X), min(4000, len(X)), replace=False)
    P = X[some]
    radius = pure_radius(P[:1000], W.shape[1], rng)
    open_ = (squared(X[labelled], P) > radius).all(axis=0).astype(np.float32)
    balls = (squared(X[able], P) <= radius).astype(np.float32)
    degree = balls @ open_
    picks = []
    for _ in range(k):
        j = int(degree.argmax())
        picks.append(able[j])
        new = (balls[j] > 0) & (open_ > 0)
        open_[new] = 0
        degree -= balls[:, new].sum(axis=1)
    return picks


def weighted_kmeans(X, W, b, labelled, committee, k):
    s = scores_of(X, W, b)
    short = np.argpartition(-s, 10 * k)[: 10 * k]
    P, weight = X[short], s[short] + 1e-3
    centres = P[:k].copy()
    for _ in range(20):
        at = squared(P, centres).argmin(axis=1)
        for c in range(k):
            own = at == c
            if own.any():
                centres[c] = weight[own] @ P[own] / weight[own].sum()
    return short[squared(P, centres).argmin(axis=0)]


def cluster_margin(X, W, b, labelled, committee, k):
    from scipy.cluster.hierarchy import fcluster, linkage

    s = scores_of(X, W, b)
    short = np.argpartition(-s, 10 * k)[: 10 * k]
    at = fcluster(linkage(X[short], "average"), k, "maxclust")
    return short[np.unique(at, return_index=True)[1]]


def discriminative(X, W, b, labelled, committee, k):
    from sklearn.linear_model import LogisticRegression

    some = np.concatenate([labelled, np.random.default_rng(0).choice(len(X), min(5000, len(X)), replace=False)])
    mean, spread = X[some].mean(axis=0), X[some].std(axis=0)
    Z = (X[some] - mean) / spread
    model = LogisticRegression(class_weight="balanced", max_iter=200)
    model.fit(np.concatenate([Z, Z * Z], axis=1).astype(np.float64), np.arange(len(some)) >= len(labelled))
    w = model.coef_[0].astype(np.float32)
    s = np.empty(len(X), np.float32)
    for start in range(0, len(X), STEP):
        z = (X[start : start + STEP] - mean) / spread
        s[start : start + STEP] = z @ w[: X.shape[1]] + (z * z) @ w[X.shape[1] :]
    return np.argpartition(-s, k)[:k]


FLOORS = {
    "least_confidence": scored(lambda p: 1 - p.max(axis=1)),
    "margin": scored(margin_of),
    "power": scored(margin_of),
    "ratio": scored(ratio_of),
    "entropy": scored(entropy_of),
    "vote_entropy": committee_floor(votes_of),
    "consensus_entropy": committee_floor(consensus_of),
    "kl_divergence": committee_floor(information_of),
    "bald": committee_floor(information_of),
    "k_center": k_center,
    "badge": badge,
    "typical_clusters": typical_clusters,
    "density_weighted": density,
    "random": random_rows,
    "herding": herding,
    "probability_coverage": probability_coverage,
    "weighted_kmeans": weighted_kmeans,
    "cluster_margin": cluster_margin,
    "discriminative": discriminative,
    "cost_aware": scored(margin_of),
    **MODEL_FLOORS,
}
