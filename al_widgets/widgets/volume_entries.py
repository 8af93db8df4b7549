"""A volume, its masks and what the model expects, as the volume widget's page needs them; and events from what it sends."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import MessageError
from al_widgets.pool.payload import display_range, screen_dtype
from al_widgets.readers.volume import Volume
from al_widgets.records import Annotation, Query
from al_widgets.session import VolumeSession
from al_widgets.session.mask_ledger import items_of, part_of, parts_of
from al_widgets.session.regions import RegionQuery
from al_widgets.session.section_maps import SectionMap
from al_widgets.session.volume_readings import is_radar
from al_widgets.task import rle
from al_widgets.widgets.entries import query_of_token, token_of
from al_widgets.widgets.volume_wire import (
    Part,
    Prediction,
    Proposal,
    Section,
    SectionState,
    Stroke,
    StrokeRow,
    VolumeAnswer,
    VolumeInfo,
)

MOST_BYTES = 32 * 2**20
"""Of sections in one message."""
_SAMPLE = 4_000_000


def volume_info(session: VolumeSession) -> VolumeInfo:
    """Return what a page must know of a session's volume before its first pixel."""
    volume = session.volume
    sections, rows, columns = volume.shape
    radar = is_radar(volume)
    array: npt.NDArray[Any] = volume.array
    sample = screen_dtype(array.reshape(-1)[:: max(1, array.size // _SAMPLE)])
    if sample.dtype == np.uint8:
        low, high = 0.0, 255.0 if int(sample.max(initial=0)) > 1 else 1.0
    else:
        low, high = display_range(sample)
    if radar and array.dtype.kind in "if":
        limit = max(abs(low), abs(high))
        low, high = -limit, limit
    axes: Any = volume.axes
    name: Any = sample.dtype.name
    return {
        "name": volume.name,
        "sections": sections,
        "rows": rows,
        "columns": columns,
        "dtype": name,
        "flavour": "radar" if radar else "ct" if _is_ct(volume, sample) else "picture",
        "axes": [
            {"name": a.name, "unit": a.unit, "step": a.step, "origin": a.origin, "ends": ends}
            for a, ends in zip(axes, volume.ends(), strict=True)
        ],
        "lengths": None if volume.lengths is None else list(volume.lengths),
        "low": low,
        "high": high,
        "time_zero": float(min(max(axes[1].index(0.0), 0.0), rows - 1)) if radar else 0.0,
        "velocity_m_per_ns": session.velocity_m_per_ns,
    }


def _is_ct(volume: Volume, sample: npt.NDArray[Any]) -> bool:
    """Say whether values are Hounsfield units: the file says so, or they are signed and reach from air to bone."""
    modality = volume.metadata.get("modality")
    if modality:
        return bool(modality == "CT")
    return (
        volume.affine is not None
        and sample.dtype.kind in "if"
        and bool(np.nanmin(sample) <= -900)
        and bool(np.nanmax(sample) >= 200)
    )


def section_bytes(section: npt.NDArray[Any], low: float) -> bytes:
    """Return a section for the screen: little-endian, rows first; NaN becomes `low`."""
    array: npt.NDArray[Any] = screen_dtype(section)
    if array.dtype.kind == "f":
        array = np.nan_to_num(array, nan=low)
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def sections_of(session: VolumeSession, item_ids: Sequence[str], low: float) -> tuple[list[Section], list[bytes]]:
    """Return as many of the sections as fit one message, at least one, and their bytes.

    Raises
    ------
    UnknownItemError
        If there is no such section.
    """
    found: list[Section] = []
    buffers: list[bytes] = []
    for item_id in item_ids:
        index, section = session.pool.index(item_id), session.pool.image(item_id)
        data = section_bytes(section, low)
        if buffers and sum(map(len, buffers)) + len(data) > MOST_BYTES:
            break
        rows, columns = section.shape
        found.append({"item_id": item_id, "index": index, "rows": rows, "columns": columns, "buffer": len(buffers)})
        buffers.append(data)
    return found, buffers


def prediction_of(item_id: str, index: int, found: SectionMap, first: int = 0) -> tuple[Prediction, list[bytes]]:
    """Return what the model expects of a section, and its two buffers; `first` is the number of the first one."""
    rows, columns = found.classes.shape
    return {
        "item_id": item_id,
        "index": index,
        "round": found.round,
        "strokes": found.version,
        "stride": 1,
        "rows": rows,
        "columns": columns,
        "classes_buffer": first,
        "doubt_buffer": first + 1,
    }, [found.classes.tobytes(), found.doubt.tobytes()]


# ---- what was said -------------------------------------------------------------------------------------------


def states_of(session: VolumeSession, item_ids: Sequence[str] = ()) -> list[SectionState]:
    """Return what the annotator has said of sections; of all of which anything was said by default."""
    who = session.annotator
    with session.lock:
        wanted = item_ids or session.said_by(who)
        for item_id in wanted:
            session.pool.index(item_id)
        of = session.ledger_of
        said = [(i, of(i).painted(i, who), of(i).answers(i).get(who)) for i in wanted]
    states: list[SectionState] = []
    for item_id, mask, answer in said:  # encoding takes a while: not under the lock
        rest = answer.value["rest"] if answer is not None and answer.kind == "label" else None
        kind: Any = "" if answer is None else answer.kind
        parts: Any = parts_of(item_id, mask)
        states.append(
            {
                "item_id": item_id,
                "parts": parts,
                "finished": kind == "label",
                "rest": None if rest is None else session.task.classes.index(rest),
                "answer": kind,
                "measures": kind == "label" and session.is_kept_aside(item_id),
            }
        )
    return states


def history_of(session: VolumeSession, limit: int) -> list[StrokeRow]:
    """Return the annotator's newest events that can be undone, newest last."""
    with session.lock:
        return rows_of(session, session.events_of(session.annotator)[-limit:])


def rows_of(session: VolumeSession, events: Iterable[Annotation]) -> list[StrokeRow]:
    """Return events that can be undone as rows of the page's history."""
    rows: list[StrokeRow] = []
    with session.lock:
        for e in events:
            kind: Any = e.kind
            stroke = e.kind == "stroke"
            rows.append(
                {
                    "event_id": e.event_id,
                    "item_id": e.item_id,
                    "kind": kind,
                    "tool": e.value["tool"] if stroke else None,
                    "items": items_of(e) if stroke else [e.item_id],
                    "answered_at_ms": e.answered_at * 1000,
                    "undone": not session.ledger_of(e.item_id).stands(e.event_id),
                }
            )
    return rows


def _timed(message: Any) -> dict[str, Any]:
    """Return the fields of an event that strokes and answers have in common."""
    return {
        "event_id": message["event_id"],
        "item_id": message["item_id"],
        "client": message["client"],
        "seq": message["seq"],
        "elapsed_s": max(0.0, message["elapsed_ms"] / 1000),
        "shown_at": message["shown_at_ms"] / 1000,
        "answered_at": message["answered_at_ms"] / 1000,
        "model_shown": message["model_shown"],
    }


def _asked(message: Any, session: VolumeSession) -> dict[str, Any]:
    """Return what was asked; what is said of a trial is marked, whatever the page knows of it."""
    asked = query_of_token(message["token"])
    return asked if session.trial(message["item_id"]) is None else {**asked, "query_kind": "injected"}


def stroke_of(message: Stroke, session: VolumeSession) -> Annotation:
    """Return the event of a stroke."""
    value = session.task.validate_stroke(message["value"])
    asked = _asked(message, session)
    return Annotation(annotator=session.annotator, kind="stroke", value=value, **_timed(message), **asked)


def answer_of(message: VolumeAnswer, session: VolumeSession) -> Annotation:
    """Return the event of an answer to a section, or to a region.

    Raises
    ------
    MessageError
        If a finished section lacks what its rest is, or the token is not that of the region.
    """
    given = message["region"]
    if given is None:
        value = None
        if message["answer"] == "label":
            if message["finished"] is None:
                raise MessageError("answer.finished: a label says what the rest of the section is")
            value = session.task.validate(message["finished"])
        asked, kind = _asked(message, session), message["answer"]
        return Annotation(
            annotator=session.annotator, kind=kind, value=value, note=message["note"], **_timed(message), **asked
        )
    region = read_region(message["token"], given["region_id"], session)
    judged = given["value"] if message["answer"] == "label" else None
    note = message["note"] or ("" if message["answer"] == "label" else message["answer"])
    event = Annotation(
        annotator=session.annotator,
        kind="stroke",
        value=session.region_stroke(region, judged),
        note=note,
        **_timed(message),
        strategy=region.query.strategy,
        utility=region.query.utility,
        round=region.query.round,
    )
    return replace(event, item_id=region.query.item_id)


# ---- what is asked -------------------------------------------------------------------------------------------


def section_proposal(session: VolumeSession, query: Query) -> Proposal:
    """Return the proposal of a section."""
    return {
        "item_id": query.item_id,
        "index": session.pool.index(query.item_id),
        "token": token_of(query),
        "strategy": session.strategy,  # the session's, also for audits and trials: they are served unmarked
        "reason": query.reason,
        "round": query.round,
        "region": None,
        "probabilities": [{"name": name, "p": p} for name, p in query.probabilities],
    }


def region_proposal(session: VolumeSession, region: RegionQuery) -> Proposal:
    """Return the proposal of a region; its token holds its voxels, so that an answer outlives the kernel that asked."""
    parts: list[Part] = []
    for index in np.unique(region.voxels[0]):
        item_id = session.pool.item_ids[int(index)]
        part: Any = part_of(item_id, region.mask_of(int(index), session.volume.shape[1:]), 1)
        parts.append(part)
    query = region.query
    fields = [query.item_id, query.utility, query.round, region.region_id, list(region.box), region.probability, parts]
    return {
        "item_id": query.item_id,
        "index": session.pool.index(query.item_id),
        "token": base64.urlsafe_b64encode(zlib.compress(json.dumps(fields).encode())).decode(),
        "strategy": query.strategy,
        "reason": query.reason,
        "round": query.round,
        "region": {
            "region_id": region.region_id,
            "box": list(region.box),
            "parts": parts,
            "p": region.probability,
        },
        "probabilities": [],
    }


def read_region(token: str, region_id: str, session: VolumeSession) -> RegionQuery:
    """Return the region of a token.

    Raises
    ------
    MessageError
        If it is not the token of that region, or its voxels lie outside the volume.
    """
    try:
        text = zlib.decompressobj().decompress(base64.urlsafe_b64decode(token.encode()), _LONGEST_TOKEN)
        item_id, utility, round_, named, box, probability, parts = json.loads(text)
        checked = session.task.validate_stroke({"tool": "region", "parts": parts, "shape": {"points": []}})
        query = Query(str(item_id), "region", float(utility), None, int(round_))
        a, b, c, d, e, f = (int(n) for n in box)
        region = RegionQuery(
            query, str(named), (a, b, c, d, e, f), _voxels(checked["parts"], session), float(probability)
        )
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error, zlib.error) as error:
        raise MessageError(f"answer.token: this is not the token of {region_id!r:.60}: {error}") from error
    if region.region_id != region_id:
        raise MessageError(f"answer.token: it belongs to {region.region_id!r:.60}, not to {region_id!r:.60}")
    return region


_LONGEST_TOKEN = 16 * 2**20


def _voxels(
    parts: Sequence[dict[str, Any]], session: VolumeSession
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    found = []
    _, rows, columns = session.volume.shape
    for part in parts:
        top, left, height, width = part["box"]
        if top + height > rows or left + width > columns:
            raise ValueError(f"the box {part['box']} lies outside the volume")
        y, x = np.nonzero(rle.decode({"size": [height, width], "counts": part["runs"]}))
        found.append(np.stack([np.full(y.size, session.pool.index(part["item_id"])), y + top, x + left]))
    sections, y, x = np.concatenate(found, axis=1).astype(np.intp)
    return sections, y, x
