"""How fast the page is, in a real JupyterLab and a real browser: ``make bench-ui``.

Measured by the page's own clock: from an answer to the next image painted (``al:painted``) and to the answer
being durable (``al:saved``), (a) idle, (b) while training runs without pause, (c) while a cell is busy.
Beside it, a bare kernel round trip: an echo over a comm of the same kernel, in the same page. Then the time
from running a cell on a folder of 10,000 JPEGs, never seen before, to its first image; and the sizes of what
is sent to the page.

``--peers`` measures superintendent 0.6.0 with ipyannotations in a pinned environment of its own, on the same
pictures.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from harness.lab import Lab  # noqa: E402
from harness.page import Chromium, Notebook  # noqa: E402

SESSION = """
import al_widgets as al
session = al.Session({folder!r}, ["dark", "bright"], store={store!r}, annotator="bench", batch_size={batch})
widget = al.QueryWidget(session)
widget
"""
ECHO = """
import anywidget
class Echo(anywidget.AnyWidget):
    _esm = '''export default {
      render({ model, el }) {
        el.dataset.echo = "ready";
        window.__echo = (n) => new Promise((done) => {
          const times = [];
          let sent = 0;
          const send = () => { sent = performance.now(); model.send({ kind: "ping" }); };
          const receive = () => {
            times.push(performance.now() - sent);
            if (times.length < n) send(); else { model.off("msg:custom", receive); done(times); }
          };
          model.on("msg:custom", receive);
          send();
        });
      },
    };'''
echo = Echo()
echo.on_msg(lambda widget, content, buffers: widget.send({"kind": "pong"}))
echo
"""
TRAIN_ALWAYS = """
import threading, time
def _train_always():
    while not session.closed:
        session._rounds.request()
        session.wait()
