"""Acceptance figures of the evaluation, printed: ``python -m tests.bench.bench_evaluation``.

B4 coverage of forecasts, B5 loss at the stability rule, C1 bias of the audit against cross-validation on chosen labels.
"""

import time

import numpy as np

from al_widgets.evaluation import audit_estimate, forecast_to_target, stability
from al_widgets.evaluation.stopping import STABLE_KAPPA
from tests.evaluation.simulated_sessions import KernelRidge, audit_matrix, blobs, digits, run_session


def smoothed(truth):
    """Return the running median of five refits: one lucky refit is no arrival."""
    padded = np.pad(truth, 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)


def bench_forecasts(seeds=4, limit=500, cuts=(100, 150, 200)):
    rows = []
    durations = []
    early = 0
    for name, (X, y) in {"digits": digits(), "mc5": blobs(5, 1), "mc2": blobs(2, 2), "mc3": blobs(3, 3)}.items():
        model = KernelRidge(X, int(y.max()) + 1)
        for strategy in ("margin", "random"):
            for seed in range(seeds):
                session = run_session(model, y, strategy, seed, limit, share=0.0)
                audit = session.reserve[:150]
                answered = (session.predictions[:, audit] == y[audit]).T.astype(float)
                truth = smoothed(session.truth)
                for cut in cuts:
                    r = int(np.searchsorted(session.n_labels, cut)) + 1
                    correct = answered[:, :r]
                    present = 1 - correct[:, -1].mean()
                    for factor in (0.7, 0.75, 0.8):
                        target = 1 - factor * present
                        begin = time.perf_counter()
                        result = forecast_to_target(
                            correct,
                            session.n_labels[:r],
                            target,
                            seconds_per_label=2.0,
                            rng=np.random.default_rng(seed),
                        )
                        durations.append(time.perf_counter() - begin)
                        if result.labels.n == 0:
                            early += 1
                            continue
                        reached = np.flatnonzero(truth[r - 1 :] >= target)
                        actual = float(session.n_labels[r - 1 + reached[0]] - cut) if reached.size else np.inf
                        rows.append((name, strategy, cut, result, actual))
    covered, log_left, log_total = [], [], []
    for _, _, cut, result, actual in rows:
        low = result.labels.low if result.labels.low is not None else np.inf
        horizon = limit - cut
        if np.isinf(actual):  # beyond the simulation: covered if the interval reaches there
            covered.append(result.labels.high >= horizon)
            continue
        covered.append(low - 5 <= actual <= result.labels.high + 5)  # refits every 10 labels: half a step either way
        value = result.labels.value
        if value is not None and actual > 0:
            log_left.append(abs(np.log2(max(value, 5) / actual)))
            log_total.append(abs(np.log2((value + cut) / (actual + cut))))
    print(
        f"B4 forecasts {len(rows)}, too early {early}: coverage of 80 % intervals {np.mean(covered):.2f}, "
        f"median |log2(predicted/actual)| of labels in total {np.median(log_total):.2f}, of labels left "
        f"{np.median(log_left):.2f} ({len(log_left)} of them), "
        f"upper limit infinite {np.mean([np.isinf(r[3].labels.high) for r in rows]):.2f}, "
        f"{1e3 * np.median(durations):.0f} ms each (max {1e3 * max(durations):.0f})"
    )


def bench_stopping(seeds=4, limit=600):
    for name, (X, y) in {"digits": digits(), "mc5": blobs(5, 1)}.items():
        model = KernelRidge(X, int(y.max()) + 1)
        for seed in range(seeds):
            session = run_session(model, y, "margin", seed, limit)
            stop = None
            for r in range(1, session.n_labels.size + 1):
                estimate = stability(list(session.predictions[:r, session.fixed]), session.n_labels[:r])
                if estimate.value is not None and estimate.value >= STABLE_KAPPA:
                    stop = r
                    break
            if stop is None:
                print(f"B5 {name} seed {seed}: no stop by {limit} labels")
            else:
                loss = session.truth[-1] - session.truth[stop - 1]
                print(f"B5 {name} seed {seed}: stops at {session.n_labels[stop - 1]} labels, loss {loss:+.4f}")


def bench_bias(sessions=20, limit=200):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

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
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # classes with fewer than 5 labels
            cross.append(cross_val_score(logistic, X[rows], y[rows], cv=5).mean() - truth)
    spread = np.std(audit) / np.sqrt(sessions)
    print(
        f"C1 {sessions} sessions: audit bias {np.mean(audit):+.4f} ± {spread:.4f}, cross-validation {np.mean(cross):+.3f}"
    )


if __name__ == "__main__":
    for bench in (bench_bias, bench_stopping, bench_forecasts):
        begin = time.perf_counter()
        bench()
        print(f"   ({time.perf_counter() - begin:.0f} s)")
