"""One ranking for several annotators: nothing is asked twice, nobody waits, few labels are enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import al_widgets as al
from al_widgets.records import Annotation

CLASSES = [str(n) for n in range(10)]
LIMIT = 90


@pytest.fixture(scope="module")
def features() -> tuple[np.ndarray, np.ndarray]:
    digits = load_digits()
    return digits.data[:900].astype(np.float32) / 16, digits.target[:900].astype(str)


@pytest.fixture
def crowd(features: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> Iterator[Callable[..., al.Session]]:
    opened: list[al.Session] = []

    def make(name: str) -> al.Session:
        pictures = np.uint8(features[0].reshape(-1, 8, 8) * 255)
        session = al.Session(
            pictures, CLASSES, encoder=features[0], store=tmp_path / f"{name}.db", annotator="team", audit=0
        )
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


def labels_needed(session: al.Session, truth: np.ndarray, annotators: int, refit_every: int) -> tuple[int, list[str]]:
    """Label in turns, each annotator holding an item while the others answer theirs; labels at 95 % accuracy of the pool."""
    answered: list[str] = []
    held: dict[str, str] = {}
    session.wait(120)
    for turn in range(LIMIT + annotators):
        holder = f"p{turn % annotators}"
        if holder in held:
            item_id = held.pop(holder)
            value = truth[int(item_id.rsplit("/", 1)[1])]
            session.record(
                Annotation(
                    f"{holder}-{turn}", item_id, holder, "label", str(value), holder, turn, answered_at=float(turn)
                )
            )
            answered.append(item_id)
            if len(answered) % refit_every == 0:
                session.wait(60)
                predicted = session.predictions().predicted
                if predicted.notna().all() and (predicted == truth).mean() >= 0.95:
                    return len(answered), answered
        drawn = session.draw(holder, 1)
        assert drawn[0].item_id not in held.values()
        held[holder] = drawn[0].item_id
    return LIMIT, answered


@pytest.mark.parametrize("annotators", [4, 8])
def test_many_annotators_need_hardly_more_labels_than_one_and_never_the_same_item(
    crowd: Callable[..., al.Session], features: tuple[np.ndarray, np.ndarray], annotators: int
) -> None:
    alone, _ = labels_needed(crowd("alone"), features[1], 1, 4)
    together, answered = labels_needed(crowd("together"), features[1], annotators, 4)
    assert len(set(answered)) == len(answered)
    assert alone < 60
    assert together <= 1.2 * alone + 4  # accuracy is looked at every 4 answers


def test_a_lost_holder_gives_its_item_back_after_the_lease_and_its_late_answer_is_kept(
    crowd: Callable[..., al.Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = crowd("lease")
    lost = session.draw("tab-that-dies", 1)[0]
    assert lost.item_id not in {q.item_id for q in session.draw("other", 5)}
    clock = session.store._clock  # type: ignore[attr-defined]
    monkeypatch.setattr(session.store, "_clock", lambda: clock() + 1000)
    assert lost.item_id in {q.item_id for q in session.draw("third", 5)}
    session.record(Annotation("t-0", lost.item_id, "ann", "label", "1", "t", 0))
    session.record(Annotation("d-0", lost.item_id, "bob", "label", "1", "tab-that-dies", 0))
    assert session.labels().n_annotations.tolist() == [2]
