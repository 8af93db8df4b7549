"""Time and memory of one query: every strategy, against its floor and against other libraries.

``python tests/bench/bench_query.py --sizes 1000 10000 100000 --d 64 --batches 1 20 [--peers /path/to/venv/bin/python]``

The model is a logistic regression on 200 labels (fit excluded); a query of ours is the model's probabilities of the whole
pool and the choice, as a session does it. Floors are the same arithmetic as plain float32 BLAS passes. One thread. Each
measurement runs in a process of its own. Prints a table and writes it as Markdown beside the JSON lines.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def ours(ask):
    """Measure one strategy, or its floor; runs in a process of its own."""
    import numpy as np
    from measuring import linear_case, measured
    from query_floors import FLOORS

    from al_widgets import strategies
    from al_widgets.learning import CommitteeLearner, logistic_learner

    X, y, labelled = linear_case(ask["n"], ask["d"])
    name, k = ask["strategy"], ask["k"]
    committee_kind = name in {"vote_entropy", "consensus_entropy", "kl_divergence", "bald", "batchbald"}
    learner = CommitteeLearner(n_members=5) if committee_kind else logistic_learner(C=1.0)
    if name == "auto":
        from al_widgets.learning import default_learner

        learner = default_learner()
    learner.fit(X, labelled, y[labelled], 10)
    candidates = np.setdiff1d(np.arange(len(X)), labelled)
    if ask["what"] == "floor":
        linear = [m.estimator for m in (learner.members if committee_kind else [learner])]
        weights = [(np.ascontiguousarray(m.coef_.T, np.float32), m.intercept_.astype(np.float32)) for m in linear]
        W, b = weights[0]
        return measured(lambda: FLOORS[name](X, W, b, labelled, weights, k), ask["seconds"])
    asks_probabilities = name not in FREE and not committee_kind
    strategy = strategies.get(name)

    def run():
        probabilities = learner.pool_probabilities() if asks_probabilities else None
        context = strategies.Context(
            X,
            candidates,
            labelled,
            y[labelled],
            10,
            probabilities=probabilities,
            model=learner,
            rng=np.random.default_rng(0),
        )
        return strategy.query(context, k)

    return measured(run, ask["seconds"])


FREE = {
    "random", "k_center", "typical_clusters", "probability_coverage", "variance", "v_optimal", "sigma_optimal",
    "discriminative",
}  # fmt: skip


def in_process(command, seconds):
    """Run one measurement in a process of its own; None when it failed or took too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 6 + 120, cwd=HERE, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": "timeout"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return {"failed": last[:120]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows(args):
    from query_floors import FLOORS
    from query_peers import MODAL, SKACTIVEML, SMALLTEXT

    from al_widgets import strategies

    for name in args.strategies or list(strategies.names()):
        for d in args.d:
            for k in args.batches:
                slow = set()
                for n in args.sizes:
                    base = {"strategy": name, "n": n, "d": d, "k": k, "seconds": args.seconds}
                    for what in ("ours", "floor"):
                        if what == "ours" or name in FLOORS:
                            ask = {**base, "what": what}
                            command = [sys.executable, __file__, "--one", json.dumps(ask)]
                            yield {**ask, "library": what, **in_process(command, args.seconds)}
                    for library, known in (
                        ("scikit-activeml", SKACTIVEML),
                        ("modAL", MODAL),
                        ("small-text", SMALLTEXT),
                    ):
                        if not args.peers or name not in known or library in slow:
                            continue
                        ask = {**base, "library": library}
                        got = in_process([args.peers, "query_peers.py", json.dumps(ask)], args.seconds)
                        if "failed" in got or got["seconds"] > args.seconds:
                            slow.add(library)
                        yield {**ask, **got}


def table(results):
    """Return a Markdown table: one row a strategy and size."""
    cells = {}
    for r in results:
        cells.setdefault((r["strategy"], r["n"], r["d"], r["k"]), {})[r["library"]] = r
    lines = [
        "| strategy | N | d | batch | ours s | floor s | ours / floor | extra MB | share of features | scikit-activeml s | modAL s | small-text s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, n, d, k), got in sorted(cells.items()):
        mine, floor = got.get("ours", {}), got.get("floor", {})
        s, f, m = mine.get("seconds"), floor.get("seconds"), mine.get("peak")
        peer = [got.get(p, {}) for p in ("scikit-activeml", "modAL", "small-text")]
        others = [f"{p['seconds']:.3g}" if "seconds" in p else p.get("failed", "") for p in peer]
        lines.append(
            f"| {name} | {n:,} | {d} | {k} | "
            + " | ".join(
                [
                    f"{s:.3g}" if s is not None else mine.get("failed", ""),
                    f"{f:.3g}" if f is not None else "",
                    f"{s / f:.2f}" if s is not None and f else "",
                    f"{m / 1e6:.0f}" if m is not None else "",
                    f"{m / (4 * n * d):.0%}" if m is not None else "",
                    *others,
                ]
            )
            + " |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--d", type=int, nargs="+", default=[64])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--strategies", nargs="+")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds a measurement may repeat for")
    parser.add_argument("--peers", help="python of an environment with scikit-activeml, modAL and small-text")
    parser.add_argument("--out", type=Path, default=Path("bench-query"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(ours(json.loads(args.one))))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    results = []
    with (args.out / "query.jsonl").open("a") as file:
        for r in rows(args):
            results.append(r)
            file.write(json.dumps(r) + "\n")
            file.flush()
            print(json.dumps(r), flush=True)
    (args.out / "query.md").write_text(table(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
