"""Messages between the volume widget's page and the kernel, in the manner of `al_widgets.widgets.wire`.

``python -m al_widgets.widgets.volume_wire`` prints ``js/src/volume-wire.ts``; a test compares the two. Everything about pixels is
in raw indices (section, row, column) of the volume, whatever is done for display. Runs are COCO's run-length text (column-major
within the box), as in `al_widgets.task.rle`. In masks, 255 is "nobody has said anything", 254 "to be ignored"; classes count
from 0, and class 0 is what the rest of a section is when it is finished.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, NotRequired, TypedDict

from al_widgets.session.volume_asking import Want
from al_widgets.task.strokes import Tool
from al_widgets.widgets.wire import (
    Acknowledged,
    AddClass,
    ErrorInfo,
    Probability,
    ProblemInfo,
    Status,
    Undo,
    typescript_of,
)


class Part(TypedDict):
    """Pixels of one section that are set to one value. `box` is [row, column, rows, columns]; `runs` fill it."""

    item_id: str
    value: int
    box: list[int]
    runs: str


class Shape(TypedDict):
    """What was drawn, in raw (fractional) indices: vertices [column, row, column, row, …] and named numbers of the tool."""

    points: list[float]
    radius: NotRequired[float]
    x0_m: NotRequired[float]
    t0_ns: NotRequired[float]
    velocity_m_per_ns: NotRequired[float]
    depth_m: NotRequired[float]


class StrokeValue(TypedDict):
    """One stroke: what it changed, and how it was drawn. `recipe` is what the annotator looked at (JSON text)."""

    tool: Tool
    parts: list[Part]
    shape: Shape | None
    recipe: str


class Finished(TypedDict):
    """A section is finished: unlabelled pixels are of class `rest`; null leaves them unlabelled."""

    rest: int | None


class RegionAnswer(TypedDict):
    """What a region is: a class number. Its pixels on all its sections get that value."""

    region_id: str
    value: int


class AxisInfo(TypedDict):
    """One axis of the volume: coordinate = origin + index * step.

    `ends` are the sides of the patient that low and high indices lie towards (L R A P H F, two of them where it is oblique); empty
    where they are not known.
    """

    name: str
    unit: str
    step: float
    origin: float
    ends: list[str]


class VolumeInfo(TypedDict):
    """What a page must know of a volume before its first pixel; a trait. `low` and `high` are shown black and white at first.

    `flavour` decides which display steps are offered; `lengths` are real columns of each section; `time_zero` is a row.
    """

    name: str
    sections: int
    rows: int
    columns: int
    dtype: Literal["uint8", "int8", "uint16", "int16", "float32"]
    flavour: Literal["radar", "ct", "picture"]
    axes: list[AxisInfo]
    lengths: list[int] | None
    low: float
    high: float
    time_zero: float
    velocity_m_per_ns: float


class Section(TypedDict):
    """Bytes of one section, in the message's buffer `buffer`: little-endian, rows first, `columns` real ones of them."""

    item_id: str
    index: int
    rows: int
    columns: int
    buffer: int


class RegionInfo(TypedDict):
    """A doubtful blob to be judged: its box [section, row, column, sections, rows, columns] and its pixels."""

    region_id: str
    box: list[int]
    parts: list[Part]
    p: float


class Proposal(TypedDict):
    """What the kernel asks next: a whole section, or a region of it. `token` goes back with the answer."""

    item_id: str
    index: int
    token: str
    strategy: str
    reason: str
    round: int
    region: RegionInfo | None
    probabilities: list[Probability]


class StrokeRow(TypedDict):
    """One event of this annotator that can be undone; the newest last. `items` are the sections it changed."""

    event_id: str
    item_id: str
    kind: Literal["stroke", "label", "skip", "unsure"]
    tool: Tool | None
    items: list[str]
    answered_at_ms: float
    undone: bool


class SectionState(TypedDict):
    """What this annotator has said of a section so far: the folded mask, and whether it is finished.

    `measures`: it is finished, and kept aside to measure, so that nothing is learned from it; never told of an open section.
    """

    item_id: str
    parts: list[Part]
    finished: bool
    rest: int | None
    answer: Literal["", "label", "skip", "unsure"]
    measures: bool


class Prediction(TypedDict):
    """What the model expects on a section: two uint8 buffers (rows, columns) / stride: class, and doubt (0 … 255).

    `strokes` is the number of events the model has seen; an older one than what is shown is dropped.
    """

    item_id: str
    index: int
    round: int
    strokes: int
    stride: int
    rows: int
    columns: int
    classes_buffer: int
    doubt_buffer: int


# ---- from the page --------------------------------------------------------------------------------------


class VolumeHello(TypedDict):
    """First message of a page, and again after a lost connection. `looking_at` is the section on the screen; null: none yet.

    `velocity_m_per_ns` is what the annotator has chosen to tell depths by; null: what the kernel has told.
    """

    kind: Literal["hello"]
    rid: str
    client: str
    replaces: list[str]
    looking_at: int | None
    velocity_m_per_ns: float | None


