"""Budget managers, the allowance and the drift test, without a session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.errors import StrategyError
from al_widgets.strategies.allowance import Allowance, AuditPlan
from al_widgets.strategies.drift import change_point
from al_widgets.strategies.stream import (
    BudgetManager,
    FixedUncertainty,
    Offer,
    QuantileFilter,
    RandomisedUncertainty,
    VariableUncertainty,
    budget_manager,
    budget_manager_names,
)
from al_widgets.strategies.stream_density import DensityUncertainty


def offer(confidence: float, budget: float = 0.1, features: object = None) -> Offer:
    vector = np.zeros(2, np.float32) if features is None else np.asarray(features, np.float32)
    return Offer(np.array([confidence, 1 - confidence]), vector, budget)


@settings(max_examples=60, deadline=None)
@given(
    budget=st.floats(0.02, 1.0),
    share=st.sampled_from([0.0, 0.01, 0.2, 0.5]),
    wants=st.sampled_from([1.0, 0.4, 0.05]),
    bursts=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_allowance_is_never_exceeded_by_more_than_one_over_any_long_window(
    budget: float, share: float, wants: float, bursts: bool, seed: int
) -> None:
    allowance, rng = Allowance(budget), np.random.default_rng(seed)
    plan = AuditPlan(share, allowance, seed)
    n = min(12_000, 4 * allowance.long)
    asked = np.zeros(n)
    audits = 0
    due = plan.next(0)
    for t in range(n):
        allowance = allowance.grown() if t else allowance
        if t == due:
            due = plan.next(t + 1)
            audits += 1
        elif (
            rng.random() >= wants
            or (bursts and not t // 150 % 2)
            or not allowance.allows(None if due is None else due - t)
        ):
            continue
        allowance = allowance.spent()
        asked[t] = 1
    over = np.concatenate([[0.0], np.cumsum(asked - budget)])
    assert over.max() <= 1 + 1e-6  # from the start to any item
    least = np.minimum.accumulate(over)[: -allowance.long]
    assert (over[allowance.long :] - least).max() <= 1 + 1e-6
    if share and not allowance.unlimited:
        assert abs(audits - n / plan.block) <= 2


def test_allowance_refuses_a_budget_that_is_no_share() -> None:
    for budget in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(StrategyError, match="share of the stream"):
            Allowance(budget)


def test_audits_fall_on_every_place_of_their_blocks_and_differ_with_the_seed() -> None:
    plans = [AuditPlan(0.2, Allowance(0.1), seed) for seed in range(40)]
    firsts = {plan.next(0) for plan in plans}
    assert len(firsts) > 15
    at = plans[0].next(0)
    assert at is not None
    assert plans[0].next(at) == at
    later = plans[0].next(at + 1)
    assert later is not None
    assert later > at
    assert AuditPlan(0.0, Allowance(0.1)).next(0) is None


@pytest.mark.parametrize("name", budget_manager_names())
def test_managers_prefer_the_uncertain_and_are_pure(name: str) -> None:
    manager = budget_manager(name)
    assert isinstance(manager, BudgetManager)
    assert manager.name == name
    rng = np.random.default_rng(0)
    state, asked, offered = manager.start(), {True: 0, False: 0}, {True: 0, False: 0}
    for _ in range(2_000):
        unsure = bool(rng.random() < 0.2)
        one = offer(0.55 if unsure else 0.97, features=rng.normal(size=2))
        seed = int(rng.integers(1 << 30))
        decision = manager.decide(state, one, np.random.default_rng(seed))
        again = manager.decide(state, one, np.random.default_rng(seed))
        assert decision.ask == again.ask
        assert decision.propensity == again.propensity
        assert decision.propensity is None or 0 <= decision.propensity <= 1
        state = decision.state
        offered[unsure] += 1
        asked[unsure] += decision.ask
    rates = {unsure: asked[unsure] / offered[unsure] for unsure in asked}
    if name == "random":
        assert rates[True] == pytest.approx(rates[False], abs=0.06)
    else:
        assert rates[True] > rates[False]
    assert asked[True] > 5


def test_budget_manager_says_which_there_are() -> None:
    with pytest.raises(StrategyError, match="there are: fixed, variable"):
        budget_manager("nonsense")
    with pytest.raises(StrategyError, match="start, decide and let_go"):
        budget_manager(3)
    mine = FixedUncertainty(0.9)
    assert budget_manager(mine) is mine


def test_variable_threshold_sinks_with_questions_and_rises_without() -> None:
    manager, rng = VariableUncertainty(0.01), np.random.default_rng(0)
    assert manager.decide(0.9, offer(0.8), rng) == manager.decide(0.9, offer(0.8), rng)
    assert manager.decide(0.9, offer(0.8), rng).state == pytest.approx(0.9 * 0.99)
    assert manager.decide(0.7, offer(0.8), rng).state == pytest.approx(0.7 * 1.01)
    assert manager.let_go(0.7, offer(0.8)) == 0.7
    state = 0.5  # below 1/K nothing would ever be asked: it comes back
    asked = 0
    for _ in range(200):
        decision = manager.decide(state, offer(0.99), rng)
        state, asked = decision.state, asked + decision.ask
    assert asked > 20


def test_randomised_propensity_is_the_frequency_of_asking() -> None:
    manager, rng = RandomisedUncertainty(), np.random.default_rng(1)
    decisions = [manager.decide(0.8, offer(0.9), rng) for _ in range(8_000)]
    assert np.mean([d.ask for d in decisions]) == pytest.approx(decisions[0].propensity, abs=0.02)


def test_quantile_filter_asks_its_share_of_any_distribution() -> None:
    for draw in (lambda r: r.random(), lambda r: r.beta(0.2, 5.0)):
        manager, rng = QuantileFilter(), np.random.default_rng(2)
        state, asked = manager.start(), 0
        for _ in range(4_000):
            decision = manager.decide(state, offer(1 - 0.5 * draw(rng), budget=0.1), rng)
            state, asked = decision.state, asked + decision.ask
        assert asked / 4_000 == pytest.approx(0.1, abs=0.02)


def test_density_based_sampling_lets_outliers_go_and_keeps_a_bounded_window() -> None:
    manager, rng = DensityUncertainty(window=50), np.random.default_rng(3)
    state = manager.start()
    asked = {"dense": 0, "outlier": 0}
    for i in range(600):
        outlier = i % 60 == 30
        at = 100 + 50 * rng.normal(size=2) if outlier else rng.normal(size=2)
        decision = manager.decide(state, offer(0.5, features=at), rng)
        state = decision.state
        asked["outlier" if outlier else "dense"] += decision.ask
        assert len(state.features) <= 50
    assert asked["outlier"] == 0
    assert asked["dense"] > 100
    with pytest.raises(StrategyError, match="needs the features"):
        manager.decide(state, Offer(np.array([0.5, 0.5])), rng)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.4])
def test_a_jump_of_the_error_rate_is_found_where_it_is(rate: float) -> None:
    """Chance moves the place a little, in a rare sequence by more: so the rule is about many sequences."""
    cuts = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        errors = np.concatenate([rng.random(150) < rate, rng.random(80) < rate + 0.5]).astype(float)
        cut = change_point(errors)
        assert cut is not None
        cuts.append(cut)
    off = np.abs(np.array(cuts) - 150)
    assert np.median(off) <= 4
    assert np.quantile(off, 0.95) <= 20


def test_no_change_is_reported_where_there_is_none_or_where_the_model_improves() -> None:
    rng = np.random.default_rng(4)
    for rate in (0.02, 0.25):
        false = sum(change_point((rng.random(200) < rate).astype(float)) is not None for _ in range(300))
        assert false <= 6  # 2 %
    assert change_point([1.0] * 40 + [0.0] * 100) is None
    assert change_point([0.0] * 5 + [1.0] * 5) is None  # too few to say
