"""The query widget on a stream: the same page, items one by one, the dashboard saying what was seen, asked and let go."""

from __future__ import annotations


def test_query_widget_labels_a_stream_to_its_end(open_notebook, pictures, screenshots):
    cell = (
        "from pathlib import Path\n"
        "from IPython.display import display\n"
        "import al_widgets as al\n"
        f"stream = ((path.name, path) for path in sorted(Path({str(pictures.folder)!r}).glob('*.png')))\n"
        "session = al.StreamSession(stream, ['dark', 'bright'], budget=0.3, waiting=3,\n"
        f"                           store={str(pictures.db)!r}, annotator='ann')\n"
        "display(al.QueryWidget(session), al.Dashboard(session))"
    )
    notebook = open_notebook(cell)
    view = notebook.query()
    view.wait_state("ready", 60)
    view.focus()
    given = {}
    while view.state != "done":
        name = pictures.truth[view.item.rpartition("/")[2]]
        given[view.label(name)] = name
    view.wait_saved()
    assert pictures.answers() == given
    n = len(pictures.truth)
    assert 0 < len(given) <= 0.3 * n + 1  # what the budget lets be asked, none twice
    # Whoever sits in front reads the same numbers as the script.
    counts = eval(notebook.kernel.run("print(session.counts())"))
    assert (counts["seen"], counts["asked"]) == (n, len(given))
    notebook.page.wait_for_function(
        "(told) => document.querySelector('[data-al=dashboard]').textContent.includes(told)",
        arg=f"{counts['asked']} asked, {counts['let_go']} let go",
    )
    notebook.dashboard().screenshot(path=screenshots / "stream-dashboard.png")
    notebook.page.screenshot(path=screenshots / "stream.png", full_page=True)
