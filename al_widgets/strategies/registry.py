"""Strategies by name: what there is, in one line each, and how to get one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, overload

from al_widgets.errors import StrategyError
from al_widgets.strategies.base import Strategy


@dataclass(frozen=True)
class Entry:
    """One strategy of the catalogue.

    Attributes
    ----------
    line : str
        What it does, in one line.
    factory : str or callable
        ``"module:attribute"`` (imported when asked for) or what makes the strategy.
    options : dict
        Arguments of the factory that make it this strategy.
    """

    line: str
    factory: str | Callable[..., Strategy]
    options: dict[str, Any]


class Catalogue(Sequence[str]):
    """Names of all strategies: iterates and indexes as names, prints as a table."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._lines = {name: entry.line for name, entry in entries.items()}
        self._names = tuple(self._lines)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self._names[index]

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def describe(self, name: str) -> str:
        """Return the line of a name."""
        return self._lines[name]

    def __repr__(self) -> str:
        width = max(map(len, self._names), default=0)
        return "\n".join(f"{name:<{width}}  {line}" for name, line in self._lines.items())


_HERE = "al_widgets.strategies."

_ENTRIES: dict[str, Entry] = {
    "auto": Entry(
        "the default: cover the pool, then ask what is uncertain and would teach the rest",
        _HERE + "auto:Auto",
        {},
    ),
    "random": Entry("draw uniformly: the baseline", _HERE + "random_sampling:RandomSampling", {}),
    "least_confidence": Entry(
        "1 − the largest probability (Lewis and Gale 1994)", _HERE + "model_scores:least_confidence", {}
    ),
    "margin": Entry("1 − (p₁ − p₂) (Scheffer et al. 2001)", _HERE + "model_scores:margin", {}),
    "ratio": Entry("p₂ / p₁ (Settles 2009)", _HERE + "model_scores:ratio", {}),
    "entropy": Entry("−Σ p ln p (Settles 2009)", _HERE + "model_scores:entropy", {}),
    "herding": Entry(
        "Uncertainty Herding: cover what is uncertain and not covered (Bae et al. 2025)",
        _HERE + "herding:UncertaintyHerding",
        {},
    ),
    "vote_entropy": Entry(
        "committee: entropy of the votes (Engelson and Dagan 1996)",
        _HERE + "committee:by_vote_entropy",
        {},
    ),
    "consensus_entropy": Entry(
        "committee: entropy of the mean (Settles 2009)",
        _HERE + "committee:by_consensus_entropy",
        {},
    ),
    "kl_divergence": Entry(
        "committee: KL of the members to their mean (McCallum and Nigam 1998)",
        _HERE + "committee:by_disagreement",
        {},
    ),
    "bald": Entry(
        "ensemble: what a label tells about which member is right (Houlsby et al. 2011)",
        _HERE + "committee:by_information",
        {},
    ),
    "batchbald": Entry(
        "BALD for whole batches (Kirsch et al. 2019)",
        _HERE + "batchbald:BatchBald",
        {},
    ),
    "expected_error": Entry(
        "lowest expected error after the label (Roy and McCallum 2001)",
        _HERE + "expected_error:ExpectedErrorReduction",
        {},
    ),
    "variance": Entry(
        "largest variance of a Gaussian process on the pool's graph (Kapoor et al. 2007)",
        _HERE + "design:OptimalDesign",
        {"criterion": "variance", "name": "variance"},
    ),
    "v_optimal": Entry(
        "lowers the summed variance on the graph most (Ji and Han 2012)",
        _HERE + "design:OptimalDesign",
        {"criterion": "v", "name": "v_optimal"},
    ),
    "sigma_optimal": Entry(
        "lowers the variance of the sum on the graph most (Ma et al. 2013)",
        _HERE + "design:OptimalDesign",
        {"criterion": "sigma", "name": "sigma_optimal"},
    ),
    "density_weighted": Entry(
        "(1 − margin) × density (Settles and Craven 2008)",
        _HERE + "density:density_weighted",
        {},
    ),
    "k_center": Entry(
        "core-set: farthest from all that is covered (Sener and Savarese 2018)",
        _HERE + "kcenter:KCenter",
        {},
    ),
    "typical_clusters": Entry(
        "most typical item of each uncovered cluster (Hacohen et al. 2022)",
        _HERE + "clusters:TypicalClusters",
        {},
    ),
    "probability_coverage": Entry(
        "covers most of the pool with balls (Yehuda et al. 2022)",
        _HERE + "coverage:ProbabilityCoverage",
        {},
    ),
    "badge": Entry(
        "k-means++ on gradient embeddings (Ash et al. 2020)",
        _HERE + "gradient:Badge",
        {},
    ),
    "gradient_kmeans": Entry(
        "k-means on gradient embeddings of the most uncertain (Ash et al. 2020, Zhdanov 2019)",
        _HERE + "gradient:WeightedKMeans",
        {"on": "gradients", "name": "gradient_kmeans"},
    ),
    "weighted_kmeans": Entry(
        "k-means of the most uncertain, weighted (Zhdanov 2019)",
        _HERE + "gradient:WeightedKMeans",
        {},
    ),
    "cluster_margin": Entry(
        "smallest margins, in turn from clusters (Citovsky et al. 2021)",
        _HERE + "clusters:ClusterMargin",
        {},
    ),
    "power": Entry(
        "margin, drawn by power sampling (Kirsch et al. 2023)",
        _HERE + "model_scores:margin",
        {"batch": "power", "name": "power"},
    ),
    "discriminative": Entry(
        "easiest to tell apart from all that is labelled (Gissin and Shalev-Shwartz 2019)",
        _HERE + "discriminative:discriminative",
        {},
    ),
    "cost_aware": Entry(
        "utility per expected second of another strategy (Settles et al. 2008)",
        _HERE + "cost:CostAware",
        {},
    ),
}


