"""A notebook in a real browser: open it, run its cells, press keys, and see what a user would see."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.lab import Kernel, Lab
from playwright.sync_api import Browser, Locator, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of a browser that can be driven, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Chromium:
    """The browser, as a context manager."""

    def __init__(self, *, headless: bool = True) -> None:
        self._headless = headless

    def __enter__(self) -> Browser:
        path = chromium()
        if path is None:
            raise RuntimeError("no Chromium or Chrome found; on Debian: apt-get install chromium")
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=path, headless=self._headless, args=list(FLAGS)
        )
        return self._browser

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()


RECORDER = """
(() => {
  const seen = { painted: [], saved: [] };
  window.__al = seen;
  for (const name of ["painted", "saved"])
    window.addEventListener(`al:${name}`, (e) => seen[name].push({ ...e.detail, at: performance.now() }), true);
})();
"""
"""Notes the widget's events from the first one on; survives a reload (as an empty list)."""


RUNNING = """
(index) => window.jupyterapp.shell.currentWidget.content.model.cells.get(index).executionState === "running"
"""


class Notebook:
    """One notebook, open in one page."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page = page
        self.lab = lab
        self.name = name
        self._workspace = f"w{secrets.token_hex(4)}"

    @classmethod
    def open(
        cls,
        browser: Browser,
        lab: Lab,
        path: Path,
        *,
        width: int = 1280,
        height: int = 1100,
        theme: str = "JupyterLab Light",
    ) -> Notebook:
        """Open a notebook of the lab's directory in a fresh browser context, and wait for its kernel."""
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.add_init_script(RECORDER)
        self = cls(page, lab, path.name)
        self.goto()
        self.look(theme, width, height)
        return self

    def look(self, theme: str, width: int, height: int = 1100) -> None:
        """Have the page in a theme and a size."""
        self.page.set_viewport_size({"width": width, "height": height})
        if (
            self.page.evaluate("document.body.dataset.jpThemeName") != theme
        ):  # the server keeps what the last page chose
            self.command("apputils:change-theme", {"theme": theme})
            self.page.wait_for_function(f"document.body.dataset.jpThemeName === {theme!r}")

    def goto(self) -> None:
        """Load (or load again) the notebook's page."""
        self.page.goto(f"{self.lab.url}doc/workspaces/{self._workspace}/tree/{self.name}?token={self.lab.token}")
        self.ready()

    def ready(self) -> None:
        """Wait until JupyterLab has restored the notebook and its kernel answers."""
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp.shell.currentWidget;
              const kernel = panel?.sessionContext?.session?.kernel;
              return panel?.content?.model?.cells.length > 0 && panel.sessionContext.isReady
                && kernel?.connectionStatus === "connected" && ["idle", "busy"].includes(kernel.status);
            }"""
        )

    def reload(self) -> None:
        """Reload the page, as F5 does; what was not saved of the notebook (its outputs too) is gone then."""
        self.page.reload()
        self.ready()

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Run one of JupyterLab's commands and wait until it is done."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments or {}])

    def start(self, index: int) -> None:
        """Start a cell and do not wait for it."""
        self.page.evaluate(
            """(index) => {
              const { content } = window.jupyterapp.shell.currentWidget;
              content.deselectAll();
              content.activeCellIndex = index;
              const run = { done: false };
              window.__run = run;
              window.jupyterapp.commands.execute("notebook:run-cell").finally(() => { run.done = true; });
            }""",
            index,
        )

    def run(self, index: int, seconds: float = 60.0) -> None:
        """Run a cell to its end; raise if it raised."""
        self.start(index)
        self.page.wait_for_function("window.__run.done", timeout=seconds * 1000)
        error = self.page.evaluate(
            """(index) => {
              const outputs = window.jupyterapp.shell.currentWidget.content.model.cells.get(index).outputs;
              for (let i = 0; i < outputs.length; i++) {
                const json = outputs.get(i).toJSON();
                if (json.output_type === "error") return json.traceback.join("\\n");
              }
              return null;
            }""",
            index,
        )
        if error:
            raise RuntimeError(f"cell {index} failed:\n{error}")

    def run_all(self, seconds: float = 120.0) -> None:
        """Run the code cells one after the other."""
        kinds = self.page.evaluate(
            "() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells, c => [c.type, c.sharedModel.source])"
        )
        for index, (kind, source) in enumerate(kinds):
            if kind == "code" and source.strip():
                self.run(index, seconds)

    def sources(self) -> list[list[str]]:
        """Return type and text of every cell: what a leaked key would change."""
        cells: list[list[str]] = self.page.evaluate(
            "() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells, c => [c.type, c.sharedModel.source])"
        )
        return cells

    def mode(self) -> str:
        """Return the notebook's mode, command or edit."""
        mode: str = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.mode")
        return mode

    def is_running(self, index: int) -> bool:
        """Whether a cell runs. (The kernel's light does not tell: messages to a subshell switch it off and on.)"""
        running: bool = self.page.evaluate(RUNNING, index)
        return running

    def wait_running(self, index: int) -> None:
        """Wait until a cell runs."""
        self.page.wait_for_function(RUNNING, arg=index)

    def after_restart(self) -> None:
        """Wait until JupyterLab tells that the kernel died, say OK, and wait until it has the new one."""
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()
        self.ready()

    def leave_widget(self) -> None:
        """Give the keyboard back to the notebook, in command mode."""
        self.page.evaluate(
            """() => {
              document.activeElement?.blur();
              const { content } = window.jupyterapp.shell.currentWidget;
              content.mode = "command";
              content.node.focus();
              content.activate();
            }"""
        )

    def save(self) -> Path:
        """Save the notebook and return its file."""
        self.command("docmanager:save")
        return self.lab.work / self.name

    @property
    def kernel(self) -> Kernel:
        """The notebook's kernel."""
        return self.lab.kernel_of(self.name)

    def query(self, index: int = 0) -> QueryView:
        """Return the index-th query widget of the page."""
        return QueryView(self.page, self.page.locator('[data-al="query"]').nth(index))

    def dashboard(self) -> Locator:
        """Return the dashboard."""
        return self.page.locator('[data-al="dashboard"]').first

    def close(self) -> None:
        """Close the page and its context."""
        self.page.context.close()


