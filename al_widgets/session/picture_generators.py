"""Generators of pictures from real pictures: blends that people can answer, and those that show why most others fail.

Pure after construction; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from al_widgets.errors import SessionError
from al_widgets.session.generators import FloatArray, Pixels
from al_widgets.session.reality import Reality, flattened
from al_widgets.strategies.synthesis import blends, opposite_neighbours


class _FromReal:
    """What generators from real pictures share: pictures, classes, and the pairs of nearest opposites."""

    name = "made"
    for_people = True

    def __init__(self, images: npt.ArrayLike, labels: Sequence[str]) -> None:
        self._images = np.asarray(images)
        self._labels = [str(label) for label in labels]
        if len(self._images) != len(self._labels):
            raise SessionError(f"{len(self._images)} pictures, but {len(self._labels)} labels")
        if len(set(self._labels)) < 2:
            raise SessionError("blends need real pictures of two classes or more: label some first")
        numbers = np.unique(self._labels, return_inverse=True)[1]
        self._pairs = opposite_neighbours(flattened(self._images), numbers.astype(np.intp))

    def seeds(self) -> tuple[Sequence[Pixels], Sequence[str]]:
        """Return the real pictures and their classes."""
        return list(self._images), list(self._labels)

    def pair_of(self, parameters: FloatArray) -> tuple[int, int]:
        """Return the numbers of the two real pictures behind a made one."""
        at = min(int(parameters[0] * len(self._pairs)), len(self._pairs) - 1)
        return int(self._pairs[at, 0]), int(self._pairs[at, 1])

    def _blend(self, parameters: FloatArray, share: float) -> Pixels:
        i, j = self.pair_of(parameters)
        mixed = blends(self._images[i], self._images[j], share)
        if self._images.dtype.kind in "iu":
            return np.rint(mixed).astype(self._images.dtype)
        return mixed.astype(self._images.dtype)


class Blends(_FromReal):
    """A real picture with at most a quarter of its nearest neighbour of another class mixed in.

    People still see the first picture; what does not look like a real one is not shown.

    Parameters
    ----------
    images : array_like (n, h, w[, c])
        Real pictures of one shape, 30 or more.
    labels : sequence of str
        Their classes, at least two.
    share : float
        Of the second picture at most, up to 0.25.

    Raises
    ------
    SessionError
    """

    def __init__(self, images: npt.ArrayLike, labels: Sequence[str], share: float = 0.25) -> None:
        super().__init__(images, labels)
        if not 0 < share <= 0.25:
            raise SessionError(
                f"beyond a quarter of another picture people cannot tell; share is 0 to 0.25, not {share!r}"
            )
        self._share = share
        self.harder = 1
        self._reality = Reality(self._images)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Of the pair, 0 to 1, and of the share."""
        return ((0.0, 1.0), (0.0, self._share))

    def make(self, parameters: FloatArray) -> Pixels:
        """Return the blend."""
        return self._blend(parameters, float(parameters[1]))

    def accepts(self, pixels: Pixels) -> bool:
        """Whether it looks like a real picture."""
        return bool(self._reality.likely(np.asarray(pixels)[None])[0])


class Midpoints(_FromReal):
    """The middle between nearest pictures of different classes: what a learner would like best, and nobody can answer."""

    ranges = ((0.0, 1.0),)

    def make(self, parameters: FloatArray) -> Pixels:
        """Return the middle."""
        return self._blend(parameters, 0.5)

    def accepts(self, pixels: Pixels) -> bool:
        """Accept everything; that is the trap."""
        del pixels
        return True


class UniformPixels:
    """Every pixel at random: the first idea of query synthesis, and noise to a person.

    Parameters
    ----------
    shape : tuple of int
    high : int
        Largest value; the dtype is uint8.
    """

    name = "made"
    for_people = True
    ranges = ((0.0, 1.0),)

    def __init__(self, shape: tuple[int, ...], high: int = 255) -> None:
        self._shape, self._high = tuple(shape), high

    def make(self, parameters: FloatArray) -> Pixels:
        """Return noise that follows from the parameter."""
        seed = int(np.float64(parameters[0]).view(np.uint64))
        return np.random.default_rng(seed).integers(0, self._high + 1, self._shape).astype(np.uint8)

    def accepts(self, pixels: Pixels) -> bool:
        """Accept everything; that is the trap."""
        del pixels
        return True
