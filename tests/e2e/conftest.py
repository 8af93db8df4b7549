"""One JupyterLab and one browser for all end-to-end tests; a new notebook, kernel, folder and store for each.

Without a browser they are skipped, loudly; where ``CI`` is set, that is a failure.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness.lab import Lab, wait_for
from harness.page import Chromium, Notebook, chromium

SCREENSHOTS = Path(__file__).parents[2] / ".e2e"
ITEMS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if chromium() is None:
        reason = "END-TO-END TESTS NOT RUN: no Chromium or Chrome found (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


Open = Callable[..., Notebook]


@pytest.fixture
def open_notebook(lab: Lab, browser: Any, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Write a notebook of the given cells, open it, run the first `run` of them."""
    opened: list[Notebook] = []

    def open_it(*cells: str, run: int = 1, **options: Any) -> Notebook:
        name = f"{request.node.name.replace('[', '-').rstrip(']')}-{len(opened)}.ipynb"
        notebook = Notebook.open(browser, lab, lab.write_notebook(name, list(cells)), **options)
        opened.append(notebook)
        for index in range(run):
            notebook.run(index)
        return notebook

    yield open_it
    failed = getattr(request.node, "failed_call", False)
    for notebook in opened:
        if failed:
            SCREENSHOTS.mkdir(exist_ok=True)
            notebook.page.screenshot(path=SCREENSHOTS / f"{Path(notebook.name).stem}.png")
        notebook.close()
    lab.stop_kernels()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call" and report.failed:
        item.failed_call = True  # type: ignore[attr-defined]
    return report


class Pictures:
    """A folder of pictures, dark and bright, with a store beside it."""

    def __init__(self, home: Path, n_items: int = ITEMS, seed: int = 0) -> None:
        from PIL import Image

        self.folder = home / "pictures"
        self.db = home / "labels.db"
        self.folder.mkdir()
        rng = np.random.default_rng(seed)
        self.truth: dict[str, str] = {}
        for number in range(n_items):
            name = ("dark", "bright")[int(rng.integers(2))]
            pixels = np.clip(rng.normal({"dark": 70, "bright": 180}[name], 20, (32, 32)), 0, 255).astype(np.uint8)
            item_id = f"picture_{number:03d}.png"
            Image.fromarray(pixels).save(self.folder / item_id)
            self.truth[item_id] = name

    def app(self, classes: tuple[str, ...] = ("dark", "bright")) -> str:
        """Return a cell that shows the labeling app."""
        return (
            "import al_widgets as al\n"
            f"widget = al.LabelingApp({str(self.folder)!r}, {list(classes)!r}, store={str(self.db)!r}, annotator='ann')\n"
            "session = widget.session\n"
            "widget"
        )

    def cell(self, **options: Any) -> str:
        """Return a cell that opens the session and shows the query widget."""
        options = {"store": str(self.db), "annotator": "ann", **options}
        arguments = ", ".join(f"{k}={v!r}" for k, v in options.items())
        return (
            "import al_widgets as al\n"
            f"session = al.Session({str(self.folder)!r}, ['dark', 'bright'], {arguments})\n"
            "widget = al.QueryWidget(session)\n"
            "widget"
        )

    def rows(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the durable events, read past the package, straight from the file."""
        if not self.db.exists():
            return []
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=10) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("SELECT * FROM al_events ORDER BY position")]
        return [row for row in rows if kind in (None, row["kind"])]

    def answers(self) -> dict[str, str]:
        """Return item id → label, and fail when an item has two rows."""
        rows = self.rows("label")
        assert len({row["item_id"] for row in rows}) == len(rows), "an item was labelled twice"
        return {row["item_id"]: row["value"].strip('"') for row in rows}

    def wait_rows(self, n: int, seconds: float = 30.0) -> None:
        """Wait until `n` events are durable."""
        wait_for(f"{n} rows (there are {len(self.rows())})", lambda: len(self.rows()) >= n, seconds)


@pytest.fixture
def screenshots() -> Path:
    """Where pictures of the page are kept, to be looked at; no test compares them."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture
def make_pictures(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pictures]:
    return lambda *args, **kw: Pictures(tmp_path_factory.mktemp("pictures"), *args, **kw)
