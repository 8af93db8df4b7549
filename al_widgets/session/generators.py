"""Generators: what makes the items of a synthesis session from a few numbers. Pure after construction; any thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError

FloatArray = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.generic]


@runtime_checkable
class Generator(Protocol):
    """Makes items from parameters."""

    @property
    def name(self) -> str:
        """Short name, for ids and messages."""

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each parameter."""

    @property
    def for_people(self) -> bool:
        """Whether people look at the pictures: then it is given up when they cannot tell, and learned from the pixels."""

    def make(self, parameters: FloatArray) -> Pixels:
        """Return the picture of parameters (d,); the same parameters give the same picture."""

    def accepts(self, pixels: Pixels) -> bool:
        """Whether a picture is worth showing."""


@runtime_checkable
class Seeded(Protocol):
    """A generator that rests on real pictures with labels, which a learner may use as well."""

    def seeds(self) -> tuple[Sequence[Pixels], Sequence[str]]:
        """Return the real pictures and their classes."""


@dataclass(frozen=True)
class Ranges:
    """Parameters of an experiment or a simulation; what is learned is a function of the parameters themselves.

    Parameters
    ----------
    ranges : sequence of (float, float)
    names : sequence of str, optional
    picture : callable, optional
        Parameters (d,) → picture, where a person is to see something; default: the parameters as a row of values.

    Raises
    ------
    SessionError
        If a range is empty or not finite.
    """

    ranges: tuple[tuple[float, float], ...]
    names: tuple[str, ...] = ()
    picture: Callable[[FloatArray], Pixels] | None = None
    name: str = "made"
    for_people: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", tuple((float(low), float(high)) for low, high in self.ranges))
        bad = [r for r in self.ranges if not (np.isfinite(r).all() and r[0] < r[1])]
        if bad or not self.ranges:
            raise SessionError(f"a range is (lowest, highest), both finite: not {bad[0] if bad else 'nothing at all'}")
        if self.names and len(self.names) != len(self.ranges):
            raise SessionError(f"{len(self.names)} names for {len(self.ranges)} ranges")

    def make(self, parameters: FloatArray) -> Pixels:
        """Return the picture, or the parameters as an array (1, d)."""
        if self.picture is not None:
            return np.asarray(self.picture(parameters))
        return np.asarray(parameters, np.float32)[None]

    def accepts(self, pixels: Pixels) -> bool:
        """Accept everything: an experiment answers everywhere."""
        del pixels
        return True


def scaled(generator: Generator, unit: FloatArray) -> FloatArray:
    """Return parameters for a point of the unit cube (d,)."""
    low, high = np.asarray(generator.ranges, np.float64).T
    return np.asarray(low + unit * (high - low))


def unscaled(generator: Generator, parameters: FloatArray) -> FloatArray:
    """Return the point of the unit cube for parameters (d,)."""
    low, high = np.asarray(generator.ranges, np.float64).T
    return np.asarray((parameters - low) / (high - low))


def as_generator(what: Any) -> Generator:
    """Return `what` as a generator: one, or a list of ranges.

    Raises
    ------
    SessionError
        If it is neither.
    """
    if isinstance(what, Generator):
        return what
    try:
        pairs = tuple((float(low), float(high)) for low, high in what)
    except (TypeError, ValueError):
        raise SessionError(
            f"{what!r:.80} is no generator: give a list of (lowest, highest), one a parameter, or an object with name, ranges, "
            "for_people, make and accepts"
        ) from None
    return Ranges(pairs)
