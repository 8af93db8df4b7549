"""The widget is a good guest of the page: keys, theme, width, accessibility, HTML in names, what is saved."""

from __future__ import annotations

import json
from pathlib import Path

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
COMMAND_KEYS = [
    "d",
    "d",
    "m",
    "y",
    "a",
    "b",
    "x",
    "c",
    "v",
    "z",
    "i",
    "i",
    "0",
    "0",
    "Enter",
    "r",
    "ArrowUp",
    "ArrowDown",
]
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def test_keys_do_not_reach_the_notebook_while_the_widget_has_the_focus(open_notebook, pictures):
    notebook = open_notebook(pictures.cell(), "'a cell below'", "'and another'")
    view = notebook.query()
    view.wait_state("ready")
    cells = notebook.sources()
    view.focus()
    for key in COMMAND_KEYS:
        notebook.page.keyboard.press(key)
        view.close_dialog()
    assert notebook.sources() == cells
    assert notebook.mode() == "command"
    # Esc goes back to the open item, then gives the keys back: now they reach the notebook, so the test would see a leak.
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("Escape")
    answered = view.item
    notebook.page.keyboard.press("1")
    assert view.item == answered
    notebook.page.keyboard.press("b")
    notebook.page.wait_for_function(
        "(n) => window.jupyterapp.shell.currentWidget.content.model.cells.length === n", arg=len(cells) + 1
    )


AXE_OF = """async (hooks) => {
  const { violations } = await axe.run({ include: hooks.map((hook) => [`[data-al="${hook}"]`]) }, { resultTypes: ["violations"] });
  return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" | ")}`);
}"""
OUTSIDE = """(el) => {
  const box = el.getBoundingClientRect();
  const inside = (el.shadowRoot ?? el).querySelectorAll("button:not([data-al-history])");
  return [...inside].filter((b) => {
    const r = b.getBoundingClientRect();
    return r.width > 0 && (r.left < box.left - 1 || r.right > box.right + 1);
  }).map((b) => b.outerHTML);
}"""


def test_app_fits_and_has_no_accessibility_violation_in_any_theme_and_width(open_notebook, pictures, screenshots):
    notebook = open_notebook(pictures.app())
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    for _ in range(8):
        view.label(pictures.truth[view.item])
    view.wait_saved()
    notebook.dashboard().locator("svg").first.wait_for()
    notebook.page.add_script_tag(path=AXE)
    for theme, width in ((LIGHT, 1280), (LIGHT, 480), (LIGHT, 360), (DARK, 1280)):
        notebook.look(theme, width)
        dark = str(theme == DARK).lower()
        view.wait(
            "(el, dark) => (el.shadowRoot.querySelector('[data-theme]').dataset.theme === 'dark') === (dark === 'true')",
            dark,
        )
        notebook.page.screenshot(path=screenshots / f"app-{theme.split()[1].lower()}-{width}.png", full_page=True)
        assert notebook.page.evaluate(AXE_OF, ["query", "dashboard"]) == [], (theme, width)
        scroll, client = view.root.evaluate("(el) => [el.scrollWidth, el.clientWidth]")
        assert scroll <= client, width
        assert view.root.evaluate(OUTSIDE) == [], width


def test_names_with_markup_are_shown_as_text(open_notebook, make_pictures):
    pictures = make_pictures(6)
    evil = "<img src=x onerror=window.__xss=1>"
    for path in sorted(pictures.folder.iterdir()):
        path.rename(path.with_name(f"<b onmouseover=window.__xss=1>{path.name}"))
    notebook = open_notebook(pictures.app((evil, "$x^2$ & co")))
    view = notebook.query()
    view.wait_state("ready")
    button = view.root.locator(f"[data-al-class={json.dumps(evil)}]")
    assert evil in button.inner_text()
    button.click()
    view.wait_saved()
    assert pictures.rows()[0]["value"] == json.dumps(evil)
    notebook.page.wait_for_function(
        "(evil) => document.querySelector('[data-al=dashboard]').textContent.includes(evil + ' 1')", arg=evil
    )
    assert notebook.page.evaluate("window.__xss") is None
    assert view.item is not None
    assert view.item.startswith("<b onmouseover")


def test_saved_notebook_holds_neither_labels_nor_pixels(open_notebook, pictures):
    notebook = open_notebook(pictures.cell())
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    for _ in range(20):
        view.label(pictures.truth[view.item])
    view.wait_saved()
    path = notebook.save()
    text = path.read_text()
    assert len(text) < 200_000
    assert "picture_0" not in text
    for mime in ("image/png", "image/jpeg", "base64"):
        assert mime not in text
    outputs = json.loads(text)["cells"][0]["outputs"]
    assert [sorted(o["data"]) for o in outputs] == [["application/vnd.jupyter.widget-view+json", "text/plain"]]


def test_dashboard_follows_the_labels_without_making_its_figures_again(open_notebook, pictures):
    notebook = open_notebook(pictures.app())
    view = notebook.query()
    view.wait_state("ready")
    notebook.page.wait_for_function("document.querySelectorAll('[data-al=dashboard] .bqplot svg').length >= 3")
    notebook.page.evaluate(
        "document.querySelectorAll('[data-al=dashboard] .bqplot').forEach((el) => { el.__same = true; })"
    )
    view.focus()
    for n in (1, 2, 3):
        view.label(pictures.truth[view.item])
        notebook.page.wait_for_function(
            """(n) => document.querySelector('.al-dashboard-value').textContent === String(n)
              && document.querySelector('[data-al=dashboard]').textContent.includes(`${n} label`)""",
            arg=n,
        )
    assert notebook.page.evaluate(
        "[...document.querySelectorAll('[data-al=dashboard] .bqplot')].every((el) => el.__same)"
    )
