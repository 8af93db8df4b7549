"""The review gallery: labels in question, worst first, settled by a key."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import traitlets as t

from al_widgets.records import Query
from al_widgets.session import Session, VolumeSession
from al_widgets.session.ledger import REVIEW
from al_widgets.session.reviewing import Doubt
from al_widgets.widgets.sheet import SheetWidget, groups_of
from al_widgets.widgets.sheet_wire import Sheet


class ReviewGallery(SheetWidget):
    """Shows where annotators, or a model that did not see the label, disagree: who said what, and what the model says.

    A class key settles the marked item: its label is what was said in review, whatever the votes. See `Session.review` for what is
    shown; about audit items the model says nothing. Of a session on a volume it shows sections where masks differ; a click takes the
    volume widget there (`al_widgets.widgets.section_gallery`).

    Parameters
    ----------
    session : Session
    n : int, optional
        Pictures of a page; default: 12.
    title, keys
        As for `QueryWidget`.

    Examples
    --------
    >>> import al_widgets as al
    >>> al.ReviewGallery(session)  # doctest: +SKIP
    """

    mode = t.Unicode("review").tag(sync=True)
    _usual_n = 12

    def __new__(cls, session: Session, *args: Any, **options: Any) -> Any:
        """Make the gallery that suits the session: masks are compared otherwise than classes."""
        if not isinstance(session, VolumeSession):
            return super().__new__(cls)
        from al_widgets.widgets.section_gallery import SectionGallery

        return SectionGallery(session, *args, **options)

    def _version(self) -> int:
        self.session.counts()  # takes in what others wrote
        with self.session.lock:
            n_events = len(self.session.ledger)
        snapshot = self.session.snapshot
        return n_events * 100_000 + (0 if snapshot is None else snapshot.round % 100_000)

    def _sheet(self, client: str, name: str | None, have: list[str]) -> tuple[Sheet, list[bytes]]:  # noqa: ARG002
        self.session.start()
        version = self._version()
        found = self.session.doubts()
        pages = [found[i : i + self.n] for i in range(0, len(found), self.n)]
        names = [f"Page {i} of {len(pages)}" for i in range(1, len(pages) + 1)]
        page = min(_page_number(name), max(len(pages), 1))
        shown = [(_query(self.session, doubt), doubt.label) for doubt in (pages[page - 1] if pages else [])]
        cards, buffers = self._cards(shown, have)
        n_labels = self.session.counts()["labelled"]
        message = (
            "Nothing to review before there are labels."
            if not n_labels
            else f"Nothing is in question among {n_labels:,} labels."
        )
        return (
            {
                "rev": version,
                "name": names[page - 1] if pages else "",
                "cards": cards,
                "groups": groups_of((of_page, len(doubts)) for of_page, doubts in zip(names, pages, strict=True)),
                "left": len(found),
                "message": "" if cards else message,
            },
            buffers,
        )


def _page_number(name: str | None) -> int:
    """Return the page that a page of the browser asks for; the first, if it asks for any.

    Its name may tell another number of pages than there are now: labels were settled since.
    """
    found = re.match(r"Page (\d+)", name or "")
    return max(int(found[1]), 1) if found else 1


def _query(session: Session, doubt: Doubt) -> Query:
    asked = session.query(doubt.item_id)
    return replace(asked, strategy=REVIEW, utility=doubt.doubt, reason=doubt.why, probabilities=doubt.probabilities)
