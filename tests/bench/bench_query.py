"""Time and memory of one query: every strategy, against its floor and against other libraries; and what a label costs a session.

``python tests/bench/bench_query.py [--sizes 1000 100000] [--d 64] [--batches 20] [--strategies margin badge] [--peers]``

The model is a logistic regression on 200 labels (fit excluded); a query of ours is the model's probabilities of the whole
pool and the choice, as a session does it. Floors are the same arithmetic as plain float32 BLAS passes (`query_floors`). CPU
seconds of one thread; memory is what a query takes beside the features. Each measurement runs in a fork of its own
(`measuring`). scikit-activeml, modAL and small-text run in an environment of their own, which is made at the first run
(`peers_environment`). Prints Markdown tables and writes them to ``query.md`` beside the results in ``query.jsonl``; ``--table``
prints those of earlier runs again.
"""

import argparse
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

from measuring import forked, linear_case, measured

HERE = Path(__file__).parent

COMMITTEE = {"vote_entropy", "consensus_entropy", "kl_divergence", "bald", "batchbald"}
#: Ask no model.
FREE = {
    "random", "k_center", "typical_clusters", "probability_coverage", "variance", "v_optimal", "sigma_optimal",
    "discriminative",
}  # fmt: skip
#: Walk the pool's neighbour graph, which is built once a pool and measured by itself.
GRAPH = {"auto", "variance", "v_optimal", "sigma_optimal"}
ONCE = "(graph, once a pool)"


def ours(name, X, y, labelled, k, seconds):
    """Measure one query of ours."""
    import numpy as np

    from al_widgets import strategies
    from al_widgets.learning import CommitteeLearner, default_learner, logistic_learner

    learner = (
        CommitteeLearner() if name in COMMITTEE else default_learner() if name == "auto" else logistic_learner(1.0)
    )
    learner.fit(X, labelled, y[labelled], 10)
    candidates = np.setdiff1d(np.arange(len(X)), labelled)
    asks_probabilities = name not in FREE | COMMITTEE
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
            cost=(lambda rows: 1.0 + rows % 7) if name == "cost_aware" else None,
            rng=np.random.default_rng(0),
        )
        return strategy.query(context, k)

    return measured(run, seconds)


def floor(name, X, y, labelled, k, seconds):
    """Measure the floor of one query."""
    import numpy as np
    from query_floors import FLOORS

    from al_widgets.learning import CommitteeLearner, default_learner, logistic_learner

    learner = CommitteeLearner() if name in COMMITTEE else logistic_learner(1.0)
    learner.fit(X, labelled, y[labelled], 10)
    linear = [m.estimator for m in (learner.members if name in COMMITTEE else [learner])]
    weights = [(np.ascontiguousarray(m.coef_.T, np.float32), m.intercept_.astype(np.float32)) for m in linear]
    W, b = weights[0]
    more = weights
    if name == "auto":
        more = default_learner().fit(X, labelled, y[labelled], 10).estimator.solution
    elif name == "expected_error":
        more = y
    return measured(lambda: FLOORS[name](X, W, b, labelled, more, k), seconds)


def own_results(n, d, args):
    """Yield results of ours and of the floors on one pool."""
    import sklearn.linear_model  # noqa: F401 - loaded before the forks
    from query_floors import FLOORS

    import al_widgets.learning
    import al_widgets.strategies  # noqa: F401
    from al_widgets.features.graph import spectral_map

    X, y, labelled = linear_case(n, d)
    if GRAPH & set(args.strategies):
        found = measured(lambda: spectral_map(X), 0)  # remembered: the forks find it
        yield {"library": "ours", "strategy": ONCE, "n": n, "d": d, "k": 0, **found}
    for name in args.strategies:
        for k in args.batches:
            for what, measure in (("ours", ours), ("floor", floor)):
                if what == "ours" or name in FLOORS:
                    found = forked(lambda m=measure, s=name, k=k: m(s, X, y, labelled, k, args.seconds), args.limit)
                    yield {"library": what, "strategy": name, "n": n, "d": d, "k": k, **found}


