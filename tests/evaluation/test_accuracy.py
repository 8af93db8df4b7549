"""Intervals against closed forms and against simulations; the reserve; bounds that hold when watched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from al_widgets.evaluation import (
    audit_due,
    audit_estimate,
    certified_estimate,
    certified_path,
    chance_accuracy,
    clopper_pearson_interval,
    correct_for_annotator,
    in_reserve,
    look_number,
    majority_share,
    ppi_estimate,
    ppr_interval,
    ppr_interval_iid,
    reserve_fraction,
    reserve_order,
    wilson_interval,
)
from al_widgets.evaluation.certified import ppr_log_ratio
from al_widgets.records import Estimate
from tests.evaluation.simulated_sessions import KernelRidge, audit_matrix, digits, run_session

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(COUNTS)
def test_wilson_interval_equals_scipy(counts):
    s, n = counts
    expected = stats.binomtest(s, n).proportion_ci(method="wilson")
    assert wilson_interval(s, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(deadline=None)
@given(COUNTS, st.floats(0.001, 0.3))
def test_clopper_pearson_interval_equals_scipy(counts, alpha):
    s, n = counts
    expected = stats.binomtest(s, n).proportion_ci(1 - alpha, method="exact")
    assert clopper_pearson_interval(s, n, alpha) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_audit_estimate_gives_no_figure_when_labels_are_too_few():
    for n in (0, 1, 19):
        estimate = audit_estimate(np.ones(n))
        assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, n)
    assert audit_estimate(np.ones(12)).why == "12 audit labels: too few, 20 are needed"
    assert audit_estimate(np.ones(20)).value == 1.0


def test_audit_estimate_leaves_unanswered_out():
    correct = np.r_[np.ones(30), np.zeros(10), np.full(5, np.nan)]
    estimate = audit_estimate(correct)
    assert (estimate.value, estimate.n, estimate.method) == (0.75, 40, "Wilson 95 %")
    assert (estimate.low, estimate.high) == wilson_interval(30, 40)


def draw_audit(rng, n, more):
    probability = rng.beta(6, 1.5, n + more)
    return (rng.random(n + more) < probability).astype(float)[:n], probability


def test_ppi_estimate_covers_and_is_narrower_than_wilson():
    rng = np.random.default_rng(0)
    truth = 6 / 7.5
    covered, narrower = [], []
    for _ in range(1000):
        y, f = draw_audit(rng, 120, 400)
        estimate = ppi_estimate(y, f[:120], f[120:])
        assert estimate.method == "PPI++ 95 %"
        covered.append(estimate.low <= truth <= estimate.high)
        plain = audit_estimate(y)
        narrower.append((estimate.high - estimate.low) / (plain.high - plain.low))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(narrower) < 0.97


def test_ppi_estimate_falls_back_when_answers_or_errors_are_few():
    y = np.r_[np.ones(95), np.zeros(5)]
    f = np.linspace(0.5, 1, 100)
    assert ppi_estimate(y, f, f) == audit_estimate(y)
    assert ppi_estimate(y[-40:], f[-40:], f).method == "Wilson 95 %"
    with pytest.raises(ValueError, match="one length"):
        ppi_estimate(y, f[1:], f)


def test_correct_for_annotator_inverts_the_noise():
    # θ = .95, a = .9, K = 10: agreement is .95 · .9 + .05 · .1/9
    agreement = 0.95 * 0.9 + 0.05 * 0.1 / 9
    corrected = correct_for_annotator(Estimate(agreement, 0.8, 0.9, 100, "Wilson 95 %"), 0.9, 10)
    assert corrected.value == pytest.approx(0.95)
    assert corrected.high - corrected.low == pytest.approx(0.1 / (0.9 - 0.1 / 9))
    assert correct_for_annotator(Estimate(0.5, 0.4, 0.6, 50, ""), 0.5, 2).value is None


def test_reference_levels_of_a_learning_curve():
    assert chance_accuracy(4) == 0.25
    share = majority_share(["a"] * 30 + ["b"] * 10)
    assert (share.value, share.n) == (0.75, 40)
    assert majority_share(["a"] * 3).value is None
    assert majority_share([]).value is None


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300).flatmap(
        lambda N: st.integers(0, N).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.just(N)))
    )
)
def test_ppr_interval_holds_the_possible_and_shrinks_to_the_truth(numbers):
    s, n, population = numbers
    low, high = ppr_interval(s, n, population)
    assert s / population - 1e-12 <= low <= high <= (population - n + s) / population + 1e-12
    if n == population:
        assert low == high == s / n
    wide_low, wide_high = ppr_interval(s, n, population, level=0.99)
    assert wide_low <= low
    assert high <= wide_high


def test_ppr_interval_approaches_the_endless_one_when_the_population_is_large():
    finite, endless = ppr_interval(90, 100, 200_000), ppr_interval_iid(90, 100)
    assert finite == pytest.approx(endless, abs=2e-3)
    # Its ends solve the defining equation: prior density / posterior density = 1/α.
    for p in endless:
        ratio = stats.beta.pdf(p, 9, 1) / stats.beta.pdf(p, 99, 11)
        assert ratio == pytest.approx(20, rel=1e-6)
    assert ppr_interval_iid(0, 0) == (0, 1)
    assert ppr_interval_iid(50, 50)[1] == 1
    assert ppr_interval_iid(0, 50)[0] == 0


@pytest.mark.parametrize("population", [1000, 5000])
@pytest.mark.parametrize("p", [0.8, 0.9, 0.95, 0.98])
def test_ppr_interval_holds_the_truth_at_all_times_when_watched_continuously(population, p):
    rng = np.random.default_rng(int(population * p))
    total, horizon, sessions = round(p * population), 400, 1000
    items = np.arange(population) < total
    sequences = np.array([rng.permutation(items)[:horizon] for _ in range(sessions)])
    hits, n = sequences.cumsum(1), np.arange(1, horizon + 1)
    missed = (ppr_log_ratio(total, hits, n, population) >= -np.log(0.05)).any(1).mean()
    assert missed <= 0.065
    at = horizon - 1
    widths = [np.subtract(*ppr_interval(int(s), horizon, population)[::-1]) for s in hits[:50, at]]
    wilson = [np.subtract(*wilson_interval(int(s), horizon)[::-1]) for s in hits[:50, at]]
    assert np.mean(widths) <= 1.7 * np.mean(wilson)
    # The trap this guards against: Wilson looked at from the 30th answer on.
    low, high = np.vectorize(wilson_interval)(hits[:200, 29:], n[29:])
    assert ((low > p) | (high < p)).any(1).mean() > 0.1


@settings(deadline=None)
@given(st.integers(0, 3000))
def test_look_number_counts_the_looks_that_are_due(n):
    assert look_number(n) == sum(30 * 1.3**k <= n for k in range(40))


def test_certified_estimate_looks_only_when_the_audit_has_grown():
    assert certified_estimate([(9, 10), (28, 29)]).value is None
    first = certified_estimate([(10, 20), (27, 30), (31, 31), (38, 38)])
    assert (first.value, first.n) == (0.9, 30)
    assert (first.low, first.high) == clopper_pearson_interval(27, 30, 0.05 / 10)
    second = certified_estimate([(27, 30), (38, 40), (44, 44)])
    assert (second.low, second.high) == clopper_pearson_interval(38, 40, 0.05 / 10)
    endless = certified_estimate([(27, 30), (38, 40)], looks=None)
    assert (endless.low, endless.high) == clopper_pearson_interval(38, 40, 0.05 / 6)
    assert certified_estimate([(30, 30), (40, 40), (60, 60)], looks=2).n == 40


def test_certified_estimate_holds_over_all_refits_where_wilson_does_not():
    rng = np.random.default_rng(3)
    sessions, refits = 400, 40
    audit = np.linspace(10, 330, refits).astype(int)
    truth = 0.95 - 0.35 * np.exp(-np.arange(refits) / 8)
    certified_missed, wilson_missed = 0, 0
    for _ in range(sessions):
        # Each item has a difficulty that all refits share, and each refit some luck of its own.
        difficulty, luck = rng.random((audit[-1], 1)), rng.random((audit[-1], refits))
        correct = np.where(luck < 0.3, rng.random((audit[-1], refits)), difficulty) < truth
        hits = [int(correct[:n, r].sum()) for r, n in enumerate(audit)]
        history = list(zip(hits, audit.tolist(), strict=True))
        bounds = [certified_estimate(history[: r + 1]) for r in range(refits)]
        fresh = [b for b in zip(bounds, truth, strict=True) if b[0].value is not None]
        new = [pair for k, pair in enumerate(fresh) if k == 0 or pair[0].n != fresh[k - 1][0].n]
        certified_missed += any(not b.low <= t <= b.high for b, t in new)
        intervals = [wilson_interval(s, n) for s, n in history]
        wilson_missed += any(not low <= t <= high for (low, high), t in zip(intervals, truth, strict=True))
    assert certified_missed / sessions <= 0.05
    assert wilson_missed / sessions > 0.25


@settings(deadline=None)
@given(
    st.sets(st.text(min_size=1, max_size=8), max_size=60),
    st.sets(st.text(min_size=1, max_size=8), max_size=60),
    st.integers(0, 99),
)
def test_reserve_of_the_old_pool_stays_the_reserve_when_the_pool_grows(old, new, seed):
    fraction = 0.3
    before, after = reserve_order(seed, old, fraction), reserve_order(seed, sorted(old | new), fraction)
    assert [i for i in after if i in old] == before
    assert all(in_reserve(seed, i, fraction) == (i in set(after)) for i in old | new)


def test_reserve_fraction_follows_its_formula():
    for size in (1, 100, 499, 500, 1000, 1500, 1501, 10_000):
        assert reserve_fraction(size) * size == pytest.approx(min(max(150, 0.1 * size), 0.3 * size))
    assert reserve_fraction(0) == 0.1


def test_reserve_is_a_fair_draw_and_depends_on_the_seed():
    ids = [f"img/{i:05}.png" for i in range(20_000)]
    one, two = (reserve_order(seed, ids, 0.1) for seed in (1, 2))
    assert abs(len(one) - 2000) < 4 * np.sqrt(1800)
    assert abs(len(set(one) & set(two)) - 200) < 4 * np.sqrt(200)
    positions = np.array([int(i[4:9]) for i in one])
    assert stats.kstest(positions / 20_000, "uniform").pvalue > 1e-3
    assert abs(stats.spearmanr(positions, np.arange(len(one))).statistic) < 0.1  # served in no order of the pool
    assert in_reserve(1, "\udcff.png", 1.0)


@settings(deadline=None)
@given(st.sampled_from([0.0, 0.1, 0.2, 1 / 3, 0.5, 0.7, 1.0]), st.integers(1, 500))
def test_audit_due_serves_the_share(share, n):
    due = [audit_due(i, share) for i in range(n)]
    assert abs(sum(due) - n * share) <= 1
    if share == 0.2:
        assert [i for i, d in enumerate(due) if d] == list(range(4, n, 5))


def test_audit_is_unbiased_where_hits_on_chosen_items_are_not():
    X, y = digits()
    model = KernelRidge(X, 10)
    bias, chosen = [], []
    for seed in range(8):
        session = run_session(model, y, "margin", 100 + seed, 200)
        estimate = audit_estimate(audit_matrix(session, y, session.n_labels.size)[:, -1])
        bias.append(estimate.value - session.truth[-1])
        assert not set(session.reserve) & set(session.train)
        # Accuracy on the newest chosen items, before they were trained on: the strategy took the hard ones.
        half = session.n_labels.size // 2
        later = session.train[len(session.train) // 2 :]
        chosen.append((session.predictions[half - 1, later] == y[later]).mean() - session.truth[half - 1])
    assert abs(np.mean(bias)) <= 0.02
    assert np.mean(chosen) < -0.1


def test_certified_path_watches_a_model_that_stands_and_spends_no_more_than_the_whole_error():
    hits = np.cumsum(np.arange(1, 201) % 12 != 0)  # 11 of 12 right
    standing = [(int(hits[n - 1]), n, "m") for n in range(20, 201)]
    path = dict(zip(range(20, 201), certified_path(standing), strict=True))
    assert path[29].value is None
    assert path[30].low == clopper_pearson_interval(int(hits[29]), 30, 0.005)[0]
    assert path[38].n == 30  # not known to stand yet
    assert path[60].n == 60
    assert path[200].method == "certified 95 % (PPR sequence)"
    lows, highs = np.array([(path[n].low, path[n].high) for n in range(30, 201)]).T
    assert (np.diff(lows) >= 0).all()  # all bounds of one model hold at once
    assert (np.diff(highs) <= 0).all()
    # Spending at every look is wider at most answers.
    spent = [certified_estimate([(s, k) for s, k, _ in standing if k <= n]) for n in range(40, 201, 5)]
    narrower = [path[n].high - path[n].low < e.high - e.low for n, e in zip(range(40, 201, 5), spent, strict=True)]
    assert np.mean(narrower) > 0.5
    # Refitted after that, it is bounded from what is left: a quarter of nine tenths among nine looks.
    after = certified_path([(27, 30, "m"), (36, 39, "m"), (46, 51, "other")])[-1]
    assert (after.low, after.high) == pytest.approx(clopper_pearson_interval(46, 51, 0.05 * 0.9 * 0.25 / 9))
    assert "Clopper-Pearson" in after.method
    # A model that comes back is another one.
    assert certified_path([(27, 30, "m"), (36, 39, "other"), (37, 40, "m")])[-1].n == 39


def test_certified_path_holds_where_models_stand_and_change():
    rng = np.random.default_rng(0)
    missed, sessions = 0, 150
    for _ in range(sessions):
        luck, truth = rng.random(300), 0.0
        history, truths = [], []
        for n in range(20, 300, 5):
            if not 60 <= n < 130 and not n >= 150:  # it stands twice
                truth = 0.92 - 0.3 * np.exp(-n / 60)
            history.append((int((luck[:n] < truth).sum()), n, truth))
            truths.append(truth)
        path = certified_path(history)
        of = dict(zip((n for _, n, _ in history), truths, strict=True))
        missed += any(e.value is not None and not e.low <= of[e.n] <= e.high for e in path)
    assert missed / sessions <= 0.05