class QueryView:
    """What a user sees of a query widget, by the hooks that the page promises."""

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root

    @property
    def state(self) -> str | None:
        """State as shown: ready, waiting, done or offline."""
        return self.root.get_attribute("data-al-state")

    @property
    def item(self) -> str | None:
        """Id of the item on the screen."""
        return self.root.get_attribute("data-al-item")

    @property
    def unsaved(self) -> int:
        """Answers that are not yet durable."""
        return int(self.root.get_attribute("data-al-unsaved") or "no such attribute")

    def wait(self, script: str, argument: Any = None, seconds: float = 30.0) -> None:
        """Wait until a function of (root element, argument) is true."""
        handle = self.root.element_handle()
        self.page.wait_for_function(
            f"([el, arg]) => ({script})(el, arg)", arg=[handle, argument], timeout=seconds * 1000
        )

    def wait_state(self, state: str, seconds: float = 30.0) -> None:
        """Wait for a state; ready means that the item is drawn, too."""
        self.wait("(el, state) => el.dataset.alState === state", state, seconds)
        if state == "ready":
            self.wait("(el) => window.__al.painted.at(-1)?.item_id === el.dataset.alItem", None, seconds)

    def wait_saved(self, seconds: float = 30.0) -> None:
        """Wait until every answer is durable."""
        self.wait("(el) => el.dataset.alUnsaved === '0'", None, seconds)

    def wait_other_item(self, item: str | None, seconds: float = 10.0) -> None:
        """Wait until another item than `item` is on the screen (or none is left)."""
        self.wait("(el, item) => el.dataset.alItem !== item", item, seconds)

    def key_of(self, name: str) -> str:
        """Return the key of a class."""
        key = self.root.locator(f'[data-al-class="{name}"]').get_attribute("data-al-key")
        assert key, f"class {name!r} has no key"
        return key

    def focus(self) -> None:
        """Give the widget the keyboard."""
        self.root.focus()

    def wait_painted(self, item: str | None, seconds: float = 10.0) -> None:
        """Wait until an item is drawn: before that the widget takes no answer for it."""
        self.wait("(el, item) => window.__al.painted.at(-1)?.item_id === item", item, seconds)

    def wait_next(self, item: str | None, seconds: float = 10.0) -> None:
        """Wait until another item than `item` is drawn, or none is left."""
        self.wait(
            """(el, item) => {
              const now = el.dataset.alItem ?? "";
              if (now === item) return false;
              return now === "" ? ["done", "offline"].includes(el.dataset.alState) : window.__al.painted.at(-1)?.item_id === now;
            }""",
            item,
            seconds,
        )

    def press(self, key: str) -> str | None:
        """Press one key, wait for the next item, return the id of the one that was answered."""
        item = self.item
        self.page.keyboard.press(key)
        self.wait_next(item)
        return item

    def close_dialog(self) -> None:
        """Close the dialog that a key may have opened; it would take all further keys."""
        if self.root.evaluate("(el) => (el.shadowRoot ?? el).querySelector('dialog[open]') !== null"):
            self.page.keyboard.press("Escape")
            self.wait("(el) => (el.shadowRoot ?? el).querySelector('dialog[open]') === null")

    def act(self, action: str) -> None:
        """Press the button of an action: skip, undo and so on."""
        self.root.locator(f'[data-al-action="{action}"]').first.click()

    def label(self, name: str) -> str | None:
        """Answer by the class' key."""
        return self.press(self.key_of(name))

    def click(self, name: str) -> str | None:
        """Answer by the class' button."""
        item = self.item
        self.root.locator(f'[data-al-class="{name}"]').click()
        self.wait_next(item)
        return item
