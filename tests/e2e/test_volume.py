"""Sections under a brush, in a real browser: what is drawn is what is stored, whatever happens to page and kernel."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from harness.lab import wait_for
from harness.volume import VolumeView, disc, line, overlap

import al_widgets as al

SAMPLE = Path("shared", "samples", "gprpy_FILE____032.DZT")
RADARGRAM = next((folder / SAMPLE for folder in Path(__file__).parents if (folder / SAMPLE).exists()), None)
"""A real radargram, where there is one beside the repository."""


@pytest.fixture
def survey(tmp_path):
    """Return the file of eight made-up radar lines."""
    path = tmp_path / "survey.npy"
    np.save(path, al.datasets.gpr_survey(3, lines=8, samples=160, traces=240).volume.array)
    return path


def cell(array: str, store: Path, classes: tuple[str, ...] = ("soil", "mine"), ask: str = "sections") -> str:
    return (
        "import numpy as np, al_widgets as al\n"
        f"array = {array}\n"
        "axes = (al.Axis('line', 'm', 0.25), al.Axis('time', 'ns', 0.1), al.Axis('distance', 'm', 0.02))\n"
        "volume = al.Volume(array, axes=axes, name='v')\n"
        f"session = al.Session(al.SlicePool(volume), al.Segmentation({list(classes)!r}), store={str(store)!r}, annotator='ann', ask={ask!r})\n"
        "widget = al.VolumeWidget(session)\n"
        "widget"
    )


def masks(notebook) -> dict[str, np.ndarray]:
    """Return the annotator's mask of every section, as the kernel folds it."""
    text = notebook.kernel.run(
        "import json, base64\n"
        "print(json.dumps({i: [session.mask(i).shape, base64.b64encode(session.mask(i).tobytes()).decode()] for i in session.pool.item_ids}))"
    )
    return {
        item: np.frombuffer(base64.b64decode(data), np.uint8).reshape(shape)
        for item, (shape, data) in json.loads(text).items()
    }


def test_what_is_drawn_is_stored_at_any_zoom_and_shape_of_pixels(open_notebook, tmp_path):
    shape = (700, 1300)
    made = f"np.random.default_rng(0).normal(0, 900, (8, {shape[0]}, {shape[1]})).astype(np.int16)"
    notebook = open_notebook(cell(made, tmp_path / "v.db", ("soil", "disc", "line")))
    view = VolumeView.of(notebook)
    view.focus()
    drawn = {}
    for index, (x, y) in enumerate([(0.5, 0.5), (1, 1), (4, 4), (1, 0.6), (4, 1.5), (0.5, 1.25)]):
        view.go(index)
        view.scale_to(x, y)
        size = view.root.locator('[data-al-setting="size"]')
        size.fill("60")  # 200 ** 0.6 CSS pixels
        view.focus()
        lie = view.lie()
        assert (lie.x_scale, lie.y_scale) == pytest.approx((x, y), rel=0.005)
        box = view.canvas.bounding_box()
        centre = (box["x"] + 110, box["y"] + 110)
        start, end = (box["x"] + 230, box["y"] + 120), (box["x"] + 420, box["y"] + 215)
        view.page.keyboard.press(view.key_of("disc"))
        view.draw([centre])
        view.page.keyboard.press(view.key_of("line"))
        view.draw([start, end], steps=7)
        drawn[view.item] = (lie, centre, start, end)
    view.wait_saved()
    radius = round(200**0.6, 1)
    stored = masks(notebook)
    for item, (lie, centre, start, end) in drawn.items():
        assert overlap(stored[item] == 1, disc(shape, lie, centre, radius)) >= 0.98, (item, lie)
        assert overlap(stored[item] == 2, line(shape, lie, start, end, radius)) >= 0.98, (item, lie)


