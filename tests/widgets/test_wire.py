"""The messages between page and kernel are written once: TypeScript, golden files and checks agree with the Python types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest

from al_widgets.widgets import sheet_wire, volume_wire, wire
from al_widgets.widgets.messages import parse

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden" / "wire").glob("*.json"))


@pytest.mark.parametrize(
    ("name", "module"), [("wire.ts", wire), ("volume-wire.ts", volume_wire), ("sheet-wire.ts", sheet_wire)]
)
def test_typescript_is_what_the_python_types_say(name: str, module: Any) -> None:
    assert (ROOT / "js" / "src" / name).read_text() == module.typescript()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_message_has_the_fields_of_its_type_and_no_others(path: Path) -> None:
    golden: dict[str, Any] = json.loads(path.read_text())
    form = getattr(wire, golden["type"])
    hints = get_type_hints(form, include_extras=True)
    required = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    assert required <= set(golden["message"]) <= set(hints)
    if form in wire.FROM_PAGE:
        assert parse(golden["message"]) == golden["message"]


def test_every_message_has_a_golden_file() -> None:
    assert {json.loads(path.read_text())["type"] for path in GOLDEN} == {
        f.__name__ for f in (*wire.FROM_PAGE, *wire.FROM_KERNEL)
    }
