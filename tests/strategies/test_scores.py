"""Scores against the values the papers give or that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from al_widgets.strategies import uncertainty
from al_widgets.strategies.batchbald import batch_information
from al_widgets.strategies.committee import consensus_entropy, disagreement, vote_entropy
from al_widgets.strategies.density import cosine_density
from al_widgets.strategies.design import Design

P = np.array([[0.6, 0.3, 0.1], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (uncertainty.least_confidence, [0.4, 0.5, 0, 2 / 3]),
        (uncertainty.margin, [0.7, 1, 0, 1]),
        (uncertainty.ratio, [0.5, 1, 0, 1]),
        (uncertainty.entropy, [0.897946, np.log(2), 0, np.log(3)]),
    ],
)
def test_uncertainty_gives_known_values(function, expected):
    np.testing.assert_allclose(function(P), expected, atol=1e-6)


probabilities = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 9)), elements=st.floats(0.001, 1)
).map(lambda a: a / a.sum(axis=1, keepdims=True))


@given(probabilities)
@settings(deadline=None)  # other work on the machine is no failure
def test_by_columns_equals_by_rows(p):
    np.testing.assert_array_equal(uncertainty.likeliest(p), p.argmax(axis=1))
    np.testing.assert_array_equal(uncertainty.largest(p), p.max(axis=1))
    both = np.sort(np.concatenate([p, np.zeros((len(p), 1))], axis=1), axis=1)
    first, second = uncertainty.two_largest(p)
    np.testing.assert_array_equal(first, both[:, -1])
    np.testing.assert_array_equal(second, both[:, -2])


@given(probabilities)
@settings(deadline=None)  # other work on the machine is no failure
def test_uncertainty_stays_within_its_bounds(p):
    k = p.shape[1]
    for function, most in (
        (uncertainty.least_confidence, 1 - 1 / k),
        (uncertainty.margin, 1),
        (uncertainty.ratio, 1),
        (uncertainty.entropy, np.log(k)),
    ):
        score = function(p)
        assert (score >= -1e-9).all()
        assert (score <= most + 1e-9).all()


def test_committee_scores_of_two_sure_members_who_disagree():
    members = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    for function in (vote_entropy, consensus_entropy, disagreement):
        assert function(members)[0] == pytest.approx(np.log(2))


def test_bald_is_zero_where_members_agree_that_they_do_not_know():
    members = np.full((4, 1, 2), 0.5)
    assert consensus_entropy(members)[0] == pytest.approx(np.log(2))
    assert disagreement(members)[0] == pytest.approx(0, abs=1e-12)


def test_batchbald_equals_bald_for_the_first_and_the_joint_for_all():
    rng = np.random.default_rng(0)
    members = rng.dirichlet(np.ones(3), (4, 5))
    chosen, gains = batch_information(members, 3, members[:, :0], rng)
    assert gains[0] == pytest.approx(disagreement(members).max())
    assert gains.sum() == pytest.approx(_joint_information(members[:, chosen]))


def test_batchbald_takes_a_copy_last():
    rng = np.random.default_rng(1)
    members = rng.dirichlet(np.ones(2) * 0.3, (6, 4))
    best = int(disagreement(members).argmax())
    sure = np.zeros_like(members)
    sure[:, :, 0] = members[:, best, 0][:, None] > 0.5
    sure[:, :, 1] = 1 - sure[:, :, 0]
    members = np.concatenate([sure[:, :1], sure[:, :1], rng.dirichlet(np.ones(2), (6, 1))], axis=1)
    chosen, gains = batch_information(members, 3, members[:, :0], rng)
    assert chosen[1] == 2
    assert gains[2] == pytest.approx(0, abs=1e-6)


def _joint_information(members):
    """I(y1 … yn; member) by summing over all label configurations."""
    n_members, n, k = members.shape
    joint = 0.0
    for configuration in np.ndindex(*[k] * n):
        p = np.prod([members[:, i, c] for i, c in enumerate(configuration)], axis=0).mean()
        joint -= p * np.log(p)
    return joint - sum(uncertainty.entropy(m).sum() for m in members) / n_members


def test_density_equals_the_mean_cosine():
    X = np.random.default_rng(0).standard_normal((40, 4)) + 5
    centred = X - X.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(cosine_density(X, np.arange(40)), (1 + (unit @ unit.T).mean(axis=1)) / 2, atol=1e-9)


def test_design_equals_the_posterior_of_a_gaussian_process():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 5)).astype(np.float32)
    weights = rng.uniform(0.5, 2, 5)
    kernel = (x * weights) @ x.T.astype(float)
    design = Design(x, weights, x.T.astype(float) @ x, x.sum(axis=0, dtype=float), x[:2])
    known = [0, 1]
    for pick in (5, 7):
        posterior = _posterior(kernel, known)
        spread = posterior.diagonal() + 0.02
        np.testing.assert_allclose(design.variance, posterior.diagonal(), atol=1e-3)
        np.testing.assert_allclose(design.v_optimality, (posterior**2).sum(axis=0) / spread, rtol=0.02, atol=1e-3)
        np.testing.assert_allclose(design.sigma_optimality, posterior.sum(axis=0) ** 2 / spread, rtol=0.02, atol=2e-2)
        design.take(pick)
        known.append(pick)


def _posterior(kernel, known):
    inverse = np.linalg.inv(kernel[np.ix_(known, known)] + 0.02 * np.eye(len(known)))
    return kernel - kernel[:, known] @ inverse @ kernel[known]
