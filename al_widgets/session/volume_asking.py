"""Whether a volume's next question is about a region or about a section."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from al_widgets.errors import SessionError
from al_widgets.records import Annotation
from al_widgets.strategies.slices import wants_region

Want = Literal["section", "region"]

ASK = {
    "auto": "On radar three regions, then sections; on other volumes sections. Measured on radar: a model after a few seconds, "
    "and from then on sections painted by hand teach more a second",
    "sections": "Sections",
    "regions": "Regions as long as one stands out",
}
"""Name → what it does. A page offers regions and asks about one only when the annotator wants it: class keys answer then."""


def check_ask(name: Any) -> str:
    """Return what is to be asked, or raise `SessionError` with what there is."""
    if isinstance(name, str) and name in ASK:
        return name
    raise SessionError(f"ask is one of {', '.join(ASK)}; not {name!r}")


def wanted(ask: str, answers: Iterable[Annotation], *, radar: bool) -> Want:
    """Return what the next question is better about.

    Parameters
    ----------
    ask : str
        Of `ASK`.
    answers : iterable of Annotation
        Strokes and finished sections that stand.
    radar : bool
    """
    if ask != "auto":
        return "region" if ask == "regions" else "section"
    regions = 0
    for answer in answers:
        if answer.kind == "stroke" and answer.value["tool"] == "region":
            regions += 1
        elif answer.kind in ("stroke", "label"):
            return "section"
    return "region" if radar and wants_region(regions, 0) else "section"