def names() -> Catalogue:
    """Return all names, with one line each.

    Examples
    --------
    >>> from al_widgets import strategies
    >>> "margin" in strategies.names()
    True
    """
    return Catalogue(_ENTRIES)


def get(name: str, **options: Any) -> Strategy:
    """Return a strategy by its name.

    Parameters
    ----------
    name : str
        One of `names`.
    **options
        Given to the strategy, such as ``batch="power"``.

    Raises
    ------
    StrategyError
        For an unknown name or option.
    """
    entry = _ENTRIES.get(name)
    if entry is None:
        raise StrategyError(f"unknown strategy {name!r}: choose one of {', '.join(_ENTRIES)}")
    factory = entry.factory
    if isinstance(factory, str):
        module, _, attribute = factory.partition(":")
        factory = getattr(import_module(module), attribute)
    try:
        strategy: Strategy = factory(**{**entry.options, **options})
    except TypeError as error:
        raise StrategyError(f"strategy {name!r} does not take these options: {error}") from error
    return strategy


def register(name: str, factory: Callable[..., Strategy], line: str) -> None:
    """Add a strategy of your own to the catalogue.

    Parameters
    ----------
    name : str
        A new name.
    factory : callable
        Makes the strategy; takes the options of `get`.
    line : str
        What it does, in one line.

    Raises
    ------
    StrategyError
        If the name is taken.
    """
    if name in _ENTRIES:
        raise StrategyError(f"there is a strategy {name!r} already: choose another name")
    _ENTRIES[name] = Entry(line, factory, {})


def as_strategy(what: Any) -> Strategy:
    """Make a strategy of a name, a callable, a scikit-activeml strategy or a modAL query function.

    Raises
    ------
    StrategyError
        For anything else.
    """
    if isinstance(what, str):
        return get(what)
    from al_widgets.strategies.adapters import adapt

    return adapt(what)
