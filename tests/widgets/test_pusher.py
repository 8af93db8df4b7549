"""Pushes to the page: gathered, unless somebody is waiting."""

import threading
from collections.abc import Iterator

import pytest

from al_widgets.widgets.pusher import Pusher


class Page:
    """Takes note of what is pushed."""

    def __init__(self) -> None:
        self.pushed: list[set[str]] = []
        self.came = threading.Condition()
        self.pusher = Pusher(self.push, interval_s=3600)

    def push(self, changes: set[str]) -> None:
        with self.came:
            self.pushed.append(changes)
            self.came.notify_all()

    def wait_for(self, n: int) -> list[set[str]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.pushed) >= n, 30)
            return list(self.pushed)


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    yield made
    made.pusher.close()


def test_what_is_waited_for_takes_along_what_was_gathered(page: Page) -> None:
    page.pusher.wake("round")
    assert page.wait_for(1) == [{"round"}]
    page.pusher.wake("labels")
    page.pusher.wake("progress")
    page.pusher.wake("prediction", hurry=True)
    assert page.wait_for(2)[1] == {"labels", "progress", "prediction"}
    page.pusher.wake("round")
    page.pusher.wake("prediction", hurry=True)
    assert page.wait_for(3)[2] == {"round", "prediction"}
