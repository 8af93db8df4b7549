"""Messages between the page and the kernel, written once.

``python -m al_widgets.widgets.wire`` prints ``js/src/wire.ts``; a test compares the two. Field names are the
same in Python, message, column and DOM. A message from the page carries ``rid`` (never ``id``: ipykernel
7.4.0 reroutes on that name); its reply carries the same ``rid``. The ``rid`` of an answer or undo is its
``event_id``, also when it is sent again. Times are milliseconds on the wire (``…_ms``), times of day
milliseconds since the epoch.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import (
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)


class Probability(TypedDict):
    """The model's opinion of one class."""

    name: str
    p: float


class ImageInfo(TypedDict):
    """How to show the bytes of one buffer (see `al_widgets.records.Payload`); buffer -1: the page has them."""

    buffer: int
    encoding: Literal["file", "raw"]
    mime: str
    dtype: str
    width: int
    height: int
    channels: int
    native_width: int
    native_height: int
    low: float
    high: float


class Entry(TypedDict):
    """One item in the page's window. `token` is opaque: it goes back with the answer."""

    item_id: str
    token: str
    strategy: str
    reason: str
    round: int
    probabilities: list[Probability]
    image: ImageInfo


class Counts(TypedDict):
    """Of the whole pool, and of this annotator."""

    total: int
    labelled: int
    skipped: int
    unsure: int
    problems: int
    mine: int


class Speed(TypedDict):
    """Pace of this annotator over the last answers; null before there is one."""

    median_s: float | None
    per_minute: float | None


class Progress(TypedDict):
    """Progress of long work behind the scenes, for example encoding."""

    what: str
    done: int
    total: int


class ProblemInfo(TypedDict):
    """One line of the problem strip. `severity` error stays until it is dismissed, info goes by itself."""

    severity: Literal["error", "warning", "info"]
    message: str
    item_id: NotRequired[str]


class Status(TypedDict):
    """What is shown around the picture. `state` is the kernel's; the page adds `offline` itself."""

    rev: int
    state: Literal["cold", "ready", "waiting", "done"]
    message: str
    counts: Counts
    speed: Speed
    classes: list[str]
    training: Literal["idle", "running", "failed"]
    round: int
    trained_labels: int
    progress: list[Progress]
    store: str


class HistoryRow(TypedDict):
    """One answer of this annotator that stands (or was undone), newest last."""

    event_id: str
    item_id: str
    kind: Literal["label", "skip", "unsure"]
    value: str | None
    note: str
    answered_at_ms: float
    undone: bool


# ---- from the page --------------------------------------------------------------------------------------


class Hello(TypedDict):
    """First message of a page, and again after a lost connection.

    `replaces` are clients of this tab that are gone.
    """

    kind: Literal["hello"]
    rid: str
    client: str
    replaces: list[str]
    have: list[str]
    want: int


class Answer(TypedDict):
    """One answer. ``event_id`` is ``"<client>-<seq>"``."""

    kind: Literal["answer"]
    rid: str
    client: str
    seq: int
    event_id: str
    item_id: str
    answer: Literal["label", "skip", "unsure"]
    value: str | None
    note: str
    token: str
    elapsed_ms: float
    shown_at_ms: float
    answered_at_ms: float
    model_shown: bool
    have: list[str]
    want: int


class Undo(TypedDict):
    """Take back the event `target`; undoing an undo is a redo."""

    kind: Literal["undo"]
    rid: str
    client: str
    seq: int
    event_id: str
    target: str
    item_id: str
    answered_at_ms: float


class Refill(TypedDict):
    """Ask for more items; the page holds `have` and wants `want` in all."""

    kind: Literal["refill"]
    rid: str
    client: str
    have: list[str]
    want: int


class Show(TypedDict):
    """Ask for one item again, to look at it or to relabel it."""

    kind: Literal["show"]
    rid: str
    client: str
    item_id: str


class History(TypedDict):
    """Ask for this annotator's newest `limit` answers."""

    kind: Literal["history"]
    rid: str
    client: str
    limit: int


class AddClass(TypedDict):
    """Add a class while labeling."""

    kind: Literal["add_class"]
    rid: str
    client: str
    name: str


class BadImage(TypedDict):
    """The browser could not decode what it was sent: set the item aside."""

    kind: Literal["bad_image"]
    rid: str
    client: str
    item_id: str
    reason: str


# ---- from the kernel ------------------------------------------------------------------------------------


class Acknowledged(TypedDict):
    """The event is on the disk. `durable_ms` is the time the kernel took for it."""

    event_id: str
    duplicate: bool
    durable_ms: float


class ErrorInfo(TypedDict):
    """Why a request failed. `retry` says whether sending the same again may help (locked, disk full)."""

    type: str
    message: str
    retry: bool


