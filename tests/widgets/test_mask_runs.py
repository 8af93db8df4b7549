"""Run-length text is the same in Python and in the page: vitest reads the file that this module checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from al_widgets.task import rle

GOLDEN = Path(__file__).parents[1] / "golden" / "masks" / "runs.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text("utf-8"))


def masks() -> list[npt.NDArray[np.bool_]]:
    """Return masks with long, short, leading, alternating and missing runs."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:40, :70]
    disc = (rows - 18.5) ** 2 + (columns - 33) ** 2 < 15**2
    noise = [
        rng.random(shape) < share for shape, share in (((7, 5), 0.5), ((1, 9), 0.3), ((9, 1), 0.7), ((33, 20), 0.05))
    ]
    tall = np.zeros((900, 90), bool)
    tall[450:, 40:] = True
    return [disc, np.zeros((3, 4), bool), np.ones((3, 4), bool), tall, *noise]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_golden_runs_are_what_python_writes(case: dict[str, Any]) -> None:
    mask = np.zeros(case["size"], bool)
    for row, text in case["rows"]:
        mask[row] = [pixel == "1" for pixel in text]
    assert rle.encode(mask) == {"size": case["size"], "counts": case["counts"]}


def test_golden_masks_are_all_there() -> None:
    assert [
        {
            "size": list(mask.shape),
            "rows": [[i, "".join("01"[pixel] for pixel in row)] for i, row in enumerate(mask.astype(int)) if row.any()],
            "counts": rle.encode(mask)["counts"],
        }
        for mask in masks()
    ] == CASES
