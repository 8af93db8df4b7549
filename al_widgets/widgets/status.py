"""What is shown around the picture, as one message part."""

from __future__ import annotations

from typing import Literal

from al_widgets.session import Session
from al_widgets.widgets.wire import Progress, Status


def status_of(session: Session, rev: int, *, has_items: bool) -> Status:
    """Return the status of a session for one annotator's pages.

    Parameters
    ----------
    has_items : bool
        Whether a page still has items to answer.
    """
    counts = session.counts()
    snapshot = session.snapshot
    modelled = snapshot if snapshot is not None and snapshot.learner is not None else None
    message = ""
    state: Literal["cold", "ready", "waiting", "done"]
    if not has_items:
        state, message = session.idle()
    elif modelled is None:
        state = "cold"
        message = session.cold_start
    else:
        state = "ready"
    median_s, per_minute = session.pace()
    progress: list[Progress] = []
    if session.encoding_progress is not None:
        done, total = session.encoding_progress
        progress.append({"what": f"Reading {session.terms.pool} for the model", "done": done, "total": total})
    training = session.training
    return {
        "rev": rev,
        "state": state,
        "message": session.closed or message,
        "counts": {
            "total": counts["total"],
            "labelled": counts["labelled"],
            "skipped": counts["skipped"],
            "unsure": counts["unsure"],
            "problems": counts["problems"],
            "mine": counts["mine"],
        },
        "speed": {"median_s": median_s, "per_minute": per_minute},
        "classes": list(session.task.classes),
        "training": "running" if training == "running" else "failed" if training == "failed" else "idle",
        "round": 0 if modelled is None else modelled.round,
        "trained_labels": 0 if modelled is None else modelled.n_trained,
        "progress": progress,
        "store": session.store.location,
    }