def test_a_stroke_on_a_radargram_changes_what_the_model_expects(open_notebook, tmp_path, survey, screenshots):
    real = f"np.stack(np.split(al.read({str(RADARGRAM)!r}).array[0], 4, axis=1))"
    array = f"np.load({str(survey)!r})" if RADARGRAM is None else real
    notebook = open_notebook(cell(array, tmp_path / "v.db"))
    view = VolumeView.of(notebook)
    view.focus()
    first, before = view.section, view.overlay()
    box = view.canvas.bounding_box()
    view.draw([(box["x"] + 200, box["y"] + 140), (box["x"] + 330, box["y"] + 160)])
    with_stroke = view.overlay()
    assert with_stroke != before
    view.wait("(el) => Number(el.dataset.alPredicted) >= 1")
    view.wait(
        "(el, old) => el.shadowRoot.querySelector('.over').toDataURL() !== old", with_stroke
    )  # the model's opinion lies over the section now
    view.page.screenshot(path=screenshots / "volume.png")
    view.page.keyboard.press("Enter")
    view.wait("(el, old) => Number(el.dataset.alSection) !== old && el.dataset.alState === 'ready'", first)
    view.wait_saved()
    stored = masks(notebook)
    assert 1 in stored[f"v/{first}"]
    assert not (stored[f"v/{first}"] == 255).any()  # finished: the rest is soil
    kinds = notebook.kernel.run("print(list(session.annotations()['kind']))")
    assert kinds.strip() == "['stroke', 'label']"


def test_display_reload_and_a_killed_kernel_leave_the_masks_as_they_were(open_notebook, tmp_path, survey):
    notebook = open_notebook(cell(f"np.load({str(survey)!r})", tmp_path / "v.db"))
    view = VolumeView.of(notebook)
    view.focus()
    view.go(2)
    box = view.canvas.bounding_box()
    view.draw([(box["x"] + 100, box["y"] + 100), (box["x"] + 260, box["y"] + 130)])
    view.page.keyboard.press("x")
    view.draw([(box["x"] + 300, box["y"] + 60), (box["x"] + 380, box["y"] + 120)])
    view.go(3)
    view.page.keyboard.press("b")
    view.draw([(box["x"] + 150, box["y"] + 80), (box["x"] + 200, box["y"] + 190)])
    view.wait_saved()
    kept = masks(notebook)
    assert sum((mask != 255).any() for mask in kept.values()) == 2

    view.page.keyboard.press("w")
    panel = view.root.locator('[data-al="display"]')
    # Switches first: they make others of use.
    panel.locator('[data-al-setting="gain"]').select_option("sec")
    for name in panel.locator("select").evaluate_all("(all) => all.map((el) => el.dataset.alSetting)"):
        field = panel.locator(f'[data-al-setting="{name}"]')
        field.select_option(index=1)
    for kind in ("range", "number", "checkbox"):
        names = panel.locator(f"input[type={kind}]:enabled").evaluate_all(
            "(all) => all.map((el) => el.dataset.alSetting)"
        )
        assert names
        for name in names:
            field = panel.locator(f'[data-al-setting="{name}"]')
            if kind == "checkbox":
                field.click()
            else:
                field.fill(field.get_attribute("min") if kind == "range" else "0.1")
                field.dispatch_event("change")
    view.focus()
    view.wait("(el) => el.dataset.alState !== 'waiting'")
    assert {i: m.tobytes() for i, m in masks(notebook).items()} == {i: m.tobytes() for i, m in kept.items()}
    panel.locator('[data-al-action="reset-display"]').click()

    notebook.save()
    notebook.reload()
    view = VolumeView.of(notebook)
    view.focus()
    view.go(3)
    assert {i: m.tobytes() for i, m in masks(notebook).items()} == {i: m.tobytes() for i, m in kept.items()}
    before, box = view.overlay(), view.canvas.bounding_box()
    view.draw([(box["x"] + 320, box["y"] + 150)])
    assert view.overlay() != before
    view.page.keyboard.press("z")  # undone before the kernel dies
    view.wait_saved()

    pid = notebook.kernel.pid
    os.kill(pid, signal.SIGKILL)
    wait_for("another kernel", lambda: notebook.kernel.pid_or_none() not in (None, pid))
    notebook.after_restart()
    view.wait_state("offline")
    view.focus()
    box = view.canvas.bounding_box()  # the strip that says so has moved it
    view.draw([(box["x"] + 60, box["y"] + 200), (box["x"] + 90, box["y"] + 210)])  # nobody there: it is kept
    assert view.unsaved == 1
    notebook.run(0)
    view = VolumeView.of(notebook)
    view.wait_saved()
    found = masks(notebook)
    assert found["v/2"].tobytes() == kept["v/2"].tobytes()
    drawn_later = found["v/3"] != kept["v/3"]
    assert drawn_later.any()
    assert (kept["v/3"][drawn_later] == 255).all()
    view.focus()
    view.page.keyboard.press("z")  # an older page's stroke: the kernel knows what was below it
    view.wait_saved()
    assert masks(notebook)["v/3"].tobytes() == kept["v/3"].tobytes()


