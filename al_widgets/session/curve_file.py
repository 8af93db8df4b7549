"""The file that lets a simulation go on where it stopped: one JSON line a curve, appended when the curve is done.

Imported by `simulation`; written by one process.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Self

import numpy as np

from al_widgets.errors import SessionError
from al_widgets.strategies import Strategy

Points = list[tuple[int, float, float]]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class CurveFile:
    """Curves that are done, by experiment, strategy and seed.

    Parameters
    ----------
    path : str or Path or None
        Made when it is not there; None keeps nothing.
    experiment : str
        Fingerprint of everything that all curves share.

    Raises
    ------
    SessionError
        If the file holds something else.
    """

    def __init__(self, path: str | Path | None, experiment: str) -> None:
        self._path = None if path is None else Path(path)
        self._experiment = experiment
        self._done: dict[tuple[str, int], Points] = {}
        if self._path is not None and self._path.is_dir():
            raise SessionError(f"resume is a file of curves, and {self._path} is a folder; name a file in it")
        if self._path is not None and self._path.exists():
            self._read(self._path)

    @classmethod
    def nowhere(cls) -> Self:
        """Return a file that keeps nothing."""
        return cls(None, "")

    def curve(self, strategy: Strategy, seed: int) -> Points | None:
        """Return the points of a curve that is done, else None."""
        return self._done.get((named(strategy), int(seed)))

    def add(self, strategy: Strategy, seed: int, points: Points) -> None:
        """Keep a curve: one line in one write, so that a killed process leaves at most one line that is no JSON."""
        if self._path is None:
            return
        row = {"experiment": self._experiment, "strategy": named(strategy), "seed": int(seed), "points": points}
        with self._path.open("a+b") as file:
            size = file.seek(0, 2)
            if size:
                file.seek(size - 1)
                broken = file.read(1) != b"\n"
            else:
                broken = False
            file.write((b"\n" if broken else b"") + json.dumps(row).encode() + b"\n")

    def _read(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                mine = row["experiment"] == self._experiment
                points = [(int(n), float(a), float(c)) for n, a, c in row["points"]]
                key = (str(row["strategy"]), int(row["seed"]))
            except (ValueError, KeyError, TypeError) as error:
                if number == 1:
                    raise SessionError(
                        f"{path} holds no curves of a simulation; give resume= another file, or delete it"
                    ) from error
                continue  # a line that was being written when the process died
            if mine:
                self._done[key] = points


def named(thing: Any) -> str:
    """Return a name with all settings that a representation shows, the same in every process."""
    return f"{getattr(thing, 'name', '')} {_ADDRESS.sub('', repr(thing))}".strip()


def fingerprint(experiment: Any, learner: Any) -> str:
    """Return a digest of all that the curves of an experiment share: features, truth, settings, learner, kind of oracle.

    Parameters
    ----------
    experiment : dataclass with features, truth, classes and settings
    learner : object
        As for `simulate`; told apart by its representation.
    """
    digest = hashlib.sha256()
    for array in (experiment.features, experiment.truth):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    settings = [experiment.classes, experiment.limit, experiment.batch_size, experiment.holdout]
    settings += [experiment.seconds_per_label, named(experiment.oracle), named(learner)]
    digest.update(repr(settings).encode())
    return digest.hexdigest()
