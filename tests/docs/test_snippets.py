"""Every snippet that a user may copy runs: README, docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import al_widgets

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a folder of pictures called xrays."""
    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xrays").mkdir()
    (tmp_path / "new").mkdir()
    rng = np.random.default_rng(0)
    for n in range(160):
        level = 60 if n % 2 else 180
        picture = np.clip(rng.normal(level, 20, (24, 24)), 0, 255).astype(np.uint8)
        name = f"{'normal' if n % 2 else 'pneumonia'}_{n}.png"
        Image.fromarray(picture).save(tmp_path / ("xrays" if n < 150 else "new") / name)
    yield tmp_path
    from al_widgets.session import registry

    for ref in list(registry._open.values()):
        session = ref()
        if session is not None:
            session.close()


def test_readme_snippets_run_one_after_the_other(folder: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(snippets) >= 2
    names: dict[str, Any] = {}
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), names)
    assert len(names["session"].labels()) >= 95  # a few of the hundred queries ask something again
    assert (names["session"].predictions().predicted.notna()).all()


def test_readme_names_only_what_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE):
        bench = ROOT / "tests" / "bench" / f"{command.replace('-', '_')}.py"
        assert re.search(rf"^{command}:", makefile, re.MULTILINE) or bench.is_file(), command
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture


def modules() -> list[str]:
    found = [
        m.name for m in pkgutil.walk_packages(al_widgets.__path__, "al_widgets.") if not m.name.endswith("__main__")
    ]
    return ["al_widgets", *found]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name: str, folder: Path) -> None:
    module = importlib.import_module(name)
    if not module.__doc__:
        pytest.fail(f"{name} has no docstring")
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, _ = doctest.testmod(module, optionflags=options, extraglobs={})
    assert failed == 0