threading.Thread(target=_train_always, daemon=True).start()
"""
PAUSE = """
async () => {
  await new Promise((go) => setTimeout(go, 20 + 40 * Math.random()));
  const root = document.querySelector('[data-al="query"]');
  window.__painted = new Promise((go) => root.addEventListener("al:painted", () => go(), { once: true }));
}
"""
BARE_FRAMES = """
async (n) => {
  const spot = document.querySelector('[data-al="query"]').appendChild(document.createElement("span"));
  const taken = [];
  for (let i = 0; i < n; i++) {
    await new Promise((go) => setTimeout(go, 20 + 40 * Math.random()));
    const began = performance.now();
    spot.textContent = i % 2 ? "." : ",";
    await new Promise((go) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = go;
      channel.port2.postMessage(null);
    }));
    taken.push(performance.now() - began);
  }
  spot.remove();
  return taken;
}
"""
"""The least that any change of this page takes until it is on the screen."""
BUSY = "import time\n_until = time.monotonic() + 600\nwhile time.monotonic() < _until: sum(range(1000))"


def make_folder(folder: Path, n_items: int, side: int, form: str) -> Path:
    """Write pictures of noise around two levels."""
    from PIL import Image

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    base = rng.normal(0, 20, (side, side))
    for number in range(n_items):
        pixels = np.roll(base, number, axis=number % 2) + (70, 180)[number % 2]
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"picture_{number:05d}.{form}")
    return folder


def line(name: str, values: list[float], target: str = "") -> None:
    """Print median and 95th percentile."""
    median, high = np.percentile(values, [50, 95])
    print(f"{name:<46} median {median:7.1f} ms   p95 {high:7.1f} ms   n {len(values):4d}   {target}", flush=True)


def label(notebook: Notebook, n: int) -> tuple[list[float], list[float]]:
    """Give `n` answers, each soon after its image is painted; return ms to paint and ms to durable.

    The pause is random: people press at any phase of a frame, a script that waits for a frame always at its beginning.
    """
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    view.wait_saved()
    notebook.page.evaluate("() => { window.__al.painted.length = 1; window.__al.saved.length = 0; }")
    keys = [view.key_of(name) for name in ("dark", "bright")]
    for number in range(n):
        notebook.page.evaluate(PAUSE)  # then a promise, not polling: that would ask for frames of its own
        notebook.page.keyboard.press(keys[number % 2])
        notebook.page.evaluate("() => window.__painted")
    view.wait_saved(60)
    seen = notebook.page.evaluate("window.__al")
    assert len(seen["saved"]) == n, f"{n} answers, {len(seen['saved'])} told to be durable"
    return [e["ms"] for e in seen["painted"] if e["ms"] is not None], [e["ms"] for e in seen["saved"]]


def measure_answers(lab: Lab, browser: Any, home: Path, n: int) -> None:
    """Measure (a), (b), (c) and the bare round trip."""
    folder = make_folder(home / "pictures", 3 * n + 200, 128, "png")
    for name, batch in (("idle", 10**6), ("training without pause", 1), ("a busy cell", 10**6)):
        store = str(home / f"{name.replace(' ', '-')}.db")
        cells = [SESSION.format(folder=str(folder), store=store, batch=batch), ECHO, TRAIN_ALWAYS, BUSY]
        notebook = Notebook.open(browser, lab, lab.write_notebook(f"{name.replace(' ', '-')}.ipynb", cells))
        notebook.run(0)
        notebook.run(1)
        notebook.query().wait_state("ready")
        notebook.kernel.run("session.wait()", 120)
        bare = notebook.page.evaluate("() => window.__echo(100)")
        frames = notebook.page.evaluate(BARE_FRAMES, 100)
        if name.startswith("training"):
            label(notebook, 12)  # a model needs labels of both classes
            notebook.run(2)
        if name.startswith("a busy"):
            notebook.start(3)
            notebook.wait_running(3)
        painted, saved = label(notebook, n)
        late = n - len(painted)  # the next image was not there yet: painted when it came, not by the answer
        line(f"answer → next image painted, {name}", painted, f"target 17 / 34 ms; {late} had to wait for an image")
        line(f"bare frame of the same page, before {name}", frames)
        ratio = float(np.median(saved) / np.median(bare))
        line(f"answer → durable, {name}", saved, f"target 3 × bare when idle; {ratio:.1f} × bare")
        line(f"bare kernel round trip, before {name}", bare)
        notebook.close()
        lab.stop_kernels()


def measure_first_image(lab: Lab, browser: Any, home: Path, n_items: int) -> None:
    """Measure from running the cell to the first image."""
    folder = make_folder(home / "many", n_items, 128, "jpg")
    cell = SESSION.format(folder=str(folder), store=str(home / "many.db"), batch=1)
    for name, warm in (("import included", []), ("al_widgets imported before", ["import al_widgets.widgets"])):
        os.sync()
        dropped = _drop_caches()
        cells = [*warm, cell]
        notebook = Notebook.open(browser, lab, lab.write_notebook(f"many{len(warm)}.ipynb", cells))
        for index in range(len(warm)):
            notebook.run(index)
        began = notebook.page.evaluate("performance.now()")
        notebook.start(len(warm))
        notebook.query().wait_state("ready", 60)
        first = notebook.page.evaluate("window.__al.painted[0].at") - began
        files = "files not in memory" if dropped else "files in memory"
        print(
            f"cell run → first image, {n_items:,} JPEGs, {name}, {files}: {first / 1000:.2f} s   target 2 s", flush=True
        )
        notebook.close()
        lab.stop_kernels()


def _drop_caches() -> bool:
    try:
        Path("/proc/sys/vm/drop_caches").write_text("1")
    except OSError:
        return False
    return True


def print_sizes() -> None:
    """Print the sizes of the scripts and styles that go to the page."""
    for path in sorted(
        [*(ROOT / "al_widgets" / "static").glob("*.*s"), *(ROOT / "al_widgets" / "widgets").glob("*.*s")]
    ):
        data = path.read_bytes()
        target = "   target 60,000" if path.name == "query.js" else ""
        print(f"{path.relative_to(ROOT)!s:<46} {len(data):7,d} bytes, {len(gzip.compress(data)):6,d} gzipped{target}")


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="make bench-ui", description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--items", type=int, default=10_000, help="JPEGs in the large folder")
    parser.add_argument("--peers", action="store_true", help="measure superintendent with ipyannotations, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, Chromium() as browser:
        environment = {"AL_WIDGETS_CACHE": str(Path(home) / "features")}
        with Lab(Path(home) / "lab", environment=environment) as lab:
            measure_answers(lab, browser, Path(home), options.answers)
            measure_first_image(lab, browser, Path(home), options.items)
        print_sizes()
        if options.peers:
            import ui_peers

            with tempfile.TemporaryDirectory() as peers:
                ui_peers.measure(browser, Path(peers), options.answers, line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
