"""Answers of several annotators as arrays, the form in which the models of this package read a log.

Who may import it: everything in `al_widgets.oracles` and above. Any thread; nothing is changed after it was
made.
"""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.records import Annotation, AnswerKind
from al_widgets.task import check_classes

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

KINDS: tuple[str, ...] = get_args(AnswerKind)
"""Kinds of events that a log may hold."""

UNSURE = -1
"""Class number of an answer "I cannot tell"."""


@dataclass(frozen=True)
class Answers:
    """The answers that count, in the order they were given.

    Attributes
    ----------
    items, annotators, classes : tuple of str
        What the numbers below stand for.
    item, annotator : ndarray (n,) of int
        Who answered what.
    value : ndarray (n,) of int
        Class number, or `UNSURE`.
    elapsed_s, answered_at : ndarray (n,) of float
        Seconds the answer took, and seconds since the epoch; NaN where unknown.
    """

    items: tuple[str, ...]
    annotators: tuple[str, ...]
    classes: tuple[str, ...]
    item: IntArray
    annotator: IntArray
    value: IntArray
    elapsed_s: FloatArray
    answered_at: FloatArray

    def __len__(self) -> int:
        return len(self.item)

    @property
    def is_label(self) -> npt.NDArray[np.bool_]:
        """Which answers name a class, shape (n,)."""
        return self.value >= 0

    def labels_per_item(self) -> IntArray:
        """Count the answers that name a class, shape (n_items,)."""
        return np.bincount(self.item[self.is_label], minlength=len(self.items)).astype(np.intp)

    def unsure_per_item(self) -> IntArray:
        """Count the answers "I cannot tell", shape (n_items,)."""
        return np.bincount(self.item[~self.is_label], minlength=len(self.items)).astype(np.intp)

    def class_numbers(self, known: Mapping[str, Any] | None) -> dict[int, int]:
        """Turn item id → true class into item number → class number; items nobody answered are left out.

        Raises
        ------
        TaskError
            If a known answer is no class.
        """
        number = {name: k for k, name in enumerate(self.classes)}
        position = {name: i for i, name in enumerate(self.items)}
        numbers: dict[int, int] = {}
        for item_id, name in (known or {}).items():
            if str(name) not in number:
                raise TaskError(
                    f"the known answer {name!r} of item {item_id!r} is no class; there are: {list(self.classes)}"
                )
            if str(item_id) in position:
                numbers[position[str(item_id)]] = number[str(name)]
        return numbers


def read_annotations(
    annotations: pd.DataFrame, classes: Sequence[str] | None = None, known: Iterable[Any] = ()
) -> Answers:
    """Read a frame of annotations.

    Parameters
    ----------
    annotations : DataFrame
        One row an event, with columns ``item_id``, ``annotator``, ``value``; used where present: ``kind``
        (label | skip | unsure | undo; without it every row is a label), ``event_id`` and ``target`` (to carry
        out undos), ``query_kind``, ``answered_at`` (orders the events; without it the rows' order counts),
        ``elapsed_s`` (seconds, or timedeltas). ``answered_at`` are seconds since the epoch, datetimes or texts of one; without a time
        zone they are taken for UTC.
    classes : sequence of str, optional
        Class names in the order wanted. Default: the values that occur, sorted.
    known : iterable, optional
        Further class names, for example of gold items, when `classes` is not given.

    Returns
    -------
    Answers

    Raises
    ------
    TaskError
        If a column is missing, an answer lacks item, annotator or value, a value is no class name, a time cannot be read, or an undo
        names no event.

    Notes
    -----
    Undone events and skips drop out. If an annotator answered an item more than once, the newest answer counts (a
    correction), except that later answers to queries of kind ``repeat`` stand beside it: they were asked for as another witness.
    """
    if not hasattr(annotations, "columns"):
        raise TaskError(
            f"annotations must be a DataFrame with a row an answer, not {type(annotations).__name__}; "
            "pandas.read_csv(path) reads one, pandas.DataFrame(rows) makes one"
        )
    missing = [c for c in ("item_id", "annotator", "value") if c not in annotations.columns]
    if missing:
        raise TaskError(
            f"annotations lack the column(s) {', '.join(missing)}; needed are item_id, annotator and value, "
            f"given were {list(map(str, annotations.columns))}"
        )
    frame = annotations.reset_index(drop=True)
    if "kind" in frame.columns:
        unknown = frame.index[~frame["kind"].isin(KINDS)]
        if len(unknown):
            raise TaskError(f"row {unknown[0]} is of kind {frame['kind'][unknown[0]]!r}; there are: {', '.join(KINDS)}")
        frame = _without_undone(frame)
        frame = frame[frame["kind"].isin(["label", "unsure"])]
    _refuse_gaps(frame)
    frame = frame.assign(
        **{name: _seconds(frame[name], name) for name in ("elapsed_s", "answered_at") if name in frame.columns}
    )
    if "answered_at" in frame.columns and not frame["answered_at"].isna().any():
        frame = frame.sort_values("answered_at", kind="stable")
    frame = _newest(frame)

    unsure = (frame["kind"] == "unsure").to_numpy() if "kind" in frame.columns else np.zeros(len(frame), bool)
    values = list(frame["value"])
    for value, is_unsure in zip(values, unsure, strict=True):
        if not is_unsure and (not isinstance(value, str | int | np.integer) or isinstance(value, bool)):
            raise TaskError(
                f"an answer must be a class name, not {type(value).__name__} ({value!r}); "
                "masks and boxes have their own consensus"
            )
    names = (
        _class_names(classes)
        if classes is not None
        else tuple(sorted({str(v) for v, u in zip(values, unsure, strict=True) if not u} | {str(k) for k in known}))
    )
    number = {name: k for k, name in enumerate(names)}
    try:
        value = np.array([UNSURE if u else number[str(v)] for v, u in zip(values, unsure, strict=True)], np.intp)
    except KeyError as error:
        raise TaskError(f"{error.args[0]!r} is no class; there are: {list(names)}") from None
    item, items = _numbers(frame["item_id"])
    annotator, annotators = _numbers(frame["annotator"])
    return Answers(
        items,
        annotators,
        names,
        item,
        annotator,
        value,
        _floats(frame, "elapsed_s"),
        _floats(frame, "answered_at"),
    )


