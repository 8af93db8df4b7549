"""Annotators whose answers teach nothing are named; who errs, or has seen one class only, is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from al_widgets.oracles import aggregate, uninformative_annotators

Answer = Callable[[int, np.random.Generator], int]


def right(share: float) -> Answer:
    return lambda truth, rng: truth if rng.random() < share else int((truth + rng.integers(1, 3)) % 3)


def found(people: dict[str, Answer], truth: Sequence[int]) -> dict[str, str]:
    rng = np.random.default_rng(0)
    rows = [(i, who, "abc"[say(k, rng)]) for i, k in enumerate(truth) for who, say in people.items()]
    return uninformative_annotators(aggregate(pd.DataFrame(rows, columns=["item_id", "annotator", "value"])))


@pytest.mark.parametrize(
    ("say", "sentence"),
    [
        (lambda _truth, _rng: 0, "dan answered 'a' to all 90 items, about "),
        (right(1 / 3), "dan's answers are hardly better than chance"),
        (right(0.65), None),
    ],
    ids=["one key", "guesses", "errs"],
)
def test_who_teaches_nothing_is_named(say: Answer, sentence: str | None) -> None:
    told = found({"ann": right(0.95), "bob": right(0.9), "dan": say}, [0, 1, 2] * 30)
    assert set(told) == ({"dan"} if sentence else set())
    assert sentence is None or told["dan"].startswith(sentence)


def test_who_has_seen_hardly_anything_else_may_give_one_answer() -> None:
    assert found({"ann": right(1.0), "bob": right(1.0), "dan": lambda _truth, _rng: 0}, [0] * 60 + [1, 2]) == {}
