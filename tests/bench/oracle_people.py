"""The answers of ten people to 160 silhouettes: labels from few answers each, and who is how reliable."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from promises import head, row

from al_widgets.oracles import aggregate, consensus

_FILE = Path("shared") / "samples" / "human_answers" / "silhouettes.csv"
SAMPLES = next((p / _FILE for p in Path(__file__).resolve().parents if (p / _FILE).exists()), _FILE)


def answers_of_people():
    """Annotations without trials that nobody answered in time, and the true class of each picture."""
    import pandas as pd

    raw = pd.read_csv(SAMPLES).rename(columns={"image": "item_id", "response": "value", "rt_seconds": "elapsed_s"})
    truth = raw.groupby("item_id")["category"].first()
    log = raw[raw["value"] != "na"].assign(kind="label", answered_at=raw["trial"].astype(float))
    return log[["item_id", "annotator", "value", "kind", "elapsed_s", "answered_at"]], truth


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
    if not SAMPLES.exists():
        row("answers of people", "not there: not measured")
        return
    log, truth = answers_of_people()
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
