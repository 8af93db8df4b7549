"""Look at the built widget without a kernel: screenshots, axe-core, and the time from key to paint.

``python js/dev/look.py OUT_DIR`` writes PNG files there and prints what it measured. Needs Playwright and a Chromium.
"""

from __future__ import annotations

import functools
import http.server
import statistics
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from harness.page import Chromium  # noqa: E402


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def _label(page: Page, n: int) -> None:
    page.locator('[data-al="query"]').focus()
    for i in range(n):
        before = page.locator('[data-al="query"]').get_attribute("data-al-item")
        page.keyboard.press("su1234"[i % 6] if i % 9 == 0 else "1234"[i % 4])
        page.wait_for_function("old => root.dataset.alItem !== old", arg=before)


def _axe(page: Page, name: str) -> None:
    page.add_script_tag(path=str(ROOT / "js/node_modules/axe-core/axe.min.js"))
    found = page.evaluate(
        "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html + ' ' + n.failureSummary)]))"
    )
    print(f"axe {name}: {len(found)} violations")
    for rule, nodes in found:
        print("  ", rule, *nodes[:4], sep="\n      ")


def main(out: Path) -> None:
    """Take all pictures."""
    handler = functools.partial(_Quiet, directory=str(ROOT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/js/dev/index.html"
    out.mkdir(parents=True, exist_ok=True)
    with Chromium() as browser:

        def view(query: str, width: int = 1000, height: int = 720) -> Page:
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            page.on("pageerror", lambda error: print("PAGE ERROR", query, error))
            page.on("console", lambda m: print("CONSOLE", query, m.text) if m.type in ("error", "warning") else None)
            page.goto(f"{address}?{query}")
            page.wait_for_selector('[data-al="query"][data-al-state="ready"]')
            page.wait_for_function("painted.length > 0")
            return page

        def shot(page: Page, name: str) -> None:
            page.wait_for_timeout(350)
            page.screenshot(path=str(out / f"{name}.png"))

        for theme in ("light", "dark"):
            page = view(f"theme={theme}")
            shot(page, f"{theme}-start")
            _label(page, 14)
            shot(page, theme)
            _axe(page, theme)
            page.keyboard.press("ArrowLeft")
            page.keyboard.press("ArrowLeft")
            shot(page, f"{theme}-review")
            page.keyboard.press("End")
            page.keyboard.press("?")
            shot(page, f"{theme}-help")
            _axe(page, f"{theme} help")
            page.keyboard.press("Escape")
            page.keyboard.press("k")
            shot(page, f"{theme}-keys")
            page.keyboard.press("Escape")
            page.keyboard.press("S")
            shot(page, f"{theme}-reason")
            page.keyboard.press("Escape")
            page.evaluate(
                "kernel.push({kind:'status', status: kernel.state(), problem:{severity:'error', message:'farm/IMG_0031.jpg cannot be read: truncated after 12 288 bytes'}})"
            )
            page.evaluate("kernel.die()")
            _label(page, 3)
            page.wait_for_selector('[data-al-state="offline"]')
            shot(page, f"{theme}-offline")
            _axe(page, f"{theme} offline")

        for narrow in (360, 480):
            page = view("classes=9&long", narrow, 1000)
            _label(page, 5)
            page.evaluate("kernel.die()")
            _label(page, 1)
            page.wait_for_selector('[data-al-state="offline"]')
            shot(page, f"narrow-{narrow}")
        page = view("classes=10&work", 1600, 760)
        _label(page, 12)
        shot(page, "wide-1600")
        page = view("classes=2000&cold", 1000)
        page.locator('[data-al="query"]').focus()
        page.keyboard.press("/")
        page.keyboard.type("17 sp")
        shot(page, "many")
        _axe(page, "many")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_function("saved.length === 1")
        page = view("images=raw&theme=dark")
        page.locator('[data-al="query"]').focus()
        page.keyboard.press("w")
        page.locator('[data-al-level="contrast"]').fill("1.2")
        shot(page, "raw")
        _axe(page, "raw")
        page = view("images=small&total=8")
        shot(page, "small")
        _label(page, 7)
        page.keyboard.press("1")
        page.wait_for_selector('[data-al-state="done"]')
        shot(page, "done")
        _axe(page, "done")
        page = view("busy_ms=2500")
        page.locator('[data-al="query"]').focus()
        page.evaluate("kernel.status = 'busy'")
        for key in "123412":
            page.keyboard.press(key)
            page.wait_for_timeout(40)
        page.wait_for_timeout(1700)
        shot(page, "busy")

        for name, query in (
            ("photo", "total=400"),
            ("raw", "images=raw&total=400"),
            ("busy kernel", "busy_ms=300&total=400"),
        ):
            page = view(query)
            _label(page, 100)
            page.wait_for_timeout(400)
            ms = page.evaluate("painted.slice(1).map(p => p.ms).filter(ms => ms !== null)")
            q = statistics.quantiles(ms, n=20)
            print(
                f"painted, {name}: n={len(ms)} median={statistics.median(ms):.1f} ms p95={q[18]:.1f} ms max={max(ms):.1f} ms"
            )
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
