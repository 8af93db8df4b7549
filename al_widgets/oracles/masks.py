"""Consensus of masks that several annotators painted: STAPLE, for two classes or more.

The hidden truth of each pixel and a confusion matrix for each annotator, by EM (Warfield, Zou & Wells 2004;
with several classes it is Dawid & Skene 1979 on pixels). Pixels with the same answers are one row of the
computation, so that its time hardly depends on the size of the picture. Who may import it: the session and
above. Any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.oracles.answers import FloatArray, IntArray

UNPAINTED = -1
"""Value of a pixel about which an annotator said nothing."""


@dataclass(frozen=True)
class MaskConsensus:
    """What the masks of one item add up to.

    Attributes
    ----------
    label : ndarray (h, w) of int
        Most probable class of each pixel; `UNPAINTED` where nobody said anything.
    confidence : ndarray (h, w)
        Its probability.
    probability : ndarray (K, h, w)
        Of each class; prior where nobody said anything.
    confusion : ndarray (J, K, K)
        P(annotator paints column | pixel is row), on the pixels about which annotators differ and their
        surroundings.
    prior : ndarray (K,)
        Share of each class there.
    iterations : int
        EM steps until it stood still.
    """

    label: IntArray
    confidence: FloatArray
    probability: FloatArray
    confusion: FloatArray
    prior: FloatArray
    iterations: int

    @property
    def sensitivity(self) -> FloatArray:
        """How much of each class each annotator finds, (J, K)."""
        return np.asarray(np.diagonal(self.confusion, axis1=1, axis2=2), np.float64)

    @property
    def specificity(self) -> FloatArray:
        """How much of what is not of a class each annotator leaves out of it, (J, K)."""
        others = self.prior[None, :, None] * self.confusion
        own = self.prior[None, :] * self.sensitivity
        false = others.sum(1) - own
        return np.asarray(1 - false / np.maximum(1 - self.prior[None, :], 1e-12), np.float64)


def mask_consensus(
    masks: npt.ArrayLike | Sequence[npt.ArrayLike],
    n_classes: int | None = None,
    *,
    margin: int | None = 8,
    iterations: int = 100,
) -> MaskConsensus:
    """Combine the masks of several annotators.

    Parameters
    ----------
    masks : array_like (J, h, w) of int or bool
        Class numbers; `UNPAINTED` (-1) where an annotator said nothing.
    n_classes : int, optional
        Default: the largest number in `masks` plus one, at least 2.
    margin : int or None
        Annotators are judged on the rectangle around all pixels on which they differ, widened by this many
        pixels. Far-away background that everybody agrees on would only make everybody look perfect, and the
        small target improbable. None: on the whole picture, as in the paper.
    iterations : int
        At most.

    Returns
    -------
    MaskConsensus

    Raises
    ------
    TaskError
        If the masks differ in shape or hold something that is no class number.

    Notes
    -----
    Each row of a confusion has a Dirichlet prior of 10 pixels, .9 on the diagonal, so that an annotator who painted nothing of
    a class is not taken to be unable to. One mask alone comes back as it is.
    """
    stack = _stack(masks)
    J, h, w = stack.shape
    K = max(2, int(stack.max(initial=0)) + 1) if n_classes is None else n_classes
    if stack.min(initial=0) < UNPAINTED or stack.max(initial=0) >= K:
        raise TaskError(
            f"masks must hold class numbers 0 to {K - 1}, or {UNPAINTED} for unpainted, not {stack.min()} to {stack.max()}"
        )
    patterns, where = _patterns(stack.reshape(J, -1).T, K)
    inside = _disputed(stack, margin).ravel()
    counts = np.bincount(where[inside], minlength=len(patterns)).astype(np.float64)
    posterior, confusion, prior, steps = _em(patterns, counts, K, iterations)
    told = (patterns != UNPAINTED).any(1)
    best = np.where(told, posterior.argmax(1), UNPAINTED)
    shape = (h, w)
    back = where
    return MaskConsensus(
        label=best[back].reshape(shape).astype(np.intp),
        confidence=posterior.max(1)[back].reshape(shape),
        probability=np.ascontiguousarray(posterior[back].T).reshape(K, h, w),
        confusion=confusion,
        prior=prior,
        iterations=steps,
    )


def _patterns(answers: IntArray, K: int) -> tuple[IntArray, IntArray]:
    """Return the distinct rows and which of them each row is."""
    if (K + 1) ** answers.shape[1] >= 2**62:
        rows, which = np.unique(answers, axis=0, return_inverse=True)
        return rows.astype(np.intp), which.ravel().astype(np.intp)
    # One number a row sorts many times faster than rows do.
    codes = (answers + 1) @ ((K + 1) ** np.arange(answers.shape[1], dtype=np.int64))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return answers[first], which.astype(np.intp)


def _stack(masks: npt.ArrayLike | Sequence[npt.ArrayLike]) -> IntArray:
    arrays = [np.asarray(m) for m in masks]  # type: ignore[union-attr]
    shapes = {a.shape for a in arrays}
    if len(shapes) != 1 or any(a.ndim != 2 for a in arrays):
        raise TaskError(
            f"masks of one item must have one shape (height, width), not {sorted(map(str, shapes)) or 'none'}"
        )
    if any(a.dtype.kind not in "biu" for a in arrays):
        raise TaskError(f"masks must hold whole numbers, not {sorted({str(a.dtype) for a in arrays})}")
    return np.stack([a.astype(np.intp) for a in arrays])


def _disputed(stack: IntArray, margin: int | None) -> npt.NDArray[np.bool_]:
    """Return the pixels on which annotators are judged."""
    inside = np.ones(stack.shape[1:], np.bool_)
    if margin is None:
        return inside
    high, low = stack.max(0), np.where(stack == UNPAINTED, np.iinfo(np.intp).max, stack).min(0)
    differ = (high != low) & (high != UNPAINTED)
    if not differ.any():
        return inside
    inside[:] = False
    rows, columns = np.flatnonzero(differ.any(1)), np.flatnonzero(differ.any(0))
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    inside[top : int(rows[-1]) + margin + 1, left : int(columns[-1]) + margin + 1] = True
    return inside


def _em(
    patterns: IntArray, counts: FloatArray, K: int, iterations: int
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Run EM on distinct patterns of answers (P, J) with their numbers of pixels."""
    P, J = patterns.shape
    answered = patterns != UNPAINTED
    pseudo = np.full((K, K), 1.0 / (K - 1))
    np.fill_diagonal(pseudo, 9.0)
    confusion = np.tile(np.eye(K), (J, 1, 1))
    votes = np.stack([(patterns == k).sum(1) for k in range(K)], 1) + 1e-3
    posterior = np.asarray(votes / votes.sum(1, keepdims=True), np.float64)
    prior = np.full(K, 1 / K)
    steps = 0
    while steps < iterations:
        steps += 1
        # The shares of the classes are estimated too: the paper's fixed share of the votes counts every slip of the brush as
        # target, and rare classes then absorb the noise.
        share = (posterior * counts[:, None]).sum(0) + 1.0
        prior = np.asarray(share / share.sum(), np.float64)
        for j in range(J):
            expected = pseudo.copy()
            rows = answered[:, j]
            np.add.at(expected.T, patterns[rows, j], posterior[rows] * counts[rows, None])
            confusion[j] = expected / expected.sum(1, keepdims=True)
        before = posterior
        log = np.tile(np.log(prior), (P, 1))
        for j in range(J):
            log[answered[:, j]] += np.log(confusion[j][:, patterns[answered[:, j], j]]).T
        log -= log.max(1, keepdims=True)
        posterior = np.exp(log)
        posterior /= posterior.sum(1, keepdims=True)
        if np.abs(posterior - before).max() < 1e-5:
            break
    return posterior, confusion, prior, steps
