"""Benchmark of asking about volumes: how good is the mask after how many labelled lines, and after how many seconds.

Simulated surveys with known truth, from the package's own generator and, where it lies beside the repository, from the one that the
figures of the issue were measured on. An annotator paints strokes (40 pixels on each visible object, 200 on the background of a
line) or answers about regions (target or clutter). Prices: look at a line 5 s, a stroke 3 s, a region 2 s. Then a real grid of lines,
where present: nobody knows what lies there, so only what can be seen on it is said. Run::

    python tests/bench/bench_volume.py --surveys 10 --seeds 5 --out notebooks/images

Prints tables; with ``--out`` draws the figure there; with ``--json`` keeps all runs, and goes on where such a file ends.
"""

import argparse
import importlib.util
import json
import time
from pathlib import Path

import numpy as np

from al_widgets.evaluation.masks import average_precision
from al_widgets.features.gpr_synthesis import Scene, synthesize
from al_widgets.features.pixels import PixelFeatures
from al_widgets.learning.pixels import UNLABELLED, PixelLearner, region_outline
from al_widgets.learning.training_masks import training_masks
from al_widgets.session.regions import EXPECTED, THRESHOLDS
from al_widgets.strategies.section_coverage import coverage_order
from al_widgets.strategies.slices import (
    interval_sections,
    margin_uncertainty,
    next_regions,
    next_sections,
    random_sections,
    section_utilities,
    top_mean,
    wants_region,
)

LOOK_S, STROKE_S, REGION_S = 5.0, 3.0, 2.0
LINES = 4
STRIDE = 3
BUDGET_S = 60.0
LEVELS = (0.4, 0.5, 0.6)
TIMED = ("region", "random", "interval")
MOMENTS_S = (6, 12, 18, 24, 36, 48, 60)
RULES = ("query", "random", "interval", "region")
SHARED = next((p / "shared" for p in Path(__file__).resolve().parents if (p / "shared" / "research").is_dir()), None)


class Survey:
    """A volume, its truth and its features; scores are computed on every third row and column."""

    def __init__(self, array, labels):
        self.labels = labels
        self.features = PixelFeatures(array)
        n, rows, columns = labels.shape
        self.flat = np.ravel_multi_index(
            np.ix_(np.arange(0, rows, STRIDE), np.arange(0, columns, STRIDE)), (rows, columns)
        )
        self.truth = (labels[:, ::STRIDE, ::STRIDE] > 0).astype(np.uint8)
        self.anomaly = self.features.anomaly
        self.strength = self.features.strength[:, :, :]
        self.coarse = np.stack([self.features.pixels(i, self.flat.ravel()) for i in range(n)])

    def ap(self, scores):
        return average_precision(scores, self.truth, repeats=2).value

    def row(self, seconds, learner, scores, found):
        """One row of a curve; of the mask also what it would be at even odds, as the estimator gives them."""
        even = 1 / (1 + np.exp(learner.shift))
        return (seconds, self.ap(scores), found, self.dice(scores > 0.5), self.dice(scores > even))

    def dice(self, mask):
        return 2 * (mask & (self.truth > 0)).sum() / max(mask.sum() + (self.truth > 0).sum(), 1)

    def found(self, lines):
        return len(set(np.unique(self.labels[list(lines)])) - {0})

    def predict(self, learner):
        n, pixels, width = self.coarse.shape
        return learner.expect(self.coarse.reshape(n * pixels, width))[:, 1].reshape(self.truth.shape)

    def whole(self, scores):
        """Return scores of all pixels: the nearest one that has one."""
        grown = np.repeat(np.repeat(scores, STRIDE, 1), STRIDE, 2)
        return grown[:, : self.labels.shape[1], : self.labels.shape[2]].astype(np.float32)


def paint(survey, line, rng):
    """One line as an annotator would stroke it; return mask and seconds."""
    truth = survey.labels[line]
    mask = np.full(truth.shape, UNLABELLED, np.uint8)
    background = np.flatnonzero(truth.ravel() == 0)
    mask.ravel()[rng.choice(background, 200, replace=False)] = 0
    objects = [k for k in np.unique(truth) if k]
    for k in objects:
        pixels = np.flatnonzero(truth.ravel() == k)
        mask.ravel()[rng.choice(pixels, min(40, len(pixels)), replace=False)] = 1
    return mask, LOOK_S + STROKE_S * (1 + len(objects))


