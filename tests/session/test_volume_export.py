"""What leaves a session on a volume comes back the same: masks, boxes, shapes, alarms."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.ensemble import ExtraTreesClassifier

import al_widgets as al
from al_widgets.errors import SessionError
from al_widgets.export import (
    Box,
    read_alarms,
    read_coco,
    read_label_volume,
    read_png_masks,
    read_voc,
    read_yolo,
)
from al_widgets.learning.pixels import PixelLearner
from al_widgets.session.mask_ledger import part_of
from al_widgets.task import rle

SHAPE = (4, 24, 30)
AXES = [("line", "m", 0.25), ("time", "ns", 0.1, -0.5), ("distance", "m", 0.02, 1.0)]
CLASSES = ["soil", "mine", "stone"]


def new_session(task: Any = None, **options: Any) -> al.VolumeSession:
    rng = np.random.default_rng(0)
    volume = al.Volume(rng.normal(size=SHAPE).astype(np.float32), AXES, {"permittivity": 9.0}, "line")
    learner = PixelLearner(ExtraTreesClassifier(8, random_state=0))
    options = {"store": ":memory:", "annotator": "ann", "learner": learner, "audit": 0, **options}
    session: Any = al.Session(volume, task or al.Segmentation(CLASSES), **options)
    return session


@pytest.fixture
def session() -> Iterator[al.VolumeSession]:
    made = new_session()
    yield made
    made.close()


def area(row: int, column: int, height: int, width: int) -> np.ndarray:
    where = np.zeros(SHAPE[1:], bool)
    where[row : row + height, column : column + width] = True
    return where


def draw(
    session: al.VolumeSession, index: int, where: np.ndarray, value: Any, tool: str = "brush", **fields: Any
) -> str:
    item_id = session.pool.item_ids[index]
    stroke = {"tool": tool, "parts": [part_of(item_id, where, value)], "shape": None, "recipe": '{"gain": 3}', **fields}
    return session.submit(item_id, stroke, elapsed_s=3.0)


masks = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 26), st.integers(1, 6), st.integers(1, 6),
              st.sampled_from([0, 1, 2, 254, 255])),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(strokes=masks, rest=st.sampled_from([None, "soil"]))
def test_every_mask_format_gives_the_same_labels_back(strokes: list[Any], rest: str | None) -> None:
    session = new_session()
    for index, row, column, height, width, value in strokes:
        draw(session, index, area(row, column, height, width), value)
    session.submit("line/0", {"rest": rest})
    volume = session.label_volume()
    plain = np.where(volume == 254, 255, volume)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("labels.npy", "labels.nii.gz", "labels.zarr"):
            labels, classes, info = read_label_volume(session.export(Path(folder) / name))
            assert labels.tobytes() == plain.tobytes()
            assert classes == tuple(CLASSES)
        coco = read_coco(session.export(Path(folder) / "labels.json"))
        _, png, png_info = read_png_masks(session.export(Path(folder) / "png", "png"))
    for found, info in ((coco.masks, coco.info), (png, png_info)):
        again = np.full(SHAPE, 255, np.uint8)
        for item_id, mask in found.items():
            again[session.pool.index(item_id)] = mask
        for item_id, ignored in info["ignored"].items():
            again[session.pool.index(item_id)][rle.decode(ignored)] = 254
        assert again.tobytes() == volume.tobytes()
        assert info["recipes"] == ['{"gain": 3}']
    session.close()


def test_nifti_lies_where_its_source_lies(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 0.7, -20], [0, 0.5, 0, 3], [2.5, 0, 0, 7], [0, 0, 0, 1.0]])
    volume = al.Volume(np.zeros(SHAPE, np.int16), affine=affine, name="head")
    session: Any = al.Session(volume, al.Segmentation(["air", "bone"]), store=":memory:", annotator="ann")
    draw(session, 2, area(3, 4, 5, 6), "bone")
    back = al.read(session.export(tmp_path / "bone.nii"))
    assert np.allclose(back.affine, affine)
    assert (back.array == 1).sum() == 30
    session.close()


def test_boxes_are_exported_as_they_were_drawn_and_around_other_pieces(
    session: al.VolumeSession, tmp_path: Path
) -> None:
    draw(session, 0, area(2, 3, 6, 8), 1, "box", shape={"points": [3, 2, 11, 8]})
    draw(session, 0, area(2, 11, 6, 4), 1)  # touches the box: no part of it
    draw(session, 1, area(1, 1, 3, 3), 2, "box", shape={"points": [1, 1, 4, 4]})
    draw(session, 1, area(0, 0, 4, 4), 0)  # painted over
    draw(session, 2, area(4, 4, 2, 5), 2)
    session.submit("line/3", {"rest": 0})
    boxes = session.boxes()
    assert boxes == {
        "line/0": [Box("mine", 3, 2, 8, 6), Box("mine", 11, 2, 4, 6)],
        "line/1": [],
        "line/2": [Box("stone", 4, 4, 5, 2)],
        "line/3": [],
    }
    for name, read in (("yolo", read_yolo), ("voc", read_voc)):
        classes, found, sizes = read(session.export(tmp_path / name, name))
        assert classes == ("mine", "stone")
        assert {i: list(b) for i, b in found.items()} == boxes
        assert sizes["line/0"] == SHAPE[1:]
    coco = read_coco(session.export(tmp_path / "c.json"))
    assert list(coco.boxes["line/0"]) == boxes["line/0"]
    content = json.loads((tmp_path / "c.json").read_text())
    assert [s["tool"] for s in content["info"]["shapes"]] == ["box", "box"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_reads_a_session_and_finds_each_object_once(
    session: al.VolumeSession, tmp_path: Path, capsys: Any
) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    draw(session, 0, area(2, 3, 6, 8), "mine", "box", shape={"points": [3, 2, 11, 8]})
    draw(session, 0, area(2, 3, 2, 2), "soil")  # corrected inside the box
    draw(session, 0, area(2, 11, 6, 4), "mine")  # touches the box: an object of its own
    draw(session, 1, area(3, 4, 9, 2) | area(12, 6, 3, 9), "stone")
    draw(session, 1, area(14, 20, 5, 5), "mine")
    draw(session, 3, area(0, 0, 4, 4), 254)
    for index, rest in enumerate(["soil", None, "soil"]):  # the third one is empty
        session.submit(session.pool.item_ids[index], {"rest": rest})
    path = session.export(tmp_path / "labels.json")
    tool = coco.COCO(str(path))
    names = {i["id"]: i["file_name"] for i in tool.loadImgs(tool.getImgIds())}
    assert sorted(names.values()) == ["line/0", "line/1", "line/2", "line/3"]
    for image, name in names.items():
        annotations = tool.loadAnns(tool.getAnnIds(imgIds=image))
        found = np.zeros(SHAPE[1:], np.uint8)
        for annotation in annotations:
            found += tool.annToMask(annotation) * (annotation["category_id"] - 1)
        mask = session.mask(name)
        assert np.array_equal(found, np.where(mask < 254, mask, 0))
        assert len(annotations) == {"line/0": 2, "line/1": 2}.get(name, 0)
    results = [
        {k: a[k] for k in ("image_id", "category_id", "bbox", "segmentation")} | {"score": 0.9}
        for a in tool.dataset["annotations"]
    ]
    for kind, dropped in (("bbox", "segmentation"), ("segm", "bbox")):
        given, again = ([{k: v for k, v in r.items() if k != dropped} for r in results] for _ in range(2))
        assert average_precision(evaluation, tool, tool.loadRes(given), kind) == pytest.approx(1)
        # One mine of two missed, the stone found: the mean over both classes.
        missed = next(i for i, r in enumerate(results) if r["category_id"] == 2)
        less = tool.loadRes(again[:missed] + again[missed + 1 :])
        assert average_precision(evaluation, tool, less, kind) < 0.9
    capsys.readouterr()


def average_precision(evaluation: Any, truth: Any, found: Any, kind: str) -> float:
    run = evaluation.COCOeval(truth, found, kind)
    run.evaluate()
    run.accumulate()
    run.summarize()
    return float(run.stats[0])


def test_two_annotators_masks_and_boxes_become_one(tmp_path: Path) -> None:
    ann, bob = (new_session(store=tmp_path / "labels.db", annotator=name) for name in ("ann", "bob"))
    draw(ann, 0, area(6, 5, 8, 10), "mine", "box", shape={"points": [5, 6, 15, 14]})
    draw(bob, 0, area(8, 5, 14, 10), "mine", "box", shape={"points": [5, 8, 15, 22]})  # followed the limbs farther
    draw(bob, 0, area(2, 22, 3, 3), "stone")  # ann saw none there
    draw(ann, 1, area(6, 5, 8, 10), "mine")
    draw(bob, 1, area(6, 6, 8, 10), "mine")
    for index in range(2):
        for session in (ann, bob):
            session.submit(session.pool.item_ids[index], {"rest": "soil"}, elapsed_s=4.0)
    told = ann.mask_agreement().set_index(["item_id", "annotator"])
    # 6 of 8 and 14 rows in common, and no stone of ann's; 9 of 10 columns in common.
    assert told.dice.loc["line/0"].tolist() == pytest.approx([12 / 22 / 2] * 2)
    assert told.dice.loc["line/1"].tolist() == pytest.approx([0.9] * 2)
    assert told.apex_m.loc["line/1"].tolist() == pytest.approx([0.02] * 2)
    # What leaves the session is the consensus: one box of the two, between them.
    box = ann.boxes()["line/0"][0]
    assert (box.label, box.x, box.y, box.width, box.height) == ("mine", 5, 7, 10, 11)
    assert ann.boxes("bob")["line/0"] == [Box("mine", 5, 8, 10, 14), Box("stone", 22, 2, 3, 3)]
    labels = ann.labels().set_index("item_id")
    assert labels.n_annotations.tolist() == [2, 2]
    whole, halves = ann.mask("line/1"), [ann.mask("line/1", who) for who in ("ann", "bob")]
    same = halves[0] == halves[1]
    assert np.array_equal(whole[same], halves[0][same])
    assert labels.confidence["line/1"] == pytest.approx(same.mean())
    assert np.array_equal(ann.label_volume()[1], whole)
    assert np.array_equal(read_coco(ann.export(tmp_path / "c.json")).masks["line/1"], whole)
    for session in (ann, bob):
        session.close()


def test_yolo_has_the_pictures_that_it_names(session: al.VolumeSession, tmp_path: Path) -> None:
    draw(session, 1, area(3, 4, 5, 6), "mine", "box", shape={"points": [4, 3, 10, 8]})
    folder = session.export(tmp_path / "y", "yolo")
    assert "train: images" in (folder / "data.yaml").read_text()
    (labels,), (picture,) = (
        [path for path in (folder / name).rglob("*") if path.is_file()] for name in ("labels", "images")
    )
    assert picture.relative_to(folder / "images").with_suffix("") == labels.relative_to(folder / "labels").with_suffix(
        ""
    )
    shown = np.asarray(Image.open(picture)).astype(float)
    assert np.corrcoef(shown.ravel(), session.volume.array[1].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("value", [-1, 0, float("nan"), 10, "0.1", True, None])
def test_a_velocity_that_no_wave_has_is_refused(session: al.VolumeSession, value: Any) -> None:
    with pytest.raises(SessionError, match=r"from 0.01 to 0.3"):
        session.velocity_m_per_ns = value
    if value is not None:
        with pytest.raises(SessionError, match=r"from 0.01 to 0.3"):
            session.alarms(velocity_m_per_ns=value)


def test_depths_are_told_by_the_velocity_of_the_session(session: al.VolumeSession) -> None:
    draw(session, 1, area(10, 12, 3, 4), 1)
    (by_file,) = session.alarms()
    session.velocity_m_per_ns = 0.2
    (by_hand,) = session.alarms()
    assert (by_hand.depth_m, by_hand.velocity_m_per_ns) == (pytest.approx(0.05), 0.2)
    assert by_file.depth_m == pytest.approx(0.025, rel=1e-2)
    assert session.alarms(velocity_m_per_ns=0.06)[0].velocity_m_per_ns == 0.06


def test_the_task_of_boxes_goes_the_same_way(tmp_path: Path) -> None:
    session = new_session(al.Boxes(["mine", "pipe"]))
    draw(session, 1, area(5, 6, 7, 8), "pipe", "box", shape={"points": [6, 5, 14, 12]})
    classes, found, _ = read_yolo(session.export(tmp_path / "y", "yolo"))
    assert (classes, found["line/1"]) == (("mine", "pipe"), (Box("pipe", 6, 5, 8, 7),))
    session.close()


def test_alarms_have_place_time_depth_annotator_and_seconds(session: al.VolumeSession, tmp_path: Path) -> None:
    apex = area(10, 12, 1, 3) | area(11, 10, 3, 7)
    draw(session, 1, apex, 1)
    draw(session, 2, area(11, 11, 2, 4), 1)  # the same object on the next line
    draw(session, 3, area(5, 20, 3, 3), 2, "hyperbola",
         shape={"points": [21, 5, 25, 9], "x0_m": 1.42, "t0_ns": 0.07, "velocity_m_per_ns": 0.1, "depth_m": 0.0035})  # fmt: skip
    alarms = read_alarms(session.export(tmp_path / "alarms.csv", "alarms"))
    mine, stone = alarms
    assert (mine.line, mine.label, mine.annotator, mine.seconds, mine.confidence) == (1, "mine", "ann", 6.0, 1.0)
    assert mine.x_m == pytest.approx(1 + 13 * 0.02)
    assert mine.y_m == 0.25
    assert mine.t_ns == pytest.approx(0.5)
    assert mine.depth_m == pytest.approx(0.5 * 0.29979 / 3 / 2, rel=1e-3)
    assert mine.velocity_m_per_ns == pytest.approx(0.29979 / 3, rel=1e-3)
    assert (mine.row, mine.column) == (10, 13)
    assert (stone.x_m, stone.t_ns, stone.depth_m) == (1.42, 0.07, 0.0035)
    shapes = session.shapes()
    assert shapes.tool.tolist() == ["hyperbola"]
    assert shapes.velocity_m_per_ns.tolist() == [0.1]
    with pytest.raises(SessionError, match="no model"):
        new_session().alarms("model")


def test_the_models_alarms_are_where_nobody_has_said_anything() -> None:
    survey = al.datasets.gpr_survey(0)
    truth = survey.mask > 0
    session: Any = al.Session(
        survey.volume, al.Segmentation(["soil", "mine"]), store=":memory:", annotator="ann", audit=0
    )
    first = int(truth.sum(axis=(1, 2)).argmax())
    session.submit(session.pool.item_ids[first], truth[first].astype(np.uint8))
    session.wait()
    expected = session.alarms("model", min_confidence=0.3)
    assert expected
    both = session.alarms("all", min_confidence=0.3)
    assert both == sorted(both, key=lambda a: (-a.confidence, a.line, a.x_m))
    assert [a for a in both if a.annotator != "model"] == session.alarms()
    # What goes on from the painted section to the next ones is the same object.
    rest = [a for a in both if a.annotator == "model"]
    assert all(a in expected for a in rest)
    assert 0 < len(rest) < len(expected)
    assert all(a.line != first and 0.3 <= a.confidence <= 1 and a.label == "mine" for a in expected)
    session.close()


def test_formats_are_told_by_suffix_or_name(session: al.VolumeSession, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="format="):
        session.export(tmp_path / "labels")
    with pytest.raises(SessionError, match=r'alarms.csv: say format="alarms"'):
        session.export(tmp_path / "alarms.csv")
    with pytest.raises(SessionError, match=r"o.csv: files of the format coco end in .json"):
        session.export(tmp_path / "o.csv", "coco")
    draw(session, 1, area(3, 4, 5, 6), "mine")
    session.submit("line/1", {"rest": "soil"})
    table = pd.read_csv(session.export(tmp_path / "labels.csv"))
    assert table.item_id.tolist() == ["line/1"]
    assert {"label", "confidence"} <= {*table.columns}
    with pytest.raises(SessionError, match="'tiff'"):
        session.export(tmp_path / "labels", "tiff")  # type: ignore[arg-type]
    with pytest.raises(SessionError, match="min_voxels"):
        session.export(tmp_path / "labels.npy", min_voxels=3)
    with pytest.raises(SessionError, match="not from 'all of them'"):
        session.alarms("all of them")  # type: ignore[arg-type]
