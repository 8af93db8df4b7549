"""``make demo``: the quickstart notebook in JupyterLab; with ``--check`` a script labels it in a browser and judges the outcome.

The check runs the very notebook that users get, on a copy in a temporary directory, in headless Chromium. It
labels by key, with the truth that the pictures were made with, and prints what it found. Exit code 0 means:
every label durable exactly once, and a model clearly better than a handful of labels makes one.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
QUICKSTART = "01_quickstart.ipynb"
sys.path.insert(0, str(ROOT / "tests"))

ACCURACY = """
import csv
_truth = {r["item_id"]: r["truth"] for r in csv.DictReader(open("demo-data/crops.csv"))}
_table = app.session.predictions()
_known = _table[_table.predicted.notna()]
print("nan" if _known.empty else (_known.predicted == _known.item_id.map(_truth)).mean())
"""

FEW = """
import al_widgets as al
_curves = al.simulate(
    app.session.pool, _truth, app.session.task, strategies=["random"], seeds=20, limit={n}, batch_size={n}, progress=False
)
print(_curves[_curves.n_labels == {n}].accuracy.mean())
"""
"""How good models of a few random labels are, on average: the yardstick, for a single first model may be lucky."""

N_FEW = 5
LEAST_GAIN = 0.05


def serve() -> int:
    """Open the notebook in JupyterLab and stay until it is stopped."""
    has_screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    options = ["--ServerApp.ip=127.0.0.1"]
    if not has_screen:
        options.append("--no-browser")
        print("No screen here: open the address with 127.0.0.1 that follows, token included.", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    os.chdir(NOTEBOOKS)
    options.append(f"--LabApp.default_url=/lab/tree/{QUICKSTART}")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options])


def percentile(values: list[float], share: float) -> float:
    """Return a percentile by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def check(n_labels: int, screenshot: Path | None) -> int:
    """Label by script; return the exit code."""
    from harness.lab import Lab
    from harness.page import Chromium, Notebook, chromium

    if chromium() is None:
        print("make demo: the check needs Chromium or Chrome; on Debian: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as home, Lab(Path(home)) as lab, Chromium() as browser:
        for source in NOTEBOOKS.glob("*.py"):
            shutil.copy(source, lab.work)
        notebook = Notebook.open(browser, lab, lab.add_notebook(NOTEBOOKS / QUICKSTART))
        began = time.monotonic()
        notebook.run_all()
        view = notebook.query()
        view.wait_state("ready")
        print(f"notebook            all cells run, first picture after {time.monotonic() - began:.1f} s")
        data = lab.work / "demo-data"
        with (data / "crops.csv").open() as stream:
            truth = {row["item_id"]: row["truth"] for row in csv.DictReader(stream)}
        kernel = notebook.kernel
        view.focus()
        given: dict[str, str] = {}
        while len(given) < n_labels:
            item = view.item
            assert item is not None
            view.label(truth[item])
            given[item] = truth[item]
        view.wait_saved()
        kernel.run("app.session.wait()", seconds=600.0)
        after = float(kernel.run(ACCURACY))
        learned = int(kernel.run("print(app.session.history().n_labels.max())"))
        few = float(kernel.run(FEW.format(n=N_FEW), seconds=300.0))
        honest = kernel.run(
            "e = app.session.accuracy\nprint(e.why or f'{e.value:.1%} [{e.low:.1%}, {e.high:.1%}] ({e.method}, {e.n} audit labels)')"
        )
        painted = [e["ms"] for e in notebook.page.evaluate("window.__al.painted") if e["ms"] is not None]
        if screenshot is not None:
            notebook.page.screenshot(path=screenshot, full_page=True)
        return report(given, _rows(data / "labels.db"), few, after, learned, honest.strip(), painted, len(truth))


def _rows(db: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
        return connection.execute("SELECT item_id, value FROM al_events WHERE kind = 'label'").fetchall()


def report(
    given: dict[str, str],
    rows: list[tuple[Any, ...]],
    few: float,
    after: float,
    learned: int,
    honest: str,
    painted: list[float],
    n_items: int,
) -> int:
    """Print the outcome and return the exit code."""
    durable = {item: value.strip('"') for item, value in rows}
    exact = durable == given and len(rows) == len(given)
    print(
        f"durable labels      {len(rows)} of {len(given)} given" + ("" if exact else ": NOT THE ONES THAT WERE GIVEN")
    )
    print(
        f"accuracy, all {n_items}   {after:.1%} after {len(given)} labels, {few:.1%} after {N_FEW} random ones (mean of 20 draws)"
    )
    print(f"accuracy, honest    {honest}")
    print(f"label → next image  median {statistics.median(painted):.1f} ms, 95 % {percentile(painted, 0.95):.1f} ms")
    better = after >= few + LEAST_GAIN  # false for NaN, too
    if not better:
        print(f"the model is not {LEAST_GAIN:.0%} better than one of {N_FEW} labels: NOT AS IT SHOULD BE")
    if learned != len(given):
        print(f"the newest model knows {learned} labels: NOT AS IT SHOULD BE")
    return 0 if exact and better and learned == len(given) else 1


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="label by script in headless Chromium, exit 0 or 1")
    parser.add_argument("--labels", type=int, default=30, help="labels that the check gives (default 30)")
    parser.add_argument("--screenshot", type=Path, help="keep a picture of the page at the end of the check")
    options = parser.parse_args()
    return check(options.labels, options.screenshot) if options.check else serve()


if __name__ == "__main__":
    sys.exit(main())
