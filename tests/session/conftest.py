"""Small real pools: scikit-learn's handwritten digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import al_widgets as al

CLASSES = [str(n) for n in range(10)]


class Digits:
    """300 digits as images, with their truth."""

    def __init__(self) -> None:
        digits = load_digits()
        self.images = digits.images[:300].astype(np.uint8)
        self.targets = [str(t) for t in digits.target[:300]]

    def truth(self, item_id: str) -> str:
        return self.targets[int(item_id.rsplit("/", 1)[1])]


@pytest.fixture(scope="session")
def digits() -> Digits:
    return Digits()


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def open_session(digits: Digits, tmp_path: Path) -> Iterator[Callable[..., al.Session]]:
    opened: list[al.Session] = []

    def make(pool: Any = None, classes: Any = CLASSES, **options: Any) -> al.Session:
        options = {"store": tmp_path / "labels.db", "annotator": "ann", "learner": None, **options}
        session = al.Session(digits.images if pool is None else pool, classes, **options)
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()
