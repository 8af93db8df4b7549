"""A session on 200 digits with a query widget, outside a kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import al_widgets as al


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AL_WIDGETS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a condition is true; for what another thread does."""

    def wait(condition: Callable[[], Any], seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.01)

    return wait


@pytest.fixture
def open_widget(tmp_path: Path) -> Iterator[Callable[..., al.QueryWidget]]:
    opened: list[Any] = []

    def make(
        pool: Any = None, classes: Any = ("dark", "bright"), *, keys: Any = None, **options: Any
    ) -> al.QueryWidget:
        if pool is None:
            level = np.random.default_rng(0).integers(40, 210, (200, 1, 1))
            pool = np.clip(level + np.random.default_rng(1).integers(-30, 30, (200, 12, 12)), 0, 255).astype(np.uint8)
        options = {"store": tmp_path / "labels.db", "annotator": "ann", **options}
        session = al.Session(pool, classes, **options)
        widget = al.QueryWidget(session, keys=keys)
        opened.extend([widget, session])
        return widget

    yield make
    for thing in opened:
        thing.close()
