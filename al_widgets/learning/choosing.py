"""How much graph and how much supervised learner: chosen by closed-form leave-one-out on the labels. Pure functions.

The kernel's share of the graph is the hand-over: with few labels what the unlabelled items say counts most; with more of
them the supervised part predicts left-out labels better and takes over, by steps of the share and never by a switch. Where
neighbours on the graph do not share a label the share falls to 0 as soon as the labels show it. Audit items are never
looked at: these are the labels a learner is fitted on, each predicted from the others.

References
----------
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, §5.4.2 (leave-one-out in closed form).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.learning.process import (
    Float64Array,
    IntArray,
    Labelled,
    Settings,
    factor,
    softmax,
    supervised_kernel,
)

#: Labels whose prediction from the others is judged; of more a random sample.
MAX_JUDGED = 400
#: Labels from which they are predicted, at most.
MAX_TRAINED = 3000

SHARES = (1.0, 0.85, 0.7, 0.5, 0.3, 0.1, 0.0)
WIDTHS = (1.0, 0.0, 0.5, 2.0)
NOISES = (0.02, 0.1, 0.5)
TEMPERATURES = (2.0, 4.0, 8.0)

#: Steps of the search with many labels, each a small change. The linear kernel, width 0, is the limit of wide Gaussians.
FINE: dict[str, tuple[float, ...]] = {
    "share": (1.0, 0.85, 0.7, 0.5, 0.3, 0.1, 0.03, 0.0),
    "width": (0.0, 0.5, 1.0, 2.0),
    "noise": (0.02, 0.1, 0.2, 0.5, 2.0),
}


def leave_one_out(
    kernel: npt.NDArray[Any], targets: npt.NDArray[Any], noise: npt.NDArray[Any], judged: IntArray | None = None
) -> npt.NDArray[Any]:
    """Return what targets are predicted to be from all others: y − α / diag((K + noise)⁻¹), for all or the judged rows."""
    from scipy.linalg import cho_solve, solve_triangular

    lower = factor(kernel, noise)
    rows = np.arange(len(kernel)) if judged is None else judged
    alone = np.zeros((len(kernel), len(rows)), lower.dtype, order="F")
    alone[rows, np.arange(len(rows))] = 1
    half = solve_triangular(lower, alone, lower=True, overwrite_b=True, check_finite=False)
    precision = np.einsum("ij,ij->j", half, half)
    alpha = cho_solve((lower, True), targets, check_finite=False)
    loo: npt.NDArray[Any] = targets[rows] - alpha[rows] / precision[:, None]
    return loo


def judge(loo: npt.NDArray[Any], classes: IntArray, weights: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Return weighted means of −ln p of the true classes and of the squared error of p, and the temperature.

    It is the one of `TEMPERATURES` with the least −ln p.
    """
    weights = weights / weights.sum()
    best = (np.inf, np.inf, 4.0)
    for temperature in TEMPERATURES:
        chances = softmax(temperature * loo)
        own = chances[np.arange(len(classes)), classes]
        loss = float(-(weights * np.log(own + 1e-9)).sum())
        squared = float(weights @ (np.einsum("ij,ij->i", chances, chances) - 2 * own + 1))
        best = min(best, (loss, squared, temperature))
    return best


def choose(
    labelled: Labelled, kernel_weights: dict[int, Float64Array], default: Settings, rng: np.random.Generator
) -> Settings:
    """Choose settings by leave-one-out: the graph and its share with each supervised kernel, then its width, then the noise.

    A label alone of its class says nothing about how well others predict it and is not judged. Until there are two judged
    labels a class the default stands: fewer would choose by chance. Of more than 400 labels a sample chooses first; from
    there all of them lead on, since what wins on a sample need not win with more to learn from.

    Parameters
    ----------
    labelled : Labelled
    kernel_weights : dict
        Weights of the graph's coordinates for each dimension to try.
    default : Settings
    rng : Generator
        Draws the samples.
    """
    if len(labelled.classes) <= MAX_JUDGED:
        return _searched(labelled, kernel_weights, default)
    sample = np.sort(rng.choice(len(labelled.classes), MAX_JUDGED, replace=False))
    chosen = _searched(labelled.some(sample).single(), kernel_weights, default)
    return _climbed(labelled, kernel_weights, chosen, rng)


