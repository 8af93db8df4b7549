"""Benchmark of asking about volumes: how good is the mask after how many labelled lines, and after how many seconds.

Simulated surveys with known truth, an annotator that paints strokes (40 pixels on each visible object, 200 on the background of a
line) or answers about regions (target or clutter), and prices: look at a line 5 s, a stroke 3 s, a region 2 s. Run::

    python tests/bench/bench_volume.py --surveys 10 --seeds 5

and, where that generator lies beside the repository, ``--generator reference``. Prints one table, and with ``--json`` writes all runs.
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
from al_widgets.learning.pixels import UNLABELLED, PixelLearner, region_masks
from al_widgets.strategies.slices import (
    coverage_order,
    interval_sections,
    margin_uncertainty,
    next_regions,
    next_sections,
    random_sections,
    section_utilities,
    top_mean,
)

LOOK_S, STROKE_S, REGION_S = 5.0, 3.0, 2.0
LINES = 4
STRIDE = 3
ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "research" / "reference" / "gpr_synth.py"


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
        self.coarse = np.stack([self.features.pixels(i, self.flat.ravel()) for i in range(n)])

    def ap(self, scores):
        return average_precision(scores, self.truth, repeats=2).value

    def found(self, lines):
        return len(set(np.unique(self.labels[list(lines)])) - {0})

    def predict(self, learner):
        estimator = learner.estimator
        n, pixels, width = self.coarse.shape
        given = estimator.predict_proba(self.coarse.reshape(n * pixels, width))
        p = np.zeros((n * pixels, 2))
        p[:, estimator.classes_] = given
        return p[:, 1].reshape(self.truth.shape)


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


def by_lines(survey, rule, seed):
    """Label `LINES` lines, one after the other; return AP and seconds after each, and objects seen."""
    rng = np.random.default_rng(seed)
    n = len(survey.labels)
    plan = {
        "random": random_sections(np.arange(n), LINES, rng),
        "interval": np.roll(interval_sections(n, LINES), -(seed % LINES)),
    }.get(rule)
    first = coverage_order(survey.anomaly, 3)
    masks, seconds, curve, seen = {}, 0.0, [], []
    scores = None
    for step in range(LINES):
        if plan is not None:
            line = int(plan[step])
        elif step < len(first):
            line = int(first[step])
        else:
            doubt = margin_uncertainty(np.stack([1 - scores, scores], -1))
            utilities = section_utilities(
                np.array([top_mean(d) for d in doubt]),
                np.array(list(masks)),
                foreground=scores.mean(axis=(1, 2)),
                look_s=LOOK_S,
                answer_s=2 * STROKE_S,
            )
            left = np.array([i for i in range(n) if i not in masks])
            line = int(next_sections(utilities, left, 1, reach=2.0)[0])
        masks[line], cost = paint(survey, line, rng)
        seconds += cost
        learner = PixelLearner(random_state=seed).fit(survey.features, masks, 2)
        scores = survey.predict(learner)
        curve.append((seconds, survey.ap(scores)))
        seen.append(survey.found(masks))
    return {
        "rule": rule,
        "seconds": [c[0] for c in curve],
        "ap": [c[1] for c in curve],
        "found": seen,
        "lines": list(masks),
    }


def by_regions(survey, seed, budget):
    """Answer about regions until the seconds are spent; return AP along the way."""
    rng = np.random.default_rng(seed)
    truth = survey.labels > 0
    strength = survey.features.strength()
    foreground = np.clip(survey.anomaly / 6, 0, 1)
    masks = {i: np.full(truth.shape[1:], UNLABELLED, np.uint8) for i in range(len(truth))}
    for i, mask in masks.items():  # ten of the quietest pixels a line are background until somebody says otherwise
        quiet = np.flatnonzero(survey.anomaly[i].ravel() < 0)
        mask.ravel()[rng.choice(quiet, min(10, len(quiet)), replace=False)] = 0
    asked = np.zeros(truth.shape, bool)
    seconds, threshold, found, curve = 0.0, 0.35, set(), []
    while seconds < budget and threshold > 0.1:
        regions = next_regions(foreground, asked, 3, threshold=threshold)
        threshold -= 0 if regions else 0.1
        for region in regions:
            hit = truth[region.voxels].mean() > 0.25
            found |= set(np.unique(survey.labels[region.voxels])) - {0} if hit else set()
            for i, mask in region_masks(strength, region.voxels, value=int(hit)).items():
                asked[i] |= mask == int(hit)
                for value in (0, 1):  # as many pixels as strokes would give
                    pixels = np.flatnonzero(mask.ravel() == value)
                    masks[i].ravel()[rng.permutation(pixels)[:40]] = value
            asked[region.voxels] = True
            seconds += REGION_S
        if regions and any((m == 1).any() for m in masks.values()):
            scores = survey.predict(PixelLearner(random_state=seed).fit(survey.features, masks, 2))
            grown = np.repeat(np.repeat(scores, STRIDE, 1), STRIDE, 2)
            foreground = grown[:, : truth.shape[1], : truth.shape[2]]
            curve.append((seconds, survey.ap(scores), len(found)))
    return {
        "rule": "region",
        "seconds": [c[0] for c in curve],
        "ap": [c[1] for c in curve],
        "found": [c[2] for c in curve],
    }


def surveys(generator, count):
    if generator == "own":
        for seed in range(count):
            made = synthesize(Scene(), seed)
            yield Survey(made.array, made.labels)
        return
    spec = importlib.util.spec_from_file_location("gpr_synth", REFERENCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for seed in range(count):
        array, labels, _, _ = module.volume(seed, n_targets=6)
        yield Survey(array, labels)


def at(run, seconds):
    """AP of a run after so many seconds: the newest model at that time; 0 before the first."""
    value = 0.0
    for s, ap in zip(run["seconds"], run["ap"], strict=True):
        if s <= seconds:
            value = ap
    return value


def interval(values, rng):
    """Mean and bootstrap 95 % over surveys; `values` is one number a survey."""
    values = np.asarray(values, float)
    means = rng.choice(values, (2000, len(values))).mean(axis=1)
    return f"{values.mean():.2f} [{np.quantile(means, 0.025):.2f}, {np.quantile(means, 0.975):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", choices=["own", "reference"], default="own")
    parser.add_argument("--surveys", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    runs = []
    began = time.perf_counter()
    for number, survey in enumerate(surveys(options.generator, options.surveys)):
        n = len(survey.labels)
        prescreener = coverage_order(survey.anomaly, 3)
        runs.append(
            {
                "survey": number,
                "seed": 0,
                "rule": "prescreener",
                "ap": [survey.ap(survey.anomaly[:, ::STRIDE, ::STRIDE])],
                "seconds": [0.0],
                "found": [survey.found(prescreener)],
                "of": int(survey.labels.max()),
                "lines_total": n,
            }
        )
        for seed in range(options.seeds):
            found = [by_lines(survey, rule, seed) for rule in ("query", "random", "interval")]
            found.append(by_regions(survey, seed, 48.0))
            runs += [{"survey": number, "seed": seed, **f} for f in found]
        print(f"survey {number}: {time.perf_counter() - began:.0f} s", flush=True)
        if options.json:
            options.json.write_text(json.dumps(runs, default=float))

    def per_survey(rule, value):
        return [
            np.mean([value(r) for r in runs if r["rule"] == rule and r["survey"] == s]) for s in range(options.surveys)
        ]

    print(
        f"\n{options.generator} generator, {options.surveys} surveys x {options.seeds} seeds; mean [bootstrap 95 % over surveys]"
    )
    print(
        f"prescreener, no label: AP {interval(per_survey('prescreener', lambda r: r['ap'][0]), rng)}, objects on its first 3 lines {interval(per_survey('prescreener', lambda r: r['found'][0]), rng)}"
    )
    for rule in ("query", "random", "interval"):
        cells = "  ".join(
            f"{k + 1} lines {interval(per_survey(rule, lambda r, k=k: r['ap'][k]), rng)}" for k in range(LINES)
        )
        print(
            f"{rule:9s} AP after {cells}; objects after 3 lines {interval(per_survey(rule, lambda r: r['found'][2]), rng)}; {np.mean(per_survey(rule, lambda r: r['seconds'][-1])):.0f} s"
        )
    for seconds in (6, 12, 24, 48):
        random, region = (per_survey(rule, lambda r, s=seconds: at(r, s)) for rule in ("random", "region"))
        mean, other = np.mean(region), np.mean(random)
        # Before its first line is painted a strategy has no model: that counts as AP 0, and no ratio is given where all are.
        ratio = f"ratio of means {mean / other:.2f}" if other > 0 else "no line is done yet"
        print(f"after {seconds} s: regions AP {interval(region, rng)}, random lines {interval(random, rng)}, {ratio}")


if __name__ == "__main__":
    main()
