"""The wheel and the sdist: what is in them, and that the wheel works where nothing can be built."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 60_000
"""Bytes of a widget's JS: it is copied into every instance."""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def wheel(archives: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(archives.glob("*.whl")))


def test_wheel_ships_the_built_widget_within_its_budget(wheel: zipfile.ZipFile) -> None:
    sizes = {info.filename: info.file_size for info in wheel.infolist()}
    assert 10_000 < sizes["al_widgets/static/query.js"] <= BUDGET
    assert "al_widgets/static/query.css" in sizes


def test_wheel_ships_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"al_widgets"}
    assert not [n for n in wheel.namelist() if n.endswith((".ts", ".db", ".DT1", ".DZT"))]


def test_sdist_ships_the_built_widget_and_its_sources(archives: Path) -> None:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {
        "al_widgets/static/query.js",
        "js/src/entries/query.ts",
        "js/hatch_build.py",
        "LICENSE",
        "README.md",
    } <= names
    assert not [n for n in names if "node_modules" in n or (n.startswith(".") and n != ".gitignore")]


def test_sdist_builds_a_wheel_without_node(archives: Path, tmp_path: Path) -> None:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as sdist:
        sdist.extractall(tmp_path, filter="data")
    source = next(tmp_path.iterdir())
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path / "out"), str(source)]
    without_node = {**os.environ, "PATH": os.path.dirname(sys.executable)}
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=600, env=without_node)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))) as built:
        assert "al_widgets/static/query.js" in built.namelist()


def test_unpacked_wheel_shows_a_widget_and_labels(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    script = (
        "import numpy as np, al_widgets as al\n"
        "assert 'site' in al.__file__, al.__file__\n"
        "session = al.Session(np.zeros((9, 8, 8), np.uint8), ['a', 'b'], store=':memory:', annotator='ann')\n"
        "widget = al.QueryWidget(session)\n"
        "assert 'data-al' in widget._esm, len(widget._esm)\n"
        "session.submit(next(session.queries(wait=False)), 'a')\n"
        "print(len(session.labels()), al.__name__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "AL_WIDGETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["1", "al_widgets"]


def test_importing_the_package_loads_no_widget_library_and_no_learner() -> None:
    script = (
        "import sys, al_widgets\n"
        "al_widgets.Classification(['a'])\n"
        "heavy = {'anywidget', 'ipywidgets', 'bqplot', 'sklearn', 'skimage', 'pandas', 'scipy', 'IPython', 'sqlalchemy', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    import al_widgets

    for name in al_widgets.__all__:
        assert getattr(al_widgets, name) is not None
    assert set(al_widgets.__all__) <= set(dir(al_widgets))
