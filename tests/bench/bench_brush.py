"""How fast the brush is: ``make bench-brush``.

First in the kernel: from a stroke to the refreshed prediction of a section, beside scikit-image and a plain forest. Then in a
real JupyterLab and a real browser, on a section of 2048 x 1024 with 10 classes and 50 earlier strokes: from a pointer event to
its pixels on the screen, by the page's own clock and the event's own time; while the model learns behind the strokes, and while a
cell keeps the kernel busy. And the bytes that a stroke sends, of everything the page says to the kernel.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import brush_learners
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from bench_ui import BUSY, line  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.page import Chromium, Notebook  # noqa: E402

ROWS, COLUMNS = 1024, 2048
CLASSES = ["soil", "mine", "pipe", "stone", "root", "cable", "void", "scrap", "wall", "water"]
EARLIER = 50
SESSION = """
import numpy as np
import al_widgets as al
rng = np.random.default_rng(0)
array = rng.normal(0, 900, (2, {rows}, {columns}))
array[:, 300:340, 400:900] += 6000
volume = al.Volume(array.astype("int16"), [("line", "m", 0.05), ("time", "ns", 0.05), ("distance", "m", 0.02)], name="wide")
session = al.Session(al.SlicePool(volume), al.Segmentation({classes}), store={store!r}, annotator="bench", audit=0, ask="sections")
al.VolumeWidget(session)
"""
REFRESHED = """
volume = al.datasets.gpr_survey(1, lines=12, samples=512, traces=512, n_targets=8, n_clutter=700, dt_ns=0.02, trace_spacing_m=0.01).volume
session = al.Session(al.SlicePool(volume), al.Segmentation({classes}), store={store!r}, annotator="bench", audit=0, ask="sections")
al.VolumeWidget(session)
"""
WATCH = """
() => { window.addEventListener("pointerup", (event) => { window.__up = event.timeStamp; }, true); }
"""
UNTIL_EXPECTED = """
(events) => new Promise((go) => {
  const root = document.querySelector('[data-al-kind="volume"]');
  const observer = new MutationObserver(look);
  function look() {
    if (!(Number(root.dataset.alPredicted) >= events)) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => go(performance.now() - window.__up);
      channel.port2.postMessage(null);
    });
  }
  observer.observe(root, { attributes: true });
  look();
})
"""
"""From letting go of the pen until the overlay of a model that knows the stroke is on the screen."""
PAINTED = "() => window.__al.painted.filter((e) => e.what === 'stroke').map((e) => e.ms)"
BARE_CANVAS = """
() => {
  const canvas = document.createElement('canvas');
  canvas.id = 'bare';
  canvas.style.cssText = 'position: fixed; left: 0; top: 0; z-index: 99999';
  canvas.width = innerWidth;
  canvas.height = innerHeight;
  document.body.append(canvas);
  const context = canvas.getContext('2d');
  window.__bare = [];
  let since = null;
  const draw = (event) => {
    context.fillRect(event.clientX, event.clientY, 4, 4);
    if (since != null) return;
    since = event.timeStamp;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.__bare.push(performance.now() - since); since = null; };
      channel.port2.postMessage(null);
    });
  };
  canvas.addEventListener('pointerdown', draw);
  canvas.addEventListener('pointermove', draw);
}
"""
"""An empty canvas over the same page that sets a few pixels in every event: the least that any drawing takes."""
TAKE_BARE = "() => { document.getElementById('bare').remove(); return window.__bare; }"
BARE_FRAMES = """
async (n) => {
  const taken = [];
  for (let i = 0; i < n; i++) {
    await new Promise((go) => setTimeout(go, 20 + 40 * Math.random()));
    const began = performance.now();
    await new Promise((go) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = go;
      channel.port2.postMessage(null);
    }));
    taken.push(performance.now() - began);
  }
  return taken;
}
"""
"""The least that any change of a page takes until it is on the screen."""


class Brush:
    """The drawing surface of the only volume widget of a page, and everything the page sends to its kernel."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.sent: list[bytes] = []
        self.rng = np.random.default_rng(0)

    def listen(self) -> None:
        """Keep what is sent over the kernel's sockets from now on; a page that is loaded again opens new ones."""

        def opened(socket: Any) -> None:
            def frame(payload: str | bytes) -> None:
                self.sent.append(payload if isinstance(payload, bytes) else payload.encode())

            socket.on("framesent", frame)

        self.page.on("websocket", opened)

    def surface(self) -> dict[str, float]:
        """Return the drawing surface on the page, in CSS pixels."""
        box = self.page.locator('[data-al="canvas"]').first.bounding_box()
        assert box is not None
        return box

    def stroke(self, moves: int) -> None:
        """Paint one stroke by the mouse: a press, moves along a wavy line, a release."""
        box = self.surface()
        x, y = (box[a] + box[b] * self.rng.uniform(0.15, 0.7) for a, b in (("x", "width"), ("y", "height")))
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(moves):
            x += self.rng.uniform(2, 7)
            y += 4 * np.sin(step / 3)
            self.page.mouse.move(x, y)
        self.page.mouse.up()

    def strokes(self, n: int, moves: int = 20) -> None:
        """Paint some strokes in turn of class."""
        for number in range(n):
            self.page.keyboard.press(str(1 + number % 9))
            self.stroke(moves)

    def stroke_bytes(self) -> list[int]:
        """Return the sizes of the messages that carried a stroke, with all that Jupyter wraps around them."""
        return [len(data) for data in self.sent if b'"kind":"stroke"' in data]


