"""Foreign strategies behind our protocol: callables, scikit-activeml strategies, modAL query functions.

Neither library is imported here: a scikit-activeml strategy is known by its ``query(X, y, ...)``, a modAL function by its
``n_instances``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Context, FloatArray, Selection, Strategy
from al_widgets.strategies.batch import by_repulsion
from al_widgets.strategies.informed import Informed
from al_widgets.strategies.opinion import full_width, probabilities_of
from al_widgets.strategies.ranking import checked_size, nothing, require_finite


def adapt(what: Any) -> Strategy:
    """Return `what` as a strategy.

    Parameters
    ----------
    what : Strategy, scikit-activeml strategy, modAL query function, or callable
        A callable takes ``(context, batch_size)`` and returns a `Selection`, rows, or ``(rows, utilities)``; or it takes
        ``(context)`` and returns the utility of each candidate (m,) or of each row of the pool (N,).

    Raises
    ------
    StrategyError
        If it is none of these.
    """
    query = getattr(what, "query", None)
    if callable(query) and not inspect.isclass(what):
        parameters = list(inspect.signature(query).parameters)
        if parameters[:2] == ["X", "y"]:
            return SkactivemlStrategy(what)
        if isinstance(what, Strategy):
            return what
    if inspect.isclass(what) or not callable(what):
        raise StrategyError(
            f"{what!r} is no strategy: give a name, an object with name and query(context, batch_size), a callable, "
            "a scikit-activeml strategy or a modAL query function (an instance, not a class)"
        )
    parameters = list(inspect.signature(what).parameters)
    if "n_instances" in parameters:
        return ModalStrategy(what)
    return CallableStrategy(what, takes_size=len(_required(what)) > 1)


def _required(function: Callable[..., Any]) -> list[str]:
    """Return names of positional parameters without a default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind in kinds and p.default is inspect.Parameter.empty
    ]


def _named(what: Any) -> str:
    """Return a name for records: the function's or the class's."""
    return str(getattr(what, "__name__", type(what).__name__))


def _checked(context: Context, rows: Any, utilities: Any, size: int, name: str) -> Selection:
    """Check what a foreign strategy gave: candidates only, no repeats, finite."""
    chosen = np.asarray(rows).reshape(-1)
    if chosen.dtype.kind not in "iu" or not np.isin(chosen, context.candidates).all():
        raise StrategyError(f"strategy {name} chose {chosen.tolist()[:10]}: not all of them are candidates")
    if len(np.unique(chosen)) != len(chosen):
        raise StrategyError(f"strategy {name} chose a row twice: {chosen.tolist()[:10]}")
    scores = np.zeros(len(chosen)) if utilities is None else np.asarray(utilities, np.float64).reshape(-1)
    if len(scores) != len(chosen):
        raise StrategyError(f"strategy {name} gave {len(chosen)} rows and {len(scores)} utilities")
    require_finite(scores, chosen, f"utilities of strategy {name}")
    return Selection(chosen[:size].astype(np.intp), scores[:size])


@dataclass(frozen=True)
class CallableStrategy:
    """A plain function as a strategy; see `adapt`.

    Parameters
    ----------
    function : callable
    takes_size : bool
        Whether it takes ``(context, batch_size)`` and chooses, or ``(context)`` and scores.
    """

    function: Callable[..., Any]
    takes_size: bool = False

    @property
    def name(self) -> str:
        """The function's name."""
        return _named(self.function)

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        if self.takes_size:
            result = self.function(context, size)
            if isinstance(result, Selection):
                return _checked(context, result.indices, result.utilities, size, self.name)
            if isinstance(result, tuple):
                return _checked(context, result[0], result[1], size, self.name)
            return _checked(context, result, None, size, self.name)
        scores = np.asarray(self.function(context), np.float64)
        m = len(context.candidates)
        if scores.shape == (len(context.features),) and len(scores) != m:
            scores = scores[context.candidates]
        if scores.shape != (m,):
            raise StrategyError(
                f"strategy {self.name} must give one utility a candidate ({m}), not shape {scores.shape}"
            )
        require_finite(scores, context.candidates, f"utilities of strategy {self.name}")
        return by_repulsion(context, scores, context.candidates, size)


