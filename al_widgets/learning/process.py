"""Gaussian-process regression on class targets with several kernels, chosen by closed-form leave-one-out. Pure functions.

One process a class on targets 1 (the class) and −1 / (K − 1) (another), all with one kernel
``share · graph + (1 − share) · supervised``: the graph part uses the unlabelled items, the supervised part is Gaussian or
linear on the features. Where leave-one-out says that neighbours on the graph do not share a label, the share falls to 0.

References
----------
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, §5.4.2 (leave-one-out in closed form), §8.3.1 (subset
of regressors); Zhu, Lafferty, Ghahramani, Semi-supervised learning: from Gaussian fields to Gaussian processes, 2003.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Labels that leave-one-out looks at, and rows the solution is made of; of more labels a random sample.
MAX_JUDGED = 400
MAX_BASIS = 4000


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


SHARES = (1.0, 0.85, 0.7, 0.5, 0.3, 0.1, 0.0)
WIDTHS = (1.0, 0.0, 0.5, 2.0)
NOISES = (0.02, 0.1, 0.5)
TEMPERATURES = (2.0, 4.0, 8.0)


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
    """Return exp(−γ‖x − x′‖²), or for γ = 0 the linear kernel 1 + ⟨x, x′⟩, shape (len(a), len(b))."""
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
    return product


def kernel_between(a: Labelled, b: Labelled, weights: Float64Array, settings: Settings) -> Float64Array:
    """Return the whole kernel between labelled rows, shape (len(a), len(b)); `weights` are those of the graph."""
    kernel = np.zeros((len(a.classes), len(b.classes)))
    if settings.share > 0:
        kernel += settings.share * ((a.coordinates * weights) @ b.coordinates.T)
    if settings.share < 1:
        kernel += (1 - settings.share) * supervised_kernel(a.features, b.features, settings.width)
    return kernel


def leave_one_out(kernel: Float64Array, targets: Float64Array, noise: Float64Array) -> Float64Array:
    """Return what each target is predicted to be from all others (n, K): y − α / diag((K + noise)⁻¹)."""
    inverse = np.linalg.inv(kernel + np.diag(noise))
    loo: Float64Array = targets - (inverse @ targets) / np.diag(inverse)[:, None]
    return loo


def judge(loo: Float64Array, labelled: Labelled, judged: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the least mean −ln p of the true classes over temperatures, and that temperature."""
    classes, weights = labelled.classes[judged], labelled.weights[judged]
    weights = weights / weights.sum()
    best = (np.inf, 4.0)
    for temperature in TEMPERATURES:
        chance = softmax(temperature * loo[judged])[np.arange(len(classes)), classes]
        loss = float(-(weights * np.log(chance + 1e-9)).sum())
        best = min(best, (loss, temperature))
    return best


def choose(
    labelled: Labelled, kernel_weights: dict[int, Float64Array], default: Settings, rng: np.random.Generator
) -> Settings:
    """Choose settings by leave-one-out: the graph and its share with each supervised kernel, then its width, then the noise.

    A label alone of its class says nothing about how well others predict it and is not judged. Until there are two judged
    labels a class the default stands: fewer would choose by chance.

    Parameters
    ----------
    labelled : Labelled
    kernel_weights : dict
        Weights of the graph's coordinates for each dimension to try.
    default : Settings
    rng : Generator
        Draws which labels are looked at when there are more than 400.
    """
    kernels: tuple[float, ...] = WIDTHS[:2]
    if len(labelled.classes) > MAX_JUDGED:
        kernels = WIDTHS[:1]  # linear may win on a sample of the labels, but learns nothing more from all of them
        labelled = labelled.some(np.sort(rng.choice(len(labelled.classes), MAX_JUDGED, replace=False)))
    count = np.bincount(labelled.classes, minlength=labelled.targets.shape[1])
    judged = count[labelled.classes] >= 2
    if int(judged.sum()) < 2 * max(2, int(np.count_nonzero(count))):
        return default

    def loss(settings: Settings) -> tuple[float, Settings]:
        kernel = kernel_between(labelled, labelled, kernel_weights[settings.dimension], settings)
        loo = leave_one_out(kernel, labelled.targets, settings.noise / labelled.weights)
        value, temperature = judge(loo, labelled, judged)
        return value, replace(settings, temperature=temperature)

    def best(candidates: Iterable[Settings]) -> Settings:
        # Earlier candidates win ties: the order is the preference.
        return min(map(loss, candidates), key=lambda pair: pair[0])[1]

    chosen = best(
        replace(default, dimension=m, share=share, width=width)
        for width in kernels
        for m in kernel_weights
        for share in SHARES
    )
    if chosen.share < 1 and chosen.width > 0:
        chosen = best(replace(chosen, width=width) for width in (chosen.width, *WIDTHS[2:]))
    return best(replace(chosen, noise=noise) for noise in NOISES)


def solve(kernel: Float64Array, targets: Float64Array, noise: Float64Array) -> Float64Array:
    """Return α = (K + noise)⁻¹ Y, shape (n, K)."""
    from scipy.linalg import cho_factor, cho_solve

    alpha: Float64Array = cho_solve(cho_factor(kernel + np.diag(noise), lower=True), targets)
    return alpha


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
