"""Honest accuracy: audit against cross-validation, bands under continuous watching, and what is never trained on."""

from __future__ import annotations

import warnings

import numpy as np
from evaluation.simulated_sessions import KernelRidge, audit_matrix, digits, run_session
from promises import head, interval, proportion, row

from al_widgets.evaluation import audit_estimate, certified_estimate, certified_path, ppr_interval, wilson_interval
from al_widgets.evaluation.certified import ppr_log_ratio


def c1(seeds, limit=200):
    """Bias of the audit, and of cross-validation on chosen labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    sessions = max(2 * seeds, 20)
    head(f"C1 accuracy at {limit} chosen labels against the truth, digits, {sessions} sessions")
    X, y = digits()
    model = KernelRidge(X, 10)
    audit, cross = [], []
    for seed in range(sessions):
        session = run_session(model, y, "margin", 100 + seed, limit)
        estimate = audit_estimate(audit_matrix(session, y, session.n_labels.size)[:, -1])
        audit.append(estimate.value - session.truth[-1])
        logistic = LogisticRegression(max_iter=500)
        rows = session.train
        truth = logistic.fit(X[rows], y[rows]).score(X[session.test], y[session.test])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # classes with fewer than 5 labels
            cross.append(cross_val_score(logistic, X[rows], y[rows], cv=5).mean() - truth)
    row("audit - truth", audit, "within 0.01", abs(np.mean(audit)) <= 0.01)
    row("cross-validation - truth (the trap)", cross, "below -0.10", np.mean(cross) < -0.10)


MOST = 300
"""Audit labels of a session that is watched."""


def c2(seeds, sessions=1000):
    """Watch one frozen model after every audit label."""
    del seeds
    head(f"C2 ever wrong while watched all the time, one model, {sessions} sessions each")
    for population in (1000, 5000):
        for p in (0.8, 0.9, 0.95, 0.98):
            rng = np.random.default_rng([population, int(100 * p)])
            missed, wilson, widths = 0, 0, []
            n = np.arange(1, MOST + 1)
            for number in range(sessions):
                total = round(p * population)
                truth = total / population
                hits = np.cumsum(rng.permutation(np.r_[np.ones(total), np.zeros(population - total)])[:MOST])
                # The truth is outside where prior / posterior of it exceeds 1 / .05: the interval's definition, at every n.
                missed += bool((ppr_log_ratio(total, hits, n, population) >= np.log(20)).any())
                plain = np.array([wilson_interval(h, k) for h, k in zip(hits, n, strict=True)])
                wilson += bool(((plain[19:, 0] > truth) | (plain[19:, 1] < truth)).any())
                if number < 100:
                    at = np.geomspace(20, MOST, 15).astype(int)
                    bounds = np.array([ppr_interval(int(hits[k - 1]), int(k), population) for k in at])
                    widths.append(np.mean(np.ptp(bounds, axis=1) / np.ptp(plain[at - 1], axis=1)))
            what = f"N {population}, accuracy {p}"
            row(f"{what}: ever outside", proportion(missed, sessions), "<= 0.065", missed / sessions <= 0.065)
            row(f"{what}: Wilson, for comparison", proportion(wilson, sessions))
            row(f"{what}: width / Wilson", widths, "<= 1.7", np.mean(widths) <= 1.7)


def c3(seeds, sessions=100, refits=40):
    """A model that is refitted 40 times while the audit grows."""
    del seeds
    head(f"C3 wrong somewhere in {refits} refits, {sessions} sessions")
    rng = np.random.default_rng(3)
    certified, pointwise = 0, 0
    for _ in range(sessions):
        truth = 0.95 - 0.45 * np.exp(-np.arange(refits) / 8)
        luck = rng.random(refits * 8)
        bad_certified = bad_pointwise = False
        history = []
        for r in range(refits):
            n = 8 * (r + 1)
            # An item's luck stays with it: refits share the audit items.
            mixed = np.where(rng.random(n) < 0.8, luck[:n], rng.random(n))
            hits = int((mixed < truth[r]).sum())
            history.append((hits, n))
            estimate = certified_estimate(history)
            if estimate.value is not None and estimate.n == n:
                bad_certified |= not estimate.low <= truth[r] <= estimate.high
            low, high = wilson_interval(hits, n)
            bad_pointwise |= n >= 20 and not low <= truth[r] <= high
        certified += bad_certified
        pointwise += bad_pointwise
    row("certified band", proportion(certified, sessions), "<= 0.05", certified / sessions <= 0.05)
    row("pointwise Wilson (the trap)", proportion(pointwise, sessions), "> 0.25", pointwise / sessions > 0.25)
    for accuracy in (0.8, 0.9, 0.95):
        standing(rng, accuracy)


def standing(rng, accuracy, sessions=200, refits=8, answers=320):
    """A model that is refitted a few times and then stands while the audit grows: watched, and by planned looks alone."""
    missed, widths = 0, []
    for number in range(sessions):
        luck = rng.random(answers)
        truths = np.where(np.arange(answers) < 8 * refits, accuracy - 0.1, accuracy)
        models = np.minimum(np.arange(answers) // 8, refits)
        hits = np.array([(luck[: n + 1] < truths[n]).sum() for n in range(answers)])
        history = [(int(hits[n]), n + 1, int(models[n])) for n in range(3, answers, 4)]
        path = certified_path(history)
        missed += any(e.value is not None and not e.low <= truths[e.n - 1] <= e.high for e in path)
        if number < 50:
            at = np.arange(2 * refits + 8, len(path))
            looks = certified_path((s, n, n) for s, n, _ in history)
            widths.append(np.mean([(path[n].high - path[n].low) / (looks[n].high - looks[n].low) for n in at]))
    what = f"stands at {accuracy} after {refits} refits"
    row(f"{what}: ever wrong, {sessions} sessions", proportion(missed, sessions), "<= 0.05", missed / sessions <= 0.05)
    row(f"{what}: width / that of planned looks alone", widths)


def c4(seeds):
    """Sessions of the package, two annotators who err: no audit item is ever trained on."""
    from sklearn.datasets import load_digits

    import al_widgets as al

    head("C4 audit items among what a session trains on")
    data = load_digits()
    images, names = data.images[:300].astype(np.uint8), [str(n) for n in range(10)]
    pixels = images.reshape(300, -1).astype(np.float32) / 16
    trained, audited = 0, []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        session = al.Session(images, names, encoder=pixels, store=":memory:", annotator="a", batch_size=10, seed=seed)
        for query in session.queries(limit=120):
            truth = int(data.target[int(query.item_id.rsplit("/", 1)[1])])
            session.submit(query, names[truth if rng.random() < 0.8 else rng.integers(10)])
            rows = set(session._state().labelled.tolist())
            trained += len(rows & session._queue.in_reserve)
        audited.append(session.accuracy.n)
        session.close()
    row(
        f"audit items trained on, {seeds} sessions of 120 answers, looked at after each",
        f"{trained}",
        "0",
        trained == 0,
    )
    row("audit items answered a session", interval(audited))
