"""Query by committee: how much several models disagree, given by the context or made by bootstrap.

References
----------
Seung, Opper, Sompolinsky, Query by committee, COLT 1992; Engelson and Dagan, Minimizing manual annotation cost, ACL 1996
(vote entropy); McCallum and Nigam, Employing EM and pool-based active learning, ICML 1998 (KL to the mean); Houlsby et al.,
Bayesian active learning for classification and preference learning, 2011 (BALD: the mutual information).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, IntArray
from al_widgets.strategies.batch import BatchMode
from al_widgets.strategies.distance import finite_rows
from al_widgets.strategies.opinion import full_width
from al_widgets.strategies.ranking import CHUNK, as_slice, require_finite
from al_widgets.strategies.scored import Scored
from al_widgets.strategies.uncertainty import entropy, likeliest

#: Members made when none are given.
BOOTSTRAP = 5


def vote_entropy(members: FloatArray) -> FloatArray:
    """Return the entropy of the members' votes in nats, shape (m,).

    Parameters
    ----------
    members : ndarray (M, m, K)
        Probabilities of each member.
    """
    n, n_classes = members.shape[1:]
    share = np.zeros((n_classes, n), members.dtype)
    for member in members:
        vote = likeliest(member)
        for c in range(n_classes):
            share[c] += vote == c
    share /= len(members)
    return entropy(share.T)


def consensus_entropy(members: FloatArray) -> FloatArray:
    """Return the entropy of the members' mean in nats, shape (m,)."""
    return entropy(members.mean(axis=0))


def disagreement(members: FloatArray) -> FloatArray:
    """Return the mean KL divergence of members from their mean: H(mean) − mean H, in nats, at least 0, shape (m,).

    McCallum and Nigam's disagreement; for samples of a posterior it is BALD's mutual information.
    """
    single = np.zeros(members.shape[1], members.dtype)
    for member in members:
        single += entropy(member)
    information: FloatArray = np.maximum(consensus_entropy(members) - single / len(members), 0)
    return information


def committee_blocks(context: Context, rows: IntArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield ``(where in rows, members (M, block, K))``, asking members block by block.

    Members are those of the context, those of the model (``members``: fitted models), or a bootstrap.

    Raises
    ------
    StrategyError
        If probabilities have the wrong shape or are not finite.
    """
    given = context.committee
    if given is not None and (
        given.ndim != 3 or given.shape[1:] != (len(context.features), context.n_classes) or not len(given)
    ):
        raise StrategyError(
            f"committee must be of shape (members, {len(context.features)}, {context.n_classes}), not {given.shape}"
        )
    models: Sequence[Any] = ()
    if given is None:
        models = getattr(context.model, "members", None) or bootstrap(context)
    for start in range(0, len(rows), CHUNK):
        where = slice(start, min(start + CHUNK, len(rows)))
        if given is not None:
            block = given[:, as_slice(rows[where])]
        else:
            features = np.asarray(context.features[as_slice(rows[where])])
            block = np.stack([full_width(model, features, context.n_classes) for model in models])
        for member in block:
            require_finite(member, rows[where], "probabilities of the committee")
        yield where, block


def bootstrap(context: Context, n_members: int = BOOTSTRAP) -> list[Any]:
    """Fit members on resamples of the labelled rows: clones of the context's model, else logistic regressions.

    Every class that was seen stays in every resample: a member that never saw a class would disagree for no reason.

    Raises
    ------
    StrategyError
        If there is no label.
    """
    rows, labels = np.asarray(context.labelled, np.intp), np.asarray(context.labels, np.intp)
    if not len(rows):
        raise StrategyError("a committee needs labels: give the context a committee, or label an item first")
    first = np.unique(labels, return_index=True)[1]
    members = []
    for _ in range(n_members):
        drawn = context.rng.integers(len(rows), size=len(rows) - len(first))
        members.append(refit(context, rows[np.r_[first, drawn]], labels[np.r_[first, drawn]]))
    return members


def refit(context: Context, rows: IntArray, labels: IntArray) -> Any:
    """Return a new model fitted on some labels: a clone of the context's learner, else a logistic regression.

    Rows may repeat; repeats become weights.
    """
    unique, where, count = np.unique(rows, return_index=True, return_counts=True)
    if hasattr(context.model, "clone") and hasattr(context.model, "pool_probabilities"):
        return context.model.clone().fit(
            context.features, unique, labels[where], context.n_classes, count.astype(np.float64)
        )
    from sklearn.base import ClassifierMixin, clone
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    X = finite_rows(context.features, rows)
    if len(np.unique(labels)) == 1:
        return DummyClassifier(strategy="prior").fit(X, labels)
    known = isinstance(context.model, ClassifierMixin)
    model = clone(context.model) if known else LogisticRegression(C=10, max_iter=200)
    return model.fit(X, labels)


def _scorer(function: Callable[[FloatArray], FloatArray]) -> Callable[[Context, IntArray], FloatArray]:
    """Make a scorer of a function of members."""

    def score(context: Context, rows: IntArray) -> FloatArray:
        scores = np.empty(len(rows))
        for where, members in committee_blocks(context, rows):
            scores[where] = function(members)
        return scores

    return score


def _strategy(name: str, function: Callable[[FloatArray], FloatArray], batch: BatchMode) -> Scored:
    return Scored(name, _scorer(function), batch, needs="committee")


def by_vote_entropy(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where votes differ most."""
    return _strategy("vote_entropy", vote_entropy, batch)


def by_consensus_entropy(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where the mean of the committee is flattest."""
    return _strategy("consensus_entropy", consensus_entropy, batch)


def by_disagreement(batch: BatchMode = "repulsion") -> Scored:
    """Return the strategy that asks where members diverge most from their mean."""
    return _strategy("kl_divergence", disagreement, batch)


def by_information(batch: BatchMode = "repulsion") -> Scored:
    """Return BALD: asks where a label would tell most about which member is right."""
    return _strategy("bald", disagreement, batch)
