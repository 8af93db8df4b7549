"""What the answers add up to: labels, consensus, reliability, and what is in question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from al_widgets.session import frames, reviewing
from al_widgets.session.consensus import Agreed, Witnesses, agree, merged
from al_widgets.session.label_export import export_labels
from al_widgets.session.ledger import Label
from al_widgets.session.reading_base import ReadingBase
from al_widgets.session.reviewing import Doubt

if TYPE_CHECKING:
    import pandas as pd

    from al_widgets.oracles.fatigue import BreakAdvice


class AgreedReadings(ReadingBase):
    """The readings of what annotators agree on."""

    _merged: tuple[Agreed, int, dict[str, Label]] | None = None
    _alone: tuple[Agreed, int] | None = None
    _doubts: tuple[tuple[int, int, int, int], list[Doubt]] | None = None

    def labels(self) -> pd.DataFrame:
        """One row an item that has a label: item_id, label, confidence, n_annotations, audit."""
        with self._lock:
            self._sync()
            return frames.labels_frame(self._labels(), self._ids, self._reserve_ids)

    def export(self, path: str | Path, format: str | None = None) -> Path:  # noqa: A002 - the word users look for
        """Write the labels for other programs; `al_widgets.export` reads them back.

        Parameters
        ----------
        path : path
            A ``.csv`` file, or a folder.
        format : {"csv", "folders"}, optional
            Default: by the suffix. ``"csv"``: the table of `labels`. ``"folders"``: the labelled pictures, copied into one folder
            a class; the folder must be new or empty.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        SessionError
            If the format is not known.
        TaskError
            If the folder holds something.
        """
        return export_labels(path, self.labels(), self._pool, format)

    def consensus(self) -> pd.DataFrame:
        """Return what the annotations add up to: item_id, label, confidence, n_annotations, then one column a class.

        Several annotators are weighed by their reliability, and where the model is sure it has a say; audit items are judged by
        people alone. Answers newer than the last training count as votes. See `al_widgets.oracles.consensus`.
        """
        with self._lock:
            self._sync()
            labels, result = self._labels(), self._rounds.agreed.result
        return frames.consensus_frame(labels, result, self._task.classes)

    def reliability(self, level: float = 0.9) -> pd.DataFrame:
        """Return how accurate each annotator was at each answer, and now: annotator, n, answered_at, accuracy, low, high.

        A single annotator whom nothing checks is judged by a model that never saw the answer in question.

        Parameters
        ----------
        level : float
            Of the interval from low to high.
        """
        from al_widgets.oracles import reliability_frame

        result = self._judged().result
        return frames.reliability_frame(None if result is None else reliability_frame(result, level))

    def review(self) -> pd.DataFrame:
        """One row a label in question, worst first: item_id, label, confidence, n_annotations, agreement, predicted, p_label, doubt, why.

        In question is where annotators contradict each other, or where a model that never saw the label is rather sure of another
        class; about audit items the model has no say. An answer given in review settles an item.
        """
        return reviewing.frame(self.doubts())

    def doubts(self) -> list[Doubt]:
        """Return the rows of `review` as records; none for tasks without one class an item."""
        if self._task.kind != "classification":
            return []
        features = self._rounds.features
        rows, matrix = (np.empty(0, np.intp), np.empty((0, 0))) if features is None else features
        with self._lock:
            self._sync()
            key = (len(self._ledger), self._rounds.agreed.version, len(rows), len(self._problems))
            if self._doubts is not None and self._doubts[0] == key:
                return self._doubts[1]
            labels = {i: v for i, v in self._labels().items() if i in self._row and i not in self._problems}
            answers = {i: self._ledger.witnesses(i) for i in labels}
            row = {i: self._row[i] for i in labels}
        found = reviewing.doubtful(
            labels,
            answers,
            classes=self._task.classes,
            reserve=frozenset(self._reserve_ids),
            row=row,
            rows=rows,
            features=matrix,
        )
        self._doubts = (key, found)
        return found

    def breaks(self) -> list[BreakAdvice]:
        """Return, for each annotator, whether a break would do good: accuracy or pace that turned, and the figures."""
        from al_widgets.oracles import advise_breaks

        result = self._judged().result
        return [] if result is None else list(advise_breaks(result))

    def uninformative_annotators(self) -> dict[str, str]:
        """Return annotator → why their answers teach nothing: one class for everything, or no better than chance; else empty."""
        return idle_annotators(self._judged())

    def _labels(self) -> dict[str, Label]:
        """Return the label of every item that has one, not to be changed; the caller holds the lock."""
        agreed = self._rounds.agreed
        if agreed.result is None:
            return self._ledger.labels
        known = self._merged
        if known is None or known[0] is not agreed or known[1] != len(self._ledger):
            labels = merged(self._ledger.labels, self._ledger.witnesses, agreed)
            known = self._merged = (agreed, len(self._ledger), labels)
        return known[2]

    def _witnesses(self) -> Witnesses | None:
        """Return what a consensus is computed from, None for tasks that have none; the caller holds the lock."""
        if self._task.kind != "classification":
            return None
        answers = [e for item_id in self._ledger.answered() for e in self._ledger.witnesses(item_id)]
        answers.sort(key=lambda e: (e.answered_at, e.client, e.seq))
        row = {e.item_id: self._row[e.item_id] for e in answers if e.item_id in self._row}
        return Witnesses(
            len(self._ledger),
            tuple(e for e in answers if e.kind != "skip"),
            self._task.classes,
            row,
            frozenset(i for i in row if i in self._reserve_ids),
            self._asking.gold,
        )

    def _judged(self) -> Agreed:
        """Return the newest fit, made now where the trainer had no reason to make one; the caller must not hold the lock."""
        agreed = self._rounds.agreed
        if agreed.result is not None:
            return agreed
        features = self._rounds.features
        rows, matrix = (np.empty(0, np.intp), np.empty((0, 0))) if features is None else features
        with self._lock:
            self._sync()
            known, witnesses = self._alone, self._witnesses()
        if witnesses is None:
            return agreed
        if known is None or known[0].version != witnesses.version or known[1] != len(rows):
            found = agree(witnesses, rows, matrix, None if known is None else known[0], always=True)
            known = self._alone = (found, len(rows))
        return known[0]


def idle_annotators(agreed: Agreed) -> dict[str, str]:
    """Return annotator → why their answers teach nothing."""
    from al_widgets.oracles import uninformative_annotators

    return {} if agreed.result is None else uninformative_annotators(agreed.result)