def answers_of(events: Iterable[Annotation], classes: Sequence[str]) -> Answers:
    """Return answers that all count as arrays, in the order given.

    Parameters
    ----------
    events : iterable of Annotation
        Of kind label or unsure; others, and labels that are no class, are left out.
    classes : sequence of str
    """
    number = {name: k for k, name in enumerate(classes)}
    used = [e for e in events if e.kind == "unsure" or (e.kind == "label" and e.value in number)]
    items = {item_id: n for n, item_id in enumerate(dict.fromkeys(e.item_id for e in used))}
    annotators = {name: n for n, name in enumerate(dict.fromkeys(e.annotator for e in used))}
    return Answers(
        tuple(items),
        tuple(annotators),
        tuple(classes),
        np.array([items[e.item_id] for e in used], np.intp),
        np.array([annotators[e.annotator] for e in used], np.intp),
        np.array([UNSURE if e.kind == "unsure" else number[e.value] for e in used], np.intp),
        np.array([np.nan if e.elapsed_s is None else e.elapsed_s for e in used], np.float64),
        np.array([e.answered_at for e in used], np.float64),
    )


def _without_undone(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop events that an undo takes back; undoing an undo is a redo."""
    undos = frame[frame["kind"] == "undo"]
    if undos.empty:
        return frame
    if "event_id" not in frame.columns or "target" not in frame.columns:
        raise TaskError(
            "annotations hold undo events; to carry them out, the columns event_id and target are needed too"
        )
    targets = dict(zip(undos["event_id"], undos["target"], strict=True))
    undone: dict[Hashable, set[Hashable]] = {}
    for event, target in targets.items():
        undone.setdefault(target, set()).add(event)
    alive: dict[Hashable, bool] = {}

    def stands(event: Hashable, path: frozenset[Hashable]) -> bool:
        if event in path:
            raise TaskError(f"undo events name each other in a circle: {event!r}")
        if event not in alive:
            alive[event] = not any(stands(u, path | {event}) for u in undone.get(event, ()))
        return alive[event]

    keep = [stands(event, frozenset()) for event in frame["event_id"]]
    standing: pd.DataFrame = frame[keep]
    return standing


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep an annotator's newest answer to an item, and later repeats that were asked for beside it."""
    if "query_kind" in frame.columns:
        again = (frame["query_kind"] == "repeat").to_numpy()
    else:
        again = np.zeros(len(frame), bool)
    place = np.where(again, -1, np.arange(len(frame)))
    newest = (
        frame.assign(_place=place).groupby(["item_id", "annotator"], sort=False)["_place"].transform("max").to_numpy()
    )
    kept: pd.DataFrame = frame[np.arange(len(frame)) >= newest]
    return kept


def _numbers(column: pd.Series[Any]) -> tuple[IntArray, tuple[str, ...]]:
    """Give names numbers by first appearance."""
    import pandas as pd

    codes, names = pd.factorize(column.astype(str))
    return codes.astype(np.intp), tuple(map(str, names))


def _floats(frame: pd.DataFrame, column: str) -> FloatArray:
    return frame[column].to_numpy(np.float64) if column in frame.columns else np.full(len(frame), np.nan)


def _class_names(classes: Sequence[str]) -> tuple[str, ...]:
    names = classes if isinstance(classes, str) else [str(name) for name in classes]
    check_classes(names)
    return tuple(names)


def _refuse_gaps(frame: pd.DataFrame) -> None:
    """Refuse answers without item or annotator, and labels without a value: none of them is left out in silence."""
    labels = frame["kind"] == "label" if "kind" in frame.columns else np.ones(len(frame), np.bool_)
    for column, needs in (("item_id", True), ("annotator", True), ("value", labels)):
        gaps = frame.index[frame[column].isna() & needs]
        if len(gaps):
            raise TaskError(
                f"{len(gaps)} of {len(frame)} answers have no {column}, the first is row {gaps[0]}; "
                f"leave them out with annotations.dropna(subset=[{column!r}])"
            )


def _seconds(column: pd.Series[Any], name: str) -> FloatArray:
    """Return times as seconds, points in time as seconds since the epoch; NaN where unknown."""
    import pandas as pd

    if pd.api.types.is_timedelta64_dtype(column):
        return np.asarray(column.dt.total_seconds(), np.float64)
    try:
        if pd.api.types.is_numeric_dtype(column) or name != "answered_at":
            return np.asarray(column.to_numpy(np.float64, na_value=np.nan), np.float64)
        if all(isinstance(value, numbers.Real) for value in column.dropna()):
            return np.asarray(column.to_numpy(np.float64, na_value=np.nan), np.float64)
        since = pd.to_datetime(column, utc=True, format="ISO8601") - pd.Timestamp(0, tz="UTC")
        return np.asarray(since.dt.total_seconds(), np.float64)
    except (ValueError, TypeError) as error:
        what = (
            "seconds since the epoch, datetimes or texts like 2024-01-31T12:00:00"
            if name == "answered_at"
            else "seconds"
        )
        raise TaskError(f"{name} must be {what}; {error}") from None
