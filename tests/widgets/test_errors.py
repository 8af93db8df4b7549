"""What a notebook shows of our errors: the sentence and the caller's own line, not the way through the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import LearnerError, PoolError


def test_ipython_shows_the_sentence_and_the_line_of_the_caller() -> None:
    code = "import al_widgets as al\nsession = al.Session('/nowhere/at/all', ['a', 'b'])"
    run = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    shown = run.stdout + run.stderr
    assert "PoolError" in shown
    assert "/nowhere/at/all" in shown
    assert "session = al.Session(" in shown
    assert "opening.py" not in shown
    assert "interactiveshell.py" not in shown


def test_lines_of_the_caller_are_named() -> None:
    with pytest.raises(PoolError) as caught:
        al.Session("/nowhere/at/all", ["a", "b"])
    first, *lines = caught.value._render_traceback_()
    assert str(caught.value) in first
    assert [line for line in lines if Path(__file__).name in line and "al.Session(" in line]
    assert not [line for line in lines if "session.py" in line]


def test_what_failed_in_code_of_the_caller_is_shown_whole() -> None:
    def broken(pictures: object) -> np.ndarray:
        raise RuntimeError(f"no weights in {type(pictures).__name__}")

    try:
        try:
            broken([])
        except RuntimeError as error:
            raise LearnerError("the learner failed") from error
    except LearnerError as error:
        shown = "\n".join(error._render_traceback_())
    assert "no weights in list" in shown
    assert "in broken" in shown
