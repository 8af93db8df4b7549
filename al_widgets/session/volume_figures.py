"""Figures of a session on a volume: labels, Dice and average precision on audit sections, time. `VolumeSession` inherits these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.records import Advice, Annotation, Estimate, Forecast, Terms
from al_widgets.session.section_maps import SectionMap
from al_widgets.session.trial_pictures import is_trial_id
from al_widgets.session.volume_readings import VolumeReadings
from al_widgets.session.volume_rounds import consensus_of
from al_widgets.task.strokes import IGNORE, UNLABELLED

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.uint8]


class VolumeFigures(VolumeReadings):
    """The figures of a `VolumeSession`."""

    _precision: tuple[int, Estimate] | None = None

    def labels(self) -> pd.DataFrame:
        """One row a finished section: item_id, label (classes that occur), confidence, n_annotations, audit, labelled, classes.

        `confidence` is the share of pixels labelled by two or more annotators on which all of them agree, 1 where there are
        none; `labelled` the share of pixels that has a class; `classes` the label as a tuple.
        """
        import pandas as pd

        rows = []
        with self._lock:
            self._sync()
            finished = dict(self._ledger.labels)
        for item_id in (i for i in self._ids if i in finished):
            with self._lock:
                masks = np.stack([self._ledger.mask(item_id, who) for who in self._ledger.annotators(item_id)])
            mask = consensus_of(list(masks), len(self._task.classes))
            names = [self._task.classes[v] for v in np.unique(mask) if v < IGNORE]
            said = (masks < IGNORE).sum(axis=0) > 1
            low, high = np.where(masks < IGNORE, masks, 255).min(axis=0), np.where(masks < IGNORE, masks, 0).max(axis=0)
            agreed = float((low == high)[said].mean()) if said.any() else 1.0
            share = float((mask < IGNORE).mean())
            n = finished[item_id].n_annotations
            rows.append((item_id, ", ".join(names), agreed, n, item_id in self._reserve_ids, share, tuple(names)))
        columns = ["item_id", "label", "confidence", "n_annotations", "audit", "labelled", "classes"]
        return pd.DataFrame(rows, columns=columns)

    def consensus(self) -> pd.DataFrame:
        """Return what the annotations of finished sections add up to: item_id, label, confidence, n_annotations, a column a class.

        A class' column is its share of the labelled pixels in the consensus of all annotators; see `mask` for the pixels.
        """
        frame = self.labels()[["item_id", "label", "confidence", "n_annotations"]]
        for number, name in enumerate(self._task.classes):
            masks = (self.mask(item_id) for item_id in frame.item_id)
            shares = [float((m == number).sum() / max(int((m < IGNORE).sum()), 1)) for m in masks]
            # A class may be called like one of our columns.
            frame.insert(len(frame.columns), name, shares, allow_duplicates=True)
        return frame

    def cross_validation(self) -> Estimate:
        """Say that there is none: a pixel's neighbours are in every fold, so that each would be told its own answer."""
        why = "Masks are not cross-validated: neighbouring pixels would tell each other's answers. See mask_accuracy()."
        return Estimate(None, None, None, 0, "", why)

    def draw_alike(self, holder: str, n: int, *, name: str | None = None, have: Sequence[str] = ()) -> Any:
        """Refuse: sections hold several classes, and are not confirmed by the sheet.

        Raises
        ------
        SessionError
        """
        del holder, n, name, have
        raise SessionError(
            "sections of a volume are not confirmed by the sheet; ask regions instead: session.regions()"
        )

    @property
    def accuracy(self) -> Estimate:
        """Dice of the present model on finished audit sections, all classes but the first, with an interval over sections."""
        from al_widgets.evaluation.masks import foreground_dice

        pairs, why = self._audited()
        if why:
            return Estimate(None, None, None, len(pairs), "", why)
        predicted, truth, _ = _padded(pairs)
        return foreground_dice(predicted, truth, seed=self.seed)

    @property
    def certified(self) -> Estimate:
        """Say that there is none: a Dice coefficient of a handful of sections is no share of independent answers."""
        why = "Nothing is certified of masks: a Dice coefficient is no share of independent answers."
        return Estimate(None, None, None, 0, "", why)

    def _certified_path(self) -> list[Estimate]:
        return [self.certified] * len(self._past)

    def mask_accuracy(self) -> pd.DataFrame:
        """Figures of the present model on finished audit sections: figure, class, value, low, high, n, method, why.

        ``"dice"`` of each class and of all but the first; ``"average precision"`` of voxels being anything but the first.
        """
        import pandas as pd

        from al_widgets.evaluation.masks import average_precision, dice

        columns = ["figure", "class", "value", "low", "high", "n", "method", "why"]
        pairs, why = self._audited()
        found: list[tuple[str, str, Estimate]] = [("dice", "", self.accuracy)]
        if not why:
            predicted, truth, scores = _padded(pairs)
            found += [
                ("dice", name, dice(predicted, truth, n, seed=self.seed)) for n, name in enumerate(self._task.classes)
            ]
            found.append(("average precision", "", average_precision(scores, truth, seed=self.seed)))
        rows = [(f, name, e.value, e.low, e.high, e.n, e.method, e.why) for f, name, e in found]
        return pd.DataFrame(rows, columns=columns)

    def alarm_accuracy(self, halo_m: float = 0.25) -> pd.DataFrame:
        """Return detection probability against false alarms a square metre, of the present model on finished audit sections.

        One row a threshold, the strictest first: confidence (of alarms that are raised), detected, detected_low, detected_high,
        false_alarms_per_m2, false_low, false_high, n_targets, n_sections. An alarm is a peak of the probability of an object along
        a section; one within `halo_m` of an object's middle detects it. Empty while no audit section tells.

        Parameters
        ----------
        halo_m : float
            In metres.

        Raises
        ------
        SessionError
            If sections and their columns are not a length apart.
        """
        import pandas as pd

        from al_widgets.evaluation.detection import section_detection

        across, _, along = self.volume.axes
        if not (across.unit == along.unit == "m" and across.step and along.step):
            raise SessionError(
                f"alarms a square metre need spacings in metres, not {across.step:g} {across.unit or 'without a unit'} between "
                f"sections and {along.step:g} {along.unit or 'without a unit'} along them: al.read(path, …) takes them"
            )
        columns = ["confidence", "detected", "detected_low", "detected_high"]
        columns += ["false_alarms_per_m2", "false_low", "false_high", "n_targets", "n_sections"]
        pairs, why = self._audited()
        if why:
            return pd.DataFrame(columns=columns)
        truths = [(mask > 0) & (mask < IGNORE) for _, mask in pairs]
        scores = [found.foreground[:, : mask.shape[1]] / 255 for found, mask in pairs]
        curve = section_detection(
            list(zip(scores, truths, strict=True)), dx_m=abs(along.step), line_m=abs(across.step), halo_m=halo_m
        )
        n_targets = curve.detection[0].n if curve.detection else 0
        rows = [
            (t, d.value, d.low, d.high, f.value, f.low, f.high, n_targets, len(pairs))
            for t, d, f in zip(curve.thresholds, curve.detection, curve.false_alarms_per_m2, strict=True)
        ]
        return pd.DataFrame(rows, columns=columns)

    def _audited(self) -> tuple[list[tuple[SectionMap, Mask]], str]:
        """Return the opinion and the truth of each finished audit section, and why there is no figure."""
        with self._lock:
            finished = [i for i in sorted(self._reserve_ids) if i in self._ledger.labels]
        maps = [(self._rounds.maps[self._row[i]], i) for i in finished]
        pairs = [(m, self.mask(i)) for m, i in maps if m is not None]
        if not self._reserve_ids:
            return pairs, "No section is set aside for measuring: the volume is too small, or audit is 0."
        if self._rounds.learner is None:
            return pairs, "There is no model yet: an object must be painted."
        if not finished:
            return pairs, "No section of the audit reserve is finished yet."
        if not pairs:
            return pairs, "The model has not looked at the finished audit sections yet."
        return pairs, ""

    def costs(self) -> pd.DataFrame:
        """Return what answers took, one row for strokes, regions and whole sections: kind, n, median_s, seconds, money.

        Times of strokes and of the answer that finishes a section add up to what the section took; undone ones count too. Where
        targets are injected, what trials took has a row of its own.
        """
        import pandas as pd

        from al_widgets.evaluation import effort

        groups: dict[str, list[Annotation]] = {"stroke": [], "region": [], "section": []}
        for event in self._answers():
            if is_trial_id(event.item_id):
                groups.setdefault("trial", []).append(event)
                continue
            region = event.kind == "stroke" and event.value["tool"] == "region"
            groups["region" if region else "stroke" if event.kind == "stroke" else "section"].append(event)
        rows = []
        for kind, events in groups.items():
            spent = effort(events, self.hourly_rate)
            rows.append((kind, len(events), spent.median_s, spent.seconds, spent.money))
        return pd.DataFrame(rows, columns=["kind", "n", "median_s", "seconds", "money"])

    def forecast(self) -> Forecast:
        """Say that there is none: a handful of audit sections carries no curve to extrapolate; `history` shows the way so far."""
        why = "No forecast for masks: too few sections measure them for a curve that could be continued honestly."
        nothing = Estimate(None, None, None, 0, "", why)
        return Forecast(self.target, nothing, nothing, nothing, None, why)

    def advice(self) -> Advice:
        """Whether to stop, and why; a session never stops by itself."""
        counts, accuracy = self.counts(), self.accuracy
        left = counts["total"] - counts["labelled"] - counts["skipped"] - counts["unsure"]
        if left <= 0:
            return Advice(stop=True, why="Every section has an answer.")
        if accuracy.value is None:
            return Advice(stop=False, why=f"Go on: {accuracy.why[:1].lower()}{accuracy.why[1:]}")
        if accuracy.low is None:
            why = f"Go on: Dice {accuracy.value:.2f} on {accuracy.n} audit sections, too few for an interval."
            return Advice(stop=False, why=why)
        figure = f"Dice {accuracy.value:.2f} [{accuracy.low:.2f}, {accuracy.high:.2f}] on {accuracy.n} audit sections"
        if accuracy.low >= self.target:
            return Advice(stop=True, why=f"{figure}: the target of {self.target:.2f} is reached.")
        return Advice(stop=False, why=f"Go on: {figure}; the target is {self.target:.2f}.")

    @property
    def terms(self) -> Terms:
        """What this kind of session calls its figures: learning goes along strokes and finished sections."""
        return Terms("Dice", "stroke", "section", "audit section", chance=False, pool="the volume")

    @property
    def cold_start(self) -> str:
        """What is said while there is no model yet."""
        return "The model starts with the first object that is painted on a section that is not kept aside to measure."

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Return what the dashboard adds."""
        costs = self.costs().set_index("kind")
        timed = costs["median_s"].dropna()
        said = [f"{timed[kind]:.1f} s a {kind}" for kind in timed.index]
        strokes, regions = (int(costs["n"][kind]) for kind in ("stroke", "region"))
        facts = [("Strokes", f"{strokes:,}", "; ".join([f"{regions:,} regions", *said]))]
        precision = self._average_precision()
        if precision is not None and precision.value is not None:
            low, high = precision.low, precision.high
            note = precision.why if low is None or high is None else f"{low:.2f} to {high:.2f} ({precision.method})"
            facts.append(("Average precision", f"{precision.value:.2f}", note))
        return tuple(facts)

    def _average_precision(self) -> Estimate | None:
        """Return the average precision on finished audit sections, None where there is no figure; computed once a model."""
        from al_widgets.evaluation.masks import average_precision

        pairs, why = self._audited()
        if why:
            return None
        key = tuple((found.round, mask.tobytes()) for found, mask in pairs)
        if self._precision is None or self._precision[0] != hash(key):
            _, truth, scores = _padded(pairs)
            self._precision = (hash(key), average_precision(scores, truth, seed=self.seed))
        return self._precision[1]


def _padded(pairs: Iterable[tuple[SectionMap, Mask]]) -> tuple[Mask, Mask, Mask]:
    """Return predicted classes, truth (255 where there is none) and foreground scores of sections, of one shape."""
    predicted, truth, scores = [], [], []
    for found, mask in pairs:
        full = np.full(found.classes.shape, UNLABELLED, np.uint8)
        full[:, : mask.shape[1]] = np.where(mask < IGNORE, mask, UNLABELLED)
        predicted.append(found.classes)
        truth.append(full)
        scores.append(found.foreground)
    return np.stack(predicted), np.stack(truth), np.stack(scores)
