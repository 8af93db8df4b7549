"""Labels given in the page become rows: by key, by button, while the kernel is busy, with two views, to the end."""

from __future__ import annotations

import pytest

BUSY = {
    "sleep": "import time; time.sleep(60)",
    "python loop": "import time\nuntil = time.monotonic() + 60\nwhile time.monotonic() < until:\n    sum(range(1000))",
}


def test_query_widget_stores_each_answer_once_whether_given_by_key_or_by_button(open_notebook, pictures):
    view = open_notebook(pictures.cell()).query()
    view.wait_state("ready")
    given = {}
    for give, n in ((view.label, 12), (view.click, 6)):
        view.focus()
        for _ in range(n):
            name = pictures.truth[view.item]
            given[give(name)] = name
    view.wait_saved()
    assert pictures.answers() == given
    assert len(pictures.rows()) == len(given) == 18
    for row in pictures.rows():
        assert row["annotator"] == "ann"
        assert row["strategy"]
        assert 0 < row["elapsed_s"] < 60
        assert row["shown_at"] <= row["answered_at"]


def test_query_widget_takes_back_an_answer_when_undone(open_notebook, pictures):
    notebook = open_notebook(pictures.cell())
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    first = view.label("dark")
    view.act("undo")
    view.wait("(el, item) => el.dataset.alItem === item", first)
    view.wait_painted(first)
    view.label("bright")
    view.wait_saved()
    assert [row["kind"] for row in pictures.rows()] == ["label", "undo", "label"]
    assert notebook.kernel.run(f"print(session.labels().set_index('item_id').label[{first!r}])").strip() == "bright"


@pytest.mark.parametrize("kind", BUSY)
def test_query_widget_paints_and_saves_while_a_cell_is_busy(open_notebook, pictures, kind):
    notebook = open_notebook(pictures.cell(), BUSY[kind])
    view = notebook.query()
    view.wait_state("ready")
    notebook.start(1)
    notebook.wait_running(1)
    view.focus()
    given = {}
    for _ in range(12):
        name = pictures.truth[view.item]
        given[view.label(name)] = name
    view.wait_saved()
    assert pictures.answers() == given
    assert notebook.is_running(1), "the cell ended before the rows were durable: nothing was shown"
    notebook.command("notebook:interrupt-kernel")


def test_query_widget_stays_in_step_when_shown_twice(open_notebook, pictures):
    notebook = open_notebook(pictures.cell(), "widget", run=2)
    first, second = notebook.query(0), notebook.query(1)
    for view in (first, second):
        view.wait_state("ready")
    for view in (first, second, first):
        assert first.item == second.item
        view.focus()
        answered = view.label("dark")
        for other in (first, second):
            other.wait_other_item(answered)
    first.wait_saved()
    assert len(pictures.rows()) == 3


def test_two_notebooks_share_a_store_without_asking_twice(open_notebook, pictures):
    notebooks = [open_notebook(pictures.cell(annotator=name)) for name in ("ann", "bob")]
    views = [notebook.query() for notebook in notebooks]
    for view in views:
        view.wait_state("ready")
    assert views[0].item != views[1].item
    for _ in range(5):
        for view in views:
            view.focus()
            view.label(pictures.truth[view.item])
    for view in views:
        view.wait_saved()
    assert len(pictures.answers()) == 10
    for notebook in notebooks:
        assert notebook.kernel.run("print(len(session.labels()))").strip() == "10"


def test_query_widget_says_that_it_is_done_when_the_pool_is_exhausted(open_notebook, make_pictures):
    pictures = make_pictures(5)
    view = open_notebook(pictures.cell()).query()
    view.wait_state("ready")
    view.focus()
    for _ in range(5):
        view.label(pictures.truth[view.item])
    view.wait_state("done")
    view.wait_saved()
    assert pictures.answers() == pictures.truth


def test_query_widget_sets_aside_a_broken_file_and_says_so(open_notebook, make_pictures):
    pictures = make_pictures(8)
    broken = pictures.folder / "picture_broken.png"
    broken.write_bytes((pictures.folder / "picture_000.png").read_bytes()[:60])
    notebook = open_notebook(pictures.cell())
    view = notebook.query()
    view.wait_state("ready")
    view.focus()
    for _ in range(8):
        view.label(pictures.truth[view.item])
    view.wait_state("done")
    assert broken.name in notebook.kernel.run("print(session.problems().item_id.tolist())")
    strip = view.root.locator('[data-al="problem"]', has_text=broken.name)
    strip.first.wait_for()
    assert set(pictures.answers()) == set(pictures.truth)
