"""The volume widget's side of the protocol, with a page that has no browser."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

import al_widgets as al
from al_widgets.errors import MessageError, SessionError
from al_widgets.learning.pixels import PixelLearner
from al_widgets.task import rle
from al_widgets.testing.volume_frontend import FakeVolumePage
from al_widgets.widgets import volume_wire
from al_widgets.widgets.messages import parse, shapes_of

SHAPE = (9, 32, 40)
TRUTH = np.zeros(SHAPE, np.uint8)
TRUTH[1:4, 6:13, 6:13] = TRUTH[5:8, 16:23, 24:31] = 1
VOLUME = (8 * TRUTH + np.random.default_rng(3).normal(size=SHAPE)).astype(np.float32)
AXES = [("line", "m", 0.25), ("time", "ns", 0.1, -0.5), ("distance", "m", 0.02)]
Open = Callable[..., al.VolumeWidget]


@pytest.fixture
def open_volume(tmp_path: Path) -> Iterator[Open]:
    opened: list[Any] = []

    def make(volume: Any = None, task: Any = None, **options: Any) -> al.VolumeWidget:
        trees = ExtraTreesClassifier(12, min_samples_leaf=2, random_state=0)
        options = {"store": tmp_path / "labels.db", "annotator": "ann", "learner": PixelLearner(trees), **options}
        volume = al.Volume(VOLUME, AXES, {"permittivity": 9.0}, "line") if volume is None else volume
        session: Any = al.Session(volume, task or al.Segmentation(["soil", "mine"]), **options)
        widget = al.VolumeWidget(session)
        opened.extend([widget, session])
        return widget

    yield make
    for thing in opened:
        thing.close()


def where(index: int) -> np.ndarray:
    return TRUTH[index] == 1


def test_hello_tells_what_is_there_and_asks_for_a_section(open_volume: Open) -> None:
    page = FakeVolumePage(open_volume())
    reply = page.hello()
    assert reply["ok"], reply
    assert reply["states"] == []
    assert reply["history"] == []
    assert reply["prediction"] is None
    assert reply["status"]["state"] == "cold"
    assert "painted" in reply["status"]["message"]
    assert reply["status"]["counts"]["total"] == 9
    assert page.proposal is not None
    assert page.proposal["item_id"] == f"line/{page.proposal['index']}"
    assert page.proposal["region"] is None


def test_the_info_says_what_the_page_needs(open_volume: Open) -> None:
    widget = open_volume()
    info: Any = widget.info
    assert set(info) == set(volume_wire.VolumeInfo.__annotations__)
    assert (info["sections"], info["rows"], info["columns"], info["dtype"]) == (*SHAPE, "float32")
    assert info["flavour"] == "radar"
    assert info["low"] == -info["high"] < 0
    assert info["time_zero"] == pytest.approx(5)
    assert info["velocity_m_per_ns"] == pytest.approx(0.29979 / 3, rel=1e-3)
    assert info["axes"][2] == {"name": "distance", "unit": "m", "step": 0.02, "origin": 0.0, "ends": []}
    assert widget.tools[:2] == ["brush", "eraser"]
    assert "region" not in widget.tools
    json.dumps(widget.get_state(["info", "tools", "task_kind"]))


@pytest.mark.parametrize(
    ("dtype", "sent"), [("uint8", "uint8"), ("int16", "int16"), ("uint16", "uint16"), ("int32", "float32"), (">i2", "int16"),
                        ("float64", "float32"), ("bool", "uint8")]
)  # fmt: skip
def test_sections_travel_as_typed_bytes(open_volume: Open, dtype: str, sent: str) -> None:
    array = np.random.default_rng(0).integers(0, 120, SHAPE).astype(dtype)
    widget = open_volume(al.Volume(array), store=":memory:")
    page = FakeVolumePage(widget)
    reply = page.send("sections", item_ids=["volume/4", "volume/0"])
    assert [s["index"] for s in reply["sections"]] == [4, 0]
    assert widget.info["dtype"] == sent
    got = np.frombuffer(page.sections[4], np.dtype(sent).newbyteorder("<")).reshape(SHAPE[1:])
    assert np.array_equal(got, array[4].astype(sent))
    assert not page.send("sections", item_ids=["volume/99"])["ok"]


def test_ct_is_told_from_other_pictures(open_volume: Open) -> None:
    hounsfield = np.linspace(-1000, 1500, np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)
    for volume, flavour in [
        (al.Volume(hounsfield, metadata={"modality": "CT"}), "ct"),
        (al.Volume(hounsfield, metadata={"modality": "MR"}, affine=np.eye(4)), "picture"),
        (al.Volume(hounsfield, affine=np.eye(4)), "ct"),
        (al.Volume(hounsfield), "picture"),
    ]:
        assert open_volume(volume, store=":memory:").info["flavour"] == flavour


def test_a_stroke_is_durable_and_answered_by_a_prediction_of_what_is_on_the_screen_first(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    widget.session.wait()
    page = FakeVolumePage(widget)
    page.hello(looking_at=6)
    reply = page.paint("line/2", where(2), 1)
    assert reply["ack"] == {
        "event_id": f"{page.client}-0",
        "duplicate": False,
        "durable_ms": reply["ack"]["durable_ms"],
    }
    row = widget.session.annotations().iloc[0]
    assert (row.kind, row.elapsed_s, row.client) == ("stroke", 3.0, page.client)
    assert row["value"]["recipe"] == '{"gain": 2}'
    page.wait_for("all predictions", lambda: len(page.predictions) == 9)
    order = [p["prediction"]["index"] for p in page.pushes if p["kind"] == "prediction"]
    assert order[0] == 6
    got = page.predictions[6]
    assert got["strokes"] == 1
    assert (got["classes"] == 1)[where(6)].mean() > 0.5
    assert (got["classes"] == 1)[~where(6)].mean() < 0.15
    page.wait_for("a ranking", lambda: any(u is not None for u in page.utilities))
    assert len(page.utilities) == 9
    status = page.send("states", item_ids=["line/2"])
    assert status["states"][0]["finished"] is False
    assert np.array_equal(page.mask("line/2", SHAPE[1:]) == 1, where(2))


def test_stale_predictions_are_never_sent_after_fresh_ones(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    page = FakeVolumePage(widget)
    page.hello(looking_at=2)
    for index in (1, 2, 3, 5, 6, 7):
        page.paint(f"line/{index}", where(index), 1)
        page.paint(f"line/{index}", ~where(index), 0)
    widget.session.wait(60)
    page.wait_for("the newest opinion", lambda: 2 in page.predictions and page.predictions[2]["strokes"] == 12)
    seen = [
        p["prediction"]["strokes"] for p in page.pushes if p["kind"] == "prediction" and p["prediction"]["index"] == 2
    ]
    assert seen == sorted(seen)


def test_strokes_that_come_reordered_doubled_and_overlapping_give_the_same_masks(open_volume: Open) -> None:
    widget = open_volume()
    page = FakeVolumePage(widget)
    page.hello()
    rng = np.random.default_rng(1)
    messages = []
    for number in range(40):
        r, c = rng.integers(0, 24), rng.integers(0, 30)
        area = np.zeros(SHAPE[1:], bool)
        area[r : r + 8, c : c + 9] = True
        fields = {"answered_at_ms": 1.7e12 + number, "shown_at_ms": 1.7e12}
        messages.append(page.stroke(f"line/{number % 3}", area, int(rng.choice([0, 1, 254, 255])), **fields))
    want = np.full((3, *SHAPE[1:]), 255, np.uint8)
    for message in messages:
        part = message["value"]["parts"][0]
        r, c, h, w = part["box"]
        want[int(message["item_id"][-1]), r : r + h, c : c + w] = part["value"]
    burst = [*messages, *messages[::2]]
    random.Random(5).shuffle(burst)
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda pair: page.send("stroke", rid=f"b{pair[0]}", **pair[1]), enumerate(burst)))
    assert all(r["ok"] for r in replies)
    assert sum(not r["ack"]["duplicate"] for r in replies) == 40
    assert widget.session.label_volume()[:3].tobytes() == want.tobytes()
    page.send("states", item_ids=[])
    assert np.stack([page.mask(f"line/{i}", SHAPE[1:]) for i in range(3)]).tobytes() == want.tobytes()


def test_the_next_kernel_has_byte_equal_masks_and_takes_what_was_not_acknowledged(open_volume: Open) -> None:
    first = FakeVolumePage(open_volume())
    first.hello()
    first.paint("line/2", where(2), 1)
    first.paint("line/2", ~where(2), 254)
    finish = first.answer("line/2", rest=0)
    first.send("answer", **finish)
    late = first.stroke("line/5", where(5), 1)
    before = first.widget.session.label_volume()
    again = FakeVolumePage(open_volume(), client=first.client)
    reply = again.hello(looking_at=2)
    assert [s["item_id"] for s in reply["states"]] == ["line/2"]
    assert again.mask("line/2", SHAPE[1:]).tobytes() == before[2].tobytes()
    assert again.states["line/2"]["finished"]
    assert [h["tool"] for h in reply["history"]] == ["brush", "brush", None]
    assert again.send("answer", **finish)["ack"]["duplicate"]
    assert not again.send("stroke", **late)["ack"]["duplicate"]
    assert again.widget.session.label_volume()[:5].tobytes() == before[:5].tobytes()
    again.wait_for("a model of the old strokes", lambda: again.predictions)


def test_undo_and_redo_go_through_the_log_and_say_what_changed(open_volume: Open) -> None:
    page = FakeVolumePage(open_volume())
    page.hello()
    page.paint("line/1", where(1), 1)
    page.paint("line/2", where(2), 1)
    reply = page.undo(f"{page.client}-0", "line/1")
    assert [s["item_id"] for s in reply["states"]] == ["line/1"]
    assert (page.mask("line/1", SHAPE[1:]) == 255).all()
    page.undo(f"{page.client}-2", "line/1")
    assert np.array_equal(page.mask("line/1", SHAPE[1:]) == 1, where(1))
    page.send("answer", **page.answer("line/2", rest=0))
    reply = page.undo(f"{page.client}-4", "line/2")
    assert reply["states"][0]["finished"] is False


def test_finish_skip_and_unsure_move_on_to_another_section(open_volume: Open) -> None:
    widget = open_volume()
    page = FakeVolumePage(widget)
    page.hello()
    asked = []
    for kind in ("label", "skip", "unsure"):
        assert page.proposal is not None
        asked.append(page.proposal["item_id"])
        assert page.send("answer", **page.answer(asked[-1], kind))["ok"]
        page.send("next", want="section", strategy="")
    assert len(set(asked)) == 3
    assert widget.session.annotations().strategy.iloc[0] == "anomaly" or widget.session.annotations().strategy.iloc[0]
    page.send("next", want="section", strategy="interval")
    assert page.proposal is not None
    assert not page.send("next", want="section", strategy="entropy")["ok"]
    counts = page.send("add_class", name="stone")["status"]
    assert counts["classes"] == ["soil", "mine", "stone"]
    assert [counts["counts"][k] for k in ("labelled", "skipped", "unsure")] == [1, 1, 1]


def test_depths_are_told_alike_on_the_page_and_in_alarms(open_volume: Open) -> None:
    widget = open_volume()
    page = FakeVolumePage(widget)
    page.hello()
    assert widget.session.velocity_m_per_ns == widget.info["velocity_m_per_ns"]
    assert page.send("velocity", velocity_m_per_ns=0.08)["ok"]
    assert widget.session.velocity_m_per_ns == 0.08
    assert not page.send("velocity", velocity_m_per_ns=3.0)["ok"]
    FakeVolumePage(widget).hello(velocity_m_per_ns=0.07)  # a page that remembers
    assert widget.session.velocity_m_per_ns == 0.07


def ask_region(page: FakeVolumePage) -> dict[str, Any]:
    page.send("next", want="region", strategy="")
    assert page.proposal is not None
    region: dict[str, Any] = page.proposal["region"]
    return region


def test_a_region_is_judged_and_its_pixels_come_back(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    widget.session.wait()
    page = FakeVolumePage(widget)
    page.hello()
    region = ask_region(page)
    assert len({p["item_id"] for p in region["parts"]}) >= 2
    answer = page.answer(page.proposal["item_id"], region={"region_id": region["region_id"], "value": 1})  # type: ignore[index]
    reply = page.send("answer", **answer)
    assert reply["ok"], reply
    changed = {s["item_id"] for s in reply["states"]}
    assert {p["item_id"] for p in region["parts"]} <= changed
    labels = widget.session.label_volume()
    for part in region["parts"]:
        row, column, rows, columns = part["box"]
        shown = rle.decode({"size": [rows, columns], "counts": part["runs"]})
        at = labels[widget.session.pool.index(part["item_id"]), row : row + rows, column : column + columns]
        assert np.array_equal(at == 1, shown)
    assert page.send("answer", **answer)["ack"]["duplicate"]  # sent again although what it would change has changed
    other = ask_region(page)
    assert other["region_id"] != region["region_id"]
    unsure = page.answer(page.proposal["item_id"], "unsure", region={"region_id": other["region_id"], "value": 0})  # type: ignore[index]
    assert page.send("answer", **unsure)["ok"]
    assert (widget.session.label_volume() == 254).any()
    assert widget.session.annotations().note.tolist() == ["", "unsure"]


def test_every_status_comes_with_what_the_session_would_ask_next(open_volume: Open) -> None:
    page = FakeVolumePage(open_volume(audit=0))
    assert page.hello()["wants"] == "region"
    region = ask_region(page)
    judged = {"region_id": region["region_id"], "value": 1}
    assert page.send("answer", **page.answer(page.proposal["item_id"], region=judged))["wants"] == "region"  # type: ignore[index]
    reply = page.paint("line/6", where(6), 1)
    assert reply["wants"] == "section"
    assert page.undo(reply["ack"]["event_id"], "line/6")["wants"] == "region"


def test_that_a_section_measures_is_told_when_it_is_finished_and_not_before(open_volume: Open) -> None:
    page = FakeVolumePage(open_volume(volume=al.Volume(np.zeros((12, 8, 8), np.float32))))
    page.hello()
    told = {}
    for index in range(12):
        item = f"volume/{index}"
        page.paint(item, np.eye(8, dtype=bool), 1)
        assert not page.send("states", item_ids=[item])["states"][0]["measures"]
        told[item] = page.send("answer", **page.answer(item))["states"][0]["measures"]
    assert {i for i, measures in told.items() if measures} == set(filter(page.widget.session.is_kept_aside, told))
    assert any(told.values())
    assert not all(told.values())


def test_a_short_line_travels_without_what_is_not_there(open_volume: Open) -> None:
    lengths = (40, 31, *[40] * 7)
    page = FakeVolumePage(open_volume(al.Volume(VOLUME, AXES, {}, "line", lengths=lengths), store=":memory:"))
    reply = page.send("sections", item_ids=["line/1", "line/2"])
    assert [s["columns"] for s in reply["sections"]] == [31, 40]
    assert np.array_equal(np.frombuffer(page.sections[1], "<f4").reshape(32, 31), VOLUME[1, :, :31])


def test_the_status_forgets_a_model_whose_only_answer_was_undone(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    page = FakeVolumePage(widget)
    page.hello()
    region = ask_region(page)
    answer = page.answer(page.proposal["item_id"], region={"region_id": region["region_id"], "value": 1})  # type: ignore[index]
    page.send("answer", **answer)
    widget.session.wait()
    said = page.hello()["status"]
    assert (said["state"], said["round"]) == ("ready", 1)
    assert said["trained_labels"] > 0
    page.undo(answer["event_id"], page.proposal["item_id"])  # type: ignore[index]
    widget.session.wait()
    said = page.hello()["status"]
    assert (said["state"], said["round"], said["trained_labels"]) == ("cold", 0, 0)


def test_a_region_that_a_dead_kernel_asked_is_taken_by_the_next(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    widget.session.wait()
    page = FakeVolumePage(widget)
    page.hello()
    region = ask_region(page)
    answer = page.answer(page.proposal["item_id"], region={"region_id": region["region_id"], "value": 1})  # type: ignore[index]
    widget.session.close()
    again = FakeVolumePage(open_volume(audit=0), client=page.client)
    again.widget.session.wait()
    assert again.send("answer", **answer)["ok"]
    assert (again.widget.session.label_volume() == 1).sum() > 20


def forged(**changes: Any) -> str:
    fields = ["line/1", 0.5, 0, "region-1", [0, 0, 0, 1, 1, 1], 0.5,
              [{"item_id": "line/1", "value": 1, "box": [0, 0, 1, 1], "runs": "01", **changes}]]  # fmt: skip
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(fields).encode())).decode()


@pytest.mark.parametrize(
    "token",
    ["", "%%%", "AAAA", forged(item_id="x/1"), forged(box=[31, 39, 9, 9], runs="a2"), forged(box=[31, 39, 1, 2], runs="02"),
     base64.urlsafe_b64encode(zlib.compress(b"[" * 10_000)).decode()],
)  # fmt: skip
def test_forged_tokens_of_regions_are_refused(open_volume: Open, token: str) -> None:
    page = FakeVolumePage(open_volume())
    page.hello()
    answer = page.answer("line/1", region={"region_id": "region-1", "value": 1}, token=token)
    reply = page.send("answer", **answer)
    assert not reply["ok"]
    assert not reply["error"]["retry"]
    assert page.widget.session.annotations().empty
    assert page.send("answer", **{**answer, "token": forged()})["ok"]


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 3},
        {"value": {"tool": "brush", "parts": [], "shape": None}},
        {"value": {"tool": "laser", "parts": [], "shape": None, "recipe": ""}},
        {"value": {"tool": "brush", "parts": [{"item_id": "line/1", "value": 7, "box": [0, 0, 1, 1], "runs": "01"}],
                   "shape": None, "recipe": ""}},
        {"value": {"tool": "brush", "parts": [{"item_id": "line/1", "value": 1, "box": [30, 0, 9, 1], "runs": "09"}],
                   "shape": None, "recipe": ""}},
        {"value": {"tool": "brush", "parts": [{"item_id": "line/1", "value": 1, "box": [0, 0, 2, 1], "runs": "~"}],
                   "shape": None, "recipe": ""}},
        {"item_id": "elsewhere/1"},
        {"elapsed_ms": float("nan")},
        {"seq": -1},
    ],
)  # fmt: skip
def test_hostile_strokes_are_refused_for_good_and_leave_no_trace(open_volume: Open, changes: dict[str, Any]) -> None:
    page = FakeVolumePage(open_volume())
    page.hello()
    reply = page.send("stroke", **{**page.stroke("line/1", where(1), 1), **changes})
    assert not reply["ok"]
    assert not reply["error"]["retry"]
    assert reply["error"]["message"]
    assert page.widget.session.annotations().empty


def test_every_form_of_the_page_is_dealt_with() -> None:
    for form in volume_wire.FROM_PAGE:
        kind = form.__annotations__["kind"]
        assert hasattr(al.VolumeWidget, f"_on_{eval(kind.__forward_arg__, vars(volume_wire)).__args__[0]}")
    with pytest.raises(MessageError, match="looking_at"):
        parse(
            {"kind": "hello", "rid": "r", "client": "c", "replaces": [], "looking_at": -1, "velocity_m_per_ns": None},
            shapes_of(volume_wire.FROM_PAGE),
        )


def test_two_pages_each_get_predictions_of_their_own_screen(open_volume: Open) -> None:
    widget = open_volume(audit=0)
    widget.session.wait()
    one, two = FakeVolumePage(widget), FakeVolumePage(widget)
    one.hello(looking_at=0)
    two.hello(looking_at=8)
    assert one.proposal["item_id"] != two.proposal["item_id"]  # type: ignore[index]
    one.paint("line/2", where(2), 1)
    for page in (one, two):
        page.wait_for("all predictions", lambda page=page: len(page.predictions) == 9)
    for page, screen in ((one, 0), (two, 8)):  # one screen may wait for the other, but for nothing else
        order = [
            p["prediction"]["index"] for p in page.pushes if p["kind"] == "prediction" and p["client"] == page.client
        ]
        assert screen in order[:2]
    assert two.send("look", index=3)["prediction"]["index"] == 3
    assert not two.send("look", index=9)["ok"]


def test_two_widgets_on_one_session_are_in_step_with_each_other_and_with_a_cell(open_volume: Open) -> None:
    one = open_volume(audit=0)
    session = one.session
    two = al.VolumeWidget(session)
    pages = [FakeVolumePage(one), FakeVolumePage(one), FakeVolumePage(two)]
    for page in pages:
        page.hello()
    pages[0].paint("line/1", where(1), 1)
    for page in pages[1:]:
        page.wait_for("the other's stroke", lambda page=page: "line/1" in page.states)
        assert np.array_equal(page.mask("line/1", SHAPE[1:]) == 1, where(1))
    pages[2].undo(f"{pages[0].client}-0", "line/1")
    for page in pages[:2]:
        page.wait_for("the undo", lambda page=page: "line/1" in page.states and not page.states["line/1"]["parts"])
        pushed = [p for p in page.pushes if p["kind"] == "states" and p["client"] == page.client][-1]
        assert [(row["event_id"], row["undone"]) for row in pushed["history"]] == [(f"{pages[0].client}-0", True)]
        assert pushed["seq"] == (0 if page is pages[0] else -1)
    session.submit("line/4", np.where(where(4), 1, 0).astype(np.uint8))
    for page in pages:
        page.wait_for("the cell's mask", lambda page=page: page.states.get("line/4", {}).get("finished"))
    two.close()


def test_the_app_shows_a_volume_with_its_own_widget_and_the_dashboard() -> None:
    app = al.LabelingApp(VOLUME, classes=al.Segmentation(["soil", "mine"]), store=":memory:", annotator="ann")
    assert isinstance(app.query, al.VolumeWidget)
    assert app.dashboard in app.children
    app.close()


def test_a_widget_of_another_session_is_refused(open_volume: Open, tmp_path: Path) -> None:
    session = al.Session(np.zeros((4, 8, 8), np.uint8), ["a", "b"], store=":memory:")
    with pytest.raises(SessionError, match="QueryWidget"):
        al.VolumeWidget(session)  # type: ignore[arg-type]
    session.close()
