"""The answers of ten people to 160 silhouettes: labels from few answers each, and who is how reliable."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from oracles.held_out import PEOPLE, answers_of_people, distance, foretell, halves
from promises import head, interval, row

from al_widgets.oracles import aggregate, consensus


def drawn(log, per_item, rng):
    """So many answers of every picture, drawn at random."""
    return log.iloc[rng.permutation(len(log))].groupby("item_id").head(per_item).sort_values("answered_at")


def majority(log, rng):
    import pandas as pd

    shuffled = log.iloc[rng.permutation(len(log))]
    return pd.Series({i: g.value_counts().index[0] for i, g in shuffled.groupby("item_id")["value"]})


def dawid_skene(log, classes):
    """Full Dawid-Skene with smoothed confusion, no classifier, as in `oracle_sessions`."""
    import pandas as pd
    from oracles.oracle_sessions import dawid_skene as classic

    from al_widgets.oracles import read_annotations

    answers = read_annotations(log, classes)
    names = np.array(classes)
    return pd.Series(names[classic(answers, one_coin=False)], index=list(answers.items)), pd.Series(
        names[classic(answers, one_coin=True)], index=list(answers.items)
    )


def crowdlab(log, classes):
    """CROWDLAB has no pictures here: its classifier is the share of votes, as its paper does where there is none."""
    import pandas as pd
    from cleanlab.multiannotator import get_label_quality_multiannotator

    number = {name: k for k, name in enumerate(classes)}
    table = log.assign(value=log["value"].map(number)).pivot_table(index="item_id", columns="annotator", values="value")
    votes = np.stack([(table == k).sum(axis=1) for k in range(len(classes))], 1) + 0.1
    shares = votes / votes.sum(1, keepdims=True)
    found = get_label_quality_multiannotator(table.reset_index(drop=True), shares, verbose=False)
    labels = found["label_quality"]["consensus_label"].to_numpy().astype(int)
    return pd.Series(np.array(classes)[labels], index=table.index)


def people(seeds):
    """Measure 1, 3, 5 and all answers a picture; and the estimates of each person's accuracy."""
    head("P ten people, 160 silhouettes, 16 classes")
    if not PEOPLE.exists():
        row("answers of people", "not there: not measured")
        return
    log, truth = answers_of_people()
    log = log[log["kind"] == "label"]
    classes = sorted(truth.unique())
    compare = find_spec("cleanlab") is not None
    for per_item in (3, 5):
        scores = {}
        for seed in range(max(seeds, 30)):
            rng = np.random.default_rng(seed)
            part = drawn(log, per_item, rng)
            found = {
                "ours": consensus(part, classes=classes).set_index("item_id")["label"],
                "majority": majority(part, rng),
            }
            found["Dawid-Skene"], found["one-coin"] = dawid_skene(part, classes)
            if compare:
                found["CROWDLAB"] = crowdlab(part, classes)
            for name, labels in found.items():
                scores.setdefault(name, []).append(float((labels == truth[labels.index]).mean()))
        row(f"**{per_item} answers a picture: ours**", scores["ours"])
        for name, values in scores.items():
            if name != "ours":
                row(name, values)
        against = np.subtract(scores["ours"], scores["majority"])
        row("ours - majority", against, "> 0", against.mean() > 0)
        best = max((n for n in scores if n not in ("ours", "majority")), key=lambda n: np.mean(scores[n]))
        difference = np.subtract(scores["ours"], scores[best])
        half = 2.26 * difference.std(ddof=1) / np.sqrt(len(difference))
        row(
            f"ours - {best}, the best comparator",
            difference,
            "not below 0 by its interval",
            difference.mean() + half >= 0,
        )
    result = aggregate(log, classes=classes)
    names = result.answers.annotators
    true = log.assign(right=log["value"] == log["item_id"].map(truth)).groupby("annotator")["right"].mean()
    estimated = [float(np.nanmean(result.accuracy[result.answers.annotator == j])) for j in range(len(names))]
    for name, value in sorted(zip(names, estimated, strict=True)):
        row(f"{name}: accuracy estimated from the answers alone (true {true[name]:.3f})", f"{value:.3f}")
    errors = np.subtract(estimated, true[list(names)])
    row("root mean square error of the ten estimates", f"{np.sqrt((errors**2).mean()):.3f}")


def fitted(seeds):
    """Measure how oracles fitted to half of each person's answers foretell the other half, beside the average of all."""

    head("P2 oracles fitted to people, against the half of each person's answers that was held out")
    if not PEOPLE.exists():
        row("answers of people", "not there: not measured")
        return
    log, truth = answers_of_people()
    names = sorted(log["annotator"].unique())
    splits = max(seeds, 2)
    found = {}
    for name in names:
        for seed in range(splits):
            parts = halves(log, name, seed)
            for kind, who in (("fitted to the person", name), ("fitted to everybody", None)):
                found.setdefault(kind, {}).setdefault(name, []).append(foretell(parts, truth, who))
            seconds = parts.own["elapsed_s"].to_numpy()
            apart = distance(seconds[parts.held], seconds[~parts.held])
            found.setdefault("halves", {}).setdefault(name, []).append(apart)
    for name in names:
        own = found["fitted to the person"][name]
        medians, spreads = interval([h.median_ratio for h in own]), interval([h.iqr_ratio for h in own])
        right = interval([h.accuracy_error for h in own])
        row(f"{name}: median seconds oracle / person; interquartile range; accuracy oracle - person",
            f"{medians}; {spreads}; {right}")  # fmt: skip
    per_person = lambda kind, f: [np.mean([f(h) for h in found[kind][name]]) for name in names]  # noqa: E731
    for kind in ("fitted to the person", "fitted to everybody"):
        row(f"{kind}: |log ratio| of median seconds", per_person(kind, lambda h: abs(np.log(h.median_ratio))))
        row(f"{kind}: |log ratio| of the interquartile range", per_person(kind, lambda h: abs(np.log(h.iqr_ratio))))
        row(f"{kind}: |accuracy error|", per_person(kind, lambda h: abs(h.accuracy_error)))
    own, pooled = (per_person(kind, lambda h: h.distance) for kind in ("fitted to the person", "fitted to everybody"))
    row("Kolmogorov-Smirnov distance of seconds, fitted to the person", own)
    row("the same, fitted to everybody", pooled)
    row("the same, the seen half of the person's own answers", per_person("halves", lambda d: d))
    difference = np.subtract(pooled, own)
    half = 2.26 * difference.std(ddof=1) / np.sqrt(len(difference))
    row("fitted to everybody - to the person", difference, "> 0 by its interval", difference.mean() - half > 0)
