"""Time and cost: what is measured, predicted, saved, forecast; and when to stop."""

from __future__ import annotations

import time

import numpy as np
from evaluation.simulated_sessions import KernelRidge, blobs, digits, run_session
from promises import head, proportion, row

from al_widgets.evaluation import fence, forecast_to_target, stability
from al_widgets.evaluation.stopping import STABLE_KAPPA


def b1(seeds, answers=400):
    """Total time with a long pause in one answer of twenty."""
    n = max(seeds * 10, 100)
    head(f"B1 bias of the total time, 5 % of answers with a pause, {n} annotators")
    ours, wall = [], []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        clean = np.exp(rng.normal(1.0, 0.6, answers))
        seen = clean + np.where(rng.random(answers) < 0.05, rng.exponential(90, answers), 0)
        ours.append(fence(seen)[0].sum() / clean.sum() - 1)
        wall.append(seen.sum() / clean.sum() - 1)
    row("fenced", ours, "within 0.05", abs(np.mean(ours)) <= 0.05)
    row("wall clock (the trap)", wall, "> 0.50", np.mean(wall) > 0.5)


def b2(seeds, answers=100):
    """Expected seconds of items against the truth, by the model of `Session` on features of digits."""
    from al_widgets.records import Annotation
    from al_widgets.session.timing import fit_timing, main_directions

    head(f"B2 correlation of log expected seconds with the truth after {answers} answers, digits")
    X, _ = digits()
    X = X[:600]
    ink = X.sum(1)
    expected = 1.0 + 0.6 * (ink - ink.mean()) / ink.std()
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(X))
        seconds = np.exp(expected[order] + 0.4 * rng.standard_normal(len(X)))
        seconds[::20] += 90
        log = [
            Annotation(f"a-{k}", str(i), "a", "label", "x", "a", k, elapsed_s=float(seconds[k]), answered_at=6.0 * k)
            for k, i in enumerate(order[:answers])
        ]
        timing = fit_timing(log, {str(i): int(i) for i in order}, np.arange(len(X)), main_directions(X))
        found.append(np.corrcoef(np.log(timing.seconds(order[answers:], "new", "a")), expected[order[answers:]])[0, 1])
    row("correlation", found, ">= 0.9", np.mean(found) >= 0.9)


