"""The notebook from radar file to alarms runs from top to bottom, shows its pictures, and finds what is buried."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_notebook_is_kept_without_outputs_and_widget_state() -> None:
    notebook = json.loads((NOTEBOOKS / "03_bscans.ipynb").read_text())
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        assert cell["cell_type"] != "code" or (cell["outputs"] == [] and cell["execution_count"] is None)


@pytest.mark.kernel
def test_notebook_goes_from_a_file_to_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    from al_widgets.export import read_alarms

    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shutil.copy(NOTEBOOKS / "radargrams.py", tmp_path)
    shutil.copytree(NOTEBOOKS / "data", tmp_path / "data")
    notebook = nbformat.read(NOTEBOOKS / "03_bscans.ipynb", 4)
    client = NotebookClient(
        notebook, timeout=300, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    pictures = [o["data"]["image/svg+xml"] for o in outputs if "image/svg+xml" in o.get("data", {})]
    assert len(pictures) == 3
    assert "distance [m]" in pictures[0]
    assert "time [ns]" in pictures[0]
    said = "".join(o.get("text", "") for o in outputs)
    line = next(line for line in said.splitlines() if line.startswith("average precision"))
    without, with_labels = (float(word) for word in line.split() if word.startswith("0."))
    assert with_labels > without
    alarms = read_alarms(tmp_path / "demo-data" / "alarms.csv")
    assert alarms[0].depth_m is not None
    assert 0 < alarms[0].depth_m < 0.5
    assert (tmp_path / "demo-data" / "line_032.db").exists()
