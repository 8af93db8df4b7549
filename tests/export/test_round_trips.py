"""Every export can be read back, and reading back gives the same labels."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from al_widgets.errors import ReadError, TaskError
from al_widgets.export import (
    Alarm,
    Box,
    alarm_at,
    read_alarms,
    read_coco,
    read_label_volume,
    read_png_masks,
    read_voc,
    read_yolo,
    write_alarms,
    write_coco,
    write_label_volume,
    write_png_masks,
    write_voc,
    write_yolo,
)
from al_widgets.readers import Volume, read
from al_widgets.task.rle import decode, encode

CLASSES = ("soil", "mine", 'stone "ü" <&>')
names = st.text(min_size=1, max_size=40).filter(lambda s: s.strip("\0"))
item_ids = names | st.sampled_from(
    ["a/b.png", "A/B.png", "a/b.jpg", "../up", "/abs", "a%2Fb", "line 1/0", "x" * 300, "..", "con."]
)
shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
masks = shapes.flatmap(lambda s: hnp.arrays(np.uint8, s, elements=st.sampled_from([0, 1, 2, 255])))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def boxed(draw):
    height, width = draw(st.tuples(st.integers(2, 5000), st.integers(2, 5000)))
    found = []
    for _ in range(draw(st.integers(0, 4))):
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        found.append(
            Box(draw(st.sampled_from(CLASSES)), x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))
        )
    return (height, width), tuple(found)


def in_folder(check):
    with tempfile.TemporaryDirectory() as name:
        check(Path(name))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@settings(max_examples=150, deadline=None)
@given(mask=shapes.flatmap(lambda s: hnp.arrays(bool, s)))
def test_rle_decodes_to_what_was_encoded_and_agrees_with_pycocotools(mask):
    assert np.array_equal(decode(encode(mask)), mask)
    tools = pytest.importorskip("pycocotools.mask")
    theirs = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encode(mask)["counts"] == theirs["counts"].decode()
    assert np.array_equal(tools.decode({**encode(mask)}), mask)


def test_rle_agrees_with_pycocotools_on_long_runs():
    tools = pytest.importorskip("pycocotools.mask")
    mask = np.zeros((900, 1100), bool)
    mask[3:800, 5:700] = True
    mask[100:102] = ~mask[100:102]
    assert encode(mask)["counts"] == tools.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert np.array_equal(decode(encode(mask)), mask)


@settings(max_examples=60, deadline=None)
@given(items=st.dictionaries(item_ids, masks, max_size=4), background=st.sampled_from([None, "soil"]))
def test_coco_gives_back_the_same_masks(items, background):
    def check(folder):
        write_coco(folder / "c.json", CLASSES, masks=items, background=background, info={"recipe": {"gain": "sec"}})
        labels = read_coco(folder / "c.json")
        assert labels.classes == CLASSES
        assert labels.masks.keys() == items.keys()
        assert all(np.array_equal(labels.masks[i], items[i]) for i in items)
        assert labels.info == {"recipe": {"gain": "sec"}}

    in_folder(check)


@settings(max_examples=60, deadline=None)
@given(mask=masks, data=st.data())
def test_coco_gives_back_boxes_beside_the_mask_they_lie_in(mask, data):
    height, width = mask.shape
    boxes = []
    for _ in range(data.draw(st.integers(0, 3))):
        x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        wide, high = data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))
        boxes.append(Box(data.draw(st.sampled_from(CLASSES[1:])), x, y, wide, high))

    def check(folder):
        write_coco(folder / "c.json", CLASSES, masks={"a": mask}, boxes={"a": boxes}, background="soil")
        labels = read_coco(folder / "c.json")
        assert np.array_equal(labels.masks["a"], mask)
        assert labels.boxes == {"a": tuple(boxes)}

    in_folder(check)


@settings(max_examples=60, deadline=None)
@given(items=st.dictionaries(item_ids, boxed(), max_size=4))
def test_box_formats_give_back_the_same_boxes(items):
    boxes, sizes = {i: b for i, (_, b) in items.items()}, {i: s for i, (s, _) in items.items()}

    def check(folder):
        write_coco(folder / "c.json", CLASSES, boxes=boxes, sizes=sizes)
        assert read_coco(folder / "c.json").boxes == boxes
        write_yolo(folder / "yolo", CLASSES, boxes, sizes)
        assert read_yolo(folder / "yolo") == (CLASSES, boxes, sizes)
        write_voc(folder / "voc", CLASSES, boxes, sizes)
        assert read_voc(folder / "voc") == (CLASSES, boxes, sizes)

    in_folder(check)


@settings(max_examples=60, deadline=None)
@given(items=st.dictionaries(item_ids, masks, max_size=4))
def test_png_masks_give_back_the_same_masks(items):
    def check(folder):
        write_png_masks(folder, CLASSES, items, info={"axes": [1]})
        classes, found, info = read_png_masks(folder)
        assert (classes, info) == (CLASSES, {"axes": [1]})
        assert found.keys() == items.keys()
        assert all(np.array_equal(found[i], items[i]) for i in items)
        assert all(p.resolve().is_relative_to(folder.resolve()) for p in folder.rglob("*"))

    in_folder(check)


@settings(max_examples=20, deadline=None)
@given(
    labels=st.tuples(*[st.integers(1, 6)] * 3).flatmap(
        lambda s: hnp.arrays(np.uint8, s, elements=st.sampled_from([0, 1, 2, 255]))
    )
)
@pytest.mark.parametrize("suffix", [".npy", ".zarr", ".nii", ".nii.gz"])
def test_label_volume_gives_back_the_same_labels(suffix, labels):
    pytest.importorskip({".zarr": "zarr", ".npy": "numpy"}.get(suffix, "nibabel"))

    def check(folder):
        source = Volume(
            np.zeros(labels.shape), axes=[("line", "m", 0.2), ("time", "ns", 0.8, -1), ("distance", "m", 0.05)]
        )
        path = write_label_volume(folder / f"labels{suffix}", labels, CLASSES, source=source, info={"recipe": {}})
        found, classes, info = read_label_volume(path)
        assert np.array_equal(found, labels)
        assert (classes, info) == (CLASSES, {"recipe": {}})

    in_folder(check)


def test_label_volume_keeps_the_affine_of_a_nifti_source_exactly(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    affine = np.array([[-2.0, 0.1, 0, 90], [0.05, 1.5, 0.2, -126], [0, -0.3, 3, -72], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), affine)
    image.set_sform(affine, 2)
    nibabel.save(image, tmp_path / "source.nii.gz")
    source = read(tmp_path / "source.nii.gz")
    labels = np.zeros(source.shape, np.uint8)
    labels[2, 3, 1] = 1
    write_label_volume(tmp_path / "labels.nii.gz", labels, CLASSES, source=source)
    original, written = nibabel.load(tmp_path / "source.nii.gz"), nibabel.load(tmp_path / "labels.nii.gz")
    assert np.array_equal(written.affine, original.affine)
    assert int(written.header["sform_code"]) == 2
    assert int(written.header["qform_code"]) == int(original.header["qform_code"])
    assert np.asarray(written.dataobj)[1, 3, 2] == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Alarm,
            line=st.integers(0, 10**6),
            x_m=numbers,
            y_m=numbers,
            t_ns=numbers,
            depth_m=numbers,
            label=texts,
            confidence=st.floats(0, 1),
            annotator=texts,
            seconds=numbers,
            velocity_m_per_ns=numbers,
            row=numbers,
            column=numbers,
        )
    )
)
def test_alarms_give_back_the_same_table(alarms):
    in_folder(lambda folder: _same_alarms(folder, alarms))


def _same_alarms(folder, alarms):
    assert read_alarms(write_alarms(folder / "alarms.csv", alarms)) == alarms


def test_alarm_at_turns_raw_indices_into_metres_and_nanoseconds():
    volume = Volume(
        np.zeros((3, 9, 9)), axes=[("line", "m", 0.2), ("time", "ns", 0.5, -1.0), ("distance", "m", 0.05, 2.0)]
    )
    alarm = alarm_at(volume, (2, 6, 4), "mine", 0.9, velocity_m_per_ns=0.1)
    assert (alarm.line, alarm.y_m, alarm.t_ns) == (2, 0.4, 2.0)
    assert alarm.x_m == pytest.approx(2.2)
    assert alarm.depth_m == pytest.approx(0.1)
    assert str(alarm.x_m) == "2.2"  # not 2.2000000000000002
    bare = alarm_at(Volume(np.zeros((3, 9, 9))), (0, 5, 7), "mine", 1)
    assert (bare.x_m, bare.depth_m, bare.row, bare.column) == (None, None, 5, 7)


def test_what_is_not_known_of_an_alarm_is_an_empty_cell(tmp_path):
    text = write_alarms(tmp_path / "alarms.csv", [Alarm(0, None, None, None, None, "mine", 0.5)]).read_text()
    assert text.splitlines()[1] == "0,,,,,mine,0.5,,,,,"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_is_read_by_pycocotools(tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    rng = np.random.default_rng(0)
    mask = (rng.random((40, 30)) > 0.6).astype(np.uint8)
    boxes = (Box("mine", 1, 2, 10, 20),)
    write_coco(
        tmp_path / "c.json",
        CLASSES,
        masks={"v/0": mask},
        boxes={"v/0": boxes, "v/1": boxes},
        sizes={"v/1": (50, 60)},
        background="soil",
    )
    tool = coco.COCO(str(tmp_path / "c.json"))
    assert [c["name"] for c in tool.loadCats(tool.getCatIds())] == list(CLASSES)
    image = next(i for i in tool.loadImgs(tool.getImgIds()) if i["file_name"] == "v/0")
    painted = np.zeros_like(mask)
    seen = []
    for annotation in tool.loadAnns(tool.getAnnIds(imgIds=image["id"])):
        one = tool.annToMask(annotation)
        assert one.sum() == annotation["area"]
        painted += one
        seen.append(annotation["bbox"])
        rows, columns = np.nonzero(one)
        if not annotation.get("al_box"):
            assert annotation["bbox"] == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert np.array_equal(painted, mask)  # each pixel once
    assert seen[0] == [1, 2, 10, 20]
    (alone,) = (a for a in tool.dataset["annotations"] if a["image_id"] != image["id"])
    assert tool.annToMask(alone)[2:22, 1:11].all()
    assert tool.annToMask(alone).sum() == 200
    capsys.readouterr()


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        "{}",
        '{"images": [], "annotations": [{"image_id": 9}], "categories": []}',
        '{"images": [{"id": 1, "file_name": "a", "height": 99999999, "width": 99999999, "al_mask": true}], "annotations": [], "categories": []}',
    ],
)
def test_read_coco_refuses_what_is_none(tmp_path, damage):
    (tmp_path / "c.json").write_text(damage)
    with pytest.raises(ReadError):
        read_coco(tmp_path / "c.json")


def test_read_voc_refuses_entities_and_paths_that_lead_out(tmp_path):
    write_voc(tmp_path, CLASSES, {"a": [Box("mine", 0, 0, 1, 1)]}, {"a": (5, 5)})
    path = tmp_path / "Annotations" / "a.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>')
    with pytest.raises(ReadError, match="document type"):
        read_voc(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    index["items"] = {"../../secret": index["items"]["a"]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(ReadError, match="does not lie in its folder"):
        read_voc(tmp_path)


def test_yolo_lies_where_training_programs_look(tmp_path):
    write_yolo(tmp_path, ["mine"], {"train/img_1.png": [Box("mine", 10, 20, 30, 40)]}, {"train/img_1.png": (100, 200)})
    assert (tmp_path / "labels" / "train" / "img_1.txt").read_text() == "0 0.125 0.4 0.15 0.4\n"
    assert '0: "mine"' in (tmp_path / "data.yaml").read_text()


def test_writers_refuse_what_does_not_fit(tmp_path):
    with pytest.raises(TaskError, match="lies outside"):
        write_yolo(tmp_path, ["mine"], {"a": [Box("mine", 5, 0, 10, 1)]}, {"a": (10, 10)})
    with pytest.raises(TaskError, match="holds class 7"):
        write_coco(tmp_path / "c.json", ["mine"], masks={"a": np.full((2, 2), 7, np.uint8)})
    with pytest.raises(TaskError, match="positive size"):
        Box("mine", 0, 0, 0, 1)
    with pytest.raises(TaskError, match="written as"):
        write_label_volume(tmp_path / "a.mat", np.zeros((1, 1, 1), np.uint8), ["a"])
    with pytest.raises(TaskError, match="not finite"):
        write_alarms(tmp_path / "a.csv", [Alarm(0, float("nan"), None, None, None, "mine", 1.0)])
