"""Answers to one item that go wrong together are no independent witnesses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from al_widgets.oracles import aggregate


def crowd(hard: float, seed: int, n_items: int = 200, n_people: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    """Answers of people who are right in 80 %; a share of hard items is taken for one and the same wrong class by half of them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n_items)
    alike = (truth + rng.integers(1, 4, n_items)) % 4
    is_hard = rng.random(n_items) < hard
    value = np.where(
        rng.random((n_people, n_items)) < 0.8, truth, (truth + rng.integers(1, 4, (n_people, n_items))) % 4
    )
    value = np.where(is_hard, np.where(rng.random((n_people, n_items)) < 0.45, truth, alike), value)
    person, item = np.divmod(np.arange(value.size), n_items)
    return pd.DataFrame({"item_id": item, "annotator": person, "value": value.ravel().astype(str)}), truth


@pytest.mark.parametrize("seed", [0, 1])
def test_hard_items_make_the_consensus_less_sure_and_change_no_label(seed, monkeypatch) -> None:
    answers, truth = crowd(0.2, seed)
    found = aggregate(answers)
    monkeypatch.setattr("al_widgets.oracles.dawid_skene.error_correlation", lambda *_: 0.0)
    naive = aggregate(answers)
    assert found.correlation > 0.05
    assert (found.posterior.argmax(1) == naive.posterior.argmax(1)).all()
    rows = np.arange(len(truth))
    loss, naive_loss = (-np.log(fit.posterior[rows, truth]).mean() for fit in (found, naive))
    assert loss < naive_loss - 0.1
    right = (found.posterior.argmax(1) == truth).mean()
    assert right < found.posterior.max(1).mean() < naive.posterior.max(1).mean()


@pytest.mark.parametrize("seed", [0, 1])
def test_people_who_err_independently_count_in_full(seed) -> None:
    answers, truth = crowd(0.0, seed)
    found = aggregate(answers)
    assert found.correlation == 0
    assert abs(found.posterior.max(1).mean() - (found.posterior.argmax(1) == truth).mean()) < 0.04


def test_a_known_class_stays_certain_however_much_the_answers_depend_on_each_other() -> None:
    answers, truth = crowd(0.2, 0)
    found = aggregate(answers, gold={"0": str(truth[0])})
    assert found.correlation > 0
    assert found.posterior[0, truth[0]] > 0.999
