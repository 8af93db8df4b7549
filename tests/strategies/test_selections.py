"""Whole selections against what the papers' algorithms give, worked out by hand or by brute force on small pools."""

import numpy as np
import pytest

from al_widgets import strategies
from al_widgets.strategies import Context, uncertainty
from al_widgets.strategies.clusters import ClusterMargin
from al_widgets.strategies.committee import consensus_entropy, disagreement, vote_entropy
from al_widgets.strategies.expected_error import risk_after
from al_widgets.strategies.gradient import kmeans
from al_widgets.strategies.herding import UncertaintyHerding
from al_widgets.testing.strategy import a_context

NONE = np.empty(0, np.intp)


def on_a_line(places, labelled=(), **more):
    """Return a pool of numbers; what is not labelled is a candidate."""
    rows = np.array(labelled, np.intp)
    rest = np.setdiff1d(np.arange(len(places)), rows)
    X = np.array(places, float)[:, None]
    return Context(X, rest, rows, np.zeros(len(rows), np.intp), 2, rng=np.random.default_rng(0), **more)


def test_k_center_halves_a_line_with_the_distances_of_gonzalez():
    # From 0: 16 is farthest, then 8, then 4 or 12, the farthest of what is left at 4.
    selection = strategies.get("k_center").query(on_a_line(range(17), labelled=[0]), 5)
    np.testing.assert_allclose(selection.utilities, [16, 8, 4, 4, 2])
    assert selection.indices[:2].tolist() == [16, 8]
    assert set(selection.indices[2:4].tolist()) == {4, 12}


def test_typical_clusters_takes_the_smallest_mean_distance_to_twenty_neighbours():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 2))
    context = Context(X, np.arange(60), NONE, NONE, 2, rng=rng)
    selection = strategies.get("typical_clusters").query(context, 1)  # one cluster: all
    gap = np.sort(np.sqrt(((X[:, None] - X) ** 2).sum(axis=2)), axis=1)
    typicality = 1 / gap[:, 1:21].mean(axis=1)
    assert selection.indices[0] == typicality.argmax()
    assert selection.utilities[0] == pytest.approx(typicality.max(), rel=1e-4)


def test_typical_clusters_leaves_clusters_that_hold_a_label_for_last():
    X = np.repeat([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]], [40, 20, 10], axis=0)
    X += np.random.default_rng(0).standard_normal(X.shape)
    context = Context(X, np.arange(1, 70), np.array([0]), np.array([0]), 2, rng=np.random.default_rng(0))
    first, second = strategies.get("typical_clusters").query(context, 2).indices
    assert 40 <= first < 60 <= second  # the largest cluster is labelled, then the larger of the others


def test_probability_coverage_equals_greedy_maximum_coverage():
    rng = np.random.default_rng(4)
    X = rng.uniform(0, 10, (80, 2))
    context = Context(X, np.arange(5, 80), np.arange(5), np.zeros(5, np.intp), 2, rng=rng)
    selection = strategies.get("probability_coverage", radius=1.5).query(context, 6)
    ball = ((X[:, None] - X) ** 2).sum(axis=2) <= 1.5**2
    covered = ball[:5].any(axis=0)
    for row, share in zip(selection.indices, selection.utilities, strict=True):
        new = (ball & ~covered)[5:].sum(axis=1)
        assert new[row - 5] == new.max()
        assert share == pytest.approx(new.max() / 80)
        covered |= ball[row]


def test_herding_equals_greedy_weighted_cover_of_the_pool():
    context = a_context(2, n=70)
    X, rows = context.features, context.candidates
    gamma = 4 / ((X - X.mean(axis=0)) ** 2).sum(axis=1).mean()
    similarity = np.exp(-gamma * ((X[:, None] - X) ** 2).sum(axis=2))
    weight = uncertainty.margin(context.probabilities)[rows]
    cover = similarity[context.labelled][:, rows].max(axis=0)
    selection = UncertaintyHerding().query(context, 4)
    for row, gain in zip(selection.indices, selection.utilities, strict=True):
        worth = np.maximum(similarity[np.ix_(rows, rows)] - cover, 0) @ weight / len(rows)
        assert rows[worth.argmax()] == row
        assert gain == pytest.approx(worth.max())
        cover = np.maximum(cover, similarity[row, rows])


