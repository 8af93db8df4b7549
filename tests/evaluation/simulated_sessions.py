"""Simulated sessions on toy data: what the evaluation is judged by. NumPy and scikit-learn's data sets only."""

from dataclasses import dataclass

import numpy as np

from al_widgets.evaluation import audit_due, reserve_fraction, reserve_order


def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16, y


def blobs(n_classes, seed):
    from sklearn.datasets import make_classification

    X, y = make_classification(
        2000,
        20,
        n_informative=8,
        n_redundant=4,
        n_classes=n_classes,
        n_clusters_per_class=4 if n_classes == 2 else 2,
        class_sep=1.6 if n_classes > 2 else 1.4,
        flip_y=0.02,
        random_state=seed,
    )
    return (X - X.mean(0)) / X.std(0), y


class KernelRidge:
    """RBF kernel ridge classifier on a fixed pool: the Gram matrix is computed once for all refits of all sessions."""

    def __init__(self, X, n_classes, regularisation=0.05):
        square = (X**2).sum(1)
        self.gram = np.exp(-(square[:, None] + square - 2 * X @ X.T) / (X.shape[1] * X.var()))
        self.eye = np.eye(n_classes)
        self.regularisation = regularisation

    def scores(self, rows, y):
        system = self.gram[np.ix_(rows, rows)] + self.regularisation * np.eye(rows.size)
        return self.gram[:, rows] @ np.linalg.solve(system, self.eye[y] - 1 / self.eye.shape[0])


@dataclass
class Session:
    """History of one simulated session; refits in rows."""

    n_labels: np.ndarray
    truth: np.ndarray  # accuracy of each refit on test items that were never in the pool
    predictions: np.ndarray  # (refits, all rows)
    audited: np.ndarray  # audit items answered at the end, in order
    n_audited: np.ndarray  # of these, how many at each refit
    train: np.ndarray  # rows trained on at the end
    reserve: np.ndarray
    fixed: np.ndarray  # rows of the pool chosen at the start, to see whether predictions change
    test: np.ndarray


def run_session(model, y, strategy, seed, limit, step=10, share=0.2):
    """Run margin or random querying with the audit in between, refitting every `step` labels."""
    rng = np.random.default_rng(seed)
    # Truth is measured beside the pool: what a strategy leaves of it is easier than what it took.
    pool, test = np.split(rng.permutation(y.size), [int(0.6 * y.size)])
    reserve = np.array([int(i) for i in reserve_order(seed, map(str, pool), reserve_fraction(pool.size))])
    fixed = np.setdiff1d(pool, reserve)[:500]
    free = np.zeros(y.size, bool)
    free[pool] = True
    free[reserve] = False
    train, audited = [], 0
    history = {"n": [], "truth": [], "predictions": [], "audited": []}
    scores = None
    for served in range(limit):
        if audit_due(served, share) and audited < reserve.size:
            audited += 1
        else:
            rows = np.flatnonzero(free)
            if scores is None or strategy == "random":
                pick = rng.choice(rows)
            else:
                top = np.sort(scores[rows], axis=1)
                # Noise breaks up the batch: the margins are those of the last refit.
                margin = (top[:, -1] - top[:, -2]) * (1 + 0.1 * rng.random(rows.size))
                pick = rows[np.argmin(margin)]
            free[pick] = False
            train.append(pick)
        if (served + 1) % step == 0:
            rows = np.array(train)
            scores = model.scores(rows, y[rows])
            predicted = scores.argmax(1)
            history["n"].append(served + 1)
            history["truth"].append((predicted == y)[test].mean())
            history["predictions"].append(predicted)
            history["audited"].append(audited)
    rows = np.array(train)
    return Session(
        n_labels=np.array(history["n"]),
        truth=np.array(history["truth"]),
        predictions=np.array(history["predictions"]),
        audited=reserve[:audited],
        n_audited=np.array(history["audited"]),
        train=rows,
        reserve=reserve,
        fixed=fixed,
        test=test,
    )


def audit_matrix(session, y, n_refits):
    """Return correctness (audit items × refits) as known after `n_refits` refits."""
    items = session.audited[: session.n_audited[n_refits - 1]]
    return (session.predictions[:n_refits, items] == y[items]).T.astype(float)
