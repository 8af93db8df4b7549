"""What the annotator has said elsewhere: two views of one volume stay in step, whichever of them, or a cell, says something."""

from __future__ import annotations

from collections.abc import Iterable

from al_widgets.records import Annotation
from al_widgets.session import VolumeSession
from al_widgets.session.mask_ledger import items_of
from al_widgets.widgets import volume_entries
from al_widgets.widgets.volume_wire import StatesPush


class Elsewhere:
    """Goes through a session's events once, and tells each page those of others. For one thread.

    Parameters
    ----------
    session : VolumeSession
    """

    def __init__(self, session: VolumeSession) -> None:
        self._session = session
        self._newest: dict[str, int] = {}
        with session.lock:
            self._versions = [len(ledger) for ledger in session.ledgers]

    def news(self, clients: Iterable[str]) -> list[StatesPush]:
        """Return what is to be sent to some pages: of the annotator's events since the last call those that are not their own."""
        session = self._session
        with session.lock:
            events, answers = [], {}
            for ledger, version in zip(session.ledgers, self._versions, strict=True):
                newer = [e for e in ledger.newer(version) if e.annotator == session.annotator]
                events += newer
                answers.update({e.event_id: ledger.answer_behind(e.event_id) for e in newer})
            self._versions = [len(ledger) for ledger in session.ledgers]
        for event in events:
            self._newest[event.client] = max(self._newest.get(event.client, -1), event.seq)
        pushes: list[StatesPush] = []
        for client in clients:
            found = {e.event_id: a for e in reversed(events) if e.client != client and (a := answers[e.event_id])}
            said: dict[str, Annotation] = {answer.event_id: answer for answer in found.values()}
            if not said:
                continue
            items = dict.fromkeys(
                i for a in said.values() for i in (items_of(a) if a.kind == "stroke" else [a.item_id])
            )
            pushes.append(
                {
                    "kind": "states",
                    "client": client,
                    "seq": self._newest.get(client, -1),
                    "states": volume_entries.states_of(session, list(items)),
                    "history": volume_entries.rows_of(session, said.values()),
                }
            )
        return pushes
