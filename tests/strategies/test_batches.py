"""Batches hold no copies, and what others hold or the model has not seen counts as covered."""

from dataclasses import replace

import numpy as np
import pytest

from al_widgets import strategies
from al_widgets.strategies import Context
from al_widgets.strategies.gradient import Gradients
from al_widgets.strategies.herding import herd
from al_widgets.testing.strategy import Prototypes, a_context

COPIES = 5


def planted(seed=0):
    """Return a pool in which every item has four near-copies, and its model; copies of item i are i·5 … i·5 + 4."""
    draw = np.random.default_rng(seed)
    centres = 0.6 * draw.standard_normal((3, 6))  # overlapping: many items are uncertain
    truth = np.arange(120) % 3
    X = np.repeat(centres[truth] + draw.standard_normal((120, 6)), COPIES, axis=0)
    X += 0.01 * draw.standard_normal(X.shape)
    y = np.repeat(truth, COPIES)
    labelled = np.array([0, 5, 10, 15, 20, 25])
    means = np.stack([X[labelled][y[labelled] == c].mean(axis=0) for c in range(3)])
    model = Prototypes(means, 3)
    members = np.stack(
        [Prototypes(means + 0.3 * draw.standard_normal(means.shape), 3).predict_proba(X) for _ in range(5)]
    )
    return Context(
        X,
        np.setdiff1d(np.arange(len(X)), labelled),
        labelled,
        y[labelled],
        3,
        probabilities=model.predict_proba(X),
        model=model,
        committee=members,
        rng=np.random.default_rng(seed),
    )


def repeated(selection):
    """Return the share of a batch that is a near-copy of another of the batch."""
    return 1 - len(set((selection.indices // COPIES).tolist())) / len(selection.indices)


# Draw without a look at features: copies are unlikely, not excluded.
BLIND = {"random", "power"}


@pytest.mark.parametrize("name", [n for n in strategies.names() if n not in BLIND])
def test_batch_holds_hardly_any_near_copies(name):
    share = np.mean([repeated(strategies.get(name).query(planted(seed), 15)) for seed in range(3)])
    assert share <= 0.1


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence", "ratio", "bald", "vote_entropy"])
def test_top_scores_are_full_of_near_copies(name):
    assert np.mean([repeated(strategies.get(name, batch="top").query(planted(s), 15)) for s in range(3)]) > 0.4


@pytest.mark.parametrize(
    "name", [n for n in strategies.names() if n not in BLIND | {"discriminative", "expected_error"}]
)
def test_pick_is_no_copy_of_what_is_pending(name):
    context = planted(1)
    held = strategies.get(name).query(context, 3).indices
    rest = np.setdiff1d(context.candidates, held)
    picks = strategies.get(name).query(replace(context, candidates=rest, pending=held), 3).indices
    assert not set(picks // COPIES) & set(held // COPIES)


def test_herd_equals_the_greedy_cover_worked_out():
    rng = np.random.default_rng(0)
    similarity, weights, covered = rng.random((7, 9)), rng.random(9), 0.3 * rng.random(9)
    chosen, gains = herd(similarity, weights, covered, 3)
    cover = covered
    for pick, gain in zip(chosen, gains, strict=True):
        worth = np.maximum(similarity - cover, 0) @ weights / 9
        assert gain == pytest.approx(worth[pick])
        assert worth[pick] == pytest.approx(
            np.max(np.delete(worth, [c for c in chosen if c != pick and worth[c] == 0]))
        )
        cover = np.maximum(cover, similarity[pick])


def test_k_center_takes_the_farthest_row_although_positions_and_rows_differ():
    # A published library mixed positions among candidates with rows and picked two near-copies here.
    X = np.zeros((300, 2))
    X[260] = 10, 0
    X[250:252] = 4, 0
    context = Context(X, np.arange(200, 300), np.array([0]), np.array([0]), 2)
    selection = strategies.get("k_center").query(context, 2)
    assert selection.indices[0] == 260
    assert selection.indices[1] in {250, 251}
    np.testing.assert_allclose(selection.utilities, [10, 4])


def gap_to(gradients, row):
    """Return squared distances of all rows to one."""
    nearest = np.full(len(gradients.norms), np.inf)
    gradients.lower(nearest, row)
    return nearest


def test_gradient_distances_equal_those_of_the_gradients():
    context = replace(a_context(), candidates=np.arange(90))
    p = context.probabilities.copy()
    p[np.arange(90), p.argmax(axis=1)] -= 1
    g = (p[:, :, None] * context.features[:, None, :]).reshape(90, -1)
    gradients = Gradients(context)
    np.testing.assert_allclose(gradients.norms, (g**2).sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(gap_to(gradients, 7), ((g - g[7]) ** 2).sum(axis=1), atol=1e-9)


def test_badge_draws_in_proportion_to_squared_gradient_distance():
    context = replace(a_context(n=30), candidates=np.arange(10, 30))
    gap = gap_to(Gradients(context), int(strategies.get("badge").query(context, 1).indices[0]))[10:]
    counts = np.zeros(20)
    for seed in range(600):
        again = replace(context, rng=np.random.default_rng(seed))
        counts[strategies.get("badge").query(again, 2).indices[1] - 10] += 1
    np.testing.assert_allclose(counts / 600, gap / gap.sum(), atol=0.07)


def test_power_sampling_draws_in_proportion_to_the_score():
    context = replace(a_context(n=30), candidates=np.arange(10, 20))
    from al_widgets.strategies.uncertainty import margin

    score = margin(context.probabilities[10:20])
    counts = np.zeros(10)
    for seed in range(600):
        selection = strategies.get("power").query(replace(context, rng=np.random.default_rng(seed)), 1)
        at = selection.indices[0] - 10
        counts[at] += 1
        assert selection.propensities[0] == pytest.approx(score[at] / score.sum(), rel=1e-6)
    np.testing.assert_allclose(counts / 600, score / score.sum(), atol=0.07)


def test_typical_clusters_covers_every_blob_with_a_batch_of_as_many():
    rng = np.random.default_rng(0)
    X = np.repeat(20 * np.eye(6), 30, axis=0) + rng.standard_normal((180, 6))
    empty = np.empty(0, np.intp)
    for name in ("typical_clusters", "herding", "probability_coverage", "v_optimal", "auto"):
        chosen = strategies.get(name).query(Context(X, np.arange(180), empty, empty, 6, rng=rng), 6).indices
        assert len(set((chosen // 30).tolist())) >= 5, name