def next_line(survey, rule, plan, masks, scores):
    """Return the line that a rule asks about next."""
    n, step = len(survey.labels), len(masks)
    if plan is not None and step < len(plan):
        return int(plan[step])
    left = np.array([i for i in range(n) if i not in masks])
    doubt = margin_uncertainty(np.stack([1 - scores, scores], -1))
    utilities = section_utilities(
        np.array([top_mean(d) for d in doubt]),
        np.array(list(masks)),
        foreground=scores.mean(axis=(1, 2)),
        look_s=LOOK_S,
        answer_s=2 * STROKE_S,
    )
    return int(next_sections(utilities, left, 1, reach=2.0)[0])


def by_lines(survey, rule, seed):
    """Label lines, one after the other, at least `LINES` of them and until the seconds are spent."""
    rng = np.random.default_rng(seed)
    n = len(survey.labels)
    plan = {
        "random": lambda: random_sections(np.arange(n), n, rng),
        # Spaced for as many lines as are going to be labelled; which comes first differs between seeds.
        "interval": lambda: np.concatenate(
            [np.roll(interval_sections(n, LINES), -(seed % LINES)), interval_sections(n, 2 * LINES)]
        ),
        "query": lambda: coverage_order(survey.anomaly, 3),
    }[rule]()
    masks, seconds, curve, scores = {}, 0.0, [], None
    while len(masks) < LINES or (rule != "query" and seconds < BUDGET_S):
        line = next_line(survey, rule, plan, masks, scores)
        masks[line], cost = paint(survey, line, rng)
        seconds += cost
        learner = PixelLearner(random_state=seed).fit(survey.features, masks, 2)
        scores = survey.predict(learner)
        curve.append(survey.row(seconds, learner, scores, survey.found(masks)))
    return {"rule": rule, **columns(curve), "lines": list(masks)}


def label(outlined, voxels, number, shape):
    """Give the voxels of a region a class."""
    for i in np.unique(voxels[0]):
        here = voxels[0] == i
        outlined.setdefault(int(i), np.full(shape, UNLABELLED, np.uint8))[voxels[1][here], voxels[2][here]] = number


def by_regions(survey, seed):
    """Answer about regions, and paint sections among them, until the seconds are spent."""
    rng = np.random.default_rng(seed)
    truth = survey.labels > 0
    foreground = np.clip(survey.anomaly / 6, 0, 1)
    outlined, painted, found = {}, {}, set()
    asked = np.zeros(truth.shape, bool)
    seconds, thresholds, n_regions, curve = 0.0, THRESHOLDS, 0, []
    while seconds < BUDGET_S:
        found_now = (next_regions(foreground, asked, 3, threshold=threshold) for threshold in thresholds)
        regions = next((regions for regions in found_now if regions), [])
        if regions and wants_region(n_regions, len(painted)):
            for region in regions:
                hit = truth[region.voxels].mean() > 0.25
                found |= set(np.unique(survey.labels[region.voxels])) - {0} if hit else set()
                voxels = region_outline(survey.strength, region.voxels)
                asked[region.voxels] = asked[voxels] = True
                label(outlined, voxels, int(hit), truth.shape[1:])
                seconds += REGION_S
                n_regions += 1
        else:
            line = int(coverage_order(survey.anomaly, 1, labelled=np.array(list(painted), np.intp))[0])
            painted[line], cost = paint(survey, line, rng)
            found |= set(np.unique(survey.labels[line])) - {0}
            seconds += cost
        if found:
            masks = training_masks(painted, outlined, foreground, below=0.8 * thresholds[0], rng=rng)
            learner = PixelLearner(random_state=seed).fit(survey.features, masks, 2)
            scores = survey.predict(learner)
            foreground, thresholds = survey.whole(scores), EXPECTED
            curve.append(survey.row(seconds, learner, scores, len(found)))
    return {"rule": "region", **columns(curve), "regions": n_regions, "lines": list(painted)}


def columns(curve):
    """Turn rows (seconds, AP, objects found, Dice, Dice at even odds) into columns."""
    return {name: [float(row[k]) for row in curve] for k, name in enumerate(("seconds", "ap", "found", "dice", "even"))}


