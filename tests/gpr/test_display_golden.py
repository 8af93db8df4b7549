"""The golden files of the display chain, which the page's own chain is checked against, say what the Python chain does today."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SPEC = importlib.util.spec_from_file_location("write_display", GOLDEN / "write_display.py")
writer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(writer)


@pytest.mark.parametrize("name", writer.sections())
def test_golden_file_is_current(name):
    stored = json.loads((GOLDEN / "display" / f"{name}.json").read_text())
    today = writer.golden(*writer.sections()[name])
    written, computed = stored.pop("steps"), today.pop("steps")
    assert stored == today
    asked = [[s["step"], s["options"]] for s in computed]
    assert [[s["step"], s["options"]] for s in written] == json.loads(json.dumps(asked))
    for old, new in zip(written, computed, strict=True):
        output = np.array(new["output"])
        assert np.abs(output - old["output"]).max() <= 2e-5 * np.abs(output).max(), (old["step"], old["options"])


def test_there_is_a_file_for_each_section_and_no_other():
    assert {path.stem for path in (GOLDEN / "display").iterdir()} == set(writer.sections())