class Stroke(TypedDict):
    """One stroke, durable on its own; `event_id` is ``"<client>-<seq>"``. `item_id` is the section it was drawn on.

    `elapsed_ms` is the time since the section was shown or the event before, whichever is later, hidden time taken out: the
    times of all events add up to what the annotator spent.
    """

    kind: Literal["stroke"]
    rid: str
    client: str
    seq: int
    event_id: str
    item_id: str
    value: StrokeValue
    token: str
    elapsed_ms: float
    shown_at_ms: float
    answered_at_ms: float
    model_shown: bool


class VolumeAnswer(TypedDict):
    """A section is finished, left out or cannot be told; or a region is judged (`region`).

    A region that is skipped or unsure is ignored from then on and not asked again. `elapsed_ms` as for `Stroke`.
    """

    kind: Literal["answer"]
    rid: str
    client: str
    seq: int
    event_id: str
    item_id: str
    answer: Literal["label", "skip", "unsure"]
    finished: Finished | None
    region: RegionAnswer | None
    note: str
    token: str
    elapsed_ms: float
    shown_at_ms: float
    answered_at_ms: float
    model_shown: bool


class GetSections(TypedDict):
    """Ask for the bytes of sections, or of what is shown in the place of one; the reply may hold fewer, never none."""

    kind: Literal["sections"]
    rid: str
    client: str
    item_ids: list[str]


class Look(TypedDict):
    """The section on the screen has changed: its prediction comes first from now on."""

    kind: Literal["look"]
    rid: str
    client: str
    index: int


class Next(TypedDict):
    """Ask what is to be labelled next: "section" or "region"; `strategy` "" is the session's own."""

    kind: Literal["next"]
    rid: str
    client: str
    want: Want
    strategy: str


class Velocity(TypedDict):
    """Depths are told by this velocity from now on, on the page and in what is exported."""

    kind: Literal["velocity"]
    rid: str
    client: str
    velocity_m_per_ns: float


class States(TypedDict):
    """Ask what this annotator has said of sections (all: an empty list)."""

    kind: Literal["states"]
    rid: str
    client: str
    item_ids: list[str]


# ---- from the kernel ------------------------------------------------------------------------------------


class VolumeReply(TypedDict):
    """Answer to a request.

    `wants` is what the session would ask next, beside every status. Fields by request: hello: states, history, proposal,
    prediction, status; stroke: ack, status; answer: ack, status, and the states of the sections that it changed; undo: ack, states (of the sections that changed), status; sections:
    sections, as many of them as fit one message: the page asks again for the others; look: prediction; next: proposal; states:
    states; add_class: status. `error` is there instead when `ok` is false.
    """

    kind: Literal["reply"]
    rid: str
    ok: bool
    ack: NotRequired[Acknowledged]
    sections: NotRequired[list[Section]]
    states: NotRequired[list[SectionState]]
    history: NotRequired[list[StrokeRow]]
    proposal: NotRequired[Proposal | None]
    prediction: NotRequired[Prediction | None]
    status: NotRequired[Status]
    wants: NotRequired[Want]
    error: NotRequired[ErrorInfo]


class PredictionPush(TypedDict):
    """A fresh prediction: of the section on the screen first, of others behind it."""

    kind: Literal["prediction"]
    client: NotRequired[str]
    prediction: Prediction


class ProposalPush(TypedDict):
    """A new ranking: what would be asked next, and how worth asking every section is (0 … 1; null: not ranked)."""

    kind: Literal["proposal"]
    client: NotRequired[str]
    rev: int
    wants: Want
    proposal: Proposal | None
    utilities: list[float | None]


class StatesPush(TypedDict):
    """What the annotator has said elsewhere: in another view, in another window, in Python.

    `states` are the sections that it changed, `history` the events themselves and those that they undid. `seq` is the number of the
    newest event of this page that the states hold (-1: none): older ones say nothing of what this page has done since.
    """

    kind: Literal["states"]
    client: NotRequired[str]
    seq: int
    states: list[SectionState]
    history: list[StrokeRow]


class VisitPush(TypedDict):
    """Somebody wants to see this section: it was chosen in another view, or in Python."""

    kind: Literal["visit"]
    index: int


class VolumeStatusPush(TypedDict):
    """The kernel's push of what is around the section."""

    kind: Literal["status"]
    status: Status
    problem: NotRequired[ProblemInfo]


FROM_PAGE: tuple[Any, ...] = (
    VolumeHello,
    Stroke,
    VolumeAnswer,
    Undo,
    GetSections,
    Look,
    Next,
    Velocity,
    States,
    AddClass,
)
FROM_KERNEL: tuple[Any, ...] = (VolumeReply, PredictionPush, ProposalPush, StatesPush, VisitPush, VolumeStatusPush)


def typescript() -> str:
    """Return ``js/src/volume-wire.ts``."""
    return typescript_of(globals(), "al_widgets.widgets.volume_wire", FROM_PAGE, FROM_KERNEL)


if __name__ == "__main__":
    sys.stdout.write(typescript())
