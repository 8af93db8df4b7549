"""The notebook about the three scenarios runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def read() -> dict[str, Any]:
    return json.loads((NOTEBOOKS / "02_strategies.ipynb").read_text())


def test_notebook_is_kept_without_outputs_and_widget_state() -> None:
    notebook = read()
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        assert cell["cell_type"] != "code" or (cell["outputs"] == [] and cell["execution_count"] is None)


@pytest.mark.kernel
def test_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shutil.copy(NOTEBOOKS / "texture_crops.py", tmp_path)
    notebook = nbformat.read(NOTEBOOKS / "02_strategies.ipynb", 4)
    client = NotebookClient(
        notebook, timeout=300, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    text = [
        "".join(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    said = "\n".join(text)
    assert "top: " in said
    different = {line.split(":")[0]: int(line.split()[1]) for line in said.splitlines() if "different pictures" in line}
    assert different["herding"] > different["top"]
    assert "The stream" in said or "budget used" in said
    assert "People could not tell" in said
    changes = next(line for line in said.splitlines() if "changes noticed" in line)
    assert not changes.endswith("[]")
    assert not [o for cell in notebook.cells for o in cell.get("outputs", []) if o["output_type"] == "error"]