class _FittedProbabilities:
    """The context's opinion in the clothes of a fitted classifier, for libraries that want one."""

    on_transformed = False

    def __init__(self, context: Context) -> None:
        self._context = context
        self.classes_ = np.arange(context.n_classes)
        self.X_training = np.asarray(context.features[context.labelled])
        self.y_training = np.asarray(context.labels)

    def predict_proba(self, X: FloatArray, **_: Any) -> FloatArray:
        """Return the model's probabilities; the candidates' own when X is what was handed out."""
        if self._context.model is not None and hasattr(self._context.model, "predict_proba"):
            return full_width(self._context.model, X, self._context.n_classes)
        if len(X) != len(self._context.candidates):
            raise StrategyError("this modAL strategy needs a model, not only probabilities")
        return probabilities_of(self._context, self._context.candidates)

    def predict(self, X: FloatArray, **_: Any) -> Any:
        """Return class numbers."""
        return self.predict_proba(X).argmax(axis=1)


@dataclass(frozen=True)
class ModalStrategy(Informed):
    """A modAL query function ``(classifier, X_pool, n_instances) -> positions`` as a strategy.

    Parameters
    ----------
    function : callable
    """

    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return _named(self.function)

    def _choose(self, context: Context, size: int) -> Selection:
        """Choose `size` rows by the function."""
        pool = np.asarray(context.features[context.candidates])
        result = self.function(_FittedProbabilities(context), pool, n_instances=size)
        # modAL before 0.4.2 gave positions, since then (positions, utilities).
        positions, utilities = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
        positions = np.asarray(positions).reshape(-1)
        if utilities is not None and np.shape(utilities) != positions.shape:
            utilities = None
        return _checked(context, context.candidates[positions], utilities, size, self.name)


@dataclass(frozen=True)
class SkactivemlStrategy:
    """A scikit-activeml pool strategy as a strategy.

    Parameters
    ----------
    inner : object
        An instance such as ``skactiveml.pool.Badge(random_state=0)``. If its ``query`` takes a classifier, it gets
        ``estimator``, or else one is made from the model of the context.
    estimator : object or None
        A ``skactiveml`` classifier to use instead.
    """

    inner: Any
    estimator: Any = None

    @property
    def name(self) -> str:
        """The class's name."""
        return type(self.inner).__name__

    def query(self, context: Context, batch_size: int) -> Selection:
        """Choose up to `batch_size` rows; see `Strategy.query`."""
        size = checked_size(context, batch_size)
        if size == 0:
            return nothing()
        parameters = inspect.signature(self.inner.query).parameters
        X = np.asarray(context.features)
        y = np.full(len(X), np.nan)
        y[context.labelled] = context.labels
        options: dict[str, Any] = {}
        for argument in ("clf", "estimator", "discriminator", "ensemble"):
            if argument in parameters and parameters[argument].default is inspect.Parameter.empty:
                options[argument] = self._classifier(context)
        if "fit_clf" in parameters:
            options["fit_clf"] = True
        candidates = np.asarray(context.candidates)
        rows, utilities = self.inner.query(
            X, y, candidates=candidates, batch_size=size, return_utilities=True, **options
        )
        rows = np.asarray(rows).reshape(-1)
        picked = np.asarray(utilities)[np.arange(len(rows)), rows]
        return _checked(context, rows, np.nan_to_num(picked), size, self.name)

    def _classifier(self, context: Context) -> Any:
        """Return a scikit-activeml classifier: the one given, or one around the model's estimator."""
        if self.estimator is not None:
            return self.estimator
        from sklearn.base import clone
        from sklearn.linear_model import LogisticRegression

        try:
            from skactiveml.classifier import SklearnClassifier  # type: ignore[import-not-found]
        except ImportError as error:
            from al_widgets.errors import MissingExtraError

            raise MissingExtraError("a scikit-activeml strategy", "scikit-activeml", "skactiveml") from error
        inner = getattr(context.model, "estimator", context.model)
        inner = clone(inner) if hasattr(inner, "get_params") else LogisticRegression(max_iter=200)
        return SklearnClassifier(inner, classes=np.arange(context.n_classes))
