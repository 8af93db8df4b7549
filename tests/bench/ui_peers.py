"""The same measurement for superintendent 0.6.0 with ipyannotations 0.5.1, in a pinned environment of its own.

They need sqlmodel 0.0.22: with newer ones nothing can be enqueued. The environment is made in ``.venv/peers-ui`` at the first
run, from PyPI. The pictures are given as paths, as ours are; a store file is used, as ours is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_ui import make_folder
from harness.lab import Lab
from harness.page import Notebook

PINS = ["superintendent==0.6.0", "ipyannotations==0.5.1", "sqlmodel==0.0.22", "jupyterlab", "pillow"]
CELL = """
import pathlib, warnings
warnings.simplefilter("ignore")
from superintendent import Superintendent
from ipyannotations.images import ClassLabeller
files = sorted(map(str, pathlib.Path({folder!r}).iterdir()))
widget = Superintendent(
    features=files, labelling_widget=ClassLabeller(options=["dark", "bright"]), database_url="sqlite:///{store}"
)
widget
"""
BUSY = "import time\ntime.sleep({seconds})"
CLICK = """
async ([name, n]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const image = () => document.querySelector(".jp-OutputArea-output .jp-RenderedImage img");
  const button = (text) => [...document.querySelectorAll(".jp-OutputArea button")].find((b) => b.textContent.trim() === text);
  const times = [];
  for (let i = 0; i < n; i++) {
    const before = image()?.src;
    const began = performance.now();
    button(name[i % name.length]).click();
    while (!image() || image().src === before || !image().complete) await frame();
    await frame();
    times.push(performance.now() - began);
  }
  return times;
}
"""


def environment() -> Path:
    """Return the Python of the pinned environment; make it if need be."""
    home = Path(sys.prefix) / "peers-ui"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS], check=True)
        (home / "complete").touch()
    return python


def measure(browser: Any, home: Path, n: int, line: Callable[..., None]) -> None:
    """Print the time from a click on a class to the next image, idle and while a cell is busy."""
    folder = make_folder(home / "pictures", n + 20, 128, "png")
    seconds = 5
    cells = [CELL.format(folder=str(folder), store=str(home / "peers.db")), BUSY.format(seconds=seconds)]
    with Lab(home / "lab", python=str(environment())) as lab:
        notebook = Notebook.open(browser, lab, lab.write_notebook("peers.ipynb", cells))
        notebook.run(0)
        notebook.page.wait_for_selector(".jp-OutputArea-output .jp-RenderedImage img")
        names = ["dark", "bright"]
        line("superintendent: answer → next image, idle", notebook.page.evaluate(CLICK, [names, n]))
        notebook.start(1)
        notebook.wait_running(1)
        late = notebook.page.evaluate(CLICK, [names, 1])
        line(f"superintendent: the same, in a cell of {seconds} s", late, "one click")
        notebook.close()
