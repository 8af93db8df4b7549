"""Kernel ridge regression on soft labels, with leave-one-out scores in closed form.

A leave-one-out score is the classifier's opinion of an item that did not see the item's own answers. Who may
import it: `al_widgets.oracles` and above. Any thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from al_widgets.errors import TaskError
from al_widgets.oracles.answers import FloatArray

REGULARISATIONS = (0.05, 0.3, 1.0)
"""Ridge penalties that are tried; the evidence of the answers chooses."""

EXACT_UP_TO = 800
"""Rows up to which the whole kernel is decomposed; beyond, 500 landmarks stand for it (Nyström)."""

LANDMARKS = 500


class KernelRidge:
    """RBF kernel ridge regression on fixed features, decomposed once: later fits are matrix products.

    Parameters
    ----------
    features : array_like (n, d)
        Finite.
    gamma : float, optional
        Kernel exp(-γ |x - x'|²). Default 1 / (d · variance), as scikit-learn's ``gamma="scale"``.
    regularisations : tuple of float
        What `leave_one_out` tries.

    Notes
    -----
    With K = U diag(λ) Uᵀ the fit to targets Y is F = S Y, S = U diag(λ / (λ + ridge)) Uᵀ, and leaving out row i gives
    (F_i - S_ii Y_i) / (1 - S_ii) exactly (Rifkin & Lippert 2007). Landmarks are drawn without looking at labels, so the same
    formula is exact for the Nyström features.
    """

    def __init__(
        self,
        features: npt.ArrayLike,
        gamma: float | None = None,
        regularisations: tuple[float, ...] = REGULARISATIONS,
    ) -> None:
        X = np.asarray(features, np.float64)
        if X.ndim != 2:
            raise TaskError(f"features must be a matrix (items, features), not of shape {X.shape}")
        if not np.isfinite(X).all():
            bad = np.flatnonzero(~np.isfinite(X).all(1))
            raise TaskError(
                f"features must be finite: {len(bad)} of {len(X)} rows hold NaN or infinity, the first is row {bad[0]}"
            )
        self.regularisations = regularisations
        self.gamma = 1.0 / max(X.shape[1] * float(X.var()), 1e-12) if gamma is None else gamma
        n = len(X)
        if n <= EXACT_UP_TO:
            self._landmarks = X
            spectrum, U = np.linalg.eigh(self._kernel(X))
            keep = spectrum > 1e-9 * max(spectrum[-1], 1.0)
            self._U, self._spectrum = U[:, keep], spectrum[keep]
            self._to_coefficients = self._U  # K_new U diag(1/λ) diag(λ/(λ+ridge)) = K_new U / (λ + ridge)
        else:
            rows = np.random.default_rng(0).choice(n, LANDMARKS, replace=False)
            self._landmarks = X[rows]
            small, W = np.linalg.eigh(self._kernel(self._landmarks))
            W = W[:, small > 1e-9 * small[-1]] / np.sqrt(small[small > 1e-9 * small[-1]])
            phi = self._kernel(X) @ W
            squared, V = np.linalg.eigh(phi.T @ phi)
            keep = squared > 1e-9 * squared[-1]
            self._spectrum = squared[keep]
            self._U = phi @ V[:, keep] / np.sqrt(self._spectrum)
            self._to_coefficients = W @ V[:, keep] * np.sqrt(self._spectrum)
        self._shrink = self._spectrum[:, None] / (self._spectrum[:, None] + np.array(regularisations))
        self._leverage = self._U**2 @ self._shrink

    def _kernel(self, X: FloatArray) -> FloatArray:
        L = self._landmarks
        squared = (X**2).sum(1)[:, None] + (L**2).sum(1)[None, :] - 2 * X @ L.T
        return np.asarray(np.exp(-self.gamma * np.maximum(squared, 0)), np.float64)

    def leave_one_out(self, posterior: npt.ArrayLike) -> FloatArray:
        """Return scores of every row by a model that did not see the row.

        Parameters
        ----------
        posterior : array_like (n, K)
            Soft labels.

        Returns
        -------
        ndarray (L, n, K)
            One slice a regularisation; 0 means "no opinion".
        """
        Q = np.asarray(posterior, np.float64)
        Y = Q - 1 / Q.shape[1]
        shrunk = self._shrink[:, :, None] * (self._U.T @ Y)[:, None, :]
        fitted = (self._U @ shrunk.reshape(len(shrunk), -1)).reshape(len(Y), *shrunk.shape[1:])
        leverage = self._leverage[:, :, None]
        found = (fitted - leverage * Y[:, None, :]) / np.maximum(1 - leverage, 1e-6)
        return np.ascontiguousarray(found.transpose(1, 0, 2))

    def predict(self, features: npt.ArrayLike, posterior: npt.ArrayLike, ridge: float) -> FloatArray:
        """Return scores (m, K) of new rows by the model fitted to soft labels (n, K) with one penalty."""
        Q = np.asarray(posterior, np.float64)
        projected = self._U.T @ (Q - 1 / Q.shape[1])
        coefficients = self._to_coefficients @ (projected / (self._spectrum + ridge)[:, None])
        return np.asarray(self._kernel(np.asarray(features, np.float64)) @ coefficients, np.float64)
