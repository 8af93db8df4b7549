"""A page of the volume widget without a browser, in its own protocol; see `al_widgets.testing.frontend`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.session.mask_ledger import paint, part_of
from al_widgets.testing.frontend import FakeFrontend, Message

Mask = npt.NDArray[np.uint8]


class FakeVolumePage(FakeFrontend):
    """One page of a volume widget.

    Attributes
    ----------
    proposal : dict or None
        What is asked.
    states : dict of str to dict
        Item id → what the kernel said last that this annotator has said of it.
    predictions : dict of int to dict
        Section → the newest prediction, with ``"classes"`` and ``"doubt"`` as arrays.
    sections : dict of int to bytes
    utilities : list of float or None
        How worth asking every section is.
    """

    def __init__(self, widget: Any, client: str | None = None) -> None:
        self.proposal: Message | None = None
        self.states: dict[str, Message] = {}
        self.predictions: dict[int, Message] = {}
        self.sections: dict[int, bytes] = {}
        self.utilities: list[float | None] = []
        self._sent: set[str] = set()
        super().__init__(widget, client)

    def _receive(self, content: Message, buffers: list[bytes]) -> None:
        with self._changed:
            mine = content["rid"] in self._sent if content["kind"] == "reply" else content.get("client") == self.client
            if mine:
                if "proposal" in content:
                    self.proposal = content["proposal"]
                self.utilities = content.get("utilities", self.utilities)
                self.states.update((s["item_id"], s) for s in content.get("states", []))
                self._take_pixels(content, buffers)
            if content["kind"] == "reply":
                self.replies[content["rid"]] = content
            else:
                self.pushes.append(content)
            self._changed.notify_all()

    def _take_pixels(self, content: Message, buffers: list[bytes]) -> None:
        for section in content.get("sections", []):
            self.sections[section["index"]] = bytes(buffers[section["buffer"]])
        new = content.get("prediction")
        if new is None:
            return
        old = self.predictions.get(new["index"])
        if old is None or old["strokes"] <= new["strokes"]:  # an older one than what is shown is dropped
            shape = (new["rows"], new["columns"])
            for name in ("classes", "doubt"):
                data = buffers[new[f"{name}_buffer"]]
                new = {**new, name: np.frombuffer(data, np.uint8).reshape(shape)}
            self.predictions[new["index"]] = new

    def send(self, kind: str, **fields: Any) -> Message:
        """Send one message and return the reply."""
        rid = fields.pop("rid", f"{self.client}-r{next(self._rids)}")
        self._sent.add(rid)
        return super().send(kind, rid=rid, **fields)

    def hello(
        self, replaces: tuple[str, ...] = (), looking_at: int | None = None, velocity_m_per_ns: float | None = None
    ) -> Message:
        """Say hello."""
        return self.send("hello", replaces=list(replaces), looking_at=looking_at, velocity_m_per_ns=velocity_m_per_ns)

    def event(self, item_id: str, **fields: Any) -> Message:
        """Return the fields that strokes and answers have in common, with the next number."""
        seq = next(self._numbers)
        now_ms = time.time() * 1000
        asked = self.proposal is not None and self.proposal["item_id"] == item_id
        return {
            "seq": seq,
            "event_id": f"{self.client}-{seq}",
            "item_id": item_id,
            "token": self.proposal["token"] if asked and self.proposal else "",
            "elapsed_ms": 3000.0,
            "shown_at_ms": now_ms - 3000,
            "answered_at_ms": now_ms,
            "model_shown": True,
            **fields,
        }

    def stroke(
        self, item_id: str, where: npt.NDArray[np.bool_], value: int, *, tool: str = "brush", **fields: Any
    ) -> Message:
        """Return the message of a stroke that sets some pixels of a section."""
        shape = fields.pop("shape", None)
        stroke = {"tool": tool, "parts": [part_of(item_id, where, value)], "shape": shape, "recipe": '{"gain": 2}'}
        return self.event(item_id, value=stroke, **fields)

    def answer(self, item_id: str, answer: str = "label", *, rest: int | None = 0, **fields: Any) -> Message:
        """Return the message that answers a section; ``region=`` answers a region instead."""
        finished = {"rest": rest} if answer == "label" and "region" not in fields else None
        return self.event(item_id, answer=answer, **{"finished": finished, "region": None, "note": "", **fields})

    def paint(self, item_id: str, where: npt.NDArray[np.bool_], value: int, **fields: Any) -> Message:
        """Paint one stroke; return the reply."""
        return self.send("stroke", **self.stroke(item_id, where, value, **fields))

    def mask(self, item_id: str, shape: Sequence[int]) -> Mask:
        """Return the mask that the kernel's last word about a section is."""
        mask = np.full(shape, 255, np.uint8)
        state = self.states.get(item_id)
        for part in state["parts"] if state else ():
            paint(mask, part, part["value"])
        if state and state["rest"] is not None:
            mask[mask == 255] = state["rest"]
        return mask
