"""Gaussian-process regression on class targets: kernels and closed forms. Pure functions.

One process a class on targets 1 (the class) and −1 / (K − 1) (another), all with one kernel
``share · graph + (1 − share) · supervised``: the graph part uses the unlabelled items, the supervised part is Gaussian or
linear on the features.

References
----------
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, §8.3.1 (subset of regressors);
Zhu, Lafferty, Ghahramani, Semi-supervised learning: from Gaussian fields to Gaussian processes, 2003.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Variance of the constant in the Gaussian kernel: far from all labels the commoner classes are likelier.
OFFSET = 0.3
#: Rows of a kernel computed at a time.
BLOCK = 2048


@dataclass(frozen=True)
class Settings:
    """What leave-one-out chooses.

    Attributes
    ----------
    dimension : int
        Eigenvectors of the graph that are used.
    share : float
        Weight of the graph in the kernel, 0 to 1.
    width : float
        γ of the Gaussian kernel in units of 1 / (total variance of the features); 0 stands for the linear kernel.
    noise : float
        Variance of the noise of one label, where the mean prior variance is 1.
    temperature : float
        What scores are multiplied by before the softmax.
    """

    dimension: int
    share: float = 0.85
    width: float = 1.0
    noise: float = 0.02
    temperature: float = 4.0


@dataclass(frozen=True)
class Labelled:
    """The labelled rows as the kernels see them.

    Attributes
    ----------
    coordinates : ndarray (n, m)
        On the graph.
    features : ndarray (n, d)
        Centred, in units of the root of their total variance.
    targets : ndarray (n, K)
        Of the classes seen.
    classes : ndarray (n,) of int
        Column of each label in `targets`.
    weights : ndarray (n,)
        Confidence in each label; divides the noise.
    """

    coordinates: Float64Array
    features: Float64Array
    targets: Float64Array
    classes: IntArray
    weights: Float64Array

    def some(self, rows: IntArray) -> Labelled:
        """Return a part of them."""
        return Labelled(
            self.coordinates[rows],
            self.features[rows],
            self.targets[rows],
            self.classes[rows],
            self.weights[rows],
        )

    def single(self) -> Labelled:
        """Return them in single precision: what is computed from them is, too."""
        return Labelled(
            self.coordinates.astype(np.float32),
            self.features.astype(np.float32),
            self.targets.astype(np.float32),
            self.classes,
            self.weights.astype(np.float32),
        )


def class_targets(classes: IntArray, n_classes: int) -> Float64Array:
    """Return 1 in the column of the class and −1 / (K − 1) in the others, shape (n, K)."""
    targets = np.full((len(classes), n_classes), -1.0 / max(n_classes - 1, 1))
    targets[np.arange(len(classes)), classes] = 1.0
    return targets


def softmax(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return exp(s) / Σ exp(s) of each row."""
    shifted: npt.NDArray[Any] = scores - scores.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def supervised_kernel(a: npt.NDArray[Any], b: npt.NDArray[Any], width: float) -> npt.NDArray[Any]:
    """Return exp(−γ‖x − x′‖²) + 0.3, or for γ = 0 the linear kernel 1 + ⟨x, x′⟩, shape (len(a), len(b))."""
    product: npt.NDArray[Any] = a @ b.T
    if width == 0:
        product += 1
        return product
    product *= -2
    product += np.einsum("ij,ij->i", a, a)[:, None]
    product += np.einsum("ij,ij->i", b, b)
    np.maximum(product, 0, out=product)
    product *= -width
    np.exp(product, out=product)
    product += OFFSET
    return product


def kernel_between(a: Labelled, b: Labelled, weights: Float64Array, settings: Settings) -> npt.NDArray[Any]:
    """Return the whole kernel between labelled rows, shape (len(a), len(b)); `weights` are those of the graph."""
    kernel = np.zeros((len(a.classes), len(b.classes)), a.features.dtype)
    scaled = settings.share * weights.astype(kernel.dtype)
    for start in range(0, len(kernel), BLOCK):
        rows = slice(start, start + BLOCK)
        if settings.share > 0:
            np.matmul(a.coordinates[rows] * scaled, b.coordinates.T, out=kernel[rows])
        if settings.share < 1:
            supervised = supervised_kernel(a.features[rows], b.features, settings.width)
            supervised *= 1 - settings.share
            kernel[rows] += supervised
    return kernel


def solve(kernel: npt.NDArray[Any], targets: npt.NDArray[Any], noise: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return α = (K + noise)⁻¹ Y, shape (n, K), in the precision of the kernel."""
    from scipy.linalg import cho_solve

    alpha: npt.NDArray[Any] = cho_solve((factor(kernel, noise), True), targets)
    return alpha


def factor(kernel: npt.NDArray[Any], noise: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the lower Cholesky factor of K + noise; what stands above the diagonal is arbitrary.

    A system that single precision takes for indefinite is factored in double precision.
    """
    from scipy.linalg import cho_factor

    system = kernel.copy()
    system[np.diag_indices(len(system))] += noise
    try:
        # The transpose of a symmetric matrix is what LAPACK factors in place.
        lower, _ = cho_factor(system.T, lower=True, overwrite_a=True)
    except np.linalg.LinAlgError:
        if kernel.dtype == np.float64:
            raise
        return factor(kernel.astype(np.float64), noise)
    factored: npt.NDArray[Any] = lower
    return factored


def solve_subset(
    basis: Float64Array, blocks: Iterable[tuple[Float64Array, Float64Array, Float64Array]]
) -> Float64Array:
    """Return α on a subset of the rows (b, K), by the subset of regressors.

    Parameters
    ----------
    basis : ndarray (b, b)
        Kernel of the subset.
    blocks : iterable of (cross, targets, noise)
        All labelled rows, some at a time: kernel of the subset and the block (b, c), its targets (c, K) and noise (c,).
    """
    system = basis + 1e-8 * np.eye(len(basis))
    right: Any = 0.0
    for cross, targets, noise in blocks:
        scaled = cross / noise
        system += scaled @ cross.T
        right = right + scaled @ targets
    return np.asarray(np.linalg.solve(system, right), np.float64)
