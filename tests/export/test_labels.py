"""Labels of pictures leave as a table or as folders, and come back the same."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import al_widgets as al
from al_widgets.errors import ReadError, SessionError, TaskError
from al_widgets.export import read_class_folders, read_labels, write_class_folders, write_labels

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
hostile = st.sampled_from(["../up", "/abs", "a/b.png", "A/B.png", "a__b", "=1+1", "<b>", "..", "x" * 300, 'a"b,c\nd'])
labels = st.dictionaries(texts | hostile, texts | hostile, max_size=6)


@given(labels)
def test_a_table_comes_back_the_same(tmp_path_factory, answers):
    path = tmp_path_factory.mktemp("table") / "labels.csv"
    assert read_labels(write_labels(path, answers, {"confidence": dict.fromkeys(answers, 0.5)})) == answers


@given(labels)
def test_folders_come_back_the_same_and_stay_in_their_place(tmp_path_factory, answers):
    folder = tmp_path_factory.mktemp("folders") / "out"
    pixels = {item: np.full((2, 3), n, np.uint8) for n, item in enumerate(answers)}
    write_class_folders(folder, answers, pixels.__getitem__)
    found, files = read_class_folders(folder)
    assert found == answers
    for item, file in files.items():
        assert folder in file.resolve().parents
        assert file.parent.parent == folder
        np.testing.assert_array_equal(np.asarray(Image.open(file)), pixels[item])
    assert len({file.parent for file in files.values()}) == len(set(answers.values()))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16"])
def test_pixels_are_written_exactly(tmp_path, dtype):
    pixels = np.arange(12).reshape(3, 4).astype(dtype)
    write_class_folders(tmp_path / "out", {"a": "x"}, lambda _: pixels)
    file = read_class_folders(tmp_path / "out")[1]["a"]
    again = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file))
    np.testing.assert_array_equal(again, pixels)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(TaskError, match="not empty"):
        write_class_folders(tmp_path, {}, lambda _: np.zeros((1, 1), np.uint8))
    with pytest.raises(TaskError, match="not empty"):
        write_class_folders(tmp_path / "mine.txt", {}, lambda _: np.zeros((1, 1), np.uint8))
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "columns"),
        (b"item,label\na,b\n", "columns"),
        (b"item_id,label\na\n", "row 2 has 1 fields"),
        (b"item_id,label\na,b\na,c\n", "twice"),
        (b"item_id,label\n\xff,b\n", "no table"),
        (b'item_id,label\n"a,b\n', "no table"),
    ],
)
def test_broken_tables_are_refused(tmp_path, content, says):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=says):
        read_labels(path)


def test_an_index_does_not_lead_out_of_its_folder(tmp_path):
    write_class_folders(tmp_path / "out", {"a": "x"}, lambda _: np.zeros((1, 1), np.uint8))
    index = tmp_path / "out" / "index.json"
    content = json.loads(index.read_text())
    content["items"] = {"../../etc/passwd": {"item_id": "a", "label": "x"}}
    index.write_text(json.dumps(content))
    with pytest.raises(ReadError, match="does not lie in its folder"):
        read_class_folders(tmp_path / "out")
    content["items"] = {"x/gone.png": {"item_id": "a", "label": "x"}}
    index.write_text(json.dumps(content))
    with pytest.raises(ReadError, match="no such file"):
        read_class_folders(tmp_path / "out")


def test_a_session_on_a_folder_exports_its_files(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (pictures / "deep").mkdir(parents=True)
    for n in range(4):
        Image.new("L", (8, 8), 60 * n).save(pictures / "deep" / f"{n}.png")
    with al.Session(pictures, ["dark", "bright"], store=":memory:", audit=0) as session:
        for item_id in session.pool.item_ids[:3]:
            session.submit(item_id, "dark" if item_id < "deep/2" else "bright")
        assert read_labels(session.export(tmp_path / "labels.csv")) == {
            "deep/0.png": "dark",
            "deep/1.png": "dark",
            "deep/2.png": "bright",
        }
        found, files = read_class_folders(session.export(tmp_path / "sorted"))
        assert found["deep/2.png"] == "bright"
        assert files["deep/2.png"].read_bytes() == (pictures / "deep/2.png").read_bytes()
        assert files["deep/2.png"].relative_to(tmp_path / "sorted").as_posix() == "bright/deep__2.png"
        with pytest.raises(SessionError, match="csv, folders"):
            session.export(tmp_path / "x", format="parquet")
        with pytest.raises(SessionError, match="say format"):
            session.export(tmp_path / "x.doc")


def test_a_session_on_an_array_exports_pixels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (3, 6, 5, 3), dtype=np.uint8)
    with al.Session(images, ["a", "b"], store=":memory:", audit=0) as session:
        item_id = session.pool.item_ids[1]
        session.submit(item_id, "b")
        _, files = read_class_folders(session.export(tmp_path / "sorted"))
    np.testing.assert_array_equal(np.asarray(Image.open(files[item_id])), images[1])
