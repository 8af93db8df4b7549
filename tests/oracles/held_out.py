"""How well an oracle fitted to one half of a person's answers foretells the other half."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from al_widgets.oracles import SimulatedOracle

COPIES = 10
"""Times the oracle answers: its own luck must not be what is measured."""

_FILE = Path("shared") / "samples" / "human_answers" / "silhouettes.csv"
PEOPLE = next((p / _FILE for p in Path(__file__).resolve().parents if (p / _FILE).exists()), _FILE)
"""Answers of ten people to 160 silhouettes, where they are there."""


@dataclass
class HeldOut:
    """Oracle against the answers that it was not fitted to."""

    median_ratio: float  # of seconds, oracle / person
    iqr_ratio: float
    accuracy_error: float  # oracle - person
    distance: float  # of the two distributions of seconds, Kolmogorov-Smirnov


def distance(first, second):
    """Kolmogorov-Smirnov distance of two samples."""
    both = np.concatenate([first, second])
    shares = [np.searchsorted(np.sort(sample), both, "right") / len(sample) for sample in (first, second)]
    return np.abs(shares[0] - shares[1]).max()


def answers_of_people():
    """Annotations of the ten people, a trial without an answer in time as a skip; and the true class of each picture."""
    raw = pd.read_csv(PEOPLE).rename(columns={"image": "item_id", "response": "value", "rt_seconds": "elapsed_s"})
    log = raw.assign(kind=np.where(raw["value"] == "na", "skip", "label"), answered_at=raw["trial"].astype(float))
    return log, log.groupby("item_id")["category"].first()


@dataclass
class Halves:
    """What an oracle is fitted to, and what it has to foretell."""

    train: pd.DataFrame  # everybody's answers, of one person only those to half of the pictures
    own: pd.DataFrame  # all answers of that person, in order
    held: pd.Series  # which of `own` are held out


def halves(log, annotator, seed):
    """Hold out half of the pictures that a person labelled."""
    own = log[(log["annotator"] == annotator) & (log["kind"] == "label")]
    pictures = np.unique(own["item_id"])
    out = np.random.default_rng(seed).permutation(pictures)[: len(pictures) // 2]
    held = own["item_id"].isin(out)
    return Halves(log.drop(index=own.index[held]), own, held)


def foretell(parts, truth, annotator):
    """Fit, to the average of everybody where `annotator` is None, and compare with the answers held out.

    The oracle answers all pictures in the person's order, fresh each time: it is as practised as the person was.
    """
    oracle = SimulatedOracle.fit(parts.train, truth, annotator=annotator, seed=1)
    copies = []
    for _ in range(COPIES):
        oracle.answered = 0
        oracle.rest()
        copies.append(oracle.frame(list(parts.own["item_id"]))[parts.held.to_numpy()])
    ours, theirs = pd.concat(copies), parts.own[parts.held]
    shares = [(f["value"] == f["item_id"].map(truth)).mean() for f in (ours, theirs)]
    ours, theirs = ours["elapsed_s"].to_numpy(), theirs["elapsed_s"].to_numpy()
    return HeldOut(
        np.median(ours) / np.median(theirs),
        np.subtract(*np.quantile(ours, [0.75, 0.25])) / np.subtract(*np.quantile(theirs, [0.75, 0.25])),
        shares[0] - shares[1],
        distance(ours, theirs),
    )
