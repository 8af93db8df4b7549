"""The default learner: a Gaussian process on the pool's neighbour graph and on its features, weighed by leave-one-out.

Few labels lean on the graph, many hand over to the features: see `choosing`. Uses the unlabelled items; predicts new items through their neighbours in the pool. Fitted on the trainer's thread; what
depends on features only (the graph) is shared by all learners of a pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from al_widgets.errors import LearnerError
from al_widgets.features.graph import SpectralMap, spectral_map
from al_widgets.learning.base import FloatArray, IntArray
from al_widgets.learning.checks import CHUNK, checked_labels, require_finite
from al_widgets.learning.choosing import choose
from al_widgets.learning.process import (
    BLOCK,
    OFFSET,
    Labelled,
    Settings,
    class_targets,
    kernel_between,
    softmax,
    solve,
    solve_subset,
)

if TYPE_CHECKING:
    from al_widgets.learning.classifier import GraphClassifier

#: Labels that are solved exactly, at most, and how many of them in double precision; of more a random part is the basis.
MAX_EXACT = 10_000
MAX_DOUBLE = 2000
MAX_BASIS = 4000
#: Elements of a kernel with the basis that are computed at a time: they stay in the processor's cache.
_CACHED = 1 << 19


@dataclass(frozen=True, eq=False)
class Solution:
    """A fitted process: enough to predict any row, and nothing of the pool but its graph.

    Attributes
    ----------
    graph : SpectralMap
    settings : Settings
    classes : ndarray (K,) of int
        Class numbers that were seen, rising.
    centre : ndarray (d,)
    scale : float
        Features are centred and scaled before the supervised kernel.
    basis : ndarray (b, d)
        Centred, scaled features of the rows the solution is made of.
    alpha : ndarray (b, K)
    nodes : ndarray (n, K)
        The graph part of the scores at the nodes.
    """

    graph: SpectralMap
    settings: Settings
    classes: IntArray
    centre: FloatArray
    scale: np.float32
    basis: FloatArray
    alpha: FloatArray
    nodes: FloatArray

    def scores(self, features: FloatArray, placement: Any) -> FloatArray:
        """Return scores of rows (m, K), given their features and how they are made of nodes."""
        scores = np.asarray(placement @ self.nodes, np.float32)
        if self.settings.share < 1:
            scores += (1 - self.settings.share) * self._supervised(features)
        return scores

    def probabilities(self, features: FloatArray, placement: Any) -> FloatArray:
        """Return probabilities of the classes seen (m, K)."""
        if len(self.classes) == 1:
            return np.ones((len(features), 1), np.float32)
        return softmax(self.settings.temperature * self.scores(features, placement)).astype(np.float32)

    def _supervised(self, features: FloatArray) -> FloatArray:
        """Return Σ αⱼ k(x, xⱼ), block by block, shape (m, K)."""
        d, width = features.shape[1], self.settings.width
        out = np.empty((len(features), self.alpha.shape[1]), np.float32)
        if width == 0:
            towards = self.basis.T @ self.alpha
            for start in range(0, len(features), CHUNK):
                out[start : start + CHUNK] = self._scaled(features[start : start + CHUNK]) @ towards
            out += self.alpha.sum(axis=0)
            return out
        # −γ‖x − b‖² as one product: [x, 1, ‖x‖²] · [2γ b, −γ‖b‖², −γ].
        right = np.empty((d + 2, len(self.basis)), np.float32)
        right[:d] = 2 * width * self.basis.T
        right[d] = -width * np.einsum("ij,ij->i", self.basis, self.basis)
        right[d + 1] = -width
        step = int(np.clip(_CACHED // len(self.basis), 32, CHUNK))
        for start in range(0, len(features), step):
            block = self._scaled(features[start : start + step])
            left = np.empty((len(block), d + 2), np.float32)
            left[:, :d] = block
            left[:, d] = 1
            np.einsum("ij,ij->i", block, block, out=left[:, d + 1])
            kernel = left @ right
            np.exp(kernel, out=kernel)
            np.matmul(kernel, self.alpha, out=out[start : start + step])
        out += OFFSET * self.alpha.sum(axis=0)
        return out

    def _scaled(self, block: FloatArray) -> FloatArray:
        """Return features as the kernel takes them."""
        scaled: FloatArray = (np.asarray(block, np.float32) - self.centre) * self.scale
        return scaled


def fit_solution(
    features: FloatArray, rows: IntArray, labels: IntArray, weights: npt.NDArray[Any], graph: SpectralMap
) -> tuple[Solution, Labelled]:
    """Fit the process on some rows of a pool: the whole algorithm. Give the solution and the rows it is made of.

    Parameters
    ----------
    features : ndarray (N, d)
    rows, labels : ndarray (n,) of int
    weights : ndarray (n,)
        Confidence in each label, above 0.
    graph : SpectralMap
        Of `features`.
    """
    seen, classes = np.unique(labels, return_inverse=True)
    centre = graph.points.mean(axis=0, dtype=np.float64)
    variance = float(graph.points.var(axis=0, dtype=np.float64).sum()) or 1.0
    labelled = Labelled(
        graph.coordinates(rows).astype(np.float64),
        (np.asarray(features[rows], np.float64) - centre) / np.sqrt(variance),
        class_targets(classes, len(seen)),
        classes.astype(np.intp),
        np.asarray(weights, np.float64),
    )
    small, large = (min(m, max(20, len(graph.points) // 8)) for m in (150, 300))
    kernel_weights = {m: graph.weights(m).astype(np.float64) for m in sorted({small, large})}
    rng = np.random.default_rng(len(rows))
    n = len(rows)
    settings = choose(labelled, kernel_weights, Settings(large), rng)
    weight = kernel_weights[settings.dimension]
    noise = settings.noise / labelled.weights
    if n <= MAX_EXACT:
        part = labelled if n <= MAX_DOUBLE else labelled.single()
        alpha = solve(kernel_between(part, part, weight, settings), part.targets, noise)
    else:
        part = labelled.some(np.sort(rng.choice(n, MAX_BASIS, replace=False)))
        blocks = (np.arange(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
        parts = (
            (kernel_between(part, labelled.some(b), weight, settings), labelled.targets[b], noise[b]) for b in blocks
        )
        alpha = solve_subset(kernel_between(part, part, weight, settings), parts)
    towards = (settings.share * weight)[:, None] * (part.coordinates.T @ alpha)
    solution = Solution(
        graph,
        settings,
        seen.astype(np.intp),
        centre.astype(np.float32),
        np.float32(1 / np.sqrt(variance)),
        part.features.astype(np.float32),
        alpha.astype(np.float32),
        graph.vectors @ towards.astype(np.float32),
    )
    return solution, part


class GraphLearner:
    """Semi-supervised Gaussian process on the pool; see the module. The default of a session."""

    def __init__(self) -> None:
        self._features: FloatArray | None = None
        self._n_classes = 0
        self._solution: Solution | None = None
        self._part: Labelled | None = None
        self._estimator: GraphClassifier | None = None

    @property
    def estimator(self) -> GraphClassifier:
        """The fitted scikit-learn classifier; its ``classes_`` are the class numbers seen.

        Raises
        ------
        LearnerError
            Before `fit`.
        """
        if self._estimator is None:
            raise LearnerError("the learner is not fitted yet")
        return self._estimator

    @property
    def graph_share(self) -> float:
        """How much of the model is the neighbour graph, 0 to 1: low where neighbours do not share labels."""
        return self._fitted.settings.share

    @property
    def settings(self) -> Settings:
        """What leave-one-out chose."""
        return self._fitted.settings

    @property
    def _fitted(self) -> Solution:
        if self._solution is None:
            raise LearnerError("the learner is not fitted yet")
        return self._solution

    def clone(self) -> Self:
        """Return an unfitted copy; the graph of a pool is remembered beside the learners."""
        return type(self)()

    def fit(
        self,
        features: FloatArray,
        labelled: IntArray,
        labels: IntArray,
        n_classes: int,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit on rows `labelled`; see `Learner.fit`. Rows of weight 0 are left out."""
        from al_widgets.learning.classifier import GraphClassifier

        rows, classes, weights = checked_labels(features, labelled, labels, n_classes, sample_weight)
        require_finite(features)
        graph = spectral_map(features)
        self._solution, self._part = fit_solution(features, rows, classes, weights, graph)
        self._features, self._n_classes = features, n_classes
        self._estimator = GraphClassifier.of(self._solution)
        return self

    def pool_probabilities(self) -> FloatArray:
        """Return probabilities of every row, shape (N, n_classes), float32; see `Learner.pool_probabilities`."""
        solution = self._fitted
        assert self._features is not None  # noqa: S101 - set together with the solution
        return self._full(solution.probabilities(self._features, solution.graph.placement))

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Return probabilities of new rows, shape (m, n_classes), float32."""
        require_finite(features)
        return self._full(self.estimator.predict_proba(features).astype(np.float32))

    def expected_risk(self, rows: IntArray, references: IntArray) -> FloatArray:
        """Return for each row the risk Σ (1 − max p) over references, expected over its label, without a refit; (m,).

        A label at x changes the scores of r by cov(x, r) / (var(x) + noise) × (target − score of x). The three likeliest
        classes are looked at.
        """
        from al_widgets.learning.lookahead import expected_risk

        assert self._part is not None and self._features is not None  # noqa: S101, PT018 - set by fit
        return expected_risk(self._fitted, self._part, self._features, rows, references)

    def _full(self, probabilities: FloatArray) -> FloatArray:
        """Spread the columns of the classes seen to class numbers."""
        full = np.zeros((len(probabilities), self._n_classes), np.float32)
        full[:, self._fitted.classes] = probabilities
        return full
