"""Strategies by name, and foreign ones behind adapters."""

from dataclasses import replace

import numpy as np
import pytest

from al_widgets import strategies
from al_widgets.errors import StrategyError
from al_widgets.strategies import Selection, Strategy
from al_widgets.testing.strategy import a_context


def test_names_print_one_line_each_and_iterate_as_names():
    names = strategies.names()
    assert "auto" in names
    assert len(repr(names).splitlines()) == len(names) == len(set(names))
    for name in names:
        made = strategies.get(name)
        assert isinstance(made, Strategy)
        assert made.name == name
        assert names.describe(name)


def test_get_says_what_there_is_for_an_unknown_name():
    with pytest.raises(StrategyError, match=r"'marginal'.*margin"):
        strategies.get("marginal")


def test_get_refuses_an_unknown_option():
    with pytest.raises(StrategyError, match="options"):
        strategies.get("margin", colour="red")


def test_get_refuses_an_unknown_batch_mode():
    with pytest.raises(StrategyError, match="batch mode"):
        strategies.get("margin", batch="best")


def test_register_refuses_a_name_that_is_taken():
    with pytest.raises(StrategyError, match="already"):
        strategies.register("margin", lambda: None, "mine")


def test_callable_that_scores_candidates_is_a_strategy():
    def last(context):
        return context.candidates.astype(float)

    selection = strategies.as_strategy(last).query(a_context(), 1)
    assert selection.indices.tolist() == [89]
    assert strategies.as_strategy(last).name == "last"


def test_callable_that_scores_the_pool_is_a_strategy():
    selection = strategies.as_strategy(lambda context: -np.arange(len(context.features), dtype=float)).query(
        a_context(), 1
    )
    assert selection.indices.tolist() == [9]


@pytest.mark.parametrize(
    "function",
    [
        lambda context, k: context.candidates[:k],
        lambda context, k: (context.candidates[:k], np.ones(k)),
        lambda context, k: Selection(context.candidates[:k], np.ones(k)),
    ],
    ids=["rows", "rows and utilities", "selection"],
)
def test_callable_that_chooses_is_a_strategy(function):
    assert strategies.as_strategy(function).query(a_context(), 3).indices.tolist() == [9, 10, 11]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda context, k: np.array([0, 1]), "not all of them are candidates"),
        (lambda context, k: np.array([30, 30]), "twice"),
        (lambda context, k: (np.array([30, 31]), np.array([1.0])), "utilities"),
        (lambda context, k: (np.array([30, 31]), np.array([1.0, np.nan])), "not finite"),
        (lambda context: np.ones(5), "one utility a candidate"),
        (lambda context: np.full(len(context.candidates), np.nan), "not finite"),
    ],
    ids=["no candidate", "repeat", "lengths", "nan chosen", "shape", "nan score"],
)
def test_callable_that_breaks_the_contract_is_told_so(function, message):
    with pytest.raises(StrategyError, match=message):
        strategies.as_strategy(function).query(a_context(), 2)


@pytest.mark.parametrize("what", [3, None, Strategy, object()])
def test_as_strategy_refuses_what_is_none(what):
    with pytest.raises(StrategyError):
        strategies.as_strategy(what)


def test_modal_function_works_through_its_signature():
    def margin_sampling(classifier, X, n_instances=1):
        p = np.sort(classifier.predict_proba(X), axis=1)
        order = np.argsort(p[:, -1] - p[:, -2])[:n_instances]
        return order, (p[:, -1] - p[:, -2])[order]

    context = a_context()
    chosen = strategies.as_strategy(margin_sampling).query(context, 3)
    assert set(chosen.indices) == set(strategies.get("margin", batch="top").query(context, 3).indices)


def test_scikit_activeml_strategy_works_through_its_signature():
    class Farthest:
        """Looks like a strategy of scikit-activeml."""

        def query(self, X, y, candidates=None, batch_size=1, return_utilities=False):
            score = np.full(len(X), np.nan)
            known = X[~np.isnan(y)]
            score[candidates] = ((X[candidates][:, None] - known[None]) ** 2).sum(axis=2).min(axis=1)
            order = np.argsort(-np.nan_to_num(score, nan=-np.inf))[:batch_size]
            return (order, np.tile(score, (batch_size, 1))) if return_utilities else order

    context = a_context()
    chosen = strategies.as_strategy(Farthest()).query(context, 1)
    assert chosen.indices[0] == strategies.get("k_center").query(context, 1).indices[0]


def test_cost_aware_prefers_what_takes_less_time():
    context = a_context()
    plain = strategies.get("margin").query(context, 10).indices
    cheap = plain[3]
    aware = replace(context, cost=lambda rows: np.where(rows == cheap, 0.5, 60.0))
    assert strategies.get("cost_aware", inner="margin").query(aware, 1).indices[0] == cheap


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan])
def test_cost_aware_refuses_costs_that_are_no_times(seconds):
    with pytest.raises(StrategyError, match="seconds"):
        strategies.get("cost_aware").query(replace(a_context(), cost=lambda rows: np.full(len(rows), seconds)), 1)
