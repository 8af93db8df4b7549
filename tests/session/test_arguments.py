"""What cannot be meant is refused when it is given, with a sentence; what can be found is found by completion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import AlWidgetsError

PICTURES = np.zeros((4, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be a whole number, 0 or more, not -1"),
        ({"seed": "x"}, "seed must be"),
        ({"hourly_rate": "20"}, "hourly_rate, what an hour costs, must be a number"),
        ({"gold": [1]}, "gold is a mapping"),
        ({"annotator": ""}, "annotator is the name"),
        ({"annotator": "a\nb"}, "annotator is the name"),
        ({"encoder": "foo"}, "no encoder is called 'foo'"),
        ({"task": None}, "classes must be a list of names, not None"),
    ],
    ids=str,
)
def test_a_session_refuses_what_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AlWidgetsError, match=message):
        al.Session(PICTURES, **({"task": ["a", "b"], "store": ":memory:"} | options))


def test_an_answer_takes_seconds_and_not_less_than_none() -> None:
    with al.Session(PICTURES, ["a", "b"], store=":memory:") as session:
        for seconds in (-5, 1e12, float("nan"), "2"):
            with pytest.raises(AlWidgetsError, match="elapsed_s, the seconds an answer took, must be a number from 0"):
                session.submit(session.pool.item_ids[0], "a", elapsed_s=seconds)  # type: ignore[arg-type]
        for keys in ({"c": "x"}, {"a": "xy"}, {"a": "x", "b": "x"}):
            with pytest.raises(AlWidgetsError, match="key"):
                al.QueryWidget(session, keys=keys)


@pytest.mark.parametrize("limits", [{"labels": 2.5}, {"hours": float("inf")}, {"hours": "2"}, {"money": 0}], ids=str)
def test_a_budget_is_a_number_that_can_be_reached(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of a budget must be"):
        al.Budget(**limits)


def test_a_short_budget_is_told_in_minutes() -> None:
    from al_widgets.evaluation import budget_use

    use = budget_use(al.Budget(hours=0.05), seconds=180, money=None, labels=3)
    assert "3.00 of 3 minutes" in use.message


def test_completion_finds_the_parts() -> None:
    assert {"oracles", "export", "readers", "features", "evaluation"} <= set(dir(al))
    assert {"write_alarms", "alarm_at", "read_alarms", "write_coco"} <= set(dir(al.export))
    assert {"formats", "read"} <= set(dir(al.readers))