def measure(lab: Lab, browser: Any, home: Path, n: int) -> None:
    """Print latency and bytes."""
    cell = SESSION.format(rows=ROWS, columns=COLUMNS, classes=CLASSES, store=str(home / "brush.db"))
    notebook = Notebook.open(browser, lab, lab.write_notebook("brush.ipynb", [cell, BUSY]), width=1500, height=1000)
    brush = Brush(notebook)
    brush.listen()
    notebook.reload()  # its sockets are listened to from the beginning
    notebook.run(0)
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    notebook.page.locator('[data-al="canvas"]').first.scroll_into_view_if_needed()
    notebook.page.keyboard.press("b")
    brush.strokes(EARLIER)
    view.wait_saved(120)
    print(
        f"section of {COLUMNS} x {ROWS}, {len(CLASSES)} classes, {EARLIER} earlier strokes, then {n} strokes of 20 moves"
    )
    for name in ("the model learns behind the strokes", "a cell keeps the kernel busy"):
        if "busy" in name:
            notebook.start(1)
            notebook.wait_running(1)
            view.focus()
        line(f"bare frame of the same page, {name}", notebook.page.evaluate(BARE_FRAMES, 100))
        notebook.page.evaluate(BARE_CANVAS)
        for _ in range(n):
            brush.stroke(20)
        line(f"bare canvas under the same strokes, {name}", notebook.page.evaluate(TAKE_BARE))
        notebook.page.evaluate("() => { window.__al.painted.length = 0; }")
        brush.strokes(n)
        seen = notebook.page.evaluate(PAINTED)
        line(f"pointer event → pixels, {name}", seen, "target p95 17 ms")
    sizes = brush.stroke_bytes()
    share = 100 * np.array(sizes) / (ROWS * COLUMNS)
    print(
        f"bytes sent a stroke: median {np.median(sizes):,.0f}, largest {max(sizes):,d} = {share.max():.2f} % of the mask "
        f"of {ROWS * COLUMNS:,d}; n {len(sizes)}   target 1 %"
    )
    notebook.close()
    lab.stop_kernels()


def refreshed(lab: Lab, browser: Any, home: Path, n: int) -> None:
    """Print how long it takes from the end of a stroke to the overlay of the model that has learned it."""
    cell = "import numpy as np, al_widgets as al" + REFRESHED.format(classes=CLASSES[:2], store=str(home / "square.db"))
    notebook = Notebook.open(browser, lab, lab.write_notebook("square.ipynb", [cell]), width=1500, height=1000)
    notebook.run(0)
    brush = Brush(notebook)
    notebook.query().wait_state("ready")
    notebook.query().focus()
    page = notebook.page
    page.locator('[data-al="canvas"]').first.scroll_into_view_if_needed()
    page.evaluate(WATCH)
    taken = []
    for number in range(n + 4):
        page.keyboard.press(str(1 + number % 2))
        brush.stroke(20)
        taken.append(page.evaluate(UNTIL_EXPECTED, number + 1) if number else None)
    line("stroke → overlay of the next model, 512 x 512", taken[4:], "target median 500 ms")
    notebook.close()
    lab.stop_kernels()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="make bench-brush", description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=40, help="strokes that are measured, in the kernel 20 at most")
    parser.add_argument("--page-only", action="store_true")
    options = parser.parse_args()
    if not options.page_only:
        brush_learners.measure(min(20, options.strokes))
    with tempfile.TemporaryDirectory() as home, Chromium() as browser:
        environment = {"AL_WIDGETS_CACHE": str(Path(home) / "features")}
        with Lab(Path(home) / "lab", environment=environment) as lab:
            refreshed(lab, browser, Path(home), options.strokes)
            measure(lab, browser, Path(home), options.strokes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