def test_undo_and_redo_go_from_section_to_section(open_notebook, tmp_path, survey):
    notebook = open_notebook(cell(f"np.load({str(survey)!r})", tmp_path / "v.db"))
    view = VolumeView.of(notebook)
    view.focus()
    states = []
    box = view.canvas.bounding_box()
    for index in (1, 2, 1):
        view.go(index)
        x = box["x"] + 80 + 60 * len(states)
        view.draw([(x, box["y"] + 80), (x + 30, box["y"] + 150)])
        view.wait_saved()
        states.append({i: m.tobytes() for i, m in masks(notebook).items()})
    view.page.keyboard.press("z")
    view.wait_saved()
    assert {i: m.tobytes() for i, m in masks(notebook).items()} == states[1]
    view.page.keyboard.press("z")
    view.wait("(el) => el.dataset.alSection === '2'")
    view.wait_saved()
    assert {i: m.tobytes() for i, m in masks(notebook).items()} == states[0]
    for _ in range(2):
        view.page.keyboard.press("y")
        view.wait_saved()
    assert {i: m.tobytes() for i, m in masks(notebook).items()} == states[2]
    view.go(4)
    view.page.keyboard.press("n")
    view.wait_saved()
    assert (masks(notebook)["v/4"] == 0).all()


def test_all_views_of_a_session_are_in_step(open_notebook, tmp_path, survey):
    same_twice = "import ipywidgets\nipywidgets.VBox([widget, widget, al.VolumeWidget(session, height=220)])"
    shown = cell(f"np.load({str(survey)!r})", tmp_path / "v.db").replace(
        "VolumeWidget(session)", "VolumeWidget(session, height=220)"
    )
    notebook = open_notebook(f"{shown.removesuffix('widget')}{same_twice}", height=2400)
    roots = notebook.page.locator('[data-al="query"][data-al-kind="volume"]')
    roots.nth(2).wait_for()
    views = [VolumeView(notebook.page, roots.nth(i)) for i in range(3)]
    for view in views:
        view.wait("(el) => el.dataset.alState === 'ready'")
        view.root.evaluate("(el) => el.shadowRoot.querySelector('[data-al-action=\"hide-model\"]').click()")
    views[1].root.evaluate("(el) => el.shadowRoot.querySelector('[data-al-action=\"hide-model\"]').click()")  # of both
    views[0].focus()
    views[0].go(2)
    views[2].focus()
    views[2].go(2)
    clear = views[0].overlay()
    assert [view.overlay() for view in views] == [clear] * 3
    box = views[0].canvas.bounding_box()
    views[0].draw([(box["x"] + 120, box["y"] + 60), (box["x"] + 260, box["y"] + 130)])
    drawn = views[0].overlay()
    assert drawn != clear
    assert views[1].overlay() == drawn
    same = "(el, picture) => el.shadowRoot.querySelector('.over').toDataURL() === picture"
    views[2].wait(same, drawn)
    views[2].focus()
    notebook.page.keyboard.press("z")
    for view in views:
        view.wait(same, clear)
    assert notebook.kernel.run("print((session.mask('v/2') == 255).all())").strip() == "True"
    notebook.page.keyboard.press("y")
    for view in views:
        view.wait(same, drawn)


