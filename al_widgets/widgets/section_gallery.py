"""The review gallery of a volume: sections where masks differ, worst first; a click shows one in the volume widget."""

from __future__ import annotations

import pathlib
from typing import Any, Literal, TypedDict

from al_widgets.errors import TaskError
from al_widgets.session import VolumeSession
from al_widgets.session.volume_readings import is_radar
from al_widgets.session.volume_review import SectionDoubt
from al_widgets.widgets import status
from al_widgets.widgets.messages import shapes_of
from al_widgets.widgets.section_picture import COLOURS, Box, box_around, section_picture
from al_widgets.widgets.session_widget import SessionWidget

_HERE = pathlib.Path(__file__).parent
MOST_CARDS = 100


class GetDoubts(TypedDict):
    """Ask for the sections in question; the reply holds `cards`, `left`, `message`, and a PNG a card in its buffers."""

    kind: Literal["doubts"]
    rid: str
    client: str


class Visit(TypedDict):
    """Show a section in the volume widget. The reply says in `message` where, or what is to be done for it."""

    kind: Literal["visit"]
    rid: str
    client: str
    item_id: str


class SectionGallery(SessionWidget):
    """Shows finished sections where two annotators, or what was labelled and the model, differ most; see `VolumeSession.review`.

    A card opens its section in the session's `VolumeWidget`, where it is mended with the brush. `ReviewGallery` of a session on
    a volume is this.

    Parameters
    ----------
    session : VolumeSession
    n : int, optional
        Sections shown at most; default: 12.
    title : str, optional
    """

    _esm = _HERE / "section_gallery.js"
    _css = _HERE / "section_gallery.css"
    _shapes = shapes_of((GetDoubts, Visit))

    session: VolumeSession

    def __init__(
        self, session: VolumeSession, n: int | None = None, *, title: str | None = None, **kwargs: Any
    ) -> None:
        n = 12 if n is None else n
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_CARDS:
            raise TaskError(f"a gallery has 1 to {MOST_CARDS} cards, not {n!r}")
        self.n = n
        super().__init__(session, title=title, **kwargs)

    # ---- from the page ----------------------------------------------------------------------------------------------------

    def _on_doubts(self, message: Any) -> None:
        def answer() -> None:
            found = self.session.section_doubts()
            made = [self._card(doubt) for doubt in found[: self.n]]
            self._reply(
                message,
                [picture for _, picture in made],
                cards=[card for card, _ in made],
                left=len(found),
                message="" if found else self._nothing(),
            )

        self._apart(message, answer)

    def _on_visit(self, message: Any) -> None:
        item_id = message["item_id"]
        self.session.visit(item_id)
        if self.session.looking():
            said = f"{item_id} is shown in the volume widget."
        else:
            said = "No volume widget is on a page: run al.VolumeWidget(session) in a cell, then click again."
        self._reply(message, message=said)

    def _reply(self, request: Any, buffers: list[bytes] | None = None, **fields: Any) -> None:
        self.send({"kind": "reply", "rid": request["rid"], "ok": True, **fields}, buffers)

    def _card(self, doubt: SectionDoubt) -> tuple[dict[str, Any], bytes]:
        first, second = doubt.masks
        box = box_around(first, second)
        section = self.session.pool.image(doubt.item_id)
        radar = is_radar(self.session.volume)
        card = {
            "item_id": doubt.item_id,
            "why": doubt.why,
            "where": self._where(box),
            "outlines": list(zip(doubt.between, COLOURS, strict=True)),
        }
        return card, section_picture(section, first, second, box, radar=radar)

    def _where(self, box: Box) -> str:
        """Return what part of the section is shown, in the volume's own units."""
        _, down, across = self.session.volume.axes
        spans = ((across, box[1], box[3]), (down, box[0], box[2]))
        return " · ".join(
            f"{axis.name} {axis.origin + a * axis.step:.4g} to {axis.origin + b * axis.step:.4g} {axis.unit}".strip()
            for axis, a, b in spans
        )

    def _nothing(self) -> str:
        n = self.session.counts()["labelled"]
        if not n:
            return "Nothing to review before a section is finished."
        return f"Nothing is in question among {n:,} finished section{'' if n == 1 else 's'}."

    # ---- to the page ------------------------------------------------------------------------------------------------------

    def _status(self, client: str | None = None) -> Any:  # noqa: ARG002
        return status.status_of(self.session, self._next_rev(), has_items=True)

    def _forget(self, client: str) -> None:
        """Nothing is remembered of a page but that it is there."""

    def _push_changes(self, changes: set[str]) -> None:
        self._forget_gone()
        if changes & {"round", "labels", "problem"}:
            self.send({"kind": "changed"})
