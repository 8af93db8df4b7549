"""BatchBALD: the batch whose labels together would tell most about which member of the ensemble is right.

References
----------
Kirsch, van Amersfoort, Gal, BatchBALD: efficient and diverse batch acquisition for deep Bayesian active learning, NeurIPS 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from al_widgets.strategies.base import Context, FloatArray, IntArray, Selection
from al_widgets.strategies.batch import distinct
from al_widgets.strategies.committee import committee_blocks, disagreement
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.strategies.ranking import checked_size, nothing, shortlist
from al_widgets.strategies.uncertainty import entropy

_TINY = np.float32(1e-30)


def batch_information(
    members: FloatArray, k: int, given: FloatArray, rng: np.random.Generator, n_configurations: int = 512
) -> tuple[IntArray, FloatArray]:
    """Greedily choose the rows of the largest joint mutual information: the pure algorithm.

    Parameters
    ----------
    members : ndarray (M, m, K)
        Probabilities of each member.
    k : int
        How many rows.
    given : ndarray (M, p, K)
        Rows that count as chosen already (pending).
    rng : Generator
        Draws label configurations when there are more than `n_configurations`.
    n_configurations : int
        Joint label configurations kept: exact while there are no more, a sample of that size afterwards.

    Returns
    -------
    positions : ndarray (k,) of int
    gains : ndarray (k,)
        Joint mutual information each added, in nats.
    """
    n_members, m = members.shape[:2]
    of_class = np.ascontiguousarray(members.transpose(2, 0, 1), np.float32) / np.float32(n_members)  # (K, M, m)
    conditional = np.mean(
        [entropy(np.asarray(member, np.float64)) for member in members], axis=0
    )  # E H[y | member], (m,)
    # Row s: P(configuration s | member) over its mean, so that long configurations do not vanish; share: P(configuration s).
    table = np.ones((1, n_members), np.float32)
    share = np.ones(1)

    def extend(chosen: FloatArray) -> None:
        """Add a row's labels (M, K) to the configurations."""
        nonlocal table, share
        longer = table[:, None, :] * chosen.T.astype(np.float32)
        mean = longer.mean(axis=2)
        share = (share[:, None] * mean).reshape(-1)
        table = (longer / np.maximum(mean, _TINY)[:, :, None]).reshape(-1, n_members)
        if len(table) > n_configurations:
            kept = rng.choice(len(table), n_configurations, p=share / share.sum())
            table, share = table[kept], np.full(n_configurations, 1 / n_configurations)

    for j in range(given.shape[1]):
        extend(given[:, j])
    taken = np.zeros(m, bool)
    chosen = np.empty(k, np.intp)
    gains = np.empty(k)
    for i in range(k):
        weight = share.astype(np.float32)
        # The chain rule: what the batch's information grows by is H[y | configuration] − E H[y | member].
        uncertain = np.zeros(m)
        for members_chance in of_class:
            chance = table @ members_chance  # (configurations, m): P(y = c | configuration)
            uncertain -= weight @ (chance * np.log(np.maximum(chance, _TINY)))
        gain = np.where(taken, -np.inf, uncertain - conditional)
        best = int(gain.argmax())
        chosen[i], gains[i] = best, gain[best]
        taken[best] = True
        extend(members[:, best])
    return chosen, gains


@dataclass(frozen=True)
class BatchBald:
    """Greedy BatchBALD among the candidates of the largest single information.

    Parameters
    ----------
    n_shortlist : int
    n_configurations : int
        See `batch_information`.
    """

    n_shortlist: int = 500
    n_configurations: int = 512
    name: str = "batchbald"

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; utilities are nats each added. See `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        if context.committee is None and not len(context.labelled):
            return UncertaintyHerding().query(context, batch_size)
        n = len(context.candidates)
        pending = np.asarray(context.pending, np.intp)[-20:]  # older ones change little
        rows = np.concatenate([context.candidates, pending])
        everywhere = [block for _, block in committee_blocks(context, rows)] if len(rows) <= 20_000 else None
        if everywhere is not None:
            members = np.concatenate(everywhere, axis=1)
            short = shortlist(disagreement(members[:, :n]), max(self.n_shortlist, size), context.rng)
            near, held = members[:, short], members[:, n:]
        else:
            # One committee for both passes: a bootstrap would draw other members the second time.
            short, near, held = _two_passes(context, rows, n, max(self.n_shortlist, size))
        # To the committee a copy is one more draw of the same noisy label; an annotator gives the same answer again.
        keep = distinct(context, context.candidates[short], size)
        short, near = short[keep], near[:, keep]
        chosen, gains = batch_information(near, size, held, context.rng, self.n_configurations)
        return Selection(context.candidates[short[chosen]].astype(np.intp, copy=False), gains)


def _two_passes(context: Context, rows: IntArray, m: int, limit: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the short list among the first m rows, its members' probabilities, and those of the other rows.

    Keeps only the best of each block, so that the committee's probabilities are never all in memory.
    """
    best = np.empty(0, np.intp)
    score = np.empty(0)
    kept: FloatArray = np.empty((0, 0, 0))
    held: list[FloatArray] = []
    for where, members in committee_blocks(context, rows):
        inside = max(0, min(where.stop, m) - where.start)
        if inside < members.shape[1]:
            held.append(members[:, inside:])
        if not inside:
            continue
        value = disagreement(members[:, :inside])
        some = shortlist(value, limit, context.rng)
        near = members[:, some]
        kept = near if not len(best) else np.concatenate([kept, near], axis=1)
        best, score = np.r_[best, where.start + some], np.r_[score, value[some]]
        order = shortlist(score, limit, context.rng)
        best, score, kept = best[order], score[order], kept[:, order]
    others = np.concatenate(held, axis=1) if held else kept[:, :0]
    return best, kept, others
