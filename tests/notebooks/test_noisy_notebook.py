"""The notebook about noise and cost runs from top to bottom, shows what it says, and is kept without outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_noisy_and_costly.ipynb"


def test_notebook_is_kept_without_outputs_and_widget_state() -> None:
    notebook: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        assert cell["cell_type"] != "code" or (cell["outputs"] == [] and cell["execution_count"] is None)


@pytest.mark.kernel
def test_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, 4)
    client = NotebookClient(
        notebook, timeout=300, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o["output_type"] == "error"]
    views = [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    assert len(views) >= 10  # six plots, two annotator pages, the gallery, the grid
    said = "\n".join(o.get("text", "") for o in outputs if o["output_type"] == "stream")

    def figure(pattern: str) -> float:
        found = re.search(pattern, said)
        assert found, f"{pattern!r} is not in:\n{said}"
        return float(found.group(1))

    assert figure(r"right about ([\d.]+)% of the others") > 95
    with_model = [float(row) for row in re.findall(r"^(?:Ben|Ada, Ben.*?)\s+[\d.]+\s+[\d.]+\s+([\d.]+)$", said, re.M)]
    votes = [float(row) for row in re.findall(r"^(?:Ben|Ada, Ben.*?)\s+([\d.]+)\s+[\d.]+\s+[\d.]+$", said, re.M)]
    assert len(votes) == len(with_model) == 3
    assert all(a > b + 0.05 for a, b in zip(with_model, votes, strict=True))
    assert "Ada: no break needed" in said
    # He tires after 90 of his 180 answers.
    assert 65 <= figure(r"Ben: the last (\d+) answers are less reliable") <= 115
    assert figure(r"(\d+) among the first 20") > 3 * figure(r"20 would hold (\d+\.\d)")
    assert figure(r"wall clock\s+[\d.]+ min, off by ([+-][\d.]+)") > 50
    assert abs(figure(r"fence of the item\s+[\d.]+ min, off by ([+-][\d.]+)")) < 10
    chosen, audit = figure(r"off by ([\d.]+) points on average"), figure(r"the audit by ([\d.]+)")
    assert chosen > 1.5 * audit
    assert figure(r"utility a second\s+(\d+) s") < 0.75 * figure(r"utility\s+(\d+) s")
    assert figure(r"Fay\s+\d+\s+(-?[\d.]+)") < figure(r"Gus\s+\d+\s+(-?[\d.]+)")
