"""Names in sentences."""

from __future__ import annotations

import pytest

from al_widgets.session.opinion import reason_of
from al_widgets.task import isolated


@pytest.mark.parametrize("name", ["cat", "\u00fcn\u00efc\u00f6d\u00e9", "\u732b", ""])
def test_a_name_that_runs_rightwards_is_left_as_it_is(name: str) -> None:
    assert isolated(name) == name


def test_a_name_that_runs_leftwards_does_not_turn_the_figures_beside_it_about() -> None:
    arabic = "cat \u0645\u0631\u062d\u0628\u0627"
    assert f"\u2068{arabic}\u2069 (48%) and dog (47%)" in reason_of(((arabic, 0.48), ("dog", 0.47)), 20)