def test_an_injected_target_comes_unmarked_and_a_brush_on_it_is_a_hit(open_notebook, tmp_path, screenshots):
    made = "al.datasets.gpr_survey(1, lines=14, samples=120, traces=160, n_targets=0, n_clutter=30).volume"
    source = (
        "import al_widgets as al\n"
        f"volume = {made}\n"
        "session = al.Session(al.SlicePool(volume), al.Segmentation(['soil', 'mine']), "
        f"store={str(tmp_path / 'v.db')!r}, annotator='ann', ask='sections', injected=al.InjectedTargets(rate=0.5, catch=0))\n"
        "widget = al.VolumeWidget(session)\n"
        "widget"
    )
    notebook = open_notebook(source)

    def trials() -> list[list[object]]:
        return json.loads(
            notebook.kernel.run("print(session.trials()[['item_id', 'signal_db', 'seen']].to_json(orient='values'))")
        )

    def threshold() -> float:
        return float(notebook.kernel.run("print(session.detection().threshold_db.iloc[0])"))

    def to_trial(view: VolumeView) -> str:
        """Answer "nothing here" until a trial is on the screen."""
        while "~" not in view.item:
            before = view.item
            view.page.keyboard.press("n")
            view.wait("(el, old) => el.dataset.alItem !== old && el.dataset.alState === 'ready'", before)
            view.wait_saved()
        return view.item

    def brush(view: VolumeView, item: str) -> None:
        """Draw along the apex of the target."""
        text = notebook.kernel.run(f"t = session.trial({item!r}); print(t.row, t.column)")
        row, column = map(float, text.split())
        lie = view.lie()
        x, y = lie.left + column * lie.x_scale, lie.top + row * lie.y_scale
        view.draw([(x - 20, y + 4), (x, y), (x + 20, y + 4)])

    view = VolumeView.of(notebook)
    view.focus()
    first = to_trial(view)
    assert "~" not in view.root.evaluate("(el) => el.shadowRoot.textContent")  # nothing that can be read tells it
    view.page.screenshot(path=screenshots / "injected.png")
    shown = view.root.evaluate("(el) => el.shadowRoot.querySelector('canvas').toDataURL()")

    pid = notebook.kernel.pid
    os.kill(pid, signal.SIGKILL)
    wait_for("another kernel", lambda: notebook.kernel.pid_or_none() not in (None, pid))
    notebook.after_restart()
    notebook.run(0)
    view = VolumeView.of(notebook)
    view.focus()
    assert view.item == first
    assert view.root.evaluate("(el) => el.shadowRoot.querySelector('canvas').toDataURL()") == shown

    brush(view, first)
    view.page.keyboard.press("Enter")
    view.wait("(el, old) => el.dataset.alItem !== old && el.dataset.alState === 'ready'", first)
    view.wait_saved()
    assert [[item, seen] for item, _, seen in trials()] == [[first, True]]
    after_hit = threshold()
    assert after_hit < 6  # where it began

    second = to_trial(view)
    view.page.keyboard.press("n")
    view.wait("(el, old) => el.dataset.alItem !== old && el.dataset.alState === 'ready'", second)
    view.wait_saved()
    told = {item: seen for item, _, seen in trials()}
    assert told == {first: True, second: False}
    assert threshold() > after_hit

    view.page.keyboard.press("z")  # the miss is taken back: the same picture is there again
    view.wait("(el, item) => el.dataset.alItem === item && el.dataset.alState === 'ready'", second)
    view.wait_saved()
    assert {item for item, _, _ in trials()} == {first}
    brush(view, second)
    view.page.keyboard.press("Enter")
    view.wait_saved()
    assert {item: seen for item, _, seen in trials()} == {first: True, second: True}
    assert notebook.kernel.run("print(session.labels().item_id.str.contains('~').any())").strip() == "False"


COALESCED = """
([el, points, id]) => {
  const event = (type, [x, y], more) => new PointerEvent(type, {
    pointerId: id, pointerType: "pen", pressure: 1, clientX: x, clientY: y, bubbles: true, composed: true, ...more,
  });
  const moved = "onpointerrawupdate" in el ? "pointerrawupdate" : "pointermove";
  el.dispatchEvent(event(moved, points.at(-1), { coalescedEvents: points.map((p) => event(moved, p)) }));
}
"""


