"""The volume widget: sections of a volume under a brush, with a model that answers every stroke.

Everything it knows comes from a `VolumeSession`; threads as in `al_widgets.widgets.session_widget`.
"""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from al_widgets.errors import MessageError, SessionError
from al_widgets.records import Query
from al_widgets.session import VolumeSession
from al_widgets.widgets import entries, status, volume_entries, volume_wire
from al_widgets.widgets.messages import shapes_of
from al_widgets.widgets.session_widget import PictureWidget, acknowledged
from al_widgets.widgets.volume_elsewhere import Elsewhere

_STATIC = pathlib.Path(__file__).parent.parent / "static"
HISTORY = 500
"""Events that a page can undo after a reload."""
PUSHED_BYTES = 8 * 2**20
"""Of predictions that are kept fresh in a page: the section on the screen and as many around it as fit."""


class VolumeWidget(PictureWidget):
    """Shows the sections of a volume, takes strokes, and shows what the model expects.

    Parameters
    ----------
    session : VolumeSession
        ``al.Session(al.SlicePool(volume), al.Segmentation([...]))``.
    title : str, optional
        Default: the name of the volume.
    keys : dict of str to str, optional
        Class name → key, where another key than 1–9, 0 is wanted.
    show_model : bool
        Whether the model's opinion is visible at the start; the annotator can switch it.
    height : int
        Height of the section, in CSS pixels.

    Raises
    ------
    SessionError
        If the session labels no volume.

    Examples
    --------
    >>> import al_widgets as al
    >>> widget = al.VolumeWidget(session)  # doctest: +SKIP
    """

    _esm = _STATIC / "volume.js"
    _css = _STATIC / "query.css"
    _shapes = shapes_of(volume_wire.FROM_PAGE)
    _hurried = frozenset({"prediction", "visit"})

    info = t.Dict().tag(sync=True)
    task_kind = t.Unicode().tag(sync=True)
    tools = t.List(t.Unicode()).tag(sync=True)

    session: VolumeSession

    def __init__(
        self,
        session: VolumeSession,
        *,
        title: str | None = None,
        keys: dict[str, str] | None = None,
        show_model: bool = True,
        height: int = 480,
        **kwargs: Any,
    ) -> None:
        if not isinstance(session, VolumeSession):
            raise SessionError(
                f"VolumeWidget shows sessions whose task is al.Segmentation or al.Boxes, not {type(session).__name__}; "
                "use al.QueryWidget"
            )
        self._asked: dict[str, list[str]] = {}
        self._sent: dict[str, dict[str, int]] = {}
        self._regions = threading.Lock()
        self._elsewhere = Elsewhere(session)
        super().__init__(
            session,
            title=title,
            keys=keys,
            show_model=show_model,
            height=height,
            info=dict(volume_entries.volume_info(session)),
            task_kind=session.task.kind,
            tools=[tool for tool in session.task.tools if tool not in ("mask", "region")],
            **kwargs,
        )

    # ---- from the page ------------------------------------------------------------------------------------------------

    def _on_hello(self, message: Any) -> None:
        for gone in message["replaces"]:
            self.session.release(gone)
        if message["velocity_m_per_ns"] is not None:
            self.session.velocity_m_per_ns = message["velocity_m_per_ns"]
        client, index = message["client"], message["looking_at"]
        with self._pages_lock:
            self._sent[client] = {}
        self.session.start()
        proposal = self._propose(client)
        prediction, buffers = (None, []) if index is None else self._look(client, index)
        self._reply(
            message,
            buffers,
            states=volume_entries.states_of(self.session),
            history=volume_entries.history_of(self.session, HISTORY),
            proposal=proposal,
            prediction=prediction,
            status=self._status(client),
        )

    def _on_sections(self, message: Any) -> None:
        sections, buffers = volume_entries.sections_of(self.session, message["item_ids"], self.info["low"])
        self._reply(message, buffers, sections=sections)

    def _on_look(self, message: Any) -> None:
        prediction, buffers = self._look(message["client"], message["index"])
        self._reply(message, buffers, prediction=prediction)

    def _on_stroke(self, message: Any) -> None:
        began = time.perf_counter()
        new = self.session.record(volume_entries.stroke_of(message, self.session))
        self._acknowledge(message, new, began)

    def _on_answer(self, message: Any) -> None:
        began = time.perf_counter()
        if message["region"] is None:
            new = self.session.record(volume_entries.answer_of(message, self.session))
            self._acknowledge(message, new, began, changed=True)
            return
        with self._regions:  # what a region changes depends on what was painted before: it is worked out once
            with self.session.lock:
                known = self.session.ledger_of(message["item_id"]).event(message["event_id"])
            new = self.session.record(known or volume_entries.answer_of(message, self.session))
        self._acknowledge(message, new, began, changed=True)

    def _on_undo(self, message: Any) -> None:
        began = time.perf_counter()
        new = self.session.record(entries.undo_of(message, self.session.annotator))
        self._acknowledge(message, new, began, changed=True)

    def _on_next(self, message: Any) -> None:
        client = message["client"]
        if message["want"] == "section":
            self._reply(message, proposal=self._propose(client, message["strategy"]))
            return

        def ask() -> None:
            found = self.session.regions(1)
            self._reply(message, proposal=volume_entries.region_proposal(self.session, found[0]) if found else None)

        self._apart(message, ask)

    def _on_velocity(self, message: Any) -> None:
        self.session.velocity_m_per_ns = message["velocity_m_per_ns"]
        self._reply(message)

    def _on_states(self, message: Any) -> None:
        self._reply(message, states=volume_entries.states_of(self.session, message["item_ids"]))

    def _on_add_class(self, message: Any) -> None:
        self.session.add_class(message["name"])
        self._reply(message, status=self._status(message["client"]))

    def _look(self, client: str, index: int) -> tuple[Any, list[bytes]]:
        """Take note of what is on a page's screen; return what the model expects of it, as far as that is known."""
        if index >= len(self.session.volume):
            raise MessageError(f"there is no section {index}; the volume has {len(self.session.volume)}")
        self.session.look(client, index)
        item_id = self._shown_at(client, index)
        found = self.session.trial_map(item_id) or self.session.section_map(index)
        if found is None:
            return None, []
        with self._pages_lock:
            self._sent.setdefault(client, {})[item_id] = found.round
        return volume_entries.prediction_of(item_id, index, found)

    def _shown_at(self, client: str, index: int) -> str:
        """Return what a page shows as a section: where it is asked a trial in its place, that."""
        with self._pages_lock:
            asked = self._asked.get(client, [])
        trials = (i for i in asked if self.session.trial(i) is not None and self.session.pool.index(i) == index)
        return next(trials, self.session.pool.item_ids[index])

    def _propose(self, client: str, strategy: str = "") -> Any:
        """Return what a page is asked, in place of what it was asked before."""
        with self._pages_lock:
            have = self._asked.get(client, [])
        query: Query | None = self.session.propose(client, strategy, have=have)
        with self._pages_lock:
            self._asked[client] = [] if query is None else [query.item_id]
        return None if query is None else volume_entries.section_proposal(self.session, query)

    def _acknowledge(self, message: Any, new: bool, began: float, *, changed: bool = False) -> None:
        ack = acknowledged(message, new=new, began=began)
        fields: dict[str, Any] = {}
        if changed:
            items = self.session.changed_by(message["event_id"])
            fields["states"] = volume_entries.states_of(self.session, items) if items else []
        self._reply(message, ack=ack, status=self._status(message["client"]), **fields)

    def _reply(self, message: Any, buffers: Sequence[bytes] = (), **fields: Any) -> None:
        if "status" in fields:
            fields["wants"] = self.session.wants
        self.send({"kind": "reply", "rid": message["rid"], "ok": True, **fields}, list(buffers))

    # ---- to the page --------------------------------------------------------------------------------------------------

    def _forget(self, client: str) -> None:
        self._asked.pop(client, None)
        self._sent.pop(client, None)

    def _status(self, client: str | None = None) -> Any:
        self._forget_gone()
        with self._pages_lock:
            asked = [self._asked.get(client, [])] if client else list(self._asked.values())
        return status.status_of(self.session, self._next_rev(), has_items=any(asked))

    def _push_changes(self, changes: set[str]) -> None:
        if "visit" in changes:
            self.send({"kind": "visit", "index": self.session.pool.index(self.session.visited)})
        if changes & {"prediction", "prediction behind", "round"}:
            self._push_predictions()
        if "labels" in changes:
            with self._pages_lock:
                pages = list(self._sent)
            for push in self._elsewhere.news(pages):
                self.send(push)
        if changes & {"round", "error"}:
            self._forget_gone()
            with self._pages_lock:
                clients = list(self._sent)
            utilities, wants = self.session.utilities(), self.session.wants
            for client in clients:
                proposal = self._propose(client)
                self.send(
                    {
                        "kind": "proposal",
                        "client": client,
                        "rev": self._next_rev(),
                        "wants": wants,
                        "proposal": proposal,
                        "utilities": utilities,
                    }
                )

    def _push_predictions(self) -> None:
        """Send fresh predictions: of the section on each page's screen first, of those around it behind."""
        item_ids = self.session.pool.item_ids
        most = max(1, PUSHED_BYTES // (2 * self.info["rows"] * self.info["columns"]))
        looking = self.session.looking_at()
        with self._pages_lock:
            pages = {client: dict(sent) for client, sent in self._sent.items()}
        for client, sent in pages.items():
            distance = np.abs(np.arange(len(item_ids)) - looking.get(client, 0))
            near = [int(index) for index in np.argsort(distance, kind="stable")[:most]]
            for index in near:
                item_id = self._shown_at(client, index)
                found = self.session.trial_map(item_id) or self.session.section_map(index)
                if found is None or sent.get(item_id, 0) >= found.round:
                    continue
                with self._pages_lock:
                    self._sent.setdefault(client, {})[item_id] = found.round
                prediction, buffers = volume_entries.prediction_of(item_id, index, found)
                self.send({"kind": "prediction", "client": client, "prediction": prediction}, buffers)
