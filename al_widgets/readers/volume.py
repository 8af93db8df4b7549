"""Volumes: a stack of sections with physical axes, as every volume reader returns it.

Values only: no file stays open. Any layer above may import it; a volume is never changed, so any thread may read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import PoolError

Array = npt.NDArray[np.generic]
SIDES = ("LR", "PA", "FH")
"""Sides of the patient at the negative and at the positive end of the RAS+ axes."""
OBLIQUE = 0.35
"""Share of a direction, about 20 degrees, from which on a second side is named."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a volume: index → coordinate ``origin + index * step``.

    Attributes
    ----------
    name : str
        For example ``"line"``, ``"time"``, ``"distance"``, ``"slice"``, ``"row"``, ``"column"``.
    unit : str
        For example ``"m"``, ``"ns"``, ``"mm"``; empty where the file knows no unit and the axis counts samples.
    step : float
        Coordinate difference of neighbours; positive.
    origin : float
        Coordinate of index 0. On a time axis time-zero has coordinate 0, so `origin` is minus the time-zero.
    """

    name: str
    unit: str = ""
    step: float = 1.0
    origin: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.step) and self.step > 0):
            raise PoolError(f"axis {self.name!r}: step must be a positive number, not {self.step!r}")
        if not isfinite(self.origin):
            raise PoolError(f"axis {self.name!r}: origin must be a finite number, not {self.origin!r}")

    def coordinate(self, index: float) -> float:
        """Return the coordinate of a (fractional) index."""
        return self.origin + index * self.step

    def index(self, coordinate: float) -> float:
        """Return the fractional index of a coordinate."""
        return (coordinate - self.origin) / self.step

    def coordinates(self, n: int) -> npt.NDArray[np.float64]:
        """Return the coordinates of indices 0 … n - 1."""
        return self.origin + self.step * np.arange(n, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Image:
    """One section of a volume: a 2-D array with its two axes.

    Attributes
    ----------
    array : ndarray (rows, columns)
        Read-only view of the volume's data.
    axes : tuple of two Axis
    metadata : mapping
    name : str
    """

    array: Array
    axes: tuple[Axis, Axis]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = "image"


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack of sections: lines of a radar survey, or slices of a tomogram.

    Labels refer to raw indices (section, row, column) of `array`; whatever is done for display never moves them.

    Attributes
    ----------
    array : ndarray
        ``(lines, samples, traces)`` or ``(slices, rows, columns)``; read-only. A 2-D array is taken as one section.
    axes : tuple of three Axis
        May be given as tuples ``(name, unit, step, origin)``.
    metadata : mapping
        What the file says, JSON values; ``"format"`` names the format, ``"header"`` holds raw header fields.
    name : str
        First part of the ids of its slices.
    affine : ndarray (4, 4) or None
        Homogeneous (section, row, column) indices → millimetres in RAS+ patient coordinates, where known.
    lengths : tuple of int or None
        Number of real traces of each line where they differ; what lies beyond is zero. None: all are full.

    Raises
    ------
    PoolError
        If the array is no 2-D or 3-D array of numbers, is empty, or does not fit axes, affine or lengths.

    Examples
    --------
    >>> import numpy as np
    >>> volume = Volume(
    ...     np.zeros((2, 4, 3)), axes=[("line", "m", 0.2), ("time", "ns", 0.8, -0.8), ("distance", "m", 0.05)]
    ... )
    >>> volume.array.shape, volume.axes[1].coordinate(1)
    ((2, 4, 3), 0.0)
    """

    array: Array
    axes: tuple[Axis, Axis, Axis] | Sequence[Any] = (Axis("slice"), Axis("row"), Axis("column"))
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = "volume"
    affine: npt.NDArray[np.float64] | None = None
    lengths: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        array = np.asarray(self.array)
        if array.ndim == 2:
            array = array[np.newaxis]
        if array.ndim != 3 or array.size == 0 or array.dtype.kind not in "biuf":
            raise PoolError(
                f"a volume needs a non-empty array (sections, rows, columns) of real numbers, "
                f"not shape {np.shape(self.array)} of {array.dtype}"
            )
        view = array.view(np.uint8) if array.dtype.kind == "b" else array.view()
        view.setflags(write=False)
        axes = tuple(a if isinstance(a, Axis) else Axis(*a) for a in self.axes)
        if len(axes) != 3:
            raise PoolError(f"a volume needs three axes, not {len(axes)}")
        if self.affine is not None:
            affine = np.array(self.affine, np.float64)
            if affine.shape != (4, 4) or not np.isfinite(affine).all():
                raise PoolError(f"the affine must be a finite 4 x 4 matrix, not {self.affine!r}")
            affine.setflags(write=False)
            object.__setattr__(self, "affine", affine)
        if self.lengths is not None:
            lengths = tuple(int(n) for n in self.lengths)
            if len(lengths) != array.shape[0] or not all(0 < n <= array.shape[2] for n in lengths):
                raise PoolError(
                    f"lengths must give 1 to {array.shape[2]} traces for each of {array.shape[0]} lines, not {lengths}"
                )
            object.__setattr__(self, "lengths", None if set(lengths) == {array.shape[2]} else lengths)
        object.__setattr__(self, "array", view)
        object.__setattr__(self, "axes", axes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the array."""
        a, b, c = self.array.shape
        return a, b, c

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Mask (sections, columns): False where a line is shorter than the longest."""
        n, _, columns = self.array.shape
        lengths = np.full(n, columns) if self.lengths is None else np.array(self.lengths)
        mask: npt.NDArray[np.bool_] = np.arange(columns)[None, :] < lengths[:, None]
        return mask

    def ends(self) -> list[list[str]]:
        """Return, for each axis, the sides of the patient that its low and high indices lie towards; empty without an affine.

        Left, right, anterior, posterior, head, foot: L R A P H F; an oblique axis has the nearer side first, then the other.

        Examples
        --------
        >>> import numpy as np
        >>> axial = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])  # as scanners store it
        >>> Volume(np.zeros((2, 4, 3)), affine=axial).ends()
        [['F', 'H'], ['A', 'P'], ['R', 'L']]
        """
        if self.affine is None:
            return [[], [], []]
        ends = []
        for direction in self.affine[:3, :3].T:
            parts = direction / (np.linalg.norm(direction) or 1)
            near = [k for k in np.argsort(-np.abs(parts), kind="stable") if abs(parts[k]) > OBLIQUE]
            ends.append(["".join(SIDES[k][int((parts[k] > 0) != low)] for k in near) for low in (True, False)])
        return ends

    def section(self, index: int, axis: int = 0) -> Image:
        """Return one section across an axis, real traces only for a line of a survey.

        Axis 0 gives a B-scan or an axial slice, axis 1 a time slice (C-scan), axis 2 a cross-line section.

        Raises
        ------
        IndexError
            If there is no such section or axis.
        """
        if axis not in (0, 1, 2) or not 0 <= index < self.array.shape[axis]:
            raise IndexError(f"no section {index} across axis {axis} in a volume of shape {self.array.shape}")
        array = np.take(self.array, index, axis) if axis else self.array[index]
        if axis == 0 and self.lengths is not None:
            array = array[:, : self.lengths[index]]
        rest = [a for i, a in enumerate(self.axes) if i != axis]
        return Image(array, (rest[0], rest[1]), self.metadata, f"{self.name}/{index}")

    def with_axes(self, *axes: Axis | None) -> Volume:
        """Return the same data with other axes (None keeps one): a corrected spacing, a picked time-zero."""
        old = (*self.axes,)
        return replace(self, axes=tuple(n or o for n, o in zip((*axes, None, None, None)[:3], old, strict=True)))

    def __len__(self) -> int:
        return int(self.array.shape[0])

    def __iter__(self) -> Iterator[Image]:
        return (self.section(i) for i in range(len(self)))

    def __repr__(self) -> str:
        spans = ", ".join(
            f"{n} {a.name} × {a.step:g} {a.unit}".rstrip() for n, a in zip(self.shape, self.axes, strict=True)
        )
        return f"Volume({self.name!r}: {spans}; {self.array.dtype})"
