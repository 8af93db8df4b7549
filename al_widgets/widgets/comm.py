"""How messages of the page find the right thread of the kernel.

ipykernel 7.4.0 routes a message of the page to the subshell that last published on its comm. A widget that is displayed, or that
publishes from a background thread, would so be bound to the main thread, where a busy cell keeps every answer waiting, and
answers overtake each other. Forgetting that note after each publication leaves the page's own choice (a subshell) in force, as
before 7.4 and after. Without the note this module does nothing.
"""

from __future__ import annotations

from typing import Any


class FollowFrontend:
    """Mix-in for widgets whose messages must not wait for a busy cell."""

    comm: Any

    def open(self) -> None:
        """Open the comm."""
        super().open()  # type: ignore[misc]
        self._forget_route()

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the page."""
        super().send(content, buffers)  # type: ignore[misc]
        self._forget_route()

    def send_state(self, key: Any = None) -> None:
        """Send traits to the page."""
        super().send_state(key)  # type: ignore[misc]
        self._forget_route()

    def _forget_route(self) -> None:
        note = getattr(self.comm, "__dict__", {})
        note.pop("_reply_subshell_id", None)