def seconds_to(model, y, times, seed, strategy, target=0.96, step=4, limit=600):
    """Seconds until the accuracy on test items, averaged over three refits, reaches the target."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(y.size)
    pool, test = order[:1200], order[1200:]
    free = np.zeros(y.size, bool)
    free[pool] = True
    train, spent, scores, recent = [], 0.0, None, []
    while len(train) < limit:
        rows = np.flatnonzero(free)
        if scores is None or len(train) < 10:
            picks = rng.choice(rows, step, replace=False)
        else:
            p = np.exp(8 * scores[rows])
            p /= p.sum(1, keepdims=True)
            top = np.sort(p, 1)
            worth = 1 - (top[:, -1] - top[:, -2])
            if strategy == "per second":
                worth = worth / times[rows]
            picks = rows[np.argsort(-worth)[:step]]
        for pick in picks:
            free[pick] = False
            train.append(int(pick))
            spent += times[pick]
        known = np.array(train)
        scores = model.scores(known, y[known])
        recent.append((scores[test].argmax(1) == y[test]).mean())
        if np.mean(recent[-3:]) >= target and len(recent) >= 3:
            return spent
    return np.inf


def b3(seeds):
    """Utility per expected second against utility, by how times and difficulty go together."""
    head("B3 seconds to 0.96 on digits: utility per second / utility (margin)")
    X, y = digits()
    model = KernelRidge(X, 10)
    everything = np.arange(y.size)
    scores = model.scores(everything[::3], y[::3])
    top = np.sort(scores, 1)
    hard = -(top[:, -1] - top[:, -2])
    hard = (hard - hard.mean()) / hard.std()
    for title, correlation, spread, most in (
        ("times independent of difficulty", 0.0, 0.6, 0.75),
        ("harder items take longer (0.6)", 0.6, 0.6, 0.6),
        ("constant times", 0.0, 0.0, 1.05),
    ):
        ratios, plain = [], []
        for seed in range(seeds):
            rng = np.random.default_rng(1000 + seed)
            noise = rng.standard_normal(y.size)
            log = correlation * hard + np.sqrt(1 - correlation**2) * noise
            times = np.exp(1.5 + spread * log)
            margin = seconds_to(model, y, times, seed, "margin")
            ratios.append(seconds_to(model, y, times, seed, "per second") / margin)
            plain.append(margin)
        row(f"{title}: ratio", ratios, f"<= {most}", np.mean(ratios) <= most)
        row(f"{title}: seconds of margin", plain)


def smoothed(truth):
    """Running median of five refits: one lucky refit is no arrival."""
    padded = np.pad(truth, 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)


def forecasts(seeds, limit=500, cuts=(100, 150, 200)):
    """Yield (set, labels left until the target or inf, forecast, horizon, cut) of simulated sessions, and (…None…) when too early."""
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
                        found = forecast_to_target(
                            correct,
                            session.n_labels[:r],
                            target,
                            seconds_per_label=2.0,
                            rng=np.random.default_rng(seed),
                        )
                        took = time.perf_counter() - begin
                        reached = np.flatnonzero(truth[r - 1 :] >= target)
                        actual = float(session.n_labels[r - 1 + reached[0]] - cut) if reached.size else np.inf
                        yield name, actual, found, limit - cut, cut, took


def known_curve(seeds, limit=500, cuts=(100, 150, 200)):
    """Return |log2(predicted / actual)| of labels left by one who knows the mean learning curve of the other sessions of a set."""
    errors = []
    for X, y in (digits(), blobs(5, 1), blobs(2, 2), blobs(3, 3)):
        model = KernelRidge(X, int(y.max()) + 1)
        for strategy in ("margin", "random"):
            sessions = [run_session(model, y, strategy, seed, limit, share=0.0) for seed in range(seeds)]
            truths = np.array([smoothed(s.truth) for s in sessions])
            for number, session in enumerate(sessions):
                audit = session.reserve[:150]
                wrong = (session.predictions[:, audit] != y[audit]).mean(1)
                curve = np.maximum.accumulate(np.delete(truths, number, 0).mean(0))
                for cut in cuts:
                    r = int(np.searchsorted(session.n_labels, cut))
                    if wrong[r] * audit.size < 10:
                        continue
                    for factor in (0.7, 0.75, 0.8):
                        target = 1 - factor * wrong[r]
                        reached, told = (np.flatnonzero(c[r:] >= target) for c in (truths[number], curve))
                        if reached.size and told.size and reached[0]:
                            left = session.n_labels[r + np.array([told[0], reached[0]])] - cut
                            errors.append(abs(np.log2(max(left[0], 5) / left[1])))
    return errors


def b4(seeds):
    """Coverage and error of forecasts of targets 20 to 30 % of the error away."""
    head("B4 forecasts of labels to a target 20 to 30 % of the error away, four sets, margin and random")
    covered, left, total, widths, early, took = [], [], [], [], 0, []
    for _, actual, found, horizon, cut, seconds in forecasts(min(seeds, 5)):
        took.append(seconds)
        if found.labels.n == 0:
            early += 1
            continue
        widths.append((found.labels.high + cut) / ((np.inf if found.labels.low is None else found.labels.low) + cut))
        if np.isinf(actual):  # beyond the simulation: covered if the interval reaches there
            covered.append(found.labels.high >= horizon)
            continue
        low = found.labels.low if found.labels.low is not None else np.inf
        covered.append(low - 5 <= actual <= found.labels.high + 5)  # refits every 10 labels: half a step either way
        value = found.labels.value
        if value is not None and actual > 0:
            left.append(abs(np.log2(max(value, 5) / actual)))
            total.append(abs(np.log2((value + cut) / (actual + cut))))
    row("forecasts (too early: not counted)", f"{len(covered)} ({early})", ">= 60", len(covered) >= 60)
    row("coverage of 80 % intervals", proportion(sum(covered), len(covered)), ">= 0.75", np.mean(covered) >= 0.75)
    row("labels in total at the upper end / at the lower, median", f"{np.nanmedian(widths):.1f}")
    row("forecasts without an upper limit", f"{np.mean(~np.isfinite(widths)):.2f}")
    row("median |log2(predicted / actual)| of labels left", f"{np.median(left):.2f}", "<= 0.6", np.median(left) <= 0.6)
    row("the same of labels in total", f"{np.median(total):.2f}")
    floor = np.median(known_curve(min(seeds, 5)))
    row("labels left, by one who knows the mean curve of the other sessions", f"{floor:.2f}")
    row("seconds a forecast", took)


def b5(seeds, limit=400):
    """Stopping by stable predictions."""
    head("B5 stopping by stable predictions (κ >= .99), digits and mc5")
    for name, (X, y) in {"digits": digits(), "mc5": blobs(5, 1)}.items():
        model = KernelRidge(X, int(y.max()) + 1)
        stops, losses = [], []
        for seed in range(seeds):
            session = run_session(model, y, "margin", seed, limit)
            for r in range(1, session.n_labels.size + 1):
                estimate = stability(list(session.predictions[:r, session.fixed]), session.n_labels[:r])
                if estimate.value is not None and estimate.value >= STABLE_KAPPA:
                    stops.append(int(session.n_labels[r - 1]))
                    losses.append(float(session.truth[-5:].mean() - session.truth[r - 1]))
                    break
        row(f"{name}: sessions stopped by {limit} labels", f"{len(stops)} of {seeds}")
        if not stops:
            continue
        row(f"{name}: labels at the stop", f"{np.mean(stops):.0f} (largest {max(stops)})")
        if name == "digits":
            row("digits: all stopped by 250 labels", f"{sum(s <= 250 for s in stops)} of {seeds}", f"{seeds}",
                sum(s <= 250 for s in stops) == seeds)  # fmt: skip
            row("digits: largest loss", f"{max(losses):.3f}", "<= 0.01", max(losses) <= 0.01)
        row(f"{name}: accuracy lost by stopping", losses)
