import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_widgets.errors import TaskError
from al_widgets.oracles.agreement import apex, apex_distance, box_consensus, iou, match_boxes

boxes = st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 8)] * 2), max_size=4)


def test_iou_of_half_a_box_is_one_half_and_of_strangers_nothing():
    np.testing.assert_allclose(iou([[0, 0, 4, 4]], [[0, 0, 4, 2], [10, 10, 4, 4], [2, 0, 4, 4]]), [[0.5, 0, 1 / 3]])
    assert iou([[0, 0, 0, 0]], [[0, 0, 0, 0]])[0, 0] == 0
    assert iou([], [[0, 0, 1, 1]]).shape == (0, 1)


def test_apex_is_the_middle_of_the_upper_edge_and_distances_follow_the_spacing():
    np.testing.assert_allclose(apex([[10, 5, 6, 20]]), [[13, 5]])
    assert apex_distance([[10, 5, 6, 20]], [[13, 9, 6, 2]])[0, 0] == 5.0
    assert apex_distance([[10, 5, 6, 20]], [[13, 9, 6, 2]], spacing=(0.1, 0.0))[0, 0] == pytest.approx(0.3)


@settings(max_examples=60, deadline=None)
@given(boxes, boxes)
def test_match_boxes_pairs_as_many_as_any_pairing_could(first, second):
    found = match_boxes(first, second, limit=0.2)
    table = iou(first, second)
    short, long_, grid = (first, second, table) if len(first) <= len(second) else (second, first, table.T)
    best = max(
        (
            sum(grid[i, j] >= 0.2 for i, j in enumerate(order))
            for order in itertools.permutations(range(len(long_)), len(short))
        ),
        default=0,
    )
    assert len(found.pairs) == best
    assert len(found.pairs) + len(found.only_first) == len(first)
    assert len(found.pairs) + len(found.only_second) == len(second)
    assert (found.score >= 0.2).all()


def test_match_boxes_by_apex_ignores_how_tall_the_boxes_are():
    first, second = [[10, 20, 8, 40], [60, 20, 8, 8]], [[61, 21, 8, 90], [11, 19, 8, 8], [200, 0, 4, 4]]
    found = match_boxes(first, second, by="apex", limit=3)
    assert found.pairs.tolist() == [[0, 1], [1, 0]]
    assert found.only_second.tolist() == [2]
    assert found.f1 == pytest.approx(4 / 5)
    assert len(match_boxes(first, second, by="iou").pairs) == 0
    assert np.isnan(match_boxes([], []).f1)


def test_box_consensus_keeps_what_half_of_the_annotators_drew():
    people = [
        [[10, 10, 20, 20], [100, 50, 10, 10]],
        [[11, 9, 20, 20]],
        [[9, 11, 22, 20], [102, 51, 10, 10]],
        [[300, 300, 5, 5]],
    ]
    found = box_consensus(people)
    assert found.votes.tolist() == [3, 2]
    np.testing.assert_allclose(found.boxes, [[10, 10, 21, 20], [101, 50.5, 10, 10]])
    assert found.support.tolist() == [0.75, 0.5]
    assert [sorted(m[:, 0].tolist()) for m in found.members] == [[0, 1, 2], [0, 2]]
    assert len(box_consensus(people, least=0.8).boxes) == 0
    assert len(box_consensus([[], []]).boxes) == 0
    assert len(box_consensus([]).boxes) == 0


def test_boxes_must_be_rows_of_four():
    with pytest.raises(TaskError, match="x, y, width, height"):
        iou([[0, 0, 1]], [])
    with pytest.raises(TaskError, match="x, y, width, height"):
        iou([[0, 0, -1, 1]], [])
