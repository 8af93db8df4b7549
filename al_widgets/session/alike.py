"""Items that the model takes for the same class, most confident first: what a grid shows to be confirmed at once.

Pure functions of a snapshot; the session's lock guards what they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_widgets.records import Query
from al_widgets.session.queue import Pick
from al_widgets.session.snapshot import Snapshot

GRID = "grid"
"""Strategy of an answer that confirmed (or corrected) the model's own among many: it is anchored to what the model said."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Items predicted alike, leased to their holder.

    Attributes
    ----------
    name : str
        The class; empty when there is nothing to show.
    queries : tuple of Query
    groups : tuple of (str, int)
        Open items of each predicted class, in the order of the classes.
    """

    name: str
    queries: tuple[Query, ...] = ()
    groups: tuple[tuple[str, int], ...] = ()


def pick_alike(
    snapshot: Snapshot | None, rows: Sequence[int], n: int, name: str | None
) -> tuple[str, list[Pick], dict[str, int]]:
    """Pick up to `n` rows of one predicted class, most confident first.

    Parameters
    ----------
    snapshot : Snapshot or None
    rows : sequence of int
        Pool rows that may be picked.
    n : int
    name : str, optional
        The class; default: the one whose `n`-th open row is the most confident, of those that fill a sheet, if any does.

    Returns
    -------
    name : str
    picks : list of Pick
    counts : dict of str to int
        Open rows of each predicted class.
    """
    if snapshot is None or snapshot.probabilities is None:
        return name or "", [], {}
    n = max(0, n)  # a holder may have more than it asks for
    known = np.intersect1d(np.asarray(rows, np.intp), snapshot.rows)
    table = snapshot.probabilities[np.searchsorted(snapshot.rows, known)]
    best = table.argmax(1) if len(known) else np.empty(0, np.intp)
    sure = table.max(1, initial=0.0)
    counts = {label: int((best == k).sum()) for k, label in enumerate(snapshot.classes)}
    if name is None:
        name = max(counts, key=lambda c: _worth(sure[best == snapshot.classes.index(c)], n), default="")
    if name not in counts:
        return name, [], counts
    mine = np.flatnonzero(best == snapshot.classes.index(name))
    order = mine[np.argsort(-sure[mine], kind="stable")][:n]
    return name, [Pick(int(known[i]), GRID, float(sure[i]), None, "new") for i in order], counts


def _worth(confidence: np.ndarray, n: int) -> tuple[int, float]:
    """Return how many rows a sheet of a class would have, and the confidence of its last."""
    shown = min(n, len(confidence))
    return shown, float(np.sort(confidence)[-shown]) if shown else 0.0
