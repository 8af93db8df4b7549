"""What every strategy must do, as a suite to inherit: for our own strategies and for yours.

::

    class TestMine(StrategyContract):
        def make(self):
            return MyStrategy()

The cases are bugs that were found in published libraries: positions taken for rows, rows for columns, the gradient of the
predicted class left out, repeated picks, scores that are not finite, a pool that runs out, a single class.
"""

# ruff: noqa: D102, S101 - tests: names say what they check

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from al_widgets.errors import StrategyError
from al_widgets.strategies import Context, Strategy


class Prototypes:
    """A small model for tests: softmax of negative squared distances to class means, the same for every order of items."""

    def __init__(self, means: npt.NDArray[Any], n_classes: int) -> None:
        self.means = means
        self.n_classes = n_classes

    def predict_proba(self, features: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return probabilities (m, n_classes)."""
        gap = ((features[:, None, :] - self.means[None]) ** 2).sum(axis=2)
        chance = np.exp(-gap + gap.min(axis=1, keepdims=True))
        made: npt.NDArray[Any] = chance / chance.sum(axis=1, keepdims=True)
        return made


def a_context(seed: int = 0, n: int = 90, dtype: type = np.float64, n_classes: int = 3) -> Context:
    """Return a pool of three clusters with a few labels, a model and a committee.

    Clusters overlap, so that the model is unsure of many items and the committee disagrees. Candidates are neither all rows nor the first ones, so that positions and rows cannot be confused.
    """
    draw = np.random.default_rng(seed)
    truth = np.arange(n) % n_classes
    centres = 0.7 * draw.standard_normal((n_classes, 5))
    features: npt.NDArray[Any] = (centres[truth] + draw.standard_normal((n, 5))).astype(dtype)
    labelled = np.arange(1, 2 * n_classes + 1)
    means = np.stack([features[labelled][truth[labelled] == c].mean(axis=0) for c in range(n_classes)])
    model = Prototypes(means, n_classes)
    committee: npt.NDArray[Any] = np.stack(
        [
            Prototypes(means + 0.4 * draw.standard_normal(means.shape), n_classes).predict_proba(features)
            for _ in range(4)
        ]
    ).astype(dtype)
    return Context(
        features=features,
        candidates=np.arange(2 * n_classes + 3, n),
        labelled=labelled,
        labels=truth[labelled],
        n_classes=n_classes,
        probabilities=model.predict_proba(features).astype(dtype),
        model=model,
        committee=committee,
        rng=np.random.default_rng(seed + 1),
    )


def permuted(context: Context, order: npt.NDArray[np.intp]) -> Context:
    """Return the same pool with its rows in another order: new row i is old row ``order[i]``."""
    place = np.argsort(order)
    return replace(
        context,
        features=context.features[order],
        candidates=np.sort(place[context.candidates]),
        labelled=place[context.labelled],
        pending=place[context.pending],
        probabilities=None if context.probabilities is None else context.probabilities[order],
        committee=None if context.committee is None else context.committee[:, order],
    )


class StrategyContract:
    """Inherit and give `make`; pytest finds the tests."""

    #: Whether picks are drawn at random, so that another order of items gives another draw.
    draws: bool = False
    #: Whether scores take few values (votes, counts), so that many tie: which of them is asked is open.
    ties: bool = False
    #: Whether the strategy looks at features (all but those that score probabilities, one at a time).
    uses_features: bool = True

    def make(self) -> Strategy:
        """Return a new strategy."""
        raise NotImplementedError

    def test_name_is_a_word(self) -> None:
        strategy = self.make()
        assert isinstance(strategy, Strategy)
        assert strategy.name

    @pytest.mark.parametrize("batch_size", [1, 4, 20])
    def test_query_gives_different_candidates_with_finite_utilities(self, batch_size: int) -> None:
        context = a_context()
        selection = self.make().query(context, batch_size)
        assert selection.indices.shape == selection.utilities.shape == (batch_size,)
        assert len(set(selection.indices.tolist())) == batch_size
        assert set(selection.indices.tolist()) <= set(context.candidates.tolist())
        assert np.isfinite(selection.utilities).all()
        if selection.propensities is not None:
            assert ((selection.propensities > 0) & (selection.propensities <= 1)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_query_repeats_itself_under_a_seed(self, dtype: type) -> None:
        first = self.make().query(a_context(3, dtype=dtype), 5)
        second = self.make().query(a_context(3, dtype=dtype), 5)
        np.testing.assert_array_equal(first.indices, second.indices)
        np.testing.assert_array_equal(first.utilities, second.utilities)

    def test_query_leaves_the_context_as_it_was(self) -> None:
        context = replace(a_context(), pending=np.array([7, 8]))
        arrays = ["features", "candidates", "labelled", "labels", "pending", "probabilities", "committee"]
        before = {name: getattr(context, name).copy() for name in arrays}
        self.make().query(context, 5)
        for name in arrays:
            np.testing.assert_array_equal(before[name], getattr(context, name))

    def test_query_gives_nothing_when_the_pool_is_exhausted(self) -> None:
        context = replace(a_context(), candidates=np.empty(0, np.intp))
        selection = self.make().query(context, 3)
        assert selection.indices.shape == selection.utilities.shape == (0,)

    def test_query_gives_every_candidate_when_the_batch_is_larger_than_the_pool(self) -> None:
        context = replace(a_context(), candidates=np.array([50, 20, 33]))
        selection = self.make().query(context, 10)
        assert sorted(selection.indices.tolist()) == [20, 33, 50]

    def test_query_works_with_a_single_candidate(self) -> None:
        context = replace(a_context(), candidates=np.array([42]))
        assert self.make().query(context, 1).indices.tolist() == [42]

    def test_query_works_when_one_class_only_was_labelled(self) -> None:
        context = a_context()
        rows = context.labelled[context.labels == context.labels[0]]
        probabilities = np.zeros_like(context.features[:, :3])
        probabilities[:, context.labels[0]] = 1
        model = Prototypes(context.features[rows].mean(axis=0, keepdims=True).repeat(3, axis=0), 3)
        context = replace(
            context,
            labelled=rows,
            labels=np.full(len(rows), context.labels[0]),
            probabilities=probabilities,
            committee=np.stack([probabilities] * 3),
            model=model,
        )
        selection = self.make().query(context, 6)
        assert len(set(selection.indices.tolist())) == 6
        assert np.isfinite(selection.utilities).all()

    def test_query_works_before_the_first_label(self) -> None:
        context = replace(
            a_context(),
            labelled=np.empty(0, np.intp),
            labels=np.empty(0, np.intp),
            probabilities=None,
            model=None,
            committee=None,
        )
        selection = self.make().query(context, 6)
        assert len(set(selection.indices.tolist())) == 6
        assert np.isfinite(selection.utilities).all()

    def test_query_works_without_a_committee(self) -> None:
        selection = self.make().query(replace(a_context(), committee=None), 4)
        assert len(set(selection.indices.tolist())) == 4

    def test_query_works_when_all_items_are_copies(self) -> None:
        context = a_context()
        n = len(context.features)
        probabilities = np.tile([[0.5, 0.3, 0.2]], (n, 1))
        committee = np.tile([[[0.5, 0.3, 0.2]], [[0.1, 0.6, 0.3]]], (1, n, 1))
        context = replace(
            context,
            features=np.ones_like(context.features),
            probabilities=probabilities,
            committee=committee,
        )
        selection = self.make().query(context, 5)
        assert len(set(selection.indices.tolist())) == 5
        assert np.isfinite(selection.utilities).all()

    def test_query_chooses_the_same_items_in_another_order(self) -> None:
        if self.draws:
            pytest.skip("draws at random")
        context = a_context(5, n=60)
        order = np.random.default_rng(9).permutation(60)
        first = self.make().query(context, 4)
        second = self.make().query(permuted(context, order), 4)
        assert first.utilities[0] == pytest.approx(second.utilities[0])
        if not self.ties:
            assert first.indices.tolist() == order[second.indices].tolist()

    def test_query_does_not_mind_the_order_of_candidates(self) -> None:
        if self.draws:
            pytest.skip("draws at random")
        context = a_context(6)
        shuffled = replace(context, candidates=np.random.default_rng(2).permutation(context.candidates))
        first = self.make().query(context, 4)
        second = self.make().query(replace(shuffled, rng=np.random.default_rng(7)), 4)
        assert first.utilities[0] == pytest.approx(second.utilities[0])
        if not self.ties:
            assert first.indices.tolist() == second.indices.tolist()

    def test_query_does_not_mind_how_classes_are_numbered(self) -> None:
        # What takes rows for columns, or loses the predicted class, asks otherwise when classes are numbered otherwise.
        context = a_context(8)
        order = np.array([2, 0, 1])  # class c becomes order[c]
        back = np.argsort(order)
        assert context.probabilities is not None
        assert context.committee is not None
        renumbered = replace(
            context,
            labels=order[context.labels],
            probabilities=context.probabilities[:, back],
            committee=context.committee[:, :, back],
            model=Prototypes(context.model.means[back], 3),
            rng=np.random.default_rng(4),
        )
        first = self.make().query(replace(context, rng=np.random.default_rng(4)), 6)
        second = self.make().query(renumbered, 6)
        assert first.indices.tolist() == second.indices.tolist()
        np.testing.assert_allclose(first.utilities, second.utilities, rtol=1e-5, atol=1e-6)

    def test_query_asks_the_same_in_single_precision(self) -> None:
        double, single = a_context(3), a_context(3, dtype=np.float32)
        first, second = self.make().query(double, 5), self.make().query(single, 5)
        np.testing.assert_allclose(first.utilities, second.utilities, rtol=2e-3, atol=1e-4)
        if not self.ties:
            assert first.indices.tolist() == second.indices.tolist()

    def test_query_works_with_more_classes_than_labels(self) -> None:
        context = a_context(4, n_classes=40, n=120)
        context = replace(context, labelled=context.labelled[:5], labels=context.labels[:5])
        selection = self.make().query(context, 6)
        assert len(set(selection.indices.tolist())) == 6
        assert np.isfinite(selection.utilities).all()

    def test_query_works_with_a_single_feature(self) -> None:
        context = a_context(5)
        features = context.features[:, :1].copy()
        context = replace(context, features=features, model=Prototypes(context.model.means[:, :1], 3))
        selection = self.make().query(context, 6)
        assert len(set(selection.indices.tolist())) == 6
        assert np.isfinite(selection.utilities).all()

    def test_query_works_with_a_pool_of_one(self) -> None:
        empty = np.empty(0, np.intp)
        context = Context(np.ones((1, 5)), np.array([0]), empty, empty, 3, rng=np.random.default_rng(0))
        selection = self.make().query(context, 3)
        assert selection.indices.tolist() == [0]
        assert np.isfinite(selection.utilities).all()

    def test_query_takes_a_memory_map(self, tmp_path: Path) -> None:
        context = a_context(2)
        np.save(tmp_path / "features.npy", context.features)
        mapped = replace(context, features=np.load(tmp_path / "features.npy", mmap_mode="r"))
        first, second = self.make().query(a_context(2), 5), self.make().query(mapped, 5)
        assert first.indices.tolist() == second.indices.tolist()

    def test_query_takes_features_that_may_not_be_written(self) -> None:
        context = a_context()
        for name in ("features", "candidates", "labelled", "labels", "probabilities", "committee"):
            getattr(context, name).setflags(write=False)
        assert len(self.make().query(context, 3).indices) == 3

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_query_names_the_row_when_features_are_not_finite(self, value: float) -> None:
        if not self.uses_features:
            pytest.skip("does not look at features")
        context = a_context()
        features = context.features.copy()
        features[37] = value
        with pytest.raises(StrategyError, match="row 37"):
            self.make().query(replace(context, features=features), 80)

    @pytest.mark.parametrize("batch_size", [0, -1, 1.5])
    def test_query_refuses_a_batch_that_is_no_size(self, batch_size: Any) -> None:
        with pytest.raises(StrategyError, match="batch_size"):
            self.make().query(a_context(), batch_size)

    def test_query_refuses_rows_that_are_not_there(self) -> None:
        with pytest.raises(StrategyError, match="row 500"):
            self.make().query(replace(a_context(), candidates=np.array([3, 500])), 1)

    def test_query_refuses_candidates_that_repeat(self) -> None:
        with pytest.raises(StrategyError, match="repeat"):
            self.make().query(replace(a_context(), candidates=np.array([30, 31, 30])), 1)
