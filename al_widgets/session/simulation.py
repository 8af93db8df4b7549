"""Simulation: learning curves of strategies on a pool whose labels are known, without annotators, widgets or a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.arguments import check_number, is_missing
from al_widgets.errors import SessionError
from al_widgets.learning.base import Learner
from al_widgets.session.curve_file import CurveFile, Points, fingerprint
from al_widgets.session.snapshot import TrainingInput, train
from al_widgets.strategies import Strategy, as_strategy
from al_widgets.task import Classification

if TYPE_CHECKING:
    import pandas as pd

IntArray = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.floating[Any]]

#: Trainings below which other processes would take longer to start than to help.
WORTH_PROCESSES = 200


def simulate(
    pool: Any,
    truth: Mapping[str, Any] | Sequence[Any],
    task: Classification | Sequence[str] | None = None,
    *,
    strategies: Sequence[Any] = ("auto", "random"),
    seeds: int | Iterable[int] = 5,
    limit: int = 300,
    batch_size: int = 1,
    holdout: float = 0.25,
    learner: Any = None,
    encoder: Any = None,
    oracle: Callable[[str], Any] | None = None,
    seconds_per_label: float = 1.0,
    progress: bool = True,
    jobs: int | None = None,
    resume: str | Path | None = None,
) -> pd.DataFrame:
    """Compare strategies on a pool whose labels are known.

    Every seed holds out another random part of the pool for measuring; it is never asked and never trained on.

    Parameters
    ----------
    pool : folder, list of paths, array (n, h, w[, c]), matrix of features (n, d), DataFrame or Pool
        Two-dimensional arrays are taken as features and not encoded.
    truth : mapping of item id to class, or sequence of n classes
        In the pool's order where it is a sequence.
    task : Classification or list of str, optional
        Default: the classes that occur in `truth`.
    strategies : sequence of str or Strategy
    seeds : int or iterable of int
        How many repetitions, or which seeds.
    limit : int
        Labels at most.
    batch_size : int
        Labels between two trainings.
    holdout : float
        Share of the pool that measures.
    learner, encoder
        As for `Session`.
    oracle : callable, optional
        Item id → answer, in place of the truth: a noisy annotator, for example `al_widgets.oracles.SimulatedOracle`. An attribute
        ``elapsed_s`` of the answer, or of the oracle, is what it cost. None as an answer counts as "cannot tell".
    seconds_per_label : float
        Cost of a label where the oracle has none.
    progress : bool
        Show a progress bar: curves done.
    jobs : int, optional
        Processes, each with curves of its own; their number changes nothing but rounding. Default: one a core for longer
        experiments without an oracle, else this process alone. With an oracle every process has a copy of it, so give
        ``jobs=1`` where what it counts is looked at afterwards.
    resume : str or Path, optional
        File of the curves that are done, one line each, written as they are done: the same call takes up where it stopped,
        also with more strategies or seeds. Curves of other data, settings or learners in it are left alone and not used.

    Returns
    -------
    DataFrame
        strategy, seed, n_labels, accuracy (on the held-out items, by the truth), cost_s; one row a training.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> curves = simulate(
    ...     digits.data.astype("float32"),
    ...     [str(t) for t in digits.target],
    ...     seeds=1,
    ...     limit=20,
    ...     batch_size=10,
    ...     progress=False,
    ... )
    >>> sorted(curves.strategy.unique())
    ['auto', 'random']
    """
    from tqdm.auto import tqdm

    strategies = [strategies] if isinstance(strategies, str) else list(strategies)
    seeds = _seeds(seeds)
    _check_numbers(limit, batch_size, holdout, seconds_per_label, jobs)
    if not strategies:
        raise SessionError("an experiment needs at least one strategy, for example strategies=['auto', 'random']")
    features, item_ids = _features(pool, encoder)
    names = _truth(truth, item_ids)
    task = Classification(list(dict.fromkeys(sorted(names)))) if task is None else task
    task = task if isinstance(task, Classification) else Classification(task)
    number = {name: i for i, name in enumerate(task.classes)}
    unknown = sorted(set(names) - set(number))
    if unknown:
        raise SessionError(f"truth has classes that are not in the task: {', '.join(unknown[:5])}")
    classes = np.asarray([number[name] for name in names], np.intp)
    experiment = _Experiment(
        features, item_ids, classes, task.classes, limit, batch_size, holdout, oracle, seconds_per_label
    )
    queries = [as_strategy(s) for s in strategies]
    cases = [(i, seed) for i in range(len(queries)) for seed in seeds]
    file = CurveFile(resume, fingerprint(experiment, learner)) if resume is not None else CurveFile.nowhere()
    curves = {(i, seed): points for i, seed in cases if (points := file.curve(queries[i], seed)) is not None}
    left = [case for case in cases if case not in curves]
    if jobs is None:
        trainings = len(left) * limit / max(1, batch_size)
        jobs = (os.cpu_count() or 1) if oracle is None and trainings >= WORTH_PROCESSES else 1
    jobs = 1 if sys.platform == "emscripten" else min(jobs if jobs > 0 else os.cpu_count() or 1, max(1, len(left)))
    with tqdm(total=len(cases), initial=len(curves), desc="simulating", disable=not progress) as bar:
        for case, points in _curves(experiment, queries, learner, left, jobs):
            file.add(queries[case[0]], case[1], points)
            curves[case] = points
            bar.update()
    import pandas as pd

    rows = [(queries[i].name, seed, *point) for i, seed in cases for point in curves[i, seed]]
    return pd.DataFrame(rows, columns=["strategy", "seed", "n_labels", "accuracy", "cost_s"])


def _curves(
    experiment: _Experiment, queries: Sequence[Strategy], learner: Any, cases: Sequence[tuple[int, int]], jobs: int
) -> Iterator[tuple[tuple[int, int], Points]]:
    """Yield (case, its curve) as curves are done."""
    if jobs == 1:
        for i, seed in cases:
            yield (i, seed), experiment.curve(queries[i], learner, seed)
        return
    from joblib import Parallel, delayed

    with TemporaryDirectory(prefix="al_widgets-") as folder:
        path = Path(folder) / "features.npy"
        np.save(path, experiment.features)
        bare = replace(experiment, features=np.empty((0, 0), np.float32))
        run = Parallel(n_jobs=jobs, return_as="generator_unordered")
        yield from run(delayed(_curve_elsewhere)(bare, path, queries[i], learner, (i, seed)) for i, seed in cases)


#: The features of the experiment this process works on: the same array for all its curves, so that their graph is built once.
_shared: dict[Path, FloatArray] = {}


def _curve_elsewhere(
    bare: _Experiment, path: Path, strategy: Strategy, learner: Any, case: tuple[int, int]
) -> tuple[tuple[int, int], Points]:
    """Run one curve in a process of its own, whose features lie in a file."""
    if path not in _shared:
        _shared.clear()
        _shared[path] = np.load(path)
    return case, replace(bare, features=_shared[path]).curve(strategy, learner, case[1])


@dataclass(frozen=True)
class _Experiment:
    """Everything that is the same for all curves."""

    features: FloatArray
    item_ids: Sequence[str]
    truth: IntArray
    classes: tuple[str, ...]
    limit: int
    batch_size: int
    holdout: float
    oracle: Callable[[str], Any] | None
    seconds_per_label: float

    def curve(self, strategy: Strategy, learner: Any, seed: int) -> Points:
        """Return (n_labels, accuracy, cost_s) after each training."""
        n = len(self.truth)
        order = np.random.default_rng([seed, 7]).permutation(n)
        measured = np.sort(order[: max(1, round(self.holdout * n))])
        open_ = np.ones(n, bool)
        open_[measured] = False
        cold = strategy if strategy.name == "random" else as_strategy("auto")
        fresh = _learner(learner)
        rest = getattr(self.oracle, "rest", None)
        if callable(rest):
            rest()  # an annotator who tires begins every curve afresh
        labelled: list[int] = []
        labels: list[int] = []
        cost = 0.0
        points: Points = []
        while True:
            snapshot = train(
                TrainingInput(
                    version=len(labelled),
                    round=len(points) + 1,
                    classes=self.classes,
                    pool_size=n,
                    rows=np.arange(n),
                    features=self.features,
                    labelled=np.asarray(labelled, np.intp),
                    labels=np.asarray(labels, np.intp),
                    weights=None,
                    candidates=np.flatnonzero(open_),
                    pending=np.empty(0, np.intp),
                    n_labels=len(labelled),
                    learner=fresh,
                    strategy=strategy,
                    cold_strategy=cold,
                    length=self.batch_size,
                    rng=np.random.default_rng([seed, len(labelled)]),
                )
            )
            if snapshot.errors:
                raise snapshot.errors[0]
            if labelled:
                points.append((len(labelled), self._accuracy(snapshot.probabilities, labels, measured), cost))
            picks = [r.row for r in snapshot.ranking[: max(0, self.limit - len(labelled))]]
            if not picks:
                return points
            for row in picks:
                open_[row] = False
                answer, seconds = self._ask(row)
                cost += seconds
                if answer is not None:
                    labelled.append(row)
                    labels.append(answer)

    def _accuracy(self, probabilities: FloatArray | None, labels: list[int], measured: IntArray) -> float:
        if probabilities is None:  # one class so far: that is the prediction
            return float((self.truth[measured] == labels[-1]).mean())
        return float((probabilities[measured].argmax(axis=1) == self.truth[measured]).mean())

    def _ask(self, row: int) -> tuple[int | None, float]:
        if self.oracle is None:
            return int(self.truth[row]), self.seconds_per_label
        answer = self.oracle(self.item_ids[row])
        seconds = getattr(answer, "elapsed_s", getattr(self.oracle, "elapsed_s", self.seconds_per_label))
        value = getattr(answer, "value", answer)
        if value is None or getattr(answer, "kind", "label") != "label":
            return None, float(seconds)
        if str(value) not in self.classes:
            raise SessionError(f"the oracle answered {value!r}, which is no class of the task")
        return self.classes.index(str(value)), float(seconds)


def _check_numbers(limit: int, batch_size: int, holdout: float, seconds_per_label: float, jobs: int | None) -> None:
    """Raise `SessionError` for a number with which there is nothing to measure."""
    check_number(limit, "limit, labels at most", SessionError, 1, whole=True)
    check_number(batch_size, "batch_size", SessionError, 1, whole=True)
    check_number(holdout, "holdout, the share of the pool that measures", SessionError, 0.01, 0.9)
    check_number(seconds_per_label, "seconds_per_label", SessionError, 0)
    if jobs is not None and jobs != -1:
        check_number(jobs, "jobs, the number of processes (-1: one a core)", SessionError, 1, whole=True)


def _seeds(seeds: int | Iterable[int]) -> list[int]:
    """Return the seeds, all different: a curve that counts twice makes the bands too narrow."""
    if isinstance(seeds, Iterable):
        found = list(seeds)
    else:
        check_number(seeds, "seeds, how many repetitions", SessionError, 1, whole=True)
        found = list(range(seeds))
    for seed in found:
        check_number(seed, "a seed", SessionError, 0, whole=True)
    if not found or len(set(found)) < len(found):
        raise SessionError(f"seeds must be different numbers, at least one, not {found}")
    return found


def _learner(learner: Any) -> Learner:
    from al_widgets.learning import as_learner, default_learner

    return default_learner() if learner is None else as_learner(learner)


def _features(pool: Any, encoder: Any) -> tuple[FloatArray, Sequence[str]]:
    if isinstance(pool, np.ndarray) and pool.ndim == 2:
        return np.ascontiguousarray(pool, np.float32), [str(i) for i in range(len(pool))]
    from al_widgets.pool import open_pool
    from al_widgets.session.measures import feature_table

    opened = open_pool(pool)
    table = feature_table(opened, encoder)
    table.run(order=list(opened.item_ids))
    rows = table.rows()
    if len(rows) < len(opened):
        missing = sorted(set(range(len(opened))) - set(rows.tolist()))[:3]
        raise SessionError(
            f"items that cannot be read: {', '.join(opened.item_ids[i] for i in missing)}; leave them out"
        )
    return np.asarray(table.matrix()), opened.item_ids


def _truth(truth: Mapping[str, Any] | Sequence[Any], item_ids: Sequence[str]) -> list[str]:
    if isinstance(truth, Mapping):
        missing = [i for i in item_ids if i not in truth]
        if missing:
            raise SessionError(f"truth lacks {len(missing)} items, for example {missing[0]!r}")
        return _names([truth[i] for i in item_ids], item_ids)
    if len(truth) != len(item_ids):
        raise SessionError(f"truth has {len(truth)} classes for {len(item_ids)} items")
    return _names(list(truth), item_ids)


def _names(truth: Sequence[Any], item_ids: Sequence[str]) -> list[str]:
    lacking = [i for i, value in zip(item_ids, truth, strict=True) if is_missing(value)]
    if lacking:
        raise SessionError(
            f"{len(lacking)} items have no class in the truth, for example {lacking[0]!r}; leave them out of the pool"
        )
    return [str(value) for value in truth]