class _Trial:
    """Leave-one-out losses of settings on some labels; parts of kernels and losses found are remembered.

    Parameters
    ----------
    labelled : Labelled
        What is learnt from.
    kernel_weights : dict
    judged : ndarray of int
        Which of them are judged.
    """

    def __init__(self, labelled: Labelled, kernel_weights: dict[int, Float64Array], judged: IntArray) -> None:
        self._labelled = labelled
        self._kernel_weights = kernel_weights
        self._judged = judged
        self._graphs: dict[int, npt.NDArray[Any]] = {}
        self._supervised: dict[float, npt.NDArray[Any]] = {}
        self._found: dict[Settings, tuple[float, float, float]] = {}

    def losses(self, settings: Settings) -> tuple[float, float, Settings]:
        """Return mean −ln p and squared error of left-out labels, and the settings with the best temperature."""
        # What makes no difference is made the same, so that it is not computed twice.
        same = replace(
            settings, temperature=0.0, width=1.0 if settings.share == 1 else settings.width,
            dimension=min(self._kernel_weights) if settings.share == 0 else settings.dimension,
        )  # fmt: skip
        if same not in self._found:
            labelled, judged = self._labelled, self._judged
            loo = leave_one_out(self._kernel(settings), labelled.targets, settings.noise / labelled.weights, judged)
            self._found[same] = judge(loo, labelled.classes[judged], labelled.weights[judged])
        loss, squared, temperature = self._found[same]
        return loss, squared, replace(settings, temperature=temperature)

    def best(self, candidates: Iterable[Settings]) -> Settings:
        """Return the candidate of least −ln p; earlier ones win ties: the order is the preference."""
        return min(map(self.losses, candidates), key=lambda found: found[0])[2]

    def _kernel(self, settings: Settings) -> npt.NDArray[Any]:
        """Return the kernel between all rows, as `kernel_between` does."""
        part = self._labelled
        share, m, width = settings.share, settings.dimension, settings.width
        if share > 0 and m not in self._graphs:
            weights = self._kernel_weights[m].astype(part.coordinates.dtype)
            self._graphs[m] = (part.coordinates * weights) @ part.coordinates.T
        if share < 1 and width not in self._supervised:
            self._supervised[width] = supervised_kernel(part.features, part.features, width)
        if share == 1:
            return self._graphs[m]
        kernel: npt.NDArray[Any] = (1 - share) * self._supervised[width]
        if share > 0:
            kernel += share * self._graphs[m]
        return kernel


def _searched(labelled: Labelled, kernel_weights: dict[int, Float64Array], default: Settings) -> Settings:
    """Choose among coarse steps of everything, learning from and judging all labels."""
    judged = np.flatnonzero(_has_company(labelled))
    seen = np.count_nonzero(np.bincount(labelled.classes))
    if len(judged) < 2 * max(2, int(seen)):
        return default
    trial = _Trial(labelled, kernel_weights, judged)
    finalists = []
    for width in WIDTHS[:2]:
        some = (replace(default, dimension=m, share=share, width=width) for m in kernel_weights for share in SHARES)
        found = trial.best(some)
        # Each kernel with its own noise: the default's suits one better than the other.
        finalists.append(trial.best(replace(found, noise=noise) for noise in NOISES))
    chosen = trial.best(finalists)
    if chosen.share < 1 and chosen.width > 0:
        chosen = trial.best(replace(chosen, width=width) for width in (chosen.width, *WIDTHS[2:]))
    return trial.best(replace(chosen, noise=noise) for noise in NOISES)


def _climbed(
    labelled: Labelled, kernel_weights: dict[int, Float64Array], chosen: Settings, rng: np.random.Generator
) -> Settings:
    """Move from settings by single steps for as long as left-out labels are predicted better, learning from many.

    Better is a smaller squared error: with many labels a few wrong or odd ones would rule −ln p.
    """
    n = len(labelled.classes)
    if n > MAX_TRAINED:
        labelled = labelled.some(np.sort(rng.choice(n, MAX_TRAINED, replace=False)))
    judged = np.flatnonzero(_has_company(labelled))
    if len(judged) > MAX_JUDGED:
        judged = np.sort(rng.choice(judged, MAX_JUDGED, replace=False))
    if not len(judged):
        return chosen
    trial = _Trial(labelled.single(), kernel_weights, judged)
    _, least, chosen = trial.losses(chosen)
    moved = True
    while moved:
        moved = False
        for name, steps in FINE.items():
            for direction in (1, -1):
                at = steps.index(getattr(chosen, name)) + direction
                while 0 <= at < len(steps):
                    _, loss, found = trial.losses(_with(chosen, name, steps[at]))
                    if loss >= least:
                        break
                    least, chosen, moved = loss, found, True
                    at += direction
    return chosen


def _with(settings: Settings, name: str, value: float) -> Settings:
    """Return settings with one of them changed."""
    changes: dict[str, Any] = {name: value}
    return replace(settings, **changes)


def _has_company(labelled: Labelled) -> npt.NDArray[np.bool_]:
    """Tell which labels are not alone of their class."""
    count = np.bincount(labelled.classes, minlength=labelled.targets.shape[1])
    company: npt.NDArray[np.bool_] = count[labelled.classes] >= 2
    return company