def peer_results(n, d, args, known):
    """Yield results of the other libraries on one pool; what cannot end in time is not begun."""
    from peers_environment import peers_python
    from query_peers import PEERS

    asks = []
    for library in PEERS if args.peers is None else args.peers:
        for name in PEERS[library]:
            for k in args.batches if name in args.strategies else ():
                ask = {"library": library, "strategy": name, "k": k}
                smaller = [r for r in known if r["n"] < n and r["d"] == d and all(r[key] == ask[key] for key in ask)]
                last = max(smaller, key=lambda r: r["n"], default=None)
                if last and ("failed" in last or last["first"] * n / last["n"] > args.limit):
                    why = last.get("failed") or f"> {args.limit:g} s"
                    size = last.get("failed_at", last["n"] if "failed" in last else n)
                    yield {**ask, "n": n, "d": d, "failed": why, "failed_at": size}
                else:
                    asks.append(ask)
    given = {"n": n, "d": d, "limit": args.limit, "seconds": args.seconds, "asks": asks}
    if not asks:
        return
    command = [peers_python(), "query_peers.py", json.dumps(given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"query_peers.py ended with {process.returncode}")


def figure(value):
    """Return a number with two or three digits."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(results):
    """Return the Markdown table of queries: one row a strategy and pool."""
    peers = ("scikit-activeml", "modAL", "small-text")
    cells = {}
    for r in results:
        cells.setdefault((r["strategy"], r["d"], r["n"], r["k"]), {})[r["library"]] = r
    lines = [
        "| strategy | features | items | batch | ms | ÷ floor | extra MB | ÷ features | "
        + " | ".join(f"{p} ÷ ours" for p in peers)
        + " |",
        "|---|" + "--:|" * (7 + len(peers)),
    ]
    for (name, d, n, k), got in sorted(cells.items()):
        mine = got.get("ours", {})
        row = [name, str(d), f"{n:,}", str(k)]
        if "seconds" not in mine:
            row += [mine.get("failed", ""), "", "", ""]
        else:
            least = got.get("floor", {}).get("seconds")
            row += [
                figure(1e3 * mine["seconds"]),
                f"{mine['seconds'] / least:.2f}" if least else "",
                figure(mine["peak"] / 1e6),
                f"{mine['peak'] / (4 * n * d):.0%}",
            ]
        for p in peers:
            r = got.get(p)
            if r is None:
                row.append("")
            elif "failed" in r:
                at = r.get("failed_at", n)
                row.append(r["failed"].partition(":")[0] + (f" at {at:,}" if at != n else ""))
            else:
                row.append(figure(r["seconds"] / mine["seconds"]) if "seconds" in mine else f"{r['seconds']:.3g} s")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def growth(results):
    """Return the Markdown table of the exponents of growth: time ∝ itemsᵉ."""
    times = {}
    for r in results:
        if r["library"] == "ours" and "seconds" in r:
            times.setdefault((r["strategy"], r["d"], r["k"]), {})[r["n"]] = r["seconds"]
    sizes = sorted({n for found in times.values() for n in found})
    steps = list(itertools.pairwise(sizes))
    lines = [
        "| strategy | features | batch | "
        + " | ".join(f"{n:,} items, ms" for n in sizes)
        + " | "
        + " | ".join(f"exponent {a:,} → {b:,}" for a, b in steps)
        + " |",
        "|---|" + "--:|" * (2 + len(sizes) + len(steps)),
    ]
    for (name, d, k), found in sorted(times.items()):
        row = [name, str(d), str(k)]
        row += [figure(1e3 * found[n]) if n in found else "" for n in sizes]
        for a, b in steps:
            both = a in found and b in found
            row.append(f"{math.log(found[b] / found[a]) / math.log(b / a):.2f}" if both else "")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def quickest(results):
    """Return the quickest of results that were measured several times: other work on the machine only adds time."""
    best = {}
    for r in results:
        key = tuple(r[k] for k in ("library", "strategy", "n", "d", "k"))
        if key not in best or r.get("seconds", math.inf) <= best[key].get("seconds", math.inf):
            best[key] = r
    return list(best.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--d", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--strategies", nargs="+", help="default: all")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="CPU seconds that repeats of one measurement may take"
    )
    parser.add_argument("--limit", type=float, default=60.0, help="CPU seconds after which a query is ended")
    parser.add_argument("--peers", nargs="*", help="scikit-activeml, modAL, small-text; default: all; nothing: none")
    parser.add_argument("--no-session", action="store_true", help="leave out what a label costs a session")
    parser.add_argument("--out", type=Path, default=Path("bench-query"))
    parser.add_argument("--table", action="store_true", help="measure nothing, print the tables of --out")
    args = parser.parse_args()
    file = args.out / "query.jsonl"
    args.out.mkdir(parents=True, exist_ok=True)
    results = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    if not args.table:
        if not args.strategies:
            from al_widgets import strategies

            args.strategies = list(strategies.names())
        run = []
        with file.open("a") as out:

            def keep(found):
                for r in found:
                    run.append(r)
                    out.write(json.dumps(r) + "\n")
                    out.flush()
                    print(json.dumps(r), file=sys.stderr, flush=True)

            for d in args.d:
                for n in sorted(args.sizes):
                    keep(own_results(n, d, args))
                    keep(peer_results(n, d, args, run))
        results = [*results, *run]
    results = quickest(results)
    parts = [table(results), growth(results)]
    if not args.table and not args.no_session:
        from query_session import session_table

        parts.append(session_table())
    text = "\n\n".join(parts) + "\n"
    if not args.table:
        (args.out / "query.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
