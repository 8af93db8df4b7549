"""A learner of pixels: sparse strokes on some sections in, class probabilities of every pixel of any section out.

Fitted on the trainer's thread and replaced, never changed, afterwards: any thread may ask a fitted one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import LearnerError
from al_widgets.learning.prevalence import lower_foreground, prevalence_shift
from al_widgets.learning.tree_threads import Stopped, grow, mean_probability

FloatArray = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.uint8]

UNLABELLED = 255
"""Value in masks where nobody has said anything, or where a pixel is to be ignored."""

SAMPLED_SECTIONS, SAMPLED_PIXELS = 8, 600
"""Labelled sections, and pixels of each, that show how common the foreground is: their features are there already."""


class PixelSource(Protocol):
    """Where features come from, for example `al_widgets.features.pixels.PixelFeatures`."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sections, rows, columns."""

    def section(self, index: int, between: Callable[[], None] = ...) -> npt.NDArray[np.float32]:
        """Return features of all pixels of a section, shape (rows · columns, n); what `between` raises leaves off."""

    def pixels(self, index: int, flat: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return features of some pixels of a section."""


class Strengths(Protocol):
    """How strong the surroundings of voxels are: an array, or what computes the part of one that is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sections, rows, columns."""

    def __getitem__(self, where: tuple[slice, slice, slice], /) -> FloatArray:
        """Return the values of a box."""


class PixelLearner:
    """An ensemble of trees on pixel features, or any scikit-learn classifier with ``predict_proba``.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        Cloned for every fit. Default: 48 extremely randomised trees (Geurts et al. 2006) that try half of the features at each
        split, classes weighted evenly: as good as 100 trees that try the square root, in less than half of their time.
    max_pixels : int
        Labelled pixels to fit on, per class; of more, an even random sample is taken: neighbours on a stroke say the same.
    max_background : int
        The same of the first class, which is whatever else there is and needs more to be known by.
    random_state : int
    """

    def __init__(
        self, estimator: Any = None, *, max_pixels: int = 1500, max_background: int = 4000, random_state: int = 0
    ) -> None:
        self._template = estimator
        self._max_pixels, self._max_background = max_pixels, max_background
        self._random_state = random_state
        self._estimator: Any = None
        self._n_classes = 0
        self._shift = 0.0

    @property
    def estimator(self) -> Any:
        """The fitted scikit-learn estimator; ``classes_`` are class numbers."""
        if self._estimator is None:
            raise LearnerError("the pixel learner has not been fitted yet")
        return self._estimator

    @property
    def shift(self) -> float:
        """By how much the estimator's log odds of the foreground are lowered; see `al_widgets.learning.prevalence`."""
        return self._shift

    def clone(self) -> Self:
        """Return an unfitted copy."""
        return type(self)(
            self._template,
            max_pixels=self._max_pixels,
            max_background=self._max_background,
            random_state=self._random_state,
        )

    def fit(self, source: PixelSource, masks: Mapping[int, Mask], n_classes: int) -> Self:
        """Fit on the labelled pixels of some sections.

        Parameters
        ----------
        source : PixelSource
        masks : mapping of int to ndarray (rows, columns) of uint8
            Section → class numbers, 255 where nothing is known; columns beyond the mask's are taken as unknown.
        n_classes : int

        Raises
        ------
        LearnerError
            If no pixel is labelled, a mask does not fit, or the estimator fails.
        """
        rng = np.random.default_rng(self._random_state)
        features, labels = [], []
        sections, pixels, values = _labelled(source.shape, masks, n_classes)
        most = [self._max_background, *[self._max_pixels] * (n_classes - 1)]
        keep = np.concatenate([_at_most(np.flatnonzero(values == c), n, rng) for c, n in enumerate(most)])
        if keep.size == 0:
            raise LearnerError("there is no labelled pixel to fit on")
        for index in np.unique(sections[keep]):
            here = keep[sections[keep] == index]
            features.append(source.pixels(int(index), pixels[here]))
            labels.append(values[here])
        estimator = self._new_estimator()
        try:
            fit = estimator.fit if self._template is not None else partial(grow, estimator)
            fit(np.concatenate(features), np.concatenate(labels))
        except Exception as error:
            # Any classifier of the user's may raise anything; the session shows one sentence and keeps the old model.
            raise LearnerError(f"fitting {type(estimator).__name__} on {keep.size} pixels failed: {error}") from error
        self._estimator, self._n_classes = estimator, n_classes
        self._shift = self._prevalence_shift(source, masks, values[keep])
        return self

    def _prevalence_shift(self, source: PixelSource, masks: Mapping[int, Mask], labels: npt.NDArray[np.intp]) -> float:
        """Return the shift of `al_widgets.learning.prevalence` from what the new estimator expects of the labelled sections."""
        counts = np.bincount(labels, minlength=self._n_classes)
        if not counts[0] or not counts[1:].any():
            return 0.0
        weights = counts > 0 if self._weighs_evenly() else counts
        rng = np.random.default_rng(self._random_state)
        columns = source.shape[2]
        sections = sorted(masks)
        sample = []
        for index in sections[:: -(-len(sections) // SAMPLED_SECTIONS)]:
            rows, real = masks[index].shape  # short lines have no pixels beyond their end
            at = rng.integers(0, rows * real, SAMPLED_PIXELS)
            sample.append(source.pixels(index, at // real * columns + at % real))
        expected = self._given(np.concatenate(sample), "the labelled sections", None)
        return prevalence_shift(1 - expected[:, 0], float(weights[1:].sum() / weights.sum()))

    def _weighs_evenly(self) -> bool:
        return self._template is None or getattr(self._template, "class_weight", None) == "balanced"

    def probabilities(
        self, source: PixelSource, index: int, stop: Callable[[], bool] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return class probabilities of a section, shape (rows, columns, n_classes), float32; each pixel sums to 1.

        Those of the estimator, brought back towards how common the foreground is; see `al_widgets.learning.prevalence`.

        Parameters
        ----------
        source : PixelSource
        index : int
        stop : callable, optional
            Asked between the steps of the features, and between trees of the default ensemble, whether to leave off.

        Raises
        ------
        LearnerError
            If it has not been fitted, or the estimator fails.
        Stopped
            If `stop` said so.
        """

        def leave_off() -> None:
            if stop is not None and stop():
                raise Stopped

        _, rows, columns = source.shape
        given = self._given(source.section(index, leave_off), f"section {index}", stop)
        return lower_foreground(given, self._shift).reshape(rows, columns, self._n_classes)

    def expect(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return class probabilities of pixels by their features, shape (pixels, n_classes), as `probabilities` does."""
        return lower_foreground(self._given(features, "pixels", None), self._shift)

    def _given(
        self, features: npt.NDArray[np.float32], what: str, stop: Callable[[], bool] | None
    ) -> npt.NDArray[np.float32]:
        """Return the estimator's probabilities of pixels, a column for every class, also for those it was never told."""
        estimator = self.estimator
        try:
            given = self._predict(estimator, features, stop)
        except Stopped:
            raise
        except Exception as error:
            raise LearnerError(f"{type(estimator).__name__} failed to predict {what}: {error}") from error
        result = np.zeros((len(features), self._n_classes), np.float32)
        result[:, np.asarray(estimator.classes_, np.intp)] = given
        return result

    def _predict(
        self, estimator: Any, features: npt.NDArray[np.float32], stop: Callable[[], bool] | None
    ) -> npt.NDArray[np.float32]:
        if self._template is not None:
            return np.asarray(estimator.predict_proba(features), np.float32)
        return mean_probability(estimator, features, stop)

    def _new_estimator(self) -> Any:
        if self._template is not None:
            from sklearn.base import clone

            return clone(self._template)
        from sklearn.ensemble import ExtraTreesClassifier

        return ExtraTreesClassifier(
            48,
            max_features=0.5,
            min_samples_leaf=2,
            max_depth=16,
            class_weight="balanced",
            random_state=self._random_state,
            n_jobs=1,  # see `tree_threads`
        )


def _labelled(
    shape: tuple[int, int, int], masks: Mapping[int, Mask], n_classes: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return section, flat pixel index and class of all labelled pixels."""
    n, rows, columns = shape
    sections, pixels, values = [], [], []
    for index, mask in sorted(masks.items()):
        if not 0 <= index < n or mask.ndim != 2 or mask.shape[0] != rows or mask.shape[1] > columns:
            raise LearnerError(
                f"a mask of shape {mask.shape} for section {index} does not fit a volume of shape {shape}"
            )
        at = np.nonzero(mask != UNLABELLED)
        found = mask[at].astype(np.intp)
        if found.size and found.max() >= n_classes:
            raise LearnerError(f"section {index} holds class {found.max()}, but there are {n_classes} classes")
        sections.append(np.full(found.size, index, np.intp))
        pixels.append(np.ravel_multi_index(at, (rows, columns)).astype(np.intp))
        values.append(found)
    if not sections:
        raise LearnerError("there is no labelled section to fit on")
    return np.concatenate(sections), np.concatenate(pixels), np.concatenate(values)


def _at_most(rows: npt.NDArray[np.intp], n: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    return rows if rows.size <= n else np.sort(rng.choice(rows, n, replace=False))


def region_outline(
    strength: Strengths,
    voxels: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]],
    *,
    core: float = 0.4,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the voxels of the object that a blob shows: what an answer about the blob is about.

    All that is connected to the blob's strongest voxel above `core` of its strength, within the blob's box: beyond, an outline
    flows out into whatever is stronger, such as the direct wave of a radargram. The blob itself where nothing is strong.

    Parameters
    ----------
    strength : ndarray (sections, rows, columns), or what gives boxes of one
        Smooth, not negative: for radar the mean envelope (`al_widgets.features.pixels.PixelFeatures.strength`).
    voxels : tuple of three ndarrays
        The blob, as `al_widgets.strategies.slices.Region.voxels`.
    core : float
    """
    from scipy.ndimage import label

    low = [int(v.min()) for v in voxels]
    box = [slice(a, int(v.max()) + 1) for a, v in zip(low, voxels, strict=True)]
    around = strength[box[0], box[1], box[2]]
    blob = tuple(v - a for v, a in zip(voxels, low, strict=True))
    best = int(np.argmax(around[blob]))
    labels, _ = label(around > core * around[blob][best])
    inside = labels[blob][best]
    if not inside:
        return voxels
    sections, rows, columns = (axis + a for axis, a in zip(np.nonzero(labels == inside), low, strict=True))
    return sections, rows, columns