class Reply(TypedDict):
    """Answer to a request; entries' pixels are in the message's buffers.

    Fields by request: hello, refill: entries, status, history (hello only); answer, undo: ack, status;
    show: entries (one); history: history; add_class: status. `error` is there instead when `ok` is false.
    """

    kind: Literal["reply"]
    rid: str
    ok: bool
    ack: NotRequired[Acknowledged]
    entries: NotRequired[list[Entry]]
    history: NotRequired[list[HistoryRow]]
    status: NotRequired[Status]
    error: NotRequired[ErrorInfo]


class Queue(TypedDict):
    """The kernel's push: a new ranking or more items.

    `entries` follow what is on the screen. With `replace` they take the place of everything that is not on
    the screen and not held in `keep`; else they are added. `drop` are items that someone else answered. With
    `client` it is for that page alone: what a widget sends reaches all pages that show it.
    """

    kind: Literal["queue"]
    client: NotRequired[str]
    rev: int
    replace: bool
    keep: list[str]
    drop: list[str]
    entries: list[Entry]


class StatusPush(TypedDict):
    """The kernel's push of what is around the picture."""

    kind: Literal["status"]
    status: Status
    problem: NotRequired[ProblemInfo]


FROM_PAGE: tuple[Any, ...] = (Hello, Answer, Undo, Refill, Show, History, AddClass, BadImage)
FROM_KERNEL: tuple[Any, ...] = (Reply, Queue, StatusPush)


# ---- the same in TypeScript -----------------------------------------------------------------------------

LINE = 110
"""Characters of a line, as in js/biome.json."""

_SCALARS: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _typescript_type(hint: Any) -> str:
    """Name a Python type of this module in TypeScript."""
    origin = get_origin(hint)
    if origin is NotRequired:
        return _typescript_type(get_args(hint)[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in get_args(hint))
    if origin in (Union, types.UnionType):
        return " | ".join(_typescript_type(part) for part in get_args(hint))
    if origin is list:
        inner = _typescript_type(get_args(hint)[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if is_typeddict(hint):
        return str(hint.__name__)
    return _SCALARS[hint]


def _interface(record: Any) -> str:
    """Write one TypedDict as an exported interface, its docstring as comment."""
    doc = [line.strip() for line in (record.__doc__ or "").strip().splitlines()]
    comment = f"/** {doc[0]} */" if len(doc) == 1 else "\n".join(["/**", *(f" * {d}".rstrip() for d in doc), " */"])
    hints = get_type_hints(record, include_extras=True)
    fields = [
        _line("  ", f"{name}{'?' if get_origin(hint) is NotRequired else ''}:", _typescript_type(hint))
        for name, hint in hints.items()
    ]
    return "\n".join([comment, f"export interface {record.__name__} {{", *fields, "}"])


def _line(indent: str, head: str, body: str) -> str:
    """Write ``head body;`` as the formatter would: a union on one line where that is short enough."""
    line = f"{indent}{head} {body};"
    if len(line) <= LINE:
        return line
    return "\n".join([indent + head, *(f"{indent}  | {member}" for member in body.split(" | "))]) + ";"


def typescript_of(names: Mapping[str, Any], module: str, from_page: Sequence[Any], from_kernel: Sequence[Any]) -> str:
    """Return TypeScript of a module of messages: every TypedDict of it as an interface, and the two unions.

    Parameters
    ----------
    names : mapping of str to Any
        The module's ``globals()``; records of this one that it names are imported from ``wire.ts``.
    module : str
    from_page, from_kernel : sequence of TypedDict

    Returns
    -------
    str
        Source text, ending in a newline.
    """
    own = [value for value in names.values() if is_typeddict(value) and value.__module__ == names["__name__"]]
    named = (*from_page, *from_kernel, *(record for one in own for record in _named(one)))
    shared = sorted({record.__name__ for record in named if record not in own})
    listing = "{\n" + "".join(f"  {name},\n" for name in shared) + '} from "./wire";'
    unions = (("FromPage", from_page), ("FromKernel", from_kernel))
    return (
        "\n\n".join(
            [
                f"// Generated by `python -m {module}`; do not edit.",
                *([f"import type {listing}"] if shared else []),
                *(_interface(record) for record in own),
                *(
                    _line("", f"export type {name} =", " | ".join(m.__name__ for m in members))
                    for name, members in unions
                ),
            ]
        )
        + "\n"
    )


def _named(record: Any) -> Iterator[Any]:
    """Yield the TypedDicts that the fields of a TypedDict name."""
    pending = list(get_type_hints(record).values())
    while pending:
        hint = pending.pop()
        if is_typeddict(hint):
            yield hint
        else:
            pending += get_args(hint)


def typescript() -> str:
    """Return ``js/src/wire.ts``."""
    return typescript_of(globals(), "al_widgets.widgets.wire", FROM_PAGE, FROM_KERNEL)


if __name__ == "__main__":
    sys.stdout.write(typescript())
