import numpy as np
import pytest

from al_widgets.errors import TaskError
from al_widgets.oracles import kernel_ridge
from al_widgets.oracles.kernel_ridge import KernelRidge


def problem(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, rng.dirichlet(np.ones(3), n)


def test_leave_one_out_equals_fitting_without_the_row():
    X, Q = problem(30)
    ridge = KernelRidge(X)
    found = ridge.leave_one_out(Q)
    for position, penalty in enumerate(ridge.regularisations):
        for i in (0, 7, 29):
            rest = np.delete(np.arange(30), i)
            without = KernelRidge(X[rest], gamma=ridge.gamma)
            # Targets are centred on 1 / K in both, so a dropped row changes nothing else.
            np.testing.assert_allclose(without.predict(X[[i]], Q[rest], penalty)[0], found[position, i], atol=1e-9)


def test_leave_one_out_equals_fitting_without_the_row_when_landmarks_stand_for_the_kernel(monkeypatch):
    monkeypatch.setattr(kernel_ridge, "EXACT_UP_TO", 20)
    monkeypatch.setattr(kernel_ridge, "LANDMARKS", 10)
    X, Q = problem(40)
    ridge = KernelRidge(X)
    phi = ridge._U * np.sqrt(ridge._spectrum)  # the explicit features of the approximation
    penalty = ridge.regularisations[1]
    for i in (0, 13, 39):
        rest = np.delete(np.arange(40), i)
        A = phi[rest].T @ phi[rest] + penalty * np.eye(phi.shape[1])
        w = np.linalg.solve(A, phi[rest].T @ (Q[rest] - 1 / 3))
        np.testing.assert_allclose(phi[i] @ w, ridge.leave_one_out(Q)[1, i], atol=1e-9)


@pytest.mark.parametrize("exact", [True, False])
def test_predict_of_the_training_rows_equals_the_fit(monkeypatch, exact):
    if not exact:
        monkeypatch.setattr(kernel_ridge, "EXACT_UP_TO", 20)
        monkeypatch.setattr(kernel_ridge, "LANDMARKS", 15)
    X, Q = problem(40)
    ridge = KernelRidge(X)
    shrink = ridge._spectrum / (ridge._spectrum + 0.3)
    fitted = ridge._U @ (shrink[:, None] * (ridge._U.T @ (Q - 1 / 3)))
    np.testing.assert_allclose(ridge.predict(X, Q, 0.3), fitted, atol=1e-8)


def test_kernel_ridge_refuses_features_that_are_no_finite_matrix():
    with pytest.raises(TaskError, match="must be finite: 1 of 1 rows hold NaN"):
        KernelRidge([[1.0, np.nan]])
    with pytest.raises(TaskError, match="must be a matrix"):
        KernelRidge([1.0, 2.0])