def surveys(generator, count):
    if generator == "own":
        for seed in range(count):
            made = synthesize(Scene(), seed)
            yield Survey(made.array, made.labels)
        return
    path = SHARED / "research" / "reference" / "gpr_synth.py"
    spec = importlib.util.spec_from_file_location("gpr_synth", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for seed in range(count):
        array, labels, _, _ = module.volume(seed, n_targets=6)
        yield Survey(array, labels)


def run_all(generators, options, runs, save):
    """Append what is missing; seeds outermost, so that whoever stops early has all surveys."""
    done = {(r["generator"], r["survey"], r["seed"], r["rule"]) for r in runs}
    held = {}
    for seed in range(options.seeds):
        for generator in generators:
            for number in range(options.surveys):
                # Without labels no seed matters, with all of them next to none.
                rules = (*RULES, "prescreener", "everything") if seed == 0 else RULES
                wanted = [r for r in rules if (generator, number, seed, r) not in done]
                if not wanted:
                    continue
                if generator not in held:
                    held[generator] = list(surveys(generator, options.surveys))
                began = time.perf_counter()
                runs += run_one(held[generator][number], (generator, number, seed), wanted)
                save(runs)
                print(f"{generator} survey {number} seed {seed}: {time.perf_counter() - began:.1f} s", flush=True)


def run_one(survey, which, rules):
    """Return the runs of some rules on one survey with one seed."""
    common = dict(zip(("generator", "survey", "seed"), which, strict=True))
    run = {"prescreener": without_labels, "region": by_regions, "everything": with_all_lines}
    return [{**common, **(run[r](survey, which[-1]) if r in run else by_lines(survey, r, which[-1]))} for r in rules]


def without_labels(survey, seed):
    """Return the anomaly map's figures, and what its first three lines show."""
    ap, first = survey.ap(survey.anomaly[:, ::STRIDE, ::STRIDE]), coverage_order(survey.anomaly, 3)
    return {"rule": "prescreener", "seconds": [0.0], "ap": [ap], "found": [survey.found(first)]}


def with_all_lines(survey, seed):
    """Return the figures with every line painted: what no choice of questions can better, with these features and this learner."""
    rng = np.random.default_rng(seed)
    painted = {i: paint(survey, i, rng) for i in range(len(survey.labels))}
    learner = PixelLearner(random_state=seed).fit(survey.features, {i: mask for i, (mask, _) in painted.items()}, 2)
    seconds = sum(cost for _, cost in painted.values())
    row = survey.row(seconds, learner, survey.predict(learner), survey.found(painted))
    return {"rule": "everything", **columns([row])}


def at(run, seconds, start, column="ap"):
    """Return AP (or objects found) of a run after so many seconds: of its newest model at that time; `start` before the first."""
    value = start
    for s, v in zip(run["seconds"], run[column], strict=True):
        if s <= seconds:
            value = v
    return value


class Results:
    """All runs of one generator, as means of surveys with intervals."""

    def __init__(self, runs, generator):
        self.runs = [r for r in runs if r["generator"] == generator]
        self.surveys = sorted({r["survey"] for r in self.runs})
        self.seeds = 1 + max(r["seed"] for r in self.runs)
        self.start = {r["survey"]: r["ap"][0] for r in self.runs if r["rule"] == "prescreener"}
        self.rng = np.random.default_rng(0)

    def per_survey(self, rule, value):
        return np.array(
            [np.mean([value(r) for r in self.runs if (r["rule"], r["survey"]) == (rule, s)]) for s in self.surveys]
        )

    def interval(self, values, digits=2):
        """Mean and bootstrap 95 % over surveys."""
        low, high = np.quantile(self.rng.choice(values, (4000, len(values))).mean(axis=1), [0.025, 0.975])
        return f"{values.mean():.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    def ratio(self, above, below):
        """Ratio of means and bootstrap 95 % over surveys, paired."""
        rows = self.rng.integers(len(above), size=(4000, len(above)))
        low, high = np.quantile(above[rows].mean(axis=1) / below[rows].mean(axis=1), [0.025, 0.975])
        return f"{above.mean() / below.mean():.2f} [{low:.2f}, {high:.2f}]"

    def shown(self, rule, seconds):
        """AP of what is on the screen: the anomaly map until there is a model."""
        return self.per_survey(rule, lambda r: at(r, seconds, self.start[r["survey"]]))

    def learned(self, rule, seconds):
        """AP of the model; 0 while there is none."""
        return self.per_survey(rule, lambda r: at(r, seconds, 0.0))

    def print(self, generator):
        print(
            f"\n## {generator} generator: {len(self.surveys)} surveys x {self.seeds} seeds, mean [95 % over surveys]\n"
        )
        print(
            "| rule | " + " | ".join(f"AP, {k + 1} lines" for k in range(LINES)) + " | objects, 3 lines | s, 4 lines |"
        )
        print("|---" * (LINES + 3) + "|")
        for rule in RULES[:3]:
            cells = [self.interval(self.per_survey(rule, lambda r, k=k: r["ap"][k])) for k in range(LINES)]
            cells.append(self.interval(self.per_survey(rule, lambda r: r["found"][2])))
            cells.append(f"{self.per_survey(rule, lambda r: r['seconds'][LINES - 1]).mean():.0f}")
            print(f"| {rule} | " + " | ".join(cells) + " |")
        prescreener = self.interval(self.per_survey("prescreener", lambda r: r["ap"][0]))
        print(f"| prescreener, no label | {prescreener} |" + " |" * (LINES + 1))
        everything, took = (self.per_survey("everything", lambda r, c=c: r[c][0]) for c in ("ap", "seconds"))
        print(f"| every line painted, {took.mean():.0f} s | {self.interval(everything)} |" + " |" * (LINES + 1))
        print(
            "\n| annotator seconds | region: AP | random: AP of its model | random: AP shown | ratio, models | ratio, shown |"
        )
        print("|---|---|---|---|---|---|")
        for seconds in MOMENTS_S:
            region, model, shown = (
                self.shown("region", seconds),
                self.learned("random", seconds),
                self.shown("random", seconds),
            )
            ratio = self.ratio(self.learned("region", seconds), model) if model.min() > 0 else "some have no model"
            cells = [
                self.interval(region),
                self.interval(model),
                self.interval(shown),
                ratio,
                self.ratio(region, shown),
            ]
            print(f"| {seconds} | " + " | ".join(cells) + " |")
        spans = np.arange(0.5, BUDGET_S, 0.5)
        over = [np.mean([self.shown(rule, s) for s in spans], axis=0) for rule in ("region", "random")]
        print(f"\nmean over the first {BUDGET_S:.0f} s, shown: region / random {self.ratio(*over)}")
        self.print_times()
        self.print_dice()
        found = [self.interval(self.per_survey("region", lambda r, s=s: at(r, s, 0, "found")), 1) for s in (12, 24, 48)]
        print(f"objects known by regions after 12, 24, 48 s: {', '.join(found)}")

    def print_times(self):
        """The other way round: seconds until the model is as good as that."""
        print("\n| AP reached | " + " | ".join(f"{rule}: median s, runs" for rule in TIMED) + " |")
        print("|---" * (len(TIMED) + 1) + "|")
        for level in LEVELS:
            cells = []
            for rule in TIMED:
                runs = [r for r in self.runs if r["rule"] == rule]
                first = np.array(
                    [next((s for s, v in zip(r["seconds"], r["ap"], strict=True) if v >= level), np.inf) for r in runs]
                )
                first[first > BUDGET_S] = np.inf
                median = np.median(first)
                cells.append(
                    f"{f'{median:.0f}' if np.isfinite(median) else f'> {BUDGET_S:.0f}'}, {np.isfinite(first).mean():.0%}"
                )
            print(f"| {level} | " + " | ".join(cells) + " |")

    def print_dice(self):
        """The mask shown: what it is, and would be where the estimator's even odds decide."""
        print()
        for rule in RULES[:3]:
            shown, even = (self.per_survey(rule, lambda r, c=c: r[c][LINES - 1]) for c in ("dice", "even"))
            print(
                f"Dice of the mask after {LINES} lines, {rule}: {self.interval(shown)}; at even odds {self.interval(even)}"
            )


def draw(runs, generators, path):
    """Draw AP against lines and against seconds, one row a generator."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    colours = {"query": "#0072b2", "random": "#999999", "interval": "#e69f00", "region": "#d55e00"}
    figure, axes = plt.subplots(len(generators), 2, figsize=(9, 3.3 * len(generators)), squeeze=False, sharey=True)
    for (by_line, by_time), generator in zip(axes, generators, strict=True):
        results = Results(runs, generator)
        start = np.mean(list(results.start.values()))
        for rule in RULES[:3]:
            values = np.array([results.per_survey(rule, lambda r, k=k: r["ap"][k]) for k in range(LINES)])
            error = 1.96 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
            by_line.errorbar(
                range(1, LINES + 1), values.mean(axis=1), error, label=rule, color=colours[rule], capsize=2
            )
        spans = np.arange(0, BUDGET_S + 1)
        for rule in TIMED:
            values = np.array([results.shown(rule, s) for s in spans])
            error = 1.96 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
            by_time.plot(spans, values.mean(axis=1), label=rule, color=colours[rule])
            low, high = values.mean(axis=1) - error, values.mean(axis=1) + error
            by_time.fill_between(spans, low, high, color=colours[rule], alpha=0.2, linewidth=0)
        for ax in (by_line, by_time):
            ax.axhline(start, color="black", linestyle=":", linewidth=1, label="anomaly map, no label")
            ax.legend(frameon=False, fontsize=8, loc="lower right")
            ax.spines[["top", "right"]].set_visible(False)
        by_line.set(xlabel="labelled lines", ylabel="average precision", xticks=range(1, LINES + 1))
        by_line.set_title(f"{generator} generator, {len(results.surveys)} surveys × {results.seeds} seeds", fontsize=9)
        by_time.set(xlabel="seconds of the annotator")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def real_grid():
    """Say what can be said of the real grid: on which line a known hyperbola ranks where, without a label and with one line painted."""
    samples = SHARED / "samples" if SHARED else None
    if samples is None or not (samples / "XLINE02.DT1").exists():
        return
    from al_widgets.readers import read, stack_lines

    lines = [read(samples / f"XLINE{i:02d}.DT1") for i in range(5)]
    volume = stack_lines(lines, name="grid", line_spacing_m=0.2)
    valid = np.arange(volume.shape[2])[None, :] < np.array(volume.lengths or [volume.shape[2]] * len(lines))[:, None]
    features = PixelFeatures(volume.array, valid=valid)
    x, time_axis = volume.axes[2], volume.axes[1]
    valid3 = np.broadcast_to(valid[:, None, :], features.shape)
    prior = np.where(valid3, np.clip(features.anomaly / 6, 0, 1), 0).astype(np.float32)
    print(
        f"\n## real grid, {len(lines)} lines of {features.shape[1]} samples x {features.shape[2]} traces; no truth is known\n"
    )
    print(f"lines asked about first: {coverage_order(np.where(valid3, features.anomaly, 0), 3).tolist()}")
    near = np.abs(x.coordinates(features.shape[2]) - 4.2) < 0.5
    peak = features.anomaly[2][:, near].max()
    share = float((features.anomaly[2][:, valid[2]] > peak).mean())
    print(f"hyperbola the data's authors name (line 2, 4.2 m): {share:.2%} of its line is more anomalous")
    asked, outlined, answers = np.zeros(features.shape, bool), {}, []
    rng = np.random.default_rng(0)
    for threshold in (0.5, 0.35, 0.2):
        for region in next_regions(prior, asked, 6 - len(answers), threshold=threshold):
            asked[region.voxels] = True
            hit = bool(((region.voxels[0] == 2) & near[region.voxels[2]]).any())
            answers.append(hit)
            voxels = region_outline(features.strength, region.voxels)
            told = (voxels[0] == 2) | (not hit)  # a yes is taken for line 2 alone: the others are the question
            label(outlined, tuple(axis[told] for axis in voxels), int(hit), features.shape[1:])
    print(f"regions asked before there is a model: {len(answers)}, of them on that hyperbola: {sum(answers)}")
    if not any(answers):
        return
    learner = PixelLearner().fit(features, training_masks({}, outlined, prior, below=0.28, rng=rng), 2)
    for i in (0, 1, 3, 4):
        p = np.where(valid[i], learner.probabilities(features, i)[..., 1], 0)
        row, column = np.unravel_index(int(p.argmax()), p.shape)
        print(
            f"called a target on line 2 only: line {i} expects one most at {x.coordinate(column):.2f} m, "
            f"{time_axis.coordinate(row):.1f} ns (p = {p.max():.2f})"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", choices=["own", "reference", "both"], default="both")
    parser.add_argument("--surveys", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    generators = ["own", "reference"] if options.generator == "both" else [options.generator]
    if SHARED is None:
        generators = [g for g in generators if g == "own"]
    runs = json.loads(options.json.read_text()) if options.json and options.json.exists() else []

    def save(runs):
        if options.json:
            options.json.write_text(json.dumps(runs))

    run_all(generators, options, runs, save)
    for generator in generators:
        Results(runs, generator).print(generator)
    real_grid()
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        draw(runs, generators, options.out / "volume_queries.png")


if __name__ == "__main__":
    main()
