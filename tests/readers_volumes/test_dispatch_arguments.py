"""`al.read` says what is wrong with what it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import al_widgets as al
from al_widgets.errors import ReadError


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (np.zeros((1, 2, 3)), {}, "a path or a list of paths, not ndarray"),
        (None, {}, "a path or a list of paths, not NoneType"),
        ("a.npy", {"line_spacing_m": "0.2"}, "line_spacing_m must be a positive number, not '0.2'"),
        ("a.npy", {"colour": 1}, "reading npy has no option 'colour'; there are: "),
        (["a.npy", "a.npy"], {}, "given more than once"),
    ],
    ids=str,
)
def test_read_says_what_is_wrong(
    given: Any, options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros((1, 4, 5)))
    with pytest.raises(ReadError, match=message):
        al.read(given, **options)