def test_cluster_margin_goes_round_the_clusters_smallest_first():
    # Clusters of three, two and one item, the model unsure of all of them and sure of the rest.
    places = [0, 0.1, 0.2, 50, 50.1, 90, *range(200, 260)]
    unsure = [0.50, 0.51, 0.52, 0.53, 0.54, 0.55]
    p = np.array([*unsure, *[1.0] * 60])
    context = on_a_line(places, probabilities=np.stack([p, 1 - p], axis=1))
    selection = ClusterMargin(factor=2).query(context, 3)
    assert selection.indices.tolist() == [5, 3, 0]
    np.testing.assert_allclose(selection.utilities, [0.90, 0.94, 1.0])


def test_weighted_kmeans_ends_at_the_weighted_mean():
    points, weights = np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 2.0, 1.0])
    centre = kmeans(points, weights, 1, points[:0], np.random.default_rng(0))
    assert centre[0, 0] == pytest.approx((0 + 2 + 5) / 4)


def test_kmeans_centres_that_are_fixed_take_points_and_stay():
    points = np.array([[0.0], [1.0], [9.0], [11.0]])
    centre = kmeans(points, np.ones(4), 1, np.array([[0.5]]), np.random.default_rng(0))
    assert centre[0, 0] == pytest.approx(10)


def test_committee_scores_of_three_members_by_hand():
    # Votes 2 : 1; mean (0.6, 0.4).
    members = np.array([[[0.9, 0.1]], [[0.7, 0.3]], [[0.2, 0.8]]])

    def entropy(*p):
        return -sum(q * np.log(q) for q in p)

    single = (entropy(0.9, 0.1) + entropy(0.7, 0.3) + entropy(0.2, 0.8)) / 3
    assert vote_entropy(members)[0] == pytest.approx(entropy(2 / 3, 1 / 3))
    assert consensus_entropy(members)[0] == pytest.approx(entropy(0.6, 0.4))
    assert disagreement(members)[0] == pytest.approx(entropy(0.6, 0.4) - single)
    kl = np.mean([p * np.log(p / 0.6) + (1 - p) * np.log((1 - p) / 0.4) for p in (0.9, 0.7, 0.2)])
    assert disagreement(members)[0] == pytest.approx(kl)


def test_density_weighted_prefers_the_crowd_among_equally_unsure():
    X = np.concatenate([np.tile([3.0, 0.0], (30, 1)), [[-60.0, 50.0]]])
    X[:30] += 0.1 * np.random.default_rng(0).standard_normal((30, 2))
    p = np.full((31, 2), 0.5)
    context = Context(X, np.arange(31), NONE, NONE, 2, probabilities=p, rng=np.random.default_rng(0))
    assert strategies.get("density_weighted").query(context, 1).indices[0] != 30


def test_expected_error_equals_the_mean_of_refits_weighted_by_their_probability():
    from sklearn.linear_model import LogisticRegression

    context = a_context(1, n=40, n_classes=2)
    row, references = 20, np.arange(25, 40)
    known = np.append(context.labelled, row)
    expected = 0.0
    for c in (0, 1):
        model = LogisticRegression(C=10, max_iter=200)
        model.fit(context.features[known], np.append(context.labels, c))
        risk = 1 - model.predict_proba(context.features[references]).max(axis=1).mean()
        expected += context.probabilities[row, c] * risk
    assert risk_after(context, row, references) == pytest.approx(expected)


def test_discriminative_asks_far_from_what_is_labelled():
    context = on_a_line([*np.linspace(-1, 1, 40), *np.linspace(5, 7, 40)], labelled=range(0, 40, 2))
    picks = strategies.get("discriminative", batch="top").query(context, 10).indices
    assert (picks >= 40).all()


@pytest.mark.parametrize("name", ["variance", "v_optimal", "sigma_optimal"])
def test_designs_choose_by_place_not_by_what_labels_say(name):
    context = a_context(7)
    other = Context(
        context.features, context.candidates, context.labelled, context.labels[::-1].copy(), 3,
        probabilities=context.probabilities[:, ::-1].copy(), rng=np.random.default_rng(8),
    )  # fmt: skip
    first, second = (strategies.get(name).query(c, 5).indices for c in (context, other))
    assert first.tolist() == second.tolist()