def test_a_pen_presses_and_no_place_it_has_been_is_lost_between_two_frames(open_notebook, tmp_path, survey):
    notebook = open_notebook(cell(f"np.load({str(survey)!r})", tmp_path / "v.db"))
    view = VolumeView.of(notebook)
    view.focus()
    view.go(4)
    view.scale_to(3, 3)
    view.root.locator('[data-al-setting="size"]').fill("60")
    view.focus()
    radius, lie, box = round(200**0.6, 1), view.lie(), view.canvas.bounding_box()
    view.canvas.evaluate(
        "(el) => el.addEventListener('pointerdown', (e) => { window.__pen = [e.pointerId, e.pointerType, e.pressure]; })"
    )
    pen = notebook.page.context.new_cdp_session(notebook.page)

    def point(kind: str, x: float, y: float, force: float) -> None:
        pressed = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": force}
        pen.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **pressed})

    left, right, y = box["x"] + 60, box["x"] + 460, box["y"] + 90
    point("mousePressed", left, y, 0.2)
    number, kind, pressure = notebook.page.evaluate("window.__pen")
    assert (kind, pressure) == ("pen", pytest.approx(0.2))
    for step in range(1, 41):
        point("mouseMoved", left + (right - left) * step / 40, y, 0.2 + 0.8 * step / 40)
    # One event of one frame, that has been far below on its way.
    way = [(right, y), (right, y + 130), (left + 200, y + 130), (left + 200, y)]
    notebook.page.evaluate(COALESCED, [view.canvas.element_handle(), way, number])
    point("mouseReleased", left + 200, y, 0)
    view.wait_saved()
    drawn = masks(notebook)["v/4"] == 1
    columns = ((np.array([left + 20, left + 120]) - lie.left) / lie.x_scale).astype(int)
    widths = drawn[: int((y + 60 - lie.top) / lie.y_scale)][:, columns].sum(axis=0) * lie.y_scale
    forces = 0.2 + 0.8 * np.array([20, 120]) / (right - left)
    assert widths == pytest.approx(2 * radius * (0.3 + 0.7 * forces), abs=2 * lie.y_scale)
    for x, y_ in way:
        row, column = int((y_ - lie.top) / lie.y_scale), int((x - lie.left) / lie.x_scale)
        assert drawn[row, column], (x, y_)
    low = int((y + 130 - lie.top) / lie.y_scale)
    between = ((np.array([left + 200, right]) - lie.left) / lie.x_scale).astype(int)
    assert drawn[low, between[0] : between[1]].all()


def test_class_keys_judge_a_region_only_while_it_is_asked_and_undo_asks_again(open_notebook, tmp_path, survey):
    notebook = open_notebook(cell(f"np.load({str(survey)!r})", tmp_path / "v.db", ask="auto"))
    view = VolumeView.of(notebook)
    view.focus()
    state = "el.shadowRoot.querySelector('[data-al=\"region\"]').dataset.alState"
    view.wait(f"(el) => {state} === 'offer'")
    view.page.keyboard.press(view.key_of("mine"))
    assert view.root.evaluate("(el) => el.dataset.alUnsaved") == "0"
    view.page.keyboard.press("r")
    view.wait(f"(el) => {state} === 'question' && el.dataset.alState === 'ready'")
    asked = view.section
    view.page.keyboard.press(view.key_of("mine"))
    view.wait(f"(el) => {state} === 'question' && Number(el.dataset.alPredicted) >= 1")
    view.wait_saved()
    box = notebook.kernel.run(
        "import json\nevent = session.annotations().iloc[-1]\nprint(json.dumps([event.item_id, event.value['shape']['points']]))"
    )
    item, (left, top, right, bottom) = json.loads(box)
    assert item == f"v/{asked}"
    for mask in masks(notebook).values():
        rows, columns = np.nonzero(mask != 255)
        assert ((rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)).all()
    view.page.keyboard.press("z")
    view.wait(f"(el, asked) => {state} === 'question' && Number(el.dataset.alSection) === asked", asked)
    view.wait("(el) => el.dataset.alPredicted == null || el.dataset.alPredicted === ''")  # no model any more
    notebook.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    view.wait(
        """(el) => {
            const light = (canvas) => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.some((value, i) => i % 4 === 0 && value > 200 && data[i + 3] > 200);
            };
            const planes = [...el.shadowRoot.querySelectorAll(".plane-canvas")];
            const dark = el.shadowRoot.querySelector(".shell").dataset.theme === "dark";
            return dark && planes.every((canvas) => canvas.width > 1 && light(canvas));
        }"""
    )
